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

pub(super) fn check(observed: &ObservedRelease, warn_before: WarnBefore, findings: &mut Findings) {
    if observed.objects.is_err() || observed.party.is_err() {
        return;
    }
    let cas = authorities(observed);
    if cas.is_empty() {
        findings.skip(Check::CaEnds, "there is no CA that could be looked at");
    }
    for (name, ca) in cas {
        let left = time_left(&ca, observed.now);
        if ca.not_after >= observed.now && is_near_its_end(&ca, warn_before, observed.now) {
            let next = "plan a new CA: every organization needs its certificate, and a certificate under it";
            findings.warn(Check::CaEnds, format!("{name}: {}, {left}", ca.subject), next);
        } else {
            findings.ok(Check::CaEnds, format!("{name}: {left}"));
        }
    }
    judge_server(observed, warn_before, findings);
    judge_pair(observed, warn_before, findings);
}

/// Every CA with the name of its object.
pub(in crate::commands::check) fn authorities(observed: &ObservedRelease) -> Vec<(String, Certificate)> {
    let names = objects::authorities(observed);
    let read = |name: &String| -> Vec<(String, Certificate)> {
        let object = observed.object(&ObjectRef::of_kind(observed.kind_of(name), name));
        let pem = object.and_then(|object| object.data("ca.crt"));
        let all = pem.and_then(|pem| inspect::certificates(&pem).ok()).unwrap_or_default();
        all.into_iter().map(|ca| (name.clone(), ca)).collect()
    };
    names.iter().flat_map(read).collect()
}

/// The server's certificate with the name of its Secret.
pub(in crate::commands::check) fn server(observed: &ObservedRelease) -> Option<(String, Certificate)> {
    let name = observed.orchestrator()?.server_pair.as_str();
    let pair = mounts::read_pair(observed.object(&ObjectRef::secret(name)))?;
    Some((name.to_owned(), pair.leaf))
}

fn judge_server(observed: &ObservedRelease, warn_before: WarnBefore, findings: &mut Findings) {
    let (Some(orchestrator), Ok(release), Ok(objects)) =
        (observed.orchestrator(), &observed.release, &observed.objects)
    else {
        return;
    };
    if !orchestrator.tls_enabled {
        return findings.skip_the_rest("TLS is off");
    }
    let mounts = Mounts { release, manifest: &release.manifest, objects, now: observed.now, remedy: observed.remedy() };
    // The probe is accepted by what the pods mount; while mutual TLS is off, by what they would mount.
    let in_force =
        observed.running().filter(|running| running.tls_enabled && running.mtls_enabled).unwrap_or(orchestrator);
    let probe = mounts.probe_name(orchestrator);
    let name = orchestrator.server_pair.as_str();
    let pair = mounts.server(name);
    let next = observed.ours("ca init", "");
    for fault in server::faults(pair.as_ref(), [probe.as_str()], &mounts.pool(in_force), observed.now) {
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
    ends(observed, Check::ServerEnds, &leaf, warn_before, next, findings);
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
    observed: &ObservedRelease,
    check: Check,
    leaf: &Certificate,
    warn_before: WarnBefore,
    next: CommandLine,
    findings: &mut Findings,
) {
    let left = time_left(leaf, observed.now);
    if leaf.not_after < observed.now {
        findings.skip(check, "it has expired");
    } else if is_near_its_end(leaf, warn_before, observed.now) {
        findings.warn(check, left, next);
    } else {
        findings.ok(check, left);
    }
}

fn judge_pair(observed: &ObservedRelease, warn_before: WarnBefore, findings: &mut Findings) {
    let Some(backend) = observed.backend() else { return };
    let name = backend.client_certificate.as_str();
    let Some(object) = observed.object(&ObjectRef::secret(name)) else {
        if observed.mtls() {
            findings.failed(Check::Pair, format!("Secret {name} is not there"), observed.request(""));
        }
        return findings.skip_the_rest(NO_PAIR);
    };
    let chain = object.data("tls.crt").and_then(|pem| inspect::certificates(&pem).ok());
    let key = object.data("tls.key").and_then(|pem| PrivateKey::from_pem(&pem, None).ok());
    let again = observed.request("--new-request");
    let (Some(chain), Some(key)) = (chain, key) else {
        let half = if object.data("tls.key").is_none_or(|key| key.is_empty()) {
            "its tls.key is empty or missing: the backend connects without a certificate"
        } else {
            "its tls.crt or tls.key cannot be read"
        };
        findings.failed(Check::Pair, format!("Secret {name}: {half}"), observed.request(""));
        return findings.skip_the_rest("the pair cannot be read");
    };
    let Some(leaf) = chain.first() else { return };
    findings.ok(Check::Pair, format!("Secret {name}: {}, serial {}", leaf.subject, leaf.serial));
    if leaf.spki == key.spki() {
        findings.ok(Check::PairHalves, "certificate and key fit");
    } else {
        findings.failed(Check::PairHalves, format!("Secret {name}: the certificate is for another key"), again.clone());
    }
    judge_chain(observed, &chain, &again, findings);
    if leaf.not_after < observed.now || leaf.not_before > observed.now {
        let span =
            format!("it is valid from {} to {}", times::rfc3339(leaf.not_before), times::rfc3339(leaf.not_after));
        findings.failed(Check::PairExpired, span, again);
    } else {
        findings.ok(Check::PairExpired, "valid now");
    }
    ends(observed, Check::PairEnds, leaf, warn_before, observed.request("--renew"), findings);
}

fn judge_chain(observed: &ObservedRelease, chain: &[Certificate], again: &CommandLine, findings: &mut Findings) {
    let Some((leaf, others)) = chain.split_first() else { return };
    let cas = authorities(observed);
    if cas.is_empty() && observed.known.is_empty() {
        return findings.skip(Check::PairChain, "this cluster has no CA of the federation to compare with");
    }
    let known = || cas.iter().map(|(_, ca)| ca).chain(&observed.known);
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
                .command(observed.remedy().trust(true))
                .words("; where it is trusted already: ")
                .command(again.clone()),
        );
    }
}
