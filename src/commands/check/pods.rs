//! Pods and times: what a pod waits for, since when it runs, and when an object's data were changed last.

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::cluster::Object;

/// Why a container does not run.
pub(super) struct WaitingContainer {
    pub(super) reason: String,
    /// Empty, or with a comma before it.
    pub(super) message: String,
}

/// What the containers of a pod wait for.
pub(super) fn waiting(pod: &Object) -> Vec<WaitingContainer> {
    let status = &pod.json()["status"];
    let of = |field: &str| status[field].as_array().cloned().unwrap_or_default();
    let states = of("initContainerStatuses").into_iter().chain(of("containerStatuses"));
    let one = |container: Value| {
        let state = &container["state"]["waiting"];
        // A container behind its init container waits as a matter of course.
        let reason = state["reason"].as_str().filter(|reason| *reason != "PodInitializing")?.to_owned();
        let message = state["message"].as_str().map(|message| format!(", {message}")).unwrap_or_default();
        Some(WaitingContainer { reason, message })
    };
    states.filter_map(one).collect()
}

/// When it was made.
pub(super) fn created(object: &Object) -> Option<OffsetDateTime> {
    time_of(&object.json()["metadata"]["creationTimestamp"])
}

/// When an object's data were changed last, and whether that is known or only that it was not before.
pub(super) enum ChangeTime {
    /// The API server tells (`metadata.managedFields`).
    At(OffsetDateTime),
    /// Only its making is known.
    NotBefore(OffsetDateTime),
    /// Nothing is known.
    Unknown,
}

/// Looks at the managers that own its data: a new label or annotation is no change of them.
pub(super) fn changed(object: &Object) -> ChangeTime {
    let fields = object.json()["metadata"]["managedFields"].as_array();
    let owns =
        |entry: &&Value| ["f:data", "f:stringData", "f:binaryData"].iter().any(|f| entry["fieldsV1"][*f].is_object());
    let latest = fields.into_iter().flatten().filter(owns).filter_map(|entry| time_of(&entry["time"])).max();
    match (latest, created(object)) {
        (Some(at), _) => ChangeTime::At(at),
        (None, Some(created)) => ChangeTime::NotBefore(created),
        (None, None) => ChangeTime::Unknown,
    }
}

/// Since when the oldest pod runs that mounts an object of this name; `None` where no pod does.
pub(super) fn oldest_with(pods: &[Object], name: &str) -> Option<OffsetDateTime> {
    let ended = |pod: &&Object| matches!(pod.json()["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    let mounting = pods.iter().filter(|pod| !ended(pod) && mounts(&pod.json()["spec"]["volumes"], name));
    mounting.filter_map(|pod| time_of(&pod.json()["status"]["startTime"]).or_else(|| created(pod))).min()
}

/// An object's name under `secretName` or `name`, at any depth of the volumes.
fn mounts(volumes: &Value, name: &str) -> bool {
    match volumes {
        Value::Array(items) => items.iter().any(|item| mounts(item, name)),
        Value::Object(map) => map.iter().any(|(key, value)| match key.as_str() {
            "secret" | "configMap" => value["secretName"] == name || value["name"] == name,
            _ => mounts(value, name),
        }),
        _ => false,
    }
}

fn time_of(value: &Value) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(value.as_str()?, &Rfc3339).ok()
}
