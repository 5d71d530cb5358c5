//! Keys and certificates: read, fitting together, from the right CA, and not about to end.

use super::{
    super::{catalogue::Check, finding::Findings, observe::ObservedRelease},
    is_near_its_end, objects, time_left,
};
use crate::{
    cluster::ObjectRef,
    command_line::CommandLine,
    commands::check::WarnBefore,
    failure::Next,
    pki::{
        inspect::{self, Certificate},
        key::PrivateKey,
        server::{self, ServerPair, ServerPairProblem},
    },
    release::mounts::{self, Mounts},
    times,
};

/// What the pair is when the backend has none yet.
const NO_PAIR: &str = "there is no pair yet: enroll makes one";

pub(super) fn check(site: &ObservedRelease, warn_before: WarnBefore, findings: &mut Findings) {
    if site.objects.is_err() || site.party.is_err() {
        return;
    }
    let cas = authorities(site);
    if cas.is_empty() {
        findings.skip(Check::CaEnds, "there is no CA that could be looked at");
    }
    for (name, ca) in cas {
        let left = time_left(&ca, site.now);
        if ca.not_after >= site.now && is_near_its_end(&ca, warn_before, site.now) {
            let next = "plan a new CA: every organization needs its certificate, and a certificate under it";
            findings.warn(Check::CaEnds, format!("{name}: {}, {left}", ca.subject), next);
        } else {
            findings.ok(Check::CaEnds, format!("{name}: {left}"));
        }
    }
    judge_server(site, warn_before, findings);
    judge_pair(site, warn_before, findings);
}

/// Every CA with the name of its object.
pub(in crate::commands::check) fn authorities(site: &ObservedRelease) -> Vec<(String, Certificate)> {
    let names = objects::authorities(site);
    let read = |name: &String| -> Vec<(String, Certificate)> {
        let object = site.object(&ObjectRef::of_kind(site.kind_of(name), name));
        let pem = object.and_then(|object| object.data("ca.crt"));
        let all = pem.and_then(|pem| inspect::certificates(&pem).ok()).unwrap_or_default();
        all.into_iter().map(|ca| (name.clone(), ca)).collect()
    };
    names.iter().flat_map(read).collect()
}

/// The server's certificate with the name of its Secret.
pub(in crate::commands::check) fn server(site: &ObservedRelease) -> Option<(String, Certificate)> {
    let name = site.orchestrator()?.server_pair.as_str();
    let pair = mounts::read_pair(site.object(&ObjectRef::secret(name)))?;
    Some((name.to_owned(), pair.leaf))
}

fn judge_server(site: &ObservedRelease, warn_before: WarnBefore, findings: &mut Findings) {
    let (Some(orchestrator), Ok(found), Ok(objects)) = (site.orchestrator(), &site.found, &site.objects) else {
        return;
    };
    if !orchestrator.tls_enabled {
        return findings.skip_the_rest("TLS is off");
    }
    let mounts = Mounts { found, manifest: &found.manifest, objects, now: site.now, remedy: site.remedy() };
    // The probe is accepted by what the pods mount; while mutual TLS is off, by what they would mount.
    let in_force = site.running().filter(|running| running.tls_enabled && running.mtls_enabled).unwrap_or(orchestrator);
    let probe = mounts.probe_name(orchestrator);
    let name = orchestrator.server_pair.as_str();
    let pair = mounts.server(name);
    let next = site.ours("ca init", "");
    for fault in server::faults(pair.as_ref(), [probe.as_str()], &mounts.pool(in_force), site.now) {
        findings.failed(check_of(fault.problem), format!("Secret {name}: {}", fault.why), next.clone());
    }
    let Some(ServerPair { leaf, .. }) = pair else { return findings.skip_the_rest("the server's pair cannot be read") };
    for (check, seen) in [
        (Check::ServerPair, "certificate and key fit".to_owned()),
        (Check::ServerExpired, "valid now".to_owned()),
        (Check::ServerAuth, "it may be a server".to_owned()),
        (Check::ServerClientAuth, "it may be a client".to_owned()),
        (Check::ServerName, format!("it covers {probe}")),
        (Check::ServerChain, format!("issued by {}", leaf.issuer)),
    ] {
        findings.ok(check, seen);
    }
    ends(site, Check::ServerEnds, &leaf, warn_before, next, findings);
}

