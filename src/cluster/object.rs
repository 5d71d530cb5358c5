//! Kubernetes objects as JSON: what is read of them, and how Secrets are made and changed without losing a label.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};
use zeroize::{Zeroize, Zeroizing};

use crate::substra::kind::ObjectKind;

/// The type of a Secret that holds a certificate and its key.
pub const PAIR_TYPE: &str = "kubernetes.io/tls";

/// What client-side `kubectl apply` leaves: a copy of the whole object, a private key included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A named object, as kubectl takes it: `secret/orchestrator-cacert`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectRef {
    /// The resource in kubectl's singular words: `secret`, `configmap`, `deployment`, `statefulset`.
    pub resource: String,
    /// The name.
    pub name: String,
}

impl ObjectRef {
    /// Any resource by its name.
    pub fn new(resource: impl Into<String>, name: impl Into<String>) -> Self {
        Self { resource: resource.into(), name: name.into() }
    }

    /// A Secret.
    pub fn secret(name: impl Into<String>) -> Self {
        Self::new("secret", name)
    }

    /// A `ConfigMap`.
    pub fn config_map(name: impl Into<String>) -> Self {
        Self::new("configmap", name)
    }

    /// A Secret or a `ConfigMap`.
    pub fn of_kind(kind: ObjectKind, name: impl Into<String>) -> Self {
        match kind {
            ObjectKind::Secret => Self::secret(name),
            ObjectKind::ConfigMap => Self::config_map(name),
        }
    }

    /// The object of this name, where it is among those that were read.
    #[must_use]
    pub fn find_in<'a>(&self, objects: &'a [Object]) -> Option<&'a Object> {
        objects.iter().find(|object| object.reference() == *self)
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.resource, self.name)
    }
}

/// One object. Its texts are wiped when it is dropped, since it may hold a private key.
#[derive(Clone)]
pub struct Object(Value);

impl Drop for Object {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        _ => {}
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({})", self.reference())
    }
}

impl From<Value> for Object {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl Object {
    /// A new Secret of a type, with labels and data (raw bytes, not base64).
    #[must_use]
    pub fn secret(name: &str, kind: &str, labels: &[(&str, &str)], data: &[(&str, &[u8])]) -> Self {
        let labels: Map<String, Value> = labels.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
        Self(json!({
            "apiVersion": "v1", "kind": "Secret", "type": kind,
            "metadata": {"name": name, "labels": labels}, "data": encode(data),
        }))
    }

