//! What a run has left, without what is another each time: keys, certificates, versions.

use std::{collections::BTreeSet, fs, path::Path};

use der::{DecodePem, Encode};
use substra_mtls::{
    cluster::Object,
    pki::{inspect::certificates, key::PrivateKey},
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

/// What must hold at any moment: the halves of a pair fit, and the key of a request that may have left is there.
pub(super) fn whole(files: &Path, cluster: &Scripted) -> Result<(), String> {
    let world = cluster.world("default").stored();
    let objects: Vec<Object> =
        world["objects"].as_array().unwrap().iter().map(|one| Object::from(one["object"].clone())).collect();
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
    let Ok(request) = fs::read_to_string(files.join("MyOrg1MSP.csr")) else { return Ok(()) };
    let asked = CertReq::from_pem(&request).unwrap().info.public_key.to_der().unwrap();
    if held.contains(&asked) { Ok(()) } else { Err("the key of a request that left is lost".to_owned()) }
}
