//! The release: there, free, whole, rolled out, and as the files say.

use crate::{
    cluster::ReleaseStatus,
    failure::{Code, Next},
};
use std::collections::BTreeSet;

use super::super::{
    catalogue::Check,
    finding::Findings,
    observe::{ObservedRelease, SideValues},
};
use crate::{
    command_line::CommandLine,
    plan::{
        drift::{self, Difference, same},
        rollout,
    },
    release::drift_guard,
    release::{ReleaseState, ValuesFiles, find},
    substra::Side,
    substra::{backend, kebab::volume_of, manifest::Mount, orchestrator},
    values::ValuesKey,
};

/// The volumes of TLS in workloads (charts `substra-backend` and `orchestrator`), those of client CAs aside.
const VOLUMES: [&str; 3] = ["orchestrator-tls-cacert", "orchestrator-tls-client-pair", "orchestrator-tls-server-pair"];

pub(super) fn check(observed: &ObservedRelease, findings: &mut Findings) {
    let release = match &observed.release {
        Ok(release) => release,
        Err(failure) if matches!(failure.code, Code::ToolMissing | Code::Child | Code::KubeToken | Code::Forbidden) => {
            return findings.skip_the_rest(format!("the release could not be read: {}", failure.what));
        }
        Err(failure) => {
            findings.failed(Check::Release, format!("{}: {}", failure.what, failure.why), &failure.next);
            return findings.skip_the_rest("the release could not be read");
        }
    };
    if release.is_external() {
        return check_external(observed, release, findings);
    }
    let (name, status) = (&release.name, &release.record.status);
    let (chart, revision) = (&release.chart, release.record.revision);
    findings
        .ok(Check::Release, format!("{name}: chart {} {}, revision {revision}, {status}", chart.name, chart.version));
    if release.record.is_pending() {
        let pending = find::pending(name, &release.record, &observed.target);
        findings.failed(Check::ReleasePending, format!("{}: {}", pending.what, pending.why), pending.next);
    } else {
        findings.ok(Check::ReleasePending, "no operation holds it");
    }
    if *status == ReleaseStatus::Failed {
        findings.failed(Check::ReleaseFailed, format!("revision {revision} failed"), once_more(observed));
    } else {
        findings.ok(Check::ReleaseFailed, format!("revision {revision} did not fail"));
    }
    check_rollout(observed, release, findings);
    check_files(observed, release, findings);
}

/// What no Helm release stands behind: of the files only what pods mount can be seen.
fn check_external(observed: &ObservedRelease, release: &ReleaseState, findings: &mut Findings) {
    const NO_HELM: &str = "Helm has no release of that name: something else applies what the chart renders";
    let workloads = release.workloads().len();
    let (name, chart) = (&release.name, &release.chart);
    findings.ok(
        Check::Release,
        format!("{name}: chart {} {}, {workloads} workloads, no Helm release", chart.name, chart.version),
    );
    for check in [Check::ReleasePending, Check::ReleaseFailed, Check::Drift] {
        findings.skip(check, NO_HELM);
    }
    check_rollout(observed, release, findings);
    let behind = behind(observed, release);
    if behind.is_empty() {
        return findings.ok(Check::HalfWay, "what the files say of TLS is mounted");
    }
    let next = "commit the values files, let your sync apply them, then run this again";
    findings.warn(Check::HalfWay, behind.join("; "), next);
}

/// What the files' TLS mounts and the workloads do not, and the other way round.
fn behind(observed: &ObservedRelease, release: &ReleaseState) -> Vec<String> {
    let wanted: BTreeSet<String> = match &observed.party {
        Ok(SideValues::Backend(backend)) => {
            let cacert = backend.cacert.iter().filter(|_| backend.tls_enabled).map(ToString::to_string);
            cacert.chain(backend.mtls_enabled.then(|| backend.client_certificate.to_string())).collect()
        }
        Ok(SideValues::Orchestrator(orchestrator)) => {
            let own = [orchestrator.cacert.to_string(), orchestrator.server_pair.to_string()];
            let keys = orchestrator.client_cas.keys().filter(|_| orchestrator.mtls_enabled);
            own.into_iter().filter(|_| orchestrator.tls_enabled).chain(keys.map(|key| volume_of(key))).collect()
        }
        Err(_) => return Vec::new(),
    };
    let mounted: BTreeSet<String> =
        release.manifest.workloads().iter().flat_map(|workload| &workload.mounts).filter_map(of_tls).collect();
    let missing = wanted.difference(&mounted).map(|name| format!("the files need {name}, and no pod mounts it yet"));
    let stale =
        mounted.difference(&wanted).map(|name| format!("pods mount {name} still, and the files do not need it"));
    missing.chain(stale).collect()
}

/// What a mount of TLS is called: by its object, a client CA's by its volume.
fn of_tls(mount: &Mount) -> Option<String> {
    if VOLUMES.contains(&mount.volume.as_str()) {
        return Some(mount.name.clone());
    }
    mount.volume.starts_with(&volume_of("")).then(|| mount.volume.clone())
}

