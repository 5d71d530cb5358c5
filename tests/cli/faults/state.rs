//! What a run has left, without what is another each time: keys, certificates, versions.

use std::{collections::BTreeSet, fs, path::Path};

use der::{Decode, Encode};
use serde_json::Value;
use substra_mtls::{
    cluster::{ChartVersion, Object},
    pki::{inspect::certificates, key::PrivateKey, request},
    substra::servers::{CallOutcome, call},
    values,
};
use x509_cert::request::CertReq;

use crate::scripted::Scripted;

/// Objects with the names of their items, releases with their values, files; a line each.
pub(super) fn state(files: &Path, cluster: &Scripted) -> String {
    let world = cluster.world("default").stored();
    let objects = world["objects"].as_array().unwrap().iter().map(|one| {
        let object = Object::from(one["object"].clone());
        let labels = &object.json()["metadata"]["labels"];
        format!("{} {} {} {labels} {:?}", one["namespace"], object.reference(), object.secret_type(), object.keys())
    });
    let releases = world["releases"].as_array().unwrap().iter().map(|one| {
        let notes: Vec<(&String, Vec<&String>)> = one["notes"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, notes)| (name, notes.as_object().unwrap().keys().collect()))
            .collect();
        format!("{} {} {} {} {notes:?}", one["namespace"], one["name"], one["status"], one["config"])
    });
    let mut lines: Vec<String> =
        objects.chain(releases).chain(fs::read_dir(files).unwrap().map(|entry| file(&entry.unwrap().path()))).collect();
    lines.sort();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The same of several organizations: who comes first into a file, and a signature more after a run that was cut short,
/// make no difference.
pub(super) fn of_several(files: &Path, cluster: &Scripted) -> String {
    let one = |line: &str| {
        let Some((name, text)) = line.strip_prefix("file ").and_then(|rest| rest.split_once(' ')) else {
            return format!("{line}\n");
        };
        let what = match Path::new(name).extension().and_then(|end| end.to_str()) {
            Some("yaml") => values::read(fs::read_to_string(files.join(name)).unwrap().as_bytes()).unwrap().to_string(),
            Some("jsonl") => String::new(),
            _ => text.to_owned(),
        };
        format!("file {name} {what}\n")
    };
    state(files, cluster).lines().map(one).collect()
}

/// A values file as it is, a log by the number of its lines, else the name.
fn file(path: &Path) -> String {
    let (name, text) = (path.file_name().unwrap().to_str().unwrap(), fs::read_to_string(path).unwrap());
    let what = match path.extension().and_then(|end| end.to_str()) {
        Some("yaml") => format!("{text:?}"),
        Some("jsonl") => format!("{} lines", text.lines().count()),
        _ => String::new(),
    };
    format!("file {name} {what}")
}

