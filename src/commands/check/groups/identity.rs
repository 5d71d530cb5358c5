//! Who can act as whom: organizations, names of the orchestrator, keys of clientCACerts, CAs in the pool.

use std::collections::BTreeMap;

use super::{
    super::{catalogue::Check, finding::Findings, observe::ObservedRelease},
    count, keys, log,
};
use crate::{
    cluster::ObjectRef,
    failure::Next,
    names::MspId,
    pki::inspect::{self, Certificate},
    release::{
        issued,
        mounts::{self, ForeignCa},
    },
    substra::{
        kebab::{kebab_case, volume_of},
        orchestrator::{Orchestrator, WALKTHROUGH_KEY},
    },
};

pub(super) fn check(observed: &ObservedRelease, findings: &mut Findings) {
    judge_leaf(observed, findings);
    let Some(orchestrator) = observed.orchestrator() else { return };
    judge_keys(observed, orchestrator, findings);
    judge_check(observed, orchestrator, findings);
    judge_pool(observed, orchestrator, findings);
    judge_issuer(observed, orchestrator, findings);
    log::check(observed, findings);
}

/// The backend's own certificate.
fn judge_leaf(observed: &ObservedRelease, findings: &mut Findings) {
    let Some(backend) = observed.backend() else { return };
    let object = observed.object(&ObjectRef::secret(backend.client_certificate.as_str()));
    let Some(chain) = object.and_then(|pair| inspect::certificates(&pair.data("tls.crt")?).ok()) else { return };
    let Some(leaf) = chain.first() else { return };
    let again = observed.request("--new-request");
    let cas = keys::authorities(observed);
    // The server looks at every certificate that is sent: a CA appended to the leaf repairs a leaf without it.
    let named = |one: &Certificate| {
        let id = one.authority_key_id.as_ref().filter(|id| !id.is_empty());
        let mut known = cas.iter().map(|(_, ca)| ca).chain(&observed.known);
        id.is_some_and(|id| cas.is_empty() || known.any(|ca| ca.subject_key_id.as_ref() == Some(id)))
    };
    if chain.iter().any(named) {
        findings.ok(Check::PairKeyId, "it names its CA");
    } else {
        let seen = format!("X.509 v{}, and its authorityKeyIdentifier is not the CA's", leaf.version);
        findings.failed(Check::PairKeyId, seen, &again);
    }
    match (leaf.has_eku(), leaf.client_auth(), leaf.server_auth()) {
        (true, true, false) => findings.ok(Check::PairUsage, "only clientAuth"),
        (true, false, _) => findings.failed(Check::PairUsage, "its extended key usage lacks clientAuth", &again),
        (true, true, true) => {
            findings.warn(Check::PairUsage, "it has serverAuth: its holder can pose as a server", &again);
        }
        (false, ..) => {
            findings.warn(Check::PairUsage, "it has no extended key usage: its holder can pose as a server", &again);
        }
    }
    let found = leaf.organizations.join(" and ");
    if leaf.organizations.iter().any(|organization| organization == backend.msp_id.as_str()) {
        findings.ok(Check::PairOrganization, format!("O is {found}"));
    } else {
        findings.failed(
            Check::PairOrganization,
            format!("O is {found:?}, orchestrator.mspID is {}", backend.msp_id),
            &again,
        );
    }
    if leaf.organizations.len() > 1 {
        findings.failed(Check::PairTwoOrganizations, format!("it may act as {found}"), &again);
    } else {
        findings.ok(Check::PairTwoOrganizations, "one O");
    }
    match issued::poses(leaf, &observed.orchestrator_names()) {
        Some(name) => {
            findings.failed(Check::PairName, format!("it carries {name}, a name of the orchestrator"), &again);
        }
        None => findings.ok(Check::PairName, "none of the orchestrator's names"),
    }
}

/// The keys of clientCACerts.
fn judge_keys(observed: &ObservedRelease, orchestrator: &Orchestrator, findings: &mut Findings) {
    let mut forms: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for key in orchestrator.client_cas.keys() {
        let kebab = kebab_case(key);
        let volume = volume_of(key);
        let label =
            volume.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') && !volume.ends_with('-');
        let next = "write the key as the organization's MSP ID, of letters and digits, and shorter";
        if volume.len() > 63 {
            findings.failed(
                Check::KeyForm,
                format!("{key} becomes {kebab}, of {} characters: 32 fit", kebab.len()),
                next,
            );
        } else if !label || key.parse::<MspId>().is_err() {
            findings.failed(
                Check::KeyForm,
                format!("{key} becomes the volume {volume}, which the API server refuses"),
                next,
            );
        }
        forms.entry(kebab).or_default().push(key);
        if !orchestrator.members.contains(key) {
            let seen = if key.as_str() == WALKTHROUGH_KEY {
                format!(
                    "{key} is the walkthrough's key for everybody, and no organization: under the identity check it admits nobody"
                )
            } else {
                format!("{key} is no member of any channel: under the identity check it admits nobody of another name")
            };
            findings.warn(Check::KeyAdmitsNobody, seen, taken_out(observed, orchestrator, &format!("key {key}")));
        }
    }
    for (kebab, keys) in forms.iter().filter(|(_, keys)| keys.len() > 1) {
        findings.failed(
            Check::KeyCollision,
            format!("{} all become {kebab}", keys.join(", ")),
            "spell one of them otherwise, in channels and at its backend too",
        );
    }
    let keys = count(orchestrator.client_cas.len(), "key");
    findings.ok(Check::KeyForm, keys.as_str());
    findings.ok(Check::KeyCollision, keys.as_str());
    findings.ok(Check::KeyAdmitsNobody, keys.as_str());
}

