//! The calls of `kubectl`, with the reasons that the API server names.

use serde_json::{Value, json};
use substra_mtls::{
    cluster::{History, Kubernetes, Object, ObjectRef, simulated::SimulatedCluster},
    failure::Result,
    times::rfc3339,
};

use crate::{Answer, Call, input};

pub(crate) fn answer(call: &Call, cluster: &SimulatedCluster) -> Answer {
    let words: Vec<&str> = call.words.iter().map(String::as_str).collect();
    match words[..] {
        ["get", ref names @ ..] if names.iter().all(|name| name.contains('/')) => get(cluster, names),
        ["get", resources] => list(&cluster.list(resources, call.option("--selector").unwrap()).unwrap()),
        ["create"] => create(call, cluster),
        ["replace"] => {
            let object = given();
            written(&object.reference(), "replacing", cluster.replace(&object))
        }
        ["delete"] => delete(cluster, call.option("--raw").unwrap()),
        ["patch", name] => patch(call, cluster, &reference(name)),
        _ => panic!("kubectl {words:?} is not scripted"),
    }
}

fn reference(name: &str) -> ObjectRef {
    let (resource, name) = name.split_once('/').unwrap();
    ObjectRef::new(resource, name)
}

fn given() -> Object {
    Object::from(serde_json::from_str::<Value>(&input()).unwrap())
}

/// One that was named is printed as it is, several as a list, none not at all.
fn get(cluster: &SimulatedCluster, names: &[&str]) -> Answer {
    let wanted: Vec<ObjectRef> = names.iter().map(|name| reference(name)).collect();
    let found = cluster.get(&wanted).unwrap();
    match found.first() {
        None => Answer::default(),
        Some(one) if names.len() == 1 => Answer::said(one.json()),
        Some(_) => list(&found),
    }
}

fn list(found: &[Object]) -> Answer {
    let items: Value = found.iter().map(|object| object.json().clone()).collect();
    Answer::said(json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}))
}

fn create(call: &Call, cluster: &SimulatedCluster) -> Answer {
    let object = given();
    if object.json()["kind"] == "SelfSubjectRulesReview" {
        let mut review = object.json().clone();
        review["status"] = cluster.access_review(call.namespace()).unwrap();
        return Answer::said(review);
    }
    if call.option("--dry-run") == Some("server") {
        let mut made = object.json().clone();
        made["metadata"]["creationTimestamp"] = json!(rfc3339(cluster.server_time().unwrap()));
        return Answer::said(made);
    }
    written(&object.reference(), "creating", cluster.create(&object))
}

/// What is there may go only as the preconditions have it.
fn delete(cluster: &SimulatedCluster, path: &str) -> Answer {
    let (resource, name) =
        path.rsplit_once('/').and_then(|(rest, name)| Some((rest.rsplit_once('/')?.1, name))).unwrap();
    let reference = ObjectRef::new(resource.trim_end_matches('s'), name);
    let guard = given().json()["preconditions"].clone();
    let Some(there) = cluster.get(std::slice::from_ref(&reference)).unwrap().pop() else {
        return Answer::failed(format!("Error from server (NotFound): {resource} \"{name}\" not found\n"));
    };
    let mut seen = there.json().clone();
    seen["metadata"]["uid"] = guard["uid"].clone();
    seen["metadata"]["resourceVersion"] = guard["resourceVersion"].clone();
    match cluster.delete(&Object::from(seen)) {
        Ok(()) => Answer::said(json!({"kind": "Status", "apiVersion": "v1", "status": "Success"})),
        Err(_) => Answer::failed(format!(
            "Error from server (Conflict): Operation cannot be fulfilled on {resource} \"{name}\": the object is another\n"
        )),
    }
}

fn patch(call: &Call, cluster: &SimulatedCluster, workload: &ObjectRef) -> Answer {
    let patch: Value = serde_json::from_str(call.option("--patch").unwrap()).unwrap();
    let notes = patch["spec"]["template"]["metadata"]["annotations"].as_object().unwrap();
    let note = |(key, value): (&String, &Value)| cluster.annotate_template(workload, key, value.as_str().unwrap());
    written(workload, "patching", notes.iter().try_for_each(note))
}

/// `--output=name`, or what the API server says, with its reason in brackets.
fn written(name: &ObjectRef, doing: &str, result: Result<()>) -> Answer {
    let Err(failure) = result else { return Answer::said(name) };
    let (plural, what) = (format!("{}s", name.resource), &name.name);
    let why = match failure.code.id() {
        "exists" => format!("(AlreadyExists): error when {doing} \"STDIN\": {plural} \"{what}\" already exists"),
        "conflict" => format!(
            "(Conflict): error when {doing} \"STDIN\": Operation cannot be fulfilled on {plural} \"{what}\": the object has been modified; please apply your changes to the latest version and try again"
        ),
        "not-found" => format!("(NotFound): {plural} \"{what}\" not found"),
        _ => panic!("{failure}"),
    };
    Answer::failed(format!("Error from server {why}\n"))
}
