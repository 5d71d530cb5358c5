//! The simulated cluster: objects, releases and pods in memory, mounted as the charts mount and checked as the servers check.
//!
//! It models what is measured of the real one and no more; the contract test compares the two.

mod charts;
mod faults;
mod helm;
mod history;
mod objects;
mod pods;
mod sops;
mod stored;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use time::OffsetDateTime;

pub use self::{faults::InjectedFault, sops::SimulatedSops};
use super::{ChartVersion, Cluster, ClusterTarget, ObjectRef};
use crate::{
    cluster::ReleaseStatus,
    failure::Result,
    substra::servers::{BackendClient, OrchestratorServer},
    times::Clock,
};

/// One namespace of a simulated world.
#[derive(Clone)]
pub struct SimulatedCluster {
    namespace: String,
    state: Arc<Mutex<SimulatedState>>,
}

type Objects = BTreeMap<(String, ObjectRef), Value>;
type Releases = BTreeMap<(String, String), SimulatedRelease>;

struct SimulatedState {
    clock: Clock,
    objects: Objects,
    releases: Releases,
    version: u64,
    writes: Vec<String>,
    fault: Option<(usize, InjectedFault)>,
    hook: Option<faults::WriteHook>,
    /// Releases whose pending helm this machine knows to be dead.
    dead: BTreeSet<(String, String)>,
}

#[derive(Clone)]
struct SimulatedRelease {
    revision: u64,
    status: ReleaseStatus,
    config: Value,
    manifest: String,
    chart: ChartVersion,
    /// The server that runs now: the old one where the new one could not start.
    server: Option<OrchestratorServer>,
    /// What the workloads' pods wait for; empty when all run.
    waiting: BTreeMap<String, String>,
    /// Annotations of pod templates that did not come from the chart, by workload.
    annotations: BTreeMap<String, BTreeMap<String, String>>,
    /// When it was deployed, or begun.
    since: OffsetDateTime,
    /// When the helm that still works on it is done.
    ends: Option<OffsetDateTime>,
    /// The revision before, as far as Helm keeps it.
    before: Option<Box<SimulatedRelease>>,
}

impl SimulatedCluster {
    /// A world with one empty namespace. Its servers check validity by this clock, which a verb may share.
    #[must_use]
    pub fn new(namespace: &str, clock: &Clock) -> Self {
        let state = SimulatedState {
            clock: clock.clone(),
            objects: BTreeMap::new(),
            releases: BTreeMap::new(),
            version: 0,
            writes: Vec::new(),
            fault: None,
            hook: None,
            dead: BTreeSet::new(),
        };
        Self { namespace: namespace.to_owned(), state: Arc::new(Mutex::new(state)) }
    }

    /// Another namespace of the same world.
    #[must_use]
    pub fn in_namespace(&self, namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), state: Arc::clone(&self.state) }
    }

    /// The namespace's name.
    #[must_use]
    pub fn namespace_name(&self) -> String {
        self.namespace.clone()
    }

    /// Installs a release with values, as `helm install` does.
    ///
    /// # Errors
    /// The values do not render.
    pub fn install(&self, release: &str, chart: ChartVersion, config: Value) -> Result<()> {
        self.state().deploy(&self.namespace, release, chart, config)
    }

    /// Removes an object, as somebody else may do.
    pub fn remove_object(&self, object: &ObjectRef) {
        self.state().objects.remove(&(self.namespace.clone(), object.clone()));
    }

    /// The clock of the world.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.state().clock.clone()
    }

    /// Every write that was made, in order: `create secret/x`, `upgrade backend`.
    #[must_use]
    pub fn writes(&self) -> Vec<String> {
        self.state().writes.clone()
    }

    /// Sets a release's status: `pending-upgrade` as after a helm that was killed, or `failed`.
    pub fn set_status(&self, release: &str, status: &'static str) {
        if let Some(installed) = self.state().releases.get_mut(&(self.namespace.clone(), release.to_owned())) {
            installed.status = ReleaseStatus::of_helm(status);
        }
    }

    /// What keeps the pods of a release from running.
    #[must_use]
    pub fn waiting_reason(&self, release: &str) -> Option<String> {
        let state = self.state();
        state.releases.get(&(self.namespace.clone(), release.to_owned()))?.waiting.values().next().cloned()
    }

    /// Stops the server of an orchestrator's release until the next upgrade.
    pub fn stop_server(&self, release: &str) {
        if let Some(installed) = self.state().releases.get_mut(&(self.namespace.clone(), release.to_owned())) {
            installed.server = None;
        }
    }

    /// A backend of this namespace as it would call the orchestrator now.
    #[must_use]
    pub fn backend(&self, release: &str) -> Option<BackendClient> {
        self.state().backend(&self.namespace, release)
    }

    /// Looks at the orchestrator of this namespace that runs now.
    pub fn with_server<T>(&self, release: &str, look: impl FnOnce(&OrchestratorServer) -> T) -> Option<T> {
        let state = self.state();
        state.releases.get(&(self.namespace.clone(), release.to_owned()))?.server.as_ref().map(look)
    }

    fn state(&self) -> MutexGuard<'_, SimulatedState> {
        // A test that panicked under the lock has said so itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cluster for SimulatedCluster {
    fn location(&self) -> String {
        format!("namespace {}", self.namespace)
    }

    fn target(&self) -> ClusterTarget {
        ClusterTarget { namespace: Some(self.namespace.clone()), ..ClusterTarget::default() }
    }
}
