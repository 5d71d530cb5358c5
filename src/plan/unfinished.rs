//! The revision of a release that a killed helm left behind, and how it is taken away.

use super::proof;
use crate::{
    cluster::{Cluster, Object},
    failure::{Code, Exit, Failure, Result},
    names::ReleaseName,
};

/// A revision that is pending and that nobody works on.
///
/// Measured with Helm 3.22 and 4.3, killed before the first object, between two, in hooks and after them: once the Secret
/// of the pending revision is gone, an upgrade to what was pending leaves every object as an upgrade that nobody killed.
/// An upgrade to something else does not: Helm 3 then leaves in the pods what the killed one had added.
#[derive(Debug, Clone)]
pub struct Unfinished {
    /// The release.
    pub release: ReleaseName,
    /// The pending revision.
    pub revision: u64,
    /// Its Secret as it was seen, without its data.
    pub secret: Object,
    /// Why nobody works on it any more.
    pub why: String,
    /// The operator has agreed already.
    pub agreed: bool,
}

impl Unfinished {
    /// The line of a plan.
    #[must_use]
    pub fn title(&self) -> String {
        let Self { release, revision, secret, .. } = self;
        format!("remove unfinished revision {revision} of release {release}: {}; no pod is touched", secret.reference())
    }

    /// What is asked about.
    #[must_use]
    pub fn question(&self) -> String {
        let Self { release, revision, why, .. } = self;
        format!("remove unfinished revision {revision} of release {release} and upgrade it again ({why})")
    }

    /// Takes it away, where it is still as it was seen.
    pub(super) fn remove(&self, cluster: &dyn Cluster) -> Result<()> {
        let now = cluster.release(&self.release)?;
        if now.is_some_and(|now| now.is_pending() && now.revision == self.revision) {
            return cluster.delete(&self.secret);
        }
        Err(Failure::new(Exit::Outside, Code::Conflict, format!("somebody went on with release {}", self.release))
            .why(format!("revision {} is not pending any more", self.revision))
            .next("run the same command again"))
    }

    /// Whether it is gone, and none is in its place.
    pub(super) fn is_gone(&self, cluster: &dyn Cluster) -> Result<()> {
        let now = cluster.release(&self.release)?.map_or(0, |now| now.revision);
        if now < self.revision {
            return Ok(());
        }
        let what = format!("release {}", self.release);
        Err(proof::not_as_written(Exit::Outside, &what, format!("it is at revision {now} again")))
    }
}
