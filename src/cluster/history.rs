//! What a release's earlier revisions tell, for the day after its helm was killed.

use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

use super::{
    ChartVersion, Cluster, Kubernetes, Object, ObjectRef, RealCluster, Release, ReleaseStatus, Upgrade,
    helm::{self, split_chart},
};
use crate::{
    failure::{Code, Exit, Failure, Result},
    files::note::{self, Note, NoteState},
    names::ReleaseName,
    times::parsed,
};

/// One line of `helm history`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Counts the upgrades, from 1.
    pub revision: u64,
    /// Where it stands.
    pub status: ReleaseStatus,
    /// Its chart; `None` where Helm tells of none.
    pub chart: Option<ChartVersion>,
}

/// What is needed of a release that an upgrade left half done.
///
/// Every method fails as those of [`super::Helm`] and [`super::Kubernetes`] do.
pub trait History: Sync {
    /// The revisions that Helm keeps, the oldest first; none where there is no such release.
    ///
    /// # Errors
    /// See the trait.
    fn history(&self, name: &ReleaseName) -> Result<Vec<Revision>>;

    /// One revision; `None` where Helm keeps no such one.
    ///
    /// # Errors
    /// See the trait.
    fn release_at(&self, name: &ReleaseName, revision: u64) -> Result<Option<Release>>;

    /// The Jobs that the hooks of the latest revision run.
    ///
    /// # Errors
    /// See the trait.
    fn hook_jobs(&self, name: &ReleaseName) -> Result<Vec<ObjectRef>>;

    /// What this machine knows of the helm that was to make a revision on top of the one that this Secret keeps.
    fn note(&self, before: &Object, revision: u64) -> NoteState;

    /// The time by the API server's clock, by which it dates what is made.
    ///
    /// # Errors
    /// See the trait.
    fn server_time(&self) -> Result<OffsetDateTime>;
}

/// The Secret in which Helm keeps a revision.
#[must_use]
pub fn revision_secret(name: &ReleaseName, revision: u64) -> ObjectRef {
    ObjectRef::secret(format!("{SECRET_PREFIX}{name}.v{revision}"))
}

/// What the names of those Secrets begin with.
pub(super) const SECRET_PREFIX: &str = "sh.helm.release.v1.";

#[derive(Deserialize)]
struct HistoryLine {
    revision: u64,
    status: String,
    #[serde(default)]
    chart: String,
}

impl History for RealCluster {
    fn history(&self, name: &ReleaseName) -> Result<Vec<Revision>> {
        let reply = self.helm(&["history", name.as_str(), "--max=256", "--output=json"], None)?;
        if helm::is_release_missing(&reply) {
            return Ok(Vec::new());
        }
        let lines: Vec<HistoryLine> = helm::parse_json(&reply, &format!("read the history of release {name}"))?;
        let mut all: Vec<Revision> = lines
            .into_iter()
            .map(|line| Revision {
                revision: line.revision,
                status: ReleaseStatus::of_helm(&line.status),
                chart: split_chart(&line.chart),
            })
            .collect();
        all.sort_by_key(|one| one.revision);
        Ok(all)
    }

    fn release_at(&self, name: &ReleaseName, revision: u64) -> Result<Option<Release>> {
        let revision = format!("--revision={revision}");
        helm::release(name, &self.helm(&["status", name.as_str(), &revision, "--output=json"], None)?)
    }

    fn hook_jobs(&self, name: &ReleaseName) -> Result<Vec<ObjectRef>> {
        let reply = self.helm(&["get", "hooks", name.as_str()], None)?;
        helm::ensure_success(&reply, &format!("read the hooks of release {name}"))?;
        let text = String::from_utf8_lossy(&reply.stdout).into_owned();
        let documents =
            text.split("\n---").filter_map(|one| crate::values::read(one.trim_start_matches("---").as_bytes()).ok());
        let jobs = documents.filter(|document| document["kind"] == "Job");
        Ok(jobs.filter_map(|job| Some(ObjectRef::new("job", job["metadata"]["name"].as_str()?))).collect())
    }

    fn note(&self, before: &Object, revision: u64) -> NoteState {
        note::state(&note_name(before, revision))
    }

    /// A Secret that is made in a dry run: nothing is stored, and the server dates it as it dates all that it stores.
    fn server_time(&self) -> Result<OffsetDateTime> {
        let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"generateName": "substra-mtls-time-"}});
        let date = self.created_in_dry_run(&object)?.json()["metadata"]["creationTimestamp"].clone();
        date.as_str().and_then(parsed).ok_or_else(|| {
            Failure::new(Exit::Outside, Code::Kubectl, "the API server does not say what time it has")
                .why("what it makes in a dry run has no date")
                .next("see by hand whether another helm is at work")
        })
    }
}

impl RealCluster {
    /// The note of an upgrade that begins. Where it cannot be made, a later run goes by the age of what it finds.
    pub(super) fn note_of(&self, upgrade: &Upgrade) -> Option<Note> {
        if upgrade.base_revision == 0 {
            return None;
        }
        let (name, revision) = (&upgrade.release, upgrade.base_revision + 1);
        let before = self.get(&[revision_secret(name, upgrade.base_revision)]).ok()?.pop()?;
        let text = json!({"release": name.as_str(), "location": self.location(), "revision": revision});
        note::begin(&note_name(&before, revision), &text)
    }
}

/// By the Secret that keeps the revision before: its uid is the same in no other cluster.
pub(super) fn note_name(before: &Object, revision: u64) -> String {
    format!("helm-{}-{revision}", before.uid())
}

/// When an object was made, by the API server's clock.
#[must_use]
pub fn created(object: &Object) -> Option<OffsetDateTime> {
    parsed(object.json()["metadata"]["creationTimestamp"].as_str()?)
}
