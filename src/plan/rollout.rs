//! Whether workloads run what was deployed, and nothing older.

use std::time::Duration;

use serde_json::Value;

use super::engine::interrupted;
use crate::{
    cluster::{Cluster, Object, ObjectRef},
    failure::{Code, Exit, Failure, Result},
    times::Clock,
};

/// What is still missing of a Deployment's or StatefulSet's rollout; `None` when it is complete.
/// The fields are those that `kubectl rollout status` judges by.
#[must_use]
pub fn missing(workload: &Object) -> Option<String> {
    let json = workload.json();
    let number = |group: &str, field: &str| json[group][field].as_u64().unwrap_or(0);
    let name = workload.reference();
    let wanted = json["spec"]["replicas"].as_u64().unwrap_or(1);
    if number("status", "observedGeneration") < json["metadata"]["generation"].as_u64().unwrap_or(0) {
        return Some(format!("{name}: the change is not seen yet"));
    }
    let updated = number("status", "updatedReplicas");
    let old_revision = name.resource == "statefulset"
        && json["status"]["updateRevision"] != Value::Null
        && json["status"]["updateRevision"] != json["status"]["currentRevision"];
    if updated < wanted || (old_revision && wanted > 0) {
        return Some(format!("{name}: {updated} of {wanted} pods are new"));
    }
    if number("status", "replicas") > updated {
        return Some(format!("{name}: old pods are still there"));
    }
    let ready = if name.resource == "statefulset" { "readyReplicas" } else { "availableReplicas" };
    let ready = number("status", ready);
    (ready < wanted).then(|| format!("{name}: {ready} of {wanted} pods are ready"))
}

/// Whether one of these objects is that workload, rolled out.
#[must_use]
pub fn is_complete(objects: &[Object], workload: &ObjectRef) -> bool {
    workload.find_in(objects).is_some_and(|object| missing(object).is_none())
}

/// Waits for a rollout.
pub(super) struct RolloutWaiter<'a> {
    pub(super) cluster: &'a dyn Cluster,
    pub(super) release: &'a str,
    pub(super) workloads: &'a [ObjectRef],
    pub(super) limit: Duration,
    pub(super) clock: &'a Clock,
    pub(super) stop: fn() -> bool,
}

impl RolloutWaiter<'_> {
    pub(super) fn wait(&self) -> Result<()> {
        let start = self.clock.now();
        let mut pause = Duration::from_millis(200);
        let mut by_label = true;
        loop {
            let looked = self.clock.now();
            let Some(missing) = self.missing(&mut by_label)? else { return Ok(()) };
            // A busy machine is not kept busy by looking: at most a quarter of the time.
            pause = pause.max((self.clock.now() - looked).unsigned_abs() * 3);
            if (self.stop)() {
                return Err(interrupted());
            }
            if self.clock.now() - start > self.limit {
                return Err(self.late(&missing));
            }
            pause = pause.min(Duration::from_secs(5));
            self.clock.wait(pause);
            pause = pause * 6 / 5;
        }
    }

    fn missing(&self, by_label: &mut bool) -> Result<Option<String>> {
        let found = self.look(by_label)?;
        for workload in self.workloads {
            match workload.find_in(&found).map(missing) {
                None => return Ok(Some(format!("{workload}: is not there"))),
                Some(None) => {}
                Some(missing) => return Ok(missing),
            }
        }
        // A pod that is being ended still serves its open connections.
        let leaving = |object: &&Object| {
            object.reference().resource == "pod" && !object.json()["metadata"]["deletionTimestamp"].is_null()
        };
        Ok(found.iter().find(leaving).map(|pod| format!("{}: an old pod is still ending", pod.reference())))
    }

    /// Workloads first and pods after them, so that no pod begins to end between the two looks. One child where the
    /// rights allow to list and the workloads carry Helm's label; else the workloads by name, and the pods where that
    /// is allowed: without, the workload's own count of old pods has to do.
    fn look(&self, by_label: &mut bool) -> Result<Vec<Object>> {
        let label = format!("app.kubernetes.io/instance={}", self.release);
        let list = |resources| match self.cluster.list(resources, &label) {
            Err(failure) if failure.code == Code::Forbidden => Ok(None),
            other => other.map(Some),
        };
        if *by_label
            && let Some(all) = list("deployments,statefulsets,pods")?
            && self.workloads.iter().all(|workload| workload.find_in(&all).is_some())
        {
            return Ok(all);
        }
        *by_label = false;
        let mut found = self.cluster.get(self.workloads)?;
        found.extend(list("pods")?.unwrap_or_default());
        Ok(found)
    }

    fn late(&self, missing: &str) -> Failure {
        Failure::new(Exit::TimedOut, Code::Rollout, format!("release {} is upgraded but not rolled out", self.release))
            .why(missing.to_owned())
            .next("kubectl describe that workload's pods; when it is fixed, run the same command again, with a longer --timeout where it is only slow")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(status: &Value) -> Object {
        json!({"kind": "Deployment", "metadata": {"name": "server", "generation": 2}, "spec": {"replicas": 1}, "status": status})
            .into()
    }

    #[test]
    fn a_deployment_is_complete_when_all_pods_are_new_and_available() {
        let done = json!({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1});
        assert_eq!(missing(&deployment(&done)), None);
    }

    #[test]
    fn a_deployment_with_an_old_unready_or_unseen_pod_is_not_complete() {
        let text = |status: Value| missing(&deployment(&status)).unwrap();
        assert!(
            text(json!({"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}))
                .contains("not seen")
        );
        assert!(
            text(json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 2}))
                .contains("old pods")
        );
        assert!(
            text(json!({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1}))
                .contains("0 of 1 pods are ready")
        );
        assert!(
            text(json!({"observedGeneration": 2, "replicas": 1, "availableReplicas": 1}))
                .contains("0 of 1 pods are new")
        );
    }

    #[test]
    fn a_stateful_set_is_complete_when_its_revision_is_the_new_one() {
        let set = |current: &str| {
            Object::from(
                json!({"kind": "StatefulSet", "metadata": {"name": "worker", "generation": 1}, "spec": {"replicas": 1},
                "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
                           "currentRevision": current, "updateRevision": "b"}}),
            )
        };
        assert_eq!(missing(&set("b")), None);
        assert!(missing(&set("a")).is_some());
    }
}