fn check_rollout(observed: &ObservedRelease, release: &ReleaseState, findings: &mut Findings) {
    let Ok(objects) = &observed.objects else { return };
    for workload in release.workloads() {
        let missing =
            workload.find_in(objects).map_or_else(|| Some(format!("{workload}: is not there")), rollout::missing);
        if let Some(missing) = missing {
            findings.failed(Check::Rollout, missing, observed.kubectl("describe").word(workload));
        }
    }
    findings.ok(Check::Rollout, "every workload is new and ready");
}

/// Others' differences are drift; our own mean that a verb was interrupted, or that an upgrade is left to somebody else.
fn check_files(observed: &ObservedRelease, release: &ReleaseState, findings: &mut Findings) {
    let Some(files) = &observed.files else {
        findings.skip(Check::Drift, "no values file was given");
        return findings.skip(Check::HalfWay, "no values file was given");
    };
    let own: &[&[&str]] = match observed.side {
        Side::Backend => &backend::OWN_PATHS,
        Side::Orchestrator => orchestrator::OWN_PATHS,
    };
    let (config, merged) = (release.config(), files.merged());
    let others = drift::between(config, &merged, own);
    let paths: Vec<Vec<&str>> = own.iter().map(|path| files.key().path(path)).collect();
    let paths: Vec<&[&str]> = paths.iter().map(Vec::as_slice).collect();
    let all = drift::between(&release.record.config, &files.whole(), &paths);
    let dangers = dangers(observed, release, files);
    let is_said = |one: &&Difference| dangers.iter().any(|(path, _)| *path == one.path);
    let lines = all.iter().filter(|one| !is_said(one)).map(|one| one.masked_line(files.key(), files.are_encrypted()));
    let lines: Vec<String> = dangers.iter().map(|(_, line)| line.clone()).chain(lines).collect();
    if lines.is_empty() {
        findings.ok(Check::Drift, "files and deployed values are equal");
    } else if waits_for_init(observed, release, files, own) && dangers.is_empty() {
        findings.failed(Check::Drift, lines.join("; "), observed.remedy().init());
    } else {
        let next = Next::from("bring the files up to what ")
            .command(CommandLine::helm().at(&observed.target).with("get values").word(&release.name))
            .words(" shows, or pass --accept-drift");
        findings.failed(Check::Drift, lines.join("; "), next);
    }
    let ours: Vec<String> = drift::between(config, &merged, &[])
        .iter()
        .filter(|difference| !others.contains(difference) && matters(observed, difference))
        .filter(|difference| !dangers.iter().any(|(path, _)| path.ends_with(&difference.path)))
        .map(|one| one.masked_line(&ValuesKey::default(), files.are_encrypted()))
        .collect();
    if ours.is_empty() || same(config, &merged) {
        return findings.ok(Check::HalfWay, "what the files say of mutual TLS is deployed");
    }
    findings.warn(Check::HalfWay, ours.join("; "), once_more(observed));
}

/// The verb that brings the release to what the files say: it was interrupted, or its upgrade failed.
fn once_more(observed: &ObservedRelease) -> Next {
    let Some(orchestrator) = observed.orchestrator() else {
        return observed.first_step().unwrap_or_else(|| observed.request("")).into();
    };
    match (orchestrator.tls_enabled, orchestrator.mtls_enabled) {
        (true, true) => observed.ours("gate close", "").into(),
        (true, false) => observed.ours("gate open", "").into(),
        // No verb upgrades and leaves TLS off.
        (false, _) => observed.upgrade(),
    }
}

/// Whether all that is not deployed is what `ca init` sets: it was cut off before its upgrade.
fn waits_for_init(observed: &ObservedRelease, release: &ReleaseState, files: &ValuesFiles, own: &[&[&str]]) -> bool {
    let sets: Vec<Vec<&str>> = own.iter().chain(orchestrator::TLS_PATHS).map(|path| files.key().path(path)).collect();
    let sets: Vec<&[&str]> = sets.iter().map(Vec::as_slice).collect();
    observed.orchestrator().is_some_and(|orchestrator| orchestrator.tls_enabled)
        && drift::between(&release.record.config, &files.whole(), &sets).is_empty()
}

/// What no verb brings in by itself, at our own paths too: another CA.
fn dangers(observed: &ObservedRelease, release: &ReleaseState, files: &ValuesFiles) -> Vec<(Vec<String>, String)> {
    let (config, whole) = (release.config(), files.whole());
    let own = match &observed.party {
        Ok(SideValues::Backend(backend)) => backend.own_settings(config),
        Ok(SideValues::Orchestrator(orchestrator)) => orchestrator.own_tls_settings(config),
        Err(_) => Vec::new(),
    };
    let guard = drift_guard::DriftGuard {
        side: observed.side,
        key: files.key(),
        deployed: &release.record.config,
        will: &whole,
        own: &own,
        is_encrypted: files.are_encrypted(),
    };
    guard.dangers()
}

/// While mutual TLS is off, `approve` edits the file alone: what it adds renders the same manifests.
fn matters(observed: &ObservedRelease, difference: &Difference) -> bool {
    let waits = ["clientCACerts", "verifyClientMSPID"];
    observed.mtls() || !difference.path.iter().any(|key| waits.contains(&key.as_str()))
}
