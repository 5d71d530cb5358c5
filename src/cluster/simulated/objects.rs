//! The Kubernetes API of the simulated cluster: objects with versions, as the API server guards them.

use serde_json::{Value, json};

use super::{SimulatedCluster, SimulatedState};
use crate::{
    cluster::{Kubernetes, Object, ObjectRef, history::SECRET_PREFIX, kubectl::refused},
    failure::{Code, Result},
};

impl Kubernetes for SimulatedCluster {
    fn get(&self, wanted: &[ObjectRef]) -> Result<Vec<Object>> {
        let state = self.state();
        Ok(wanted.iter().filter_map(|name| state.object(&self.namespace, name)).map(Object::from).collect())
    }

    fn list(&self, resource: &str, selector: &str) -> Result<Vec<Object>> {
        let (key, value) = selector.split_once('=').map_or((selector, None), |(key, value)| (key, Some(value)));
        let state = self.state();
        let labelled = |object: &&Value| {
            let label = object["metadata"]["labels"][key].as_str();
            label.is_some() && (value.is_none() || label == value)
        };
        let mut found = Vec::new();
        for singular in resource.split(',').map(|plural| plural.trim_end_matches('s')) {
            let here =
                state.objects.iter().filter(|((space, name), _)| *space == self.namespace && name.resource == singular);
            found.extend(here.map(|(_, object)| object).filter(labelled).cloned().map(Object::from));
            let workloads = state.workloads(&self.namespace);
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

    fn access_review(&self, _: &str) -> Result<Value> {
        Ok(json!({"resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]}))
    }

    fn create(&self, object: &Object) -> Result<()> {
        let name = object.reference();
        self.write(&format!("create {name}"), |state| {
            let key = (self.namespace.clone(), name.clone());
            if state.objects.contains_key(&key) {
                return Err(refused(Code::Exists, &format!("create {name}")).why("it is there already"));
            }
            state.put(key, object.json().clone());
            Ok(())
        })
    }

    fn replace(&self, object: &Object) -> Result<()> {
        let name = object.reference();
        self.write(&format!("replace {name}"), |state| {
            let key = (self.namespace.clone(), name.clone());
            let fail = |code, why: &str| Err(refused(code, &format!("replace {name}")).why(why));
            match state.objects.get(&key) {
                None => fail(Code::NotFound, "it is gone"),
                Some(there) if there["metadata"]["resourceVersion"] != object.resource_version() => {
                    fail(Code::Conflict, "it was changed meanwhile")
                }
                Some(_) => {
                    state.put(key, object.json().clone());
                    Ok(())
                }
            }
        })
    }

    fn delete(&self, seen: &Object) -> Result<()> {
        let name = seen.reference();
        self.write(&format!("delete {name}"), |state| {
            let key = (self.namespace.clone(), name.clone());
            let is_seen =
                |there: &Object| there.uid() == seen.uid() && there.resource_version() == seen.resource_version();
            if state.objects.get(&key).is_some_and(|there| !is_seen(&Object::from(there.clone()))) {
                return Err(refused(Code::Conflict, &format!("delete {name}")).why("it was changed meanwhile"));
            }
            if name.name.starts_with(SECRET_PREFIX) {
                return state.forget(&self.namespace, seen);
            }
            state.objects.remove(&key);
            Ok(())
        })
    }

    fn annotate_template(&self, workload: &ObjectRef, key: &str, value: &str) -> Result<()> {
        self.write(&format!("restart {workload}"), |state| state.restart(&self.namespace, workload, key, value))
    }
}

impl SimulatedState {
    pub(super) fn put(&mut self, key: (String, ObjectRef), mut object: Value) {
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