/// The backends that the orchestrators of this world let in, their pods made anew.
pub(super) fn let_in(cluster: &Scripted) -> BTreeSet<String> {
    let world = cluster.world("default");
    let stored = world.stored();
    let releases = stored["releases"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |chart: &str| releases.iter().filter(move |one| one["chart"]["name"] == chart).collect::<Vec<_>>();
    // A world that is looked at is locked: its time is read before.
    let (now, mut found) = (world.clock().now(), BTreeSet::new());
    for one in of("orchestrator") {
        let here = world.in_namespace(&text(&one["namespace"]));
        let chart = ChartVersion { name: text(&one["chart"]["name"]), version: text(&one["chart"]["version"]) };
        let name = text(&one["name"]);
        here.install(&name, chart, one["config"].clone()).unwrap();
        for backend in of("substra-backend") {
            let place = text(&backend["namespace"]);
            let Some(client) = world.in_namespace(&place).backend(&text(&backend["name"])) else { continue };
            let answer = here.with_server(&name, |server| call(&client, server, now));
            if answer == Some(CallOutcome::Accepted) {
                found.insert(place);
            }
        }
    }
    found
}

/// Every single value of a tree, with its place.
fn leaves(tree: &Value, place: &str, found: &mut BTreeSet<String>) {
    match tree {
        Value::Object(map) => map.iter().for_each(|(key, value)| leaves(value, &format!("{place}.{key}"), found)),
        other => drop(found.insert(format!("{place}: {other}"))),
    }
}

/// Values that stand between others: nothing that neither has, and all that both have.
fn is_between(now: &str, texts: [&str; 2]) -> bool {
    let read = |text: &str| {
        let mut found = BTreeSet::new();
        values::read(text.as_bytes()).ok().map(|tree| {
            leaves(&tree, "", &mut found);
            found
        })
    };
    let (Some(now), [Some(one), Some(other)]) = (read(now), texts.map(read)) else { return false };
    now.is_subset(&(&one | &other)) && now.is_superset(&(&one & &other))
}

/// A values file is as it was, as it is meant to be, or on its way by a whole edit; a log ends with a whole line.
pub(super) fn whole_files(either: [&Path; 2], now: &Path) -> Result<(), String> {
    for entry in fs::read_dir(now).unwrap() {
        let path = entry.unwrap().path();
        let (name, text) = (path.file_name().unwrap(), fs::read_to_string(&path).unwrap());
        let texts = either.map(|folder| fs::read_to_string(folder.join(name)).unwrap_or_default());
        let is_whole = match path.extension().and_then(|end| end.to_str()) {
            Some("yaml") => texts.contains(&text) || is_between(&text, texts.each_ref().map(String::as_str)),
            Some("jsonl") => text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()),
            _ => true,
        };
        if !is_whole {
            return Err(format!("{} is neither what it was nor what it is meant to be: {text}", path.display()));
        }
    }
    Ok(())
}

/// Certificates of organizations are in place only once a log, in a file or in the cluster, has them.
fn logged(files: &Path, objects: &[Object]) -> Result<(), String> {
    let is_log = |path: &Path| path.extension().is_some_and(|end| end == "jsonl");
    let paths = fs::read_dir(files).unwrap().map(|entry| entry.unwrap().path()).filter(|path| is_log(path));
    let mut log: String = paths.map(|path| fs::read_to_string(path).unwrap()).collect();
    log.extend(objects.iter().filter(|object| object.json()["kind"] == "ConfigMap").map(|map| map.json().to_string()));
    for object in objects {
        let Some(pem) = object.data("tls.crt") else { continue };
        let leaf = certificates(&pem).map_err(|failure| failure.to_string())?.remove(0);
        if !leaf.organizations.is_empty() && !log.contains(&leaf.serial) {
            return Err(format!("no log has the certificate of {}", object.reference()));
        }
    }
    Ok(())
}

/// What must hold at any moment: the halves of a pair fit, and the key of a request that may have left is there.
pub(super) fn whole(files: &Path, cluster: &Scripted) -> Result<(), String> {
    let world = cluster.world("default").stored();
    let objects: Vec<Object> =
        world["objects"].as_array().unwrap().iter().map(|one| Object::from(one["object"].clone())).collect();
    logged(files, &objects)?;
    let mut held = BTreeSet::new();
    for object in &objects {
        let Some(pem) = object.data("tls.key") else { continue };
        let key = PrivateKey::from_pem(&pem, None).map_err(|why| format!("{}: {why}", object.reference()))?;
        held.insert(key.spki().to_vec());
        let Some(pem) = object.data("tls.crt") else { continue };
        let leaf = certificates(&pem).map_err(|failure| failure.to_string())?.remove(0);
        if leaf.spki != key.spki() {
            return Err(format!("the halves of {} do not fit", object.reference()));
        }
    }
    let Ok(sent) = fs::read(files.join("MyOrg1MSP.csr")) else { return Ok(()) };
    let asked = CertReq::from_der(&request::der(&sent).unwrap()).unwrap().info.public_key.to_der().unwrap();
    if held.contains(&asked) { Ok(()) } else { Err("the key of a request that left is lost".to_owned()) }
}
