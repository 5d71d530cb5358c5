//! What has to come before what: members before the gate, passthrough before mutual TLS, restarts after changes.

use super::{
    super::{
        catalogue::{CHANNELS, Check, MEMBERS, MTLS_EMPTY, PASSTHROUGH, RESTART, UNPAIRED},
        finding::Sheet,
        observe::Site,
        pods::{self, Changed},
    },
    count,
};
use crate::{
    cluster::{Object, ObjectRef},
    substra::{
        ingress::{Ingress, ingresses},
        orchestrator::Orchestrator,
    },
};

/// Why checks of the gate are not looked at.
const OFF: &str = "mutual TLS is off";

pub(super) fn judge(site: &Site, sheet: &mut Sheet) {
    if let Some(backend) = site.backend() {
        let name = backend.client_certificate.as_str();
        if !site.mtls() {
            sheet.skip(&UNPAIRED, OFF);
        } else if site.objects.is_ok() && site.object(&ObjectRef::secret(name)).is_none() {
            sheet.failed(
                &UNPAIRED,
                format!("mutual TLS is on, and Secret {name} is not there"),
                site.ours("enroll", ""),
            );
        } else if site.objects.is_ok() {
            sheet.ok(&UNPAIRED, format!("Secret {name} is there"));
        }
    }
    if let Some(orchestrator) = site.orchestrator() {
        judge_gate(site, orchestrator, sheet);
        judge_ingress(site, orchestrator, sheet);
        judge_restarts(site, orchestrator, sheet);
    }
}

fn judge_gate(site: &Site, orchestrator: &Orchestrator, sheet: &mut Sheet) {
    if !site.mtls() {
        sheet.skip(&MTLS_EMPTY, OFF);
        return sheet.skip(&MEMBERS, OFF);
    }
    for state in [Some(orchestrator), site.running()].into_iter().flatten().filter(|o| o.mtls_enabled) {
        if state.client_cas.values().all(Vec::is_empty) {
            let seen = "mutual TLS is on and clientCACerts is empty: the server ends at its start";
            sheet.failed(
                &MTLS_EMPTY,
                seen,
                format!("{}; then {}", site.ours("gate open", ""), site.approve("ORG.csr")),
            );
        }
        let without = |member: &&String| state.client_cas.get(*member).is_none_or(Vec::is_empty);
        for member in state.members.iter().filter(without) {
            let lacks = format!("{member} has no key of its own in clientCACerts");
            let next = site.approve(&format!("{member}.csr"));
            if state.verify_msp_id {
                sheet.failed(&MEMBERS, format!("{lacks}: it is cut off"), next);
            } else {
                sheet.warn(&MEMBERS, format!("{lacks}: it would be cut off by the identity check, which is off"), next);
            }
        }
    }
    sheet.ok(&MTLS_EMPTY, count(orchestrator.client_cas.len(), "key"));
    sheet.ok(&MEMBERS, format!("{}, each with a key of its own", count(orchestrator.members.len(), "member")));
}

fn judge_ingress(site: &Site, orchestrator: &Orchestrator, sheet: &mut Sheet) {
    let Ok(found) = &site.found else { return };
    if !orchestrator.tls_enabled {
        return sheet.skip(&PASSTHROUGH, "TLS is off");
    }
    let all = ingresses(&found.release.manifest);
    let next = format!(
        "set ingress.annotations: {{nginx.ingress.kubernetes.io/ssl-passthrough: \"true\"}} in the values, then {}",
        site.ours("gate close", "")
    );
    for seen in all.iter().filter_map(Ingress::danger) {
        if site.mtls() {
            sheet.failed(&PASSTHROUGH, seen, &next);
        } else {
            sheet.warn(&PASSTHROUGH, seen, &next);
        }
    }
    if all.is_empty() {
        sheet.skip(&PASSTHROUGH, "the release has no Ingress");
    } else {
        sheet.ok(&PASSTHROUGH, "the Ingress passes TLS through");
    }
}

/// The orchestrator reads what it mounts once: what is newer than its pods is not in force.
fn judge_restarts(site: &Site, orchestrator: &Orchestrator, sheet: &mut Sheet) {
    let (Ok(found), Ok(_)) = (&site.found, &site.objects) else { return };
    let mut mounts: Vec<_> = found.manifest.workloads().iter().flat_map(|workload| &workload.mounts).collect();
    mounts.dedup_by(|one, other| one.name == other.name);
    let service = orchestrator.service_name(found.name.as_str());
    for mount in mounts.into_iter().filter(|mount| mount.volume.starts_with("orchestrator-")) {
        let check = if mount.volume == "orchestrator-config" { &CHANNELS } else { &RESTART };
        if let Some(object) = site.object(&ObjectRef::of_kind(mount.kind, &mount.name)) {
            judge_restart(site, check, object, &service, sheet);
        }
    }
}

fn judge_restart(site: &Site, check: &'static Check, object: &Object, service: &str, sheet: &mut Sheet) {
    let name = object.reference();
    let pods = match &site.pods {
        Ok(pods) => pods,
        Err(failure) => return sheet.skip(check, format!("pods may not be listed here: {}", failure.what)),
    };
    let Some(started) = pods::oldest_with(pods, object.name()) else {
        return sheet.skip(check, "no pod that mounts them was seen");
    };
    let next = site.kubectl("rollout restart").word(format!("deployment/{service}")).to_string();
    match pods::changed(object) {
        Changed::At(at) | Changed::NotBefore(at) if at > started => {
            sheet.failed(check, format!("{name} was changed at {at}, and a pod runs since {started}"), next);
        }
        Changed::At(_) => sheet.ok(check, "nothing is newer than the pods"),
        Changed::NotBefore(_) | Changed::Unknown => {
            sheet.skip(check, format!("the API server does not tell when {name} was changed last"));
        }
    }
}