/// Takes something out of `clientCACerts`, once every member has a certificate and a key of its own.
fn taken_out(observed: &ObservedRelease, orchestrator: &Orchestrator, what: &str) -> Next {
    match lacking(orchestrator).next() {
        Some(member) => observed.approve(&format!("{member}.csr")).into(),
        None => {
            Next::from(format!("take {what} out of clientCACerts in the values file, then: ")).and(&observed.upgrade())
        }
    }
}

/// Members that would be cut off by the identity check.
fn lacking(orchestrator: &Orchestrator) -> impl Iterator<Item = &String> {
    let has_none = |member: &&String| orchestrator.client_cas.get(*member).is_none_or(Vec::is_empty);
    orchestrator.members.iter().filter(has_none)
}

fn judge_check(observed: &ObservedRelease, orchestrator: &Orchestrator, findings: &mut Findings) {
    let on = |o: &Orchestrator| o.tls_enabled && o.mtls_enabled;
    let open = [Some(orchestrator), observed.running()].into_iter().flatten().find(|o| on(o) && !o.verify_msp_id);
    match open {
        Some(_) => findings.failed(
            Check::IdentityCheck,
            "verifyClientMSPID is off: any organization can act as any other",
            // A member without a key would be cut off by it, and the gate refuses that.
            lacking(orchestrator)
                .next()
                .map_or_else(|| observed.ours("gate close", ""), |member| observed.approve(&format!("{member}.csr"))),
        ),
        None if observed.mtls() => findings.ok(Check::IdentityCheck, "verifyClientMSPID is on"),
        None => findings.skip(Check::IdentityCheck, "mutual TLS is off: gate close turns both on"),
    }
}

/// CAs under clientCACerts whose key is not one of the orchestrator's own CAs.
fn judge_pool(observed: &ObservedRelease, orchestrator: &Orchestrator, findings: &mut Findings) {
    if observed.objects.is_err() {
        return;
    }
    let all = keys::authorities(observed);
    let is_known = |ca: &Certificate| observed.known.iter().any(|known| known.spki == ca.spki);
    for ForeignCa { name, said } in mounts::foreign(orchestrator, &all, is_known) {
        let out = taken_out(observed, orchestrator, name);
        let next =
            Next::from("where it is the federation's own CA for clients, run this again with --ca-cert FILE; else ");
        let next = next.and(&out);
        findings.warn(Check::ForeignCa, said, next);
    }
    findings.ok(Check::ForeignCa, "only the orchestrator's own");
}

/// A `ClusterIssuer` made the server's pair, and the pair's CA is in the pool: then it signs any O for any namespace.
fn judge_issuer(observed: &ObservedRelease, orchestrator: &Orchestrator, findings: &mut Findings) {
    let Ok(release) = &observed.release else { return };
    let pair = observed.object(&ObjectRef::secret(orchestrator.server_pair.as_str()));
    let note = |key: &str| {
        pair.and_then(|p| p.json()["metadata"]["annotations"][format!("cert-manager.io/issuer-{key}")].as_str())
    };
    let wish = &release.config()["orchestrator"]["tls"]["createCertificates"];
    let asked = wish["enabled"] == true;
    let kind = note("kind").or_else(|| asked.then(|| wish["issuerKind"].as_str().unwrap_or("ClusterIssuer")));
    let name = note("name").or_else(|| wish["issuer"].as_str().filter(|_| asked));
    let (Some("ClusterIssuer"), Some(name)) = (kind, name) else {
        if let Some(all) = &observed.issuers {
            findings.ok(
                Check::IssuerAnyOrganization,
                format!("the server's pair is from no ClusterIssuer ({} are here)", all.len()),
            );
        } else {
            let because = "the server's pair is from no ClusterIssuer, and this account may not list others";
            findings.skip(Check::IssuerAnyOrganization, because);
        }
        return;
    };
    let spec = observed.issuers.as_ref().and_then(|all| all.iter().find(|issuer| issuer.name() == name));
    if spec.is_some_and(|issuer| issuer.json()["spec"]["ca"].is_null()) {
        return findings.ok(Check::IssuerAnyOrganization, format!("ClusterIssuer {name} holds no CA's key"));
    }
    let seen =
        format!("ClusterIssuer {name} signs for every namespace, with a CA that the orchestrator trusts for clients");
    findings.warn(
        Check::IssuerAnyOrganization,
        seen,
        "make it an Issuer in the orchestrator's namespace, or give the server's pair a CA of its own",
    );
}
