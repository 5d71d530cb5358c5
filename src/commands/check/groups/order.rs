//! What has to come before what: members before the gate, passthrough before mutual TLS, restarts after changes.

use super::{
    super::{
        catalogue::Check,
        finding::Findings,
        observe::ObservedRelease,
        pods::{self, ChangeTime},
    },
    count,
};
use crate::{
    cluster::{Object, ObjectRef},
    failure::Next,
    substra::{
        ingress::{Ingress, ingresses},
        orchestrator::Orchestrator,
    },
    times,
};

/// Why checks of the gate are not looked at.
const OFF: &str = "mutual TLS is off";

pub(super) fn check(observed: &ObservedRelease, findings: &mut Findings) {
    if let Some(backend) = observed.backend() {
        let name = backend.client_certificate.as_str();
        if !observed.mtls() {
            findings.skip(Check::MtlsWithoutPair, OFF);
        } else if observed.objects.is_ok() && observed.object(&ObjectRef::secret(name)).is_none() {
            findings.failed(
                Check::MtlsWithoutPair,
                format!("mutual TLS is on, and Secret {name} is not there"),
                observed.request(""),
            );
        } else if observed.objects.is_ok() {
            findings.ok(Check::MtlsWithoutPair, format!("Secret {name} is there"));
        }
    }
    if let Some(orchestrator) = observed.orchestrator() {
        judge_gate(observed, orchestrator, findings);
        judge_ingress(observed, orchestrator, findings);
        judge_restarts(observed, orchestrator, findings);
    }
}

fn judge_gate(observed: &ObservedRelease, orchestrator: &Orchestrator, findings: &mut Findings) {
    if !observed.mtls() {
        findings.skip(Check::MtlsEmpty, OFF);
        return findings.skip(Check::MemberCutOff, OFF);
    }
    for state in [Some(orchestrator), observed.running()].into_iter().flatten().filter(|o| o.mtls_enabled) {
        if state.client_cas.values().all(Vec::is_empty) {
            let seen = "mutual TLS is on and clientCACerts is empty: the server exits when it starts";
            // Nobody is let in meanwhile; who is approved first is for the next run.
            findings.failed(Check::MtlsEmpty, seen, observed.ours("gate open", ""));
        }
        let without = |member: &&String| state.client_cas.get(*member).is_none_or(Vec::is_empty);
        for member in state.members.iter().filter(without) {
            let lacks = format!("{member} has no key of its own in clientCACerts");
            let next = observed.approve(&format!("{member}.csr"));
            if state.verify_msp_id {
                findings.failed(Check::MemberCutOff, format!("{lacks}: it is cut off"), next);
            } else {
                findings.warn(
                    Check::MemberCutOff,
                    format!("{lacks}: it would be cut off by the identity check, which is off"),
                    next,
                );
            }
        }
    }
    findings.ok(Check::MtlsEmpty, count(orchestrator.client_cas.len(), "key"));
    findings.ok(
        Check::MemberCutOff,
        format!("{}, each with a key of its own", count(orchestrator.members.len(), "member")),
    );
}

fn judge_ingress(observed: &ObservedRelease, orchestrator: &Orchestrator, findings: &mut Findings) {
    let Ok(release) = &observed.release else { return };
    if !orchestrator.tls_enabled {
        return findings.skip(Check::Passthrough, "TLS is off");
    }
    let all = ingresses(&release.record.manifest);
    let next = Next::from(
        "set ingress.annotations: {nginx.ingress.kubernetes.io/ssl-passthrough: \"true\"} in the values file, then: ",
    );
    let next = next.and(&observed.upgrade());
    for seen in all.iter().filter_map(Ingress::danger) {
        if observed.mtls() {
            findings.failed(Check::Passthrough, seen, &next);
        } else {
            findings.warn(Check::Passthrough, seen, &next);
        }
    }
    if all.is_empty() {
        findings.skip(Check::Passthrough, "the release has no Ingress");
    } else {
        findings.ok(Check::Passthrough, "the Ingress passes TLS through");
    }
}

/// The orchestrator reads what it mounts once: what is newer than its pods is not in force.
fn judge_restarts(observed: &ObservedRelease, orchestrator: &Orchestrator, findings: &mut Findings) {
    let (Ok(release), Ok(_)) = (&observed.release, &observed.objects) else { return };
    let mut mounts: Vec<_> = release.manifest.workloads().iter().flat_map(|workload| &workload.mounts).collect();
    mounts.dedup_by(|one, other| one.name == other.name);
    let service = orchestrator.service_name(release.name.as_str());
    for mount in mounts.into_iter().filter(|mount| mount.volume.starts_with("orchestrator-")) {
        let check = if mount.volume == "orchestrator-config" { Check::RestartChannels } else { Check::RestartObjects };
        if let Some(object) = observed.object(&ObjectRef::of_kind(mount.kind, &mount.name)) {
            judge_restart(observed, check, object, &service, findings);
        }
    }
}

fn judge_restart(observed: &ObservedRelease, check: Check, object: &Object, service: &str, findings: &mut Findings) {
    let name = object.reference();
    let pods = match &observed.pods {
        Ok(pods) => pods,
        Err(failure) => return findings.skip(check, format!("pods may not be listed here: {}", failure.what)),
    };
    let Some(started) = pods::oldest_with(pods, object.name()) else {
        return findings.skip(check, "no pod that mounts them was seen");
    };
    let next = observed.kubectl("rollout restart").word(format!("deployment/{service}"));
    match pods::changed(object) {
        ChangeTime::At(at) | ChangeTime::NotBefore(at) if at > started => {
            let (at, started) = (times::rfc3339(at), times::rfc3339(started));
            findings.failed(check, format!("{name} was changed at {at}, and a pod runs since {started}"), next);
        }
        ChangeTime::At(_) => findings.ok(check, "nothing is newer than the pods"),
        ChangeTime::NotBefore(_) | ChangeTime::Unknown => {
            findings.skip(check, format!("the API server does not tell when {name} was changed last"));
        }
    }
}
