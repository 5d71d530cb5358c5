//! Revisions of the simulated cluster's releases: what Helm keeps of them, and what a killed helm leaves.

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{SimulatedCluster, SimulatedRelease, SimulatedState};
use crate::{
    cluster::{
        ChartVersion, History, Object, ObjectRef, Release, ReleaseStatus, Revision, history::SECRET_PREFIX,
        kubectl::refused,
    },
    failure::{Code, Exit, Failure, Result},
    files::note::NoteState,
    names::ReleaseName,
    times::rfc3339,
};

impl History for SimulatedCluster {
    fn history(&self, name: &ReleaseName) -> Result<Vec<Revision>> {
        let state = self.state();
        let kept = state.releases.get(&(self.namespace.clone(), name.to_string())).into_iter();
        let all = kept.flat_map(|last| last.before.as_deref().into_iter().chain([last]));
        let line = |one: &SimulatedRelease| Revision {
            revision: one.revision,
            status: one.status.clone(),
            chart: Some(one.chart.clone()),
        };
        Ok(all.map(line).collect())
    }

    fn release_at(&self, name: &ReleaseName, revision: u64) -> Result<Option<Release>> {
        let state = self.state();
        let kept = state.kept(&self.namespace, name.as_str(), revision);
        Ok(kept.map(|one| one.told(&self.namespace)))
    }

    fn hook_jobs(&self, _: &ReleaseName) -> Result<Vec<ObjectRef>> {
        Ok(Vec::new())
    }

    fn note(&self, before: &Object, revision: u64) -> NoteState {
        let state = self.state();
        let name = before.name().trim_start_matches(SECRET_PREFIX);
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(".v");
        let key = (self.namespace.clone(), name.to_owned());
        match state.kept(&self.namespace, name, revision) {
            Some(pending) if state.dead.contains(&key) => NoteState::Dead(pending.since),
            _ => NoteState::None,
        }
    }

    fn server_time(&self) -> Result<OffsetDateTime> {
        Ok(self.state().clock.now())
    }
}

impl SimulatedCluster {
    /// An upgrade whose helm is killed once it has changed the workloads: the revision stays `pending-upgrade`, or what
    /// `status` says.
    ///
    /// # Errors
    /// The values do not render.
    pub fn cut_short(&self, release: &str, chart: ChartVersion, config: Value, status: &str) -> Result<()> {
        let mut state = self.state();
        state.deploy(&self.namespace, release, chart, config)?;
        if let Some(installed) = state.releases.get_mut(&(self.namespace.clone(), release.to_owned())) {
            installed.status = ReleaseStatus::of_helm(status);
        }
        Ok(())
    }

    /// The helm that holds a release still works, and is done after this time.
    pub fn ends_after(&self, release: &str, time: Duration) {
        let mut state = self.state();
        let ends = state.clock.now() + time;
        if let Some(installed) = state.releases.get_mut(&(self.namespace.clone(), release.to_owned())) {
            installed.ends = Some(ends);
        }
    }

    /// The helm that holds a release was begun on this machine and is dead.
    pub fn helm_is_dead(&self, release: &str) {
        self.state().dead.insert((self.namespace.clone(), release.to_owned()));
    }

    /// Helm upgrades nothing that is pending.
    pub(super) fn is_free(&self, release: &ReleaseName) -> Result<()> {
        let state = self.state();
        let there = state.releases.get(&(self.namespace.clone(), release.to_string()));
        if !there.is_some_and(|there| matches!(there.status, ReleaseStatus::Pending(_))) {
            return Ok(());
        }
        Err(Failure::new(Exit::Outside, Code::Pending, format!("helm could not upgrade release {release}"))
            .why("another operation (install/upgrade/rollback) is in progress")
            .next("see helm history"))
    }
}

impl SimulatedState {
    fn kept(&self, namespace: &str, name: &str, revision: u64) -> Option<&SimulatedRelease> {
        let last = self.releases.get(&(namespace.to_owned(), name.to_owned()))?;
        [Some(last), last.before.as_deref()].into_iter().flatten().find(|one| one.revision == revision)
    }

    /// The Secret in which Helm keeps a revision, without what Helm writes into it.
    pub(super) fn revision_secret(&self, namespace: &str, wanted: &ObjectRef) -> Option<Value> {
        let (name, revision) = parts(wanted)?;
        let kept = self.kept(namespace, name, revision)?;
        let done = kept.ends.is_some_and(|ends| ends <= self.clock.now());
        let status = if done { "deployed".to_owned() } else { kept.status.to_string() };
        let since = rfc3339(kept.since);
        Some(json!({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "metadata": {
            "name": wanted.name, "namespace": namespace, "uid": format!("{name}-{revision}-{since}"),
            "resourceVersion": format!("{revision}-{status}"), "creationTimestamp": since}}))
    }

    /// The last revision goes, and the one before is the last again. What runs stays as it is.
    pub(super) fn forget(&mut self, namespace: &str, seen: &Object) -> Result<()> {
        let reference = seen.reference();
        let there = self.revision_secret(namespace, &reference).map(Object::from);
        let (Some((name, _)), Some(there)) = (parts(&reference), there) else { return Ok(()) };
        if there.uid() != seen.uid() || there.resource_version() != seen.resource_version() {
            return Err(refused(Code::Conflict, &format!("delete {reference}")).why("it was changed meanwhile"));
        }
        let key = (namespace.to_owned(), name.to_owned());
        let Some(last) = self.releases.remove(&key) else { return Ok(()) };
        if let Some(before) = last.before {
            let SimulatedRelease { server, waiting, annotations, .. } = last;
            self.releases.insert(key, SimulatedRelease { server, waiting, annotations, ..*before });
        }
        Ok(())
    }
}

impl SimulatedRelease {
    pub(super) fn told(&self, namespace: &str) -> Release {
        Release {
            namespace: namespace.to_owned(),
            revision: self.revision,
            status: self.status.clone(),
            config: self.config.clone(),
            manifest: self.manifest.clone(),
        }
    }
}

/// Release and revision of such a Secret.
fn parts(secret: &ObjectRef) -> Option<(&str, u64)> {
    let (name, revision) = secret.name.strip_prefix(SECRET_PREFIX)?.rsplit_once(".v")?;
    (secret.resource == "secret").then_some((name, revision.parse().ok()?))
}
