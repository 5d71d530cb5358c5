//! The simulated cluster: objects, releases and pods in memory, mounted as the charts mount and checked as the servers check.
//!
//! It models what is measured of the real one and no more; the contract test compares the two.

mod charts;
mod faults;
mod pods;
mod stored;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

pub use self::faults::Fault;
use super::{ChartVersion, Cluster, Object, ObjectRef, Pointed, Release, Upgrade};
use crate::{
    failure::{Exit, Failure, Result},
    names::ReleaseName,
    substra::servers::{BackendClient, OrchestratorServer},
    times::Clock,
    values,
};

/// One namespace of a simulated world.
#[derive(Clone)]
pub struct Simulated {
    namespace: String,
    world: Arc<Mutex<World>>,
}

type Objects = BTreeMap<(String, ObjectRef), Value>;
type Releases = BTreeMap<(String, String), Installed>;

struct World {
    clock: Clock,
    objects: Objects,
    releases: Releases,
    version: u64,
    writes: Vec<String>,
    fault: Option<(usize, Fault)>,
    hook: Option<faults::Hook>,
}

#[derive(Clone)]
struct Installed {
    revision: u64,
    status: String,
    config: Value,
    manifest: String,
    chart: ChartVersion,
    /// The server that runs now: the old one where the new one could not start.
    server: Option<OrchestratorServer>,
    /// What the workloads' pods wait for; empty when all run.
    waiting: BTreeMap<String, String>,
    /// Annotations of pod templates that others than the chart have set, by workload.
    notes: BTreeMap<String, BTreeMap<String, String>>,
}

impl Simulated {
    /// A world of its own with one empty namespace. Its servers judge by this clock, which other worlds and the desk of
    /// a verb may share.
    #[must_use]
    pub fn new(namespace: &str, clock: &Clock) -> Self {
        let world = World {
            clock: clock.clone(),
            objects: BTreeMap::new(),
            releases: BTreeMap::new(),
            version: 0,
            writes: Vec::new(),
            fault: None,
            hook: None,
        };
        Self { namespace: namespace.to_owned(), world: Arc::new(Mutex::new(world)) }
    }

