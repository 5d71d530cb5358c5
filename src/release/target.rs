//! The side that a verb works on: how it is pointed at, what its values files say, and what its cluster shows.

use std::ops::Deref;

use super::{EditedFiles, Options, ReleaseQuery, ReleaseState, UpgradeRequest, ValuesFiles, find, pending, read};
use crate::{
    cluster::{Object, ObjectRef},
    failure::Result,
    names::Hostname,
    session::Session,
    substra::{
        Side,
        backend::{self, Backend, BackendTrust},
        orchestrator::Orchestrator,
    },
    values::Setting,
};

/// What values of one of the two charts say.
pub(crate) trait HasSide {
    /// Whose chart reads them.
    const SIDE: Side;
}

impl HasSide for Backend {
    const SIDE: Side = Side::Backend;
}

impl HasSide for BackendTrust {
    const SIDE: Side = Side::Backend;
}

impl HasSide for Orchestrator {
    const SIDE: Side = Side::Orchestrator;
}

/// One side before its cluster is looked at; `V` is what its values say: `Backend`, `BackendTrust` or `Orchestrator`.
/// With what the cluster shows it becomes [`Observed`].
pub(crate) struct Target<'a, V> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) options: &'a Options,
    pub(crate) files: ValuesFiles,
    /// What the merged files say.
    pub(crate) values: V,
}

/// What a cluster shows of a release.
#[derive(Clone)]
pub(crate) struct ClusterState {
    pub(crate) release: ReleaseState,
    /// Its workloads, and the objects that were asked for.
    pub(crate) objects: Vec<Object>,
}

/// One side, observed.
pub(crate) struct Observed<'a, V> {
    pub(crate) target: Target<'a, V>,
    pub(crate) cluster: ClusterState,
}

impl<'a, V> Deref for Observed<'a, V> {
    type Target = Target<'a, V>;

    fn deref(&self) -> &Self::Target {
        &self.target
    }
}

impl<'a> Target<'a, Backend> {
    /// A backend, as its files describe it; `hostname` goes before theirs.
    pub(crate) fn backend(session: &'a Session<'a>, options: &'a Options, hostname: Option<&Hostname>) -> Result<Self> {
        let files = read::files(session, options, backend::usual_settings)?;
        let values = read::backend(&files, hostname)?;
        Ok(Self { session, options, files, values })
    }
}

impl<'a> Target<'a, BackendTrust> {
    /// A backend, as far as it trusts the orchestrator.
    pub(crate) fn trust(session: &'a Session<'a>, options: &'a Options) -> Result<Self> {
        let files = read::files(session, options, Vec::new)?;
        let values = read::trust(&files)?;
        Ok(Self { session, options, files, values })
    }
}

impl<'a> Target<'a, Orchestrator> {
    /// The orchestrator; `usual` is what the verb sets where the files choose no names of their own.
    pub(crate) fn orchestrator(
        session: &'a Session<'a>,
        options: &'a Options,
        usual: impl FnOnce() -> Vec<Setting>,
    ) -> Result<Self> {
        let files = read::files(session, options, usual)?;
        let values = read::orchestrator(&files)?;
        Ok(Self { session, options, files, values })
    }
}

impl<'a, V: HasSide> Target<'a, V> {
    /// The release: two children. One that is pending is waited for.
    ///
    /// # Errors
    /// There is no such release, or one that is pending and stays so.
    pub(crate) fn find(&self) -> Result<ReleaseState> {
        let query = ReleaseQuery::of(self.options, &self.files, V::SIDE);
        let found = find::look(self.session.cluster()?, &query)?;
        if !found.record.is_pending() {
            return Ok(found);
        }
        pending::settle(self.session, self.options, &query, found)
    }

    /// What the cluster shows of a release: one child for all objects.
    pub(crate) fn look(
        &self,
        release: ReleaseState,
        wanted: impl IntoIterator<Item = ObjectRef>,
    ) -> Result<ClusterState> {
        let mut all: Vec<ObjectRef> = Vec::new();
        for object in wanted.into_iter().chain(release.workloads()) {
            if !all.contains(&object) {
                all.push(object);
            }
        }
        let objects = self.session.cluster()?.get(&all)?;
        Ok(ClusterState { release, objects })
    }

    /// The release, its workloads and the objects that are wanted: three children.
    pub(crate) fn observe(self, wanted: impl IntoIterator<Item = ObjectRef>) -> Result<Observed<'a, V>> {
        let cluster = self.look(self.find()?, wanted)?;
        Ok(Observed { target: self, cluster })
    }

    /// The upgrade to edited files, for which this run sets `own`. Where somebody else deploys them, `paths` are shown, and
    /// `then` says what is so once that is done.
    pub(crate) fn upgrade<'b>(
        &'b self,
        edited: &'b EditedFiles,
        own: &'b [Setting],
        paths: &'b [&'static [&'static str]],
        then: &'static str,
    ) -> UpgradeRequest<'b> {
        let Self { session, options, files, .. } = self;
        UpgradeRequest { session, options, files, edited, own, read: true, paths, then }
    }
}

impl ClusterState {
    /// An object of this kind and name.
    pub(crate) fn object(&self, wanted: &ObjectRef) -> Option<&Object> {
        wanted.find_in(&self.objects)
    }
}