/// The check that fails by it: not yet valid and ended are one, "valid now".
const fn check_of(problem: ServerPairProblem) -> Check {
    match problem {
        ServerPairProblem::Pair => Check::ServerPair,
        ServerPairProblem::Expired | ServerPairProblem::NotYetValid => Check::ServerExpired,
        ServerPairProblem::ServerAuth => Check::ServerAuth,
        ServerPairProblem::ClientAuth => Check::ServerClientAuth,
        ServerPairProblem::Name => Check::ServerName,
        ServerPairProblem::Chain => Check::ServerChain,
    }
}

/// Warns of an end that is near, and says nothing of one that is over: that is another check's.
fn ends(
    site: &ObservedRelease,
    check: Check,
    leaf: &Certificate,
    warn_before: WarnBefore,
    next: CommandLine,
    findings: &mut Findings,
) {
    let left = time_left(leaf, site.now);
    if leaf.not_after < site.now {
        findings.skip(check, "it has ended");
    } else if is_near_its_end(leaf, warn_before, site.now) {
        findings.warn(check, left, next);
    } else {
        findings.ok(check, left);
    }
}

fn judge_pair(site: &ObservedRelease, warn_before: WarnBefore, findings: &mut Findings) {
    let Some(backend) = site.backend() else { return };
    let name = backend.client_certificate.as_str();
    let Some(object) = site.object(&ObjectRef::secret(name)) else {
        if site.mtls() {
            findings.failed(Check::Pair, format!("Secret {name} is not there"), site.request(""));
        }
        return findings.skip_the_rest(NO_PAIR);
    };
    let chain = object.data("tls.crt").and_then(|pem| inspect::certificates(&pem).ok());
    let key = object.data("tls.key").and_then(|pem| PrivateKey::from_pem(&pem, None).ok());
    let again = site.request("--new-request");
    let (Some(chain), Some(key)) = (chain, key) else {
        let half = if object.data("tls.key").is_none_or(|key| key.is_empty()) {
            "its tls.key is empty or missing: the backend connects without a certificate"
        } else {
            "its tls.crt or tls.key cannot be read"
        };
        findings.failed(Check::Pair, format!("Secret {name}: {half}"), site.request(""));
        return findings.skip_the_rest("the pair cannot be read");
    };
    let Some(leaf) = chain.first() else { return };
    findings.ok(Check::Pair, format!("Secret {name}: {}, serial {}", leaf.subject, leaf.serial));
    if leaf.spki == key.spki() {
        findings.ok(Check::PairHalves, "certificate and key fit");
    } else {
        findings.failed(Check::PairHalves, format!("Secret {name}: the certificate is for another key"), again.clone());
    }
    judge_chain(site, &chain, &again, findings);
    if leaf.not_after < site.now || leaf.not_before > site.now {
        let span =
            format!("it is valid from {} to {}", times::rfc3339(leaf.not_before), times::rfc3339(leaf.not_after));
        findings.failed(Check::PairExpired, span, again);
    } else {
        findings.ok(Check::PairExpired, "valid now");
    }
    ends(site, Check::PairEnds, leaf, warn_before, site.request("--renew"), findings);
}

fn judge_chain(site: &ObservedRelease, chain: &[Certificate], again: &CommandLine, findings: &mut Findings) {
    let Some((leaf, others)) = chain.split_first() else { return };
    let cas = authorities(site);
    if cas.is_empty() && site.known.is_empty() {
        return findings.skip(Check::PairChain, "this cluster has no CA of the federation to compare with");
    }
    let known = || cas.iter().map(|(_, ca)| ca).chain(&site.known);
    let trusted = |one: &Certificate| known().any(|ca| one.is_signed_by(ca));
    if trusted(leaf) || others.iter().any(|mid| leaf.is_signed_by(mid) && trusted(mid)) {
        findings.ok(Check::PairChain, format!("issued by {}", leaf.issuer));
    } else {
        let names: Vec<&str> = known().map(|ca| ca.subject.as_str()).collect();
        findings.failed(
            Check::PairChain,
            format!("issued by {}, and this cluster trusts {}", leaf.issuer, names.join(", ")),
            // Which of the two is the wrong one, only the CA's owner knows.
            Next::from("compare the CA with the orchestrator's operator: ")
                .command(site.remedy().trust(true))
                .words("; where it is trusted already: ")
                .command(again.clone()),
        );
    }
}