    /// Another namespace of the same world.
    #[must_use]
    pub fn namespace(&self, namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), world: Arc::clone(&self.world) }
    }

    /// The namespace's name.
    #[must_use]
    pub fn place_name(&self) -> String {
        self.namespace.clone()
    }

    /// Installs a release with values, as `helm install` does.
    ///
    /// # Errors
    /// The values do not render.
    pub fn install(&self, release: &str, chart: ChartVersion, config: Value) -> Result<()> {
        self.world().deploy(&self.namespace, release, chart, config)
    }

    /// Somebody takes an object away.
    pub fn lose(&self, object: &ObjectRef) {
        self.world().objects.remove(&(self.namespace.clone(), object.clone()));
    }

    /// The clock of the world.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.world().clock.clone()
    }

    /// Every write that was made, in order: `create secret/x`, `upgrade backend`.
    #[must_use]
    pub fn writes(&self) -> Vec<String> {
        self.world().writes.clone()
    }

    /// Leaves a release as a helm does that was killed (`pending-upgrade`) or that failed half way (`failed`).
    pub fn leave(&self, release: &str, status: &'static str) {
        if let Some(installed) = self.world().releases.get_mut(&(self.namespace.clone(), release.to_owned())) {
            status.clone_into(&mut installed.status);
        }
    }

    /// What keeps the pods of a release from running.
    #[must_use]
    pub fn waits_for(&self, release: &str) -> Option<String> {
        let world = self.world();
        world.releases.get(&(self.namespace.clone(), release.to_owned()))?.waiting.values().next().cloned()
    }

    /// The server of an orchestrator's release ends and does not come again before the next upgrade.
    pub fn stop(&self, release: &str) {
        if let Some(installed) = self.world().releases.get_mut(&(self.namespace.clone(), release.to_owned())) {
            installed.server = None;
        }
    }

    /// A backend of this namespace as it would call the orchestrator now.
    #[must_use]
    pub fn backend(&self, release: &str) -> Option<BackendClient> {
        self.world().backend(&self.namespace, release)
    }

    /// Looks at the orchestrator of this namespace that runs now.
    pub fn with_server<T>(&self, release: &str, look: impl FnOnce(&OrchestratorServer) -> T) -> Option<T> {
        let world = self.world();
        world.releases.get(&(self.namespace.clone(), release.to_owned()))?.server.as_ref().map(look)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // A test that panicked under the lock has said so itself.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cluster for Simulated {
    fn place(&self) -> String {
        format!("namespace {}", self.namespace)
    }

    fn pointed(&self) -> Pointed {
        Pointed { namespace: Some(self.namespace.clone()), ..Pointed::default() }
    }

    fn releases(&self) -> Result<Vec<(String, ChartVersion)>> {
        let world = self.world();
        let here = world.releases.iter().filter(|((namespace, _), _)| *namespace == self.namespace);
        Ok(here.map(|((_, name), installed)| (name.clone(), installed.chart.clone())).collect())
    }

    fn release(&self, name: &ReleaseName) -> Result<Option<Release>> {
        let world = self.world();
        Ok(world.releases.get(&(self.namespace.clone(), name.to_string())).map(|installed| Release {
            namespace: self.namespace.clone(),
            revision: installed.revision,
            status: installed.status.clone(),
            config: installed.config.clone(),
            manifest: installed.manifest.clone(),
        }))
    }

    fn chart(&self, name: &ReleaseName) -> Result<Option<ChartVersion>> {
        Ok(self
            .world()
            .releases
            .get(&(self.namespace.clone(), name.to_string()))
            .map(|installed| installed.chart.clone()))
    }

    fn get(&self, wanted: &[ObjectRef]) -> Result<Vec<Object>> {
        let world = self.world();
        Ok(wanted.iter().filter_map(|name| world.object(&self.namespace, name)).map(Object::from).collect())
    }

    fn list(&self, resource: &str, selector: &str) -> Result<Vec<Object>> {
        let (key, value) = selector.split_once('=').map_or((selector, None), |(key, value)| (key, Some(value)));
        let world = self.world();
        let labelled = |object: &&Value| {
            let label = object["metadata"]["labels"][key].as_str();
            label.is_some() && (value.is_none() || label == value)
        };
        let mut found = Vec::new();
        for singular in resource.split(',').map(|plural| plural.trim_end_matches('s')) {
            let here =
                world.objects.iter().filter(|((space, name), _)| *space == self.namespace && name.resource == singular);
            found.extend(here.map(|(_, object)| object).filter(labelled).cloned().map(Object::from));
            let workloads = world.workloads(&self.namespace);
            found.extend(
                workloads
                    .iter()
                    .filter(labelled)
                    .cloned()
                    .map(Object::from)
                    .filter(|o| o.reference().resource == singular),
            );
        }
        Ok(found)
    }

    fn rules(&self, _: &str) -> Result<Value> {
        Ok(json!({"resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]}))
    }

    fn create(&self, object: &Object) -> Result<()> {
        let name = object.reference();
        self.write(&format!("create {name}"), |world| {
            let key = (self.namespace.clone(), name.clone());
            if world.objects.contains_key(&key) {
                return Err(Failure::new(Exit::Outside, "exists", format!("kubectl could not create {name}"))
                    .why("it is there already")
                    .next("somebody made it meanwhile; run the same command again"));
            }
            world.put(key, object.json().clone());
            Ok(())
        })
    }

    fn replace(&self, object: &Object) -> Result<()> {
        let name = object.reference();
        self.write(&format!("replace {name}"), |world| {
            let key = (self.namespace.clone(), name.clone());
            let fail = |code, why: &str| {
                Err(Failure::new(Exit::Outside, code, format!("kubectl could not replace {name}"))
                    .why(why.to_owned())
                    .next("somebody changed it meanwhile; run the same command again"))
            };
            match world.objects.get(&key) {
                None => fail("not-found", "it is gone"),
                Some(there) if there["metadata"]["resourceVersion"] != object.resource_version() => {
                    fail("conflict", "it was changed meanwhile")
                }
                Some(_) => {
                    world.put(key, object.json().clone());
                    Ok(())
                }
            }
        })
    }

    fn delete(&self, seen: &Object) -> Result<()> {
        let name = seen.reference();
        self.write(&format!("delete {name}"), |world| {
            let key = (self.namespace.clone(), name.clone());
            let is_seen =
                |there: &Object| there.uid() == seen.uid() && there.resource_version() == seen.resource_version();
            if world.objects.get(&key).is_some_and(|there| !is_seen(&Object::from(there.clone()))) {
                return Err(Failure::new(Exit::Outside, "conflict", format!("kubectl could not delete {name}"))
                    .why("it was changed meanwhile")
                    .next("somebody changed it meanwhile; run the same command again"));
            }
            world.objects.remove(&key);
            Ok(())
        })
    }

    fn annotate_template(&self, workload: &ObjectRef, key: &str, value: &str) -> Result<()> {
        self.write(&format!("restart {workload}"), |world| world.restart(&self.namespace, workload, key, value))
    }

    fn find_chart(&self, upgrade: &Upgrade) -> Result<ChartVersion> {
        let name = upgrade.chart.rsplit('/').next().unwrap_or_default().to_owned();
        let newest = if name == "orchestrator" { "8.8.0" } else { "26.15.3" };
        let version = if upgrade.version.is_empty() { newest.to_owned() } else { upgrade.version.clone() };
        Ok(ChartVersion { name, version })
    }

    fn render(&self, upgrade: &Upgrade) -> Result<String> {
        let chart = self.find_chart(upgrade)?;
        charts::render(&chart, upgrade.release.as_str(), &upgrade.values.0)
    }

    fn helm_reading(&self, files: &[&[u8]]) -> Result<Vec<std::result::Result<Value, String>>> {
        Ok(files.iter().map(|text| values::read(text).map_err(|refusal| refusal.to_string())).collect())
    }

    fn upgrade(&self, upgrade: &Upgrade) -> Result<()> {
        let chart = self.find_chart(upgrade)?;
        self.write(&format!("upgrade {}", upgrade.release), |world| {
            world.deploy(&self.namespace, upgrade.release.as_str(), chart, upgrade.values.0.clone())
        })
    }
}

impl World {
    fn put(&mut self, key: (String, ObjectRef), mut object: Value) {
        self.version += 1;
        let uid = self
            .objects
            .get(&key)
            .map_or_else(|| json!(format!("uid-{}", self.version)), |there| there["metadata"]["uid"].clone());
        object["metadata"]["uid"] = uid;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        object["metadata"]["namespace"] = json!(key.0);
        self.objects.insert(key, object);
    }
}
