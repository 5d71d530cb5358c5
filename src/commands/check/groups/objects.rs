//! Mounted objects: there, in the right kind, with the right content, and pods that do not wait for one.

use time::{Duration, OffsetDateTime};

use super::{
    super::{
        catalogue::Check,
        finding::Findings,
        observe::ObservedRelease,
        pods::{self, WaitingContainer},
    },
    count,
};
use crate::{
    cluster::{Object, ObjectRef},
    failure::Next,
    pki::inspect,
    release::mounts::{CaProblem, Mounts},
    text::mask,
};

/// A pod that was just made may well be still at its mounts.
const SETTLING: Duration = Duration::minutes(1);

pub(super) fn check(observed: &ObservedRelease, findings: &mut Findings) {
    judge_pods(observed, findings);
    let Ok(objects) = &observed.objects else {
        return findings.skip_the_rest("the objects of the namespace could not be read");
    };
    let Ok(release) = &observed.release else { return };
    let mounts = Mounts { release, manifest: &release.manifest, objects, now: observed.now, remedy: observed.remedy() };
    let cas = authorities(observed);
    let mut good = Vec::new();
    for name in &cas {
        match mounts.judge_ca(name) {
            None => good.push(name.as_str()),
            Some((problem, failure)) => {
                findings.failed(check_of(problem), format!("{}: {}", failure.what, failure.why), &failure.next);
            }
        }
    }
    let mounted = release.manifest.workloads().iter().flat_map(|workload| &workload.mounts);
    for mount in mounted.filter(|mount| mount.volume.starts_with("orchestrator-") && !cas.contains(&mount.name)) {
        if mounts.object(&ObjectRef::of_kind(mount.kind, &mount.name)).is_none() {
            let failure = mounts.absent(mount.kind, &mount.name);
            findings.failed(
                Check::MountMissing,
                format!("{}: {}", failure.what, failure.why),
                missing_next(observed, &failure.next),
            );
        }
    }
    findings.ok(Check::MountMissing, "every mounted object is there, in the right kind");
    for (check, seen) in [
        (Check::MountCa, "ca.crt begins with a CA"),
        (Check::MountSki, "it has a subjectKeyIdentifier"),
        (Check::MountExpired, "valid now"),
    ] {
        if good.is_empty() {
            findings.skip(check, "there is no CA that could be looked at");
        } else {
            findings.ok(check, format!("{}: {seen}", good.join(", ")));
        }
    }
    judge_bundles(observed, findings);
}

/// The check that fails by it.
const fn check_of(problem: CaProblem) -> Check {
    match problem {
        CaProblem::Missing => Check::MountMissing,
        CaProblem::NoCa => Check::MountCa,
        CaProblem::NoKeyId => Check::MountSki,
        CaProblem::Expired => Check::MountExpired,
    }
}

/// Objects with CAs that the values name: what is mounted, or will be.
pub(super) fn authorities(observed: &ObservedRelease) -> Vec<String> {
    match (observed.backend(), observed.orchestrator()) {
        (Some(backend), _) => backend.cacert.iter().map(ToString::to_string).collect(),
        (_, Some(orchestrator)) => orchestrator.authorities().into_iter().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// A pair is made by a verb, not by hand.
fn missing_next(observed: &ObservedRelease, by_hand: &Next) -> Next {
    if observed.backend().is_some() { observed.request("").into() } else { by_hand.clone() }
}

fn judge_bundles(observed: &ObservedRelease, findings: &mut Findings) {
    let Some(orchestrator) = observed.orchestrator() else { return };
    for name in orchestrator.client_cas.values().flatten() {
        let kind = observed.kind_of(name);
        let pem = observed.object(&ObjectRef::of_kind(kind, name)).and_then(|object| object.data("ca.crt"));
        let count = pem.and_then(|pem| Some(inspect::certificates(&pem).ok()?.len())).unwrap_or(0);
        if count > 1 {
            let next =
                format!("make one {kind} for each CA, and list them under the organization's key in clientCACerts");
            findings.warn(
                Check::MountBundle,
                format!("{kind} {name} holds {count} certificates: only the first counts for the identity check"),
                next,
            );
        }
    }
    findings.ok(Check::MountBundle, "one CA in each");
}

fn judge_pods(observed: &ObservedRelease, findings: &mut Findings) {
    let pods = match &observed.pods {
        Ok(pods) => pods,
        Err(failure) => {
            return findings.skip(Check::PodsWaiting, format!("pods may not be listed here: {}", failure.what));
        }
    };
    let config = observed.release.as_ref().map(|release| release.record.config.clone()).unwrap_or_default();
    for pod in pods {
        for WaitingContainer { reason, message } in pods::waiting(pod) {
            // The kubelet may quote what the release's values say.
            let said = format!("{}: {reason}{}", pod.name(), mask::without(&message, &config, &[pod.name()]));
            let next = observed.kubectl("describe pod").word(pod.name());
            if is_new(pod, observed.now) && reason == "ContainerCreating" {
                findings.warn(Check::PodsWaiting, said, next);
            } else {
                findings.failed(Check::PodsWaiting, said, next);
            }
        }
    }
    findings.ok(Check::PodsWaiting, format!("{}, none waits", count(pods.len(), "pod")));
}

fn is_new(pod: &Object, now: OffsetDateTime) -> bool {
    pods::created(pod).is_some_and(|created| now - created < SETTLING)
}