    /// A new `ConfigMap` with labels and text data.
    #[must_use]
    pub fn config_map(name: &str, labels: &[(&str, &str)], data: &[(&str, &str)]) -> Self {
        let map = |pairs: &[(&str, &str)]| -> Map<String, Value> {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect()
        };
        Self(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "labels": map(labels)}, "data": map(data),
        }))
    }

    /// The same object with these items of data set: every other item, its type, labels, annotations and
    /// resourceVersion are kept, all but the annotation in which client-side apply keeps a copy of the old key.
    #[must_use]
    pub fn with_data(&self, data: &[(&str, &[u8])]) -> Self {
        let mut new = self.clone();
        if !new.0["data"].is_object() {
            new.0["data"] = json!({});
        }
        let text = |(key, bytes): &(&str, &[u8])| ((*key).to_owned(), json!(String::from_utf8_lossy(bytes)));
        let items = if self.text("kind") == "Secret" { encode(data) } else { data.iter().map(text).collect() };
        if let Some(there) = new.0["data"].as_object_mut() {
            there.extend(items);
        }
        if let Some(metadata) = new.0["metadata"].as_object_mut() {
            metadata.remove("managedFields");
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.remove(LAST_APPLIED);
            }
        }
        new
    }

    /// The same object with an annotation set, or without it.
    #[must_use]
    pub fn with_annotation(mut self, key: &str, value: Option<&str>) -> Self {
        match (value, self.0["metadata"]["annotations"].as_object_mut()) {
            (Some(value), _) => self.0["metadata"]["annotations"][key] = json!(value),
            (None, Some(annotations)) => drop(annotations.remove(key)),
            (None, None) => {}
        }
        self
    }

    /// An annotation's value.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.0["metadata"]["annotations"][key].as_str()
    }

    /// The value of an annotation of a workload's pod template.
    #[must_use]
    pub fn template_annotation(&self, key: &str) -> Option<&str> {
        self.0["spec"]["template"]["metadata"]["annotations"][key].as_str()
    }

    /// Whether client-side apply left a copy of the object in an annotation.
    #[must_use]
    pub fn has_last_applied(&self) -> bool {
        !self.0["metadata"]["annotations"][LAST_APPLIED].is_null()
    }

    /// How kubectl names it.
    #[must_use]
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::new(self.text("kind").to_ascii_lowercase(), self.name())
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// The type of a Secret: `Opaque`, `kubernetes.io/tls`.
    #[must_use]
    pub fn secret_type(&self) -> &str {
        self.text("type")
    }

    /// A label's value.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.0["metadata"]["labels"][key].as_str()
    }

    /// What tells it from another of the same name.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.0["metadata"]["uid"].as_str().unwrap_or_default()
    }

    /// Where the API server has it: an object of the core group, as it was read.
    #[must_use]
    pub fn api_path(&self) -> String {
        let namespace = self.0["metadata"]["namespace"].as_str().unwrap_or_default();
        let ObjectRef { resource, name } = self.reference();
        format!("/api/v1/namespaces/{namespace}/{resource}s/{name}")
    }

    /// What this one lacks of what was meant, in words and never by value: type, items, and our own labels and
    /// annotations. Those of others may change at any time.
    #[must_use]
    pub fn missing_parts_of(&self, meant: &Self) -> Option<String> {
        let differs = |pointer: &str| {
            let meant = meant.0.pointer(pointer);
            meant.is_some() && meant != self.0.pointer(pointer)
        };
        if differs("/metadata/uid") {
            return Some("it is another object of the same name".to_owned());
        }
        if differs("/type") {
            return Some("its type is another".to_owned());
        }
        if self.has_last_applied() && !meant.has_last_applied() {
            return Some("it carries a copy of itself in an annotation".to_owned());
        }
        let groups = [("item", "/data"), ("label", "/metadata/labels"), ("annotation", "/metadata/annotations")];
        groups.iter().find_map(|(word, pointer)| {
            let ours = |key: &&String| *word == "item" || key.starts_with("substra-mtls/");
            let (meant, here) = (meant.0.pointer(pointer)?.as_object()?, self.0.pointer(pointer));
            let other =
                meant.keys().filter(ours).find(|key| here.and_then(|here| here.get(*key)) != meant.get(*key))?;
            let is_there = here.is_some_and(|here| here.get(other).is_some());
            Some(if is_there { format!("its {word} {other} is another") } else { format!("it has no {word} {other}") })
        })
    }

    /// The version that guards a replacement.
    #[must_use]
    pub fn resource_version(&self) -> &str {
        self.0["metadata"]["resourceVersion"].as_str().unwrap_or_default()
    }

    /// The keys under `data`.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        self.0["data"].as_object().map(|data| data.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    /// One item of `data` as raw bytes; `None` where it is missing or not base64.
    #[must_use]
    pub fn data(&self, key: &str) -> Option<Zeroizing<Vec<u8>>> {
        let text = self.0["data"][key].as_str()?;
        if self.text("kind") == "Secret" {
            BASE64.decode(text).ok().map(Zeroizing::new)
        } else {
            Some(Zeroizing::new(text.as_bytes().to_vec()))
        }
    }

    /// The JSON under it; never to be shown.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.0
    }

    fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_default()
    }
}

fn encode(data: &[(&str, &[u8])]) -> Map<String, Value> {
    data.iter().map(|(key, bytes)| ((*key).to_owned(), Value::String(BASE64.encode(bytes)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_data_keeps_every_label_and_annotation_but_the_copy_of_the_old_key() {
        let old = Object::from(json!({"kind": "Secret", "type": PAIR_TYPE, "data": {"tls.key": "b2xk"}, "metadata": {
            "name": "pair", "resourceVersion": "7", "labels": {"team": "x"},
            "annotations": {LAST_APPLIED: "{...b2xk...}", "owner": "me"}}}));
        let new = old.with_data(&[("tls.key", b"new")]);
        assert!(old.has_last_applied() && !new.has_last_applied());
        assert_eq!(new.json()["metadata"]["annotations"], json!({"owner": "me"}));
        assert_eq!((new.label("team"), new.resource_version(), new.secret_type()), (Some("x"), "7", PAIR_TYPE));
        assert_eq!(new.data("tls.key").unwrap().as_slice(), b"new");
    }

    #[test]
    fn new_data_of_a_config_map_is_text_and_an_annotation_comes_and_goes() {
        let old = Object::config_map("ca", &[], &[("ca.crt", "old")]);
        let new = old.with_data(&[("ca.crt", b"new")]).with_annotation("note", Some("7"));
        assert_eq!((new.json()["data"]["ca.crt"].as_str(), new.annotation("note")), (Some("new"), Some("7")));
        assert_eq!(new.with_annotation("note", None).annotation("note"), None);
        assert_eq!(old.with_annotation("note", None).annotation("note"), None);
    }

    #[test]
    fn the_debug_form_holds_no_data() {
        let object = Object::secret("pair", PAIR_TYPE, &[], &[("tls.key", b"TOPSECRET")]);
        assert_eq!(format!("{object:?}"), "Object(secret/pair)");
    }
}
