//! What a release's rendered manifest says: its workloads, what they mount, and which of them a new one restarts.

use std::fmt;

use serde_json::Value;

use super::kind::ObjectKind;
use crate::{
    failure::{Code, Exit, Failure, Result},
    substra::Side,
    values,
};

/// The kinds of workload that the charts have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkloadKind {
    /// `apps/v1 Deployment`.
    Deployment,
    /// `apps/v1 StatefulSet`.
    StatefulSet,
}

impl fmt::Display for WorkloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
        })
    }
}

/// One workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Its kind.
    pub kind: WorkloadKind,
    /// Its name.
    pub name: String,
    /// `helm.sh/chart`: name and version of the chart that it is of, joined by a dash.
    pub chart: Option<String>,
    /// Objects that its pods cannot start without, in the order of its volumes.
    pub mounts: Vec<Mount>,
    template: Value,
}

/// An object that a pod mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Secret or `ConfigMap`.
    pub kind: ObjectKind,
    /// The object's name.
    pub name: String,
    /// The volume's name.
    pub volume: String,
    /// The items that must be there; empty for all of them.
    pub items: Vec<String>,
}

/// A manifest.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    workloads: Vec<Workload>,
}

impl Manifest {
    /// Reads the documents of `helm status` or `helm template`. Those without a workload are not looked at, so that nothing
    /// odd in another chart's part of the release stops us.
    ///
    /// # Errors
    /// The document of a workload is not YAML, which Helm would not have deployed.
    pub fn parse(text: &str) -> Result<Self> {
        let mut workloads = Vec::new();
        let kinds = [WorkloadKind::Deployment, WorkloadKind::StatefulSet].map(|kind| kind.to_string());
        let has_workload = |document: &String| kinds.iter().any(|kind| document.contains(kind));
        for document in documents(text).into_iter().filter(has_workload) {
            let value = values::read(document.as_bytes()).map_err(|refusal| {
                Failure::new(Exit::CheckFailed, Code::Manifest, "the release's manifest cannot be read")
                    .why(refusal.to_string())
                    .next("helm get manifest shows it; please report the chart and its version")
            })?;
            workloads.extend(workload(&value));
        }
        Ok(Self { workloads })
    }

    /// The manifest of objects as they are in the cluster.
    pub fn of<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Self {
        Self { workloads: objects.into_iter().filter_map(workload).collect() }
    }

    /// The workloads of one chart of the release, by the name that its templates see, and that chart's version; `None`
    /// where no workload is labelled with it.
    #[must_use]
    pub fn part_of_chart(&self, chart: &str) -> Option<(Self, String)> {
        let version = |workload: &Workload| version_of(workload.chart.as_ref()?, chart);
        let found = self.workloads.iter().find_map(version)?;
        let own = self.workloads.iter().filter(|workload| version(workload).is_some());
        Some((Self { workloads: own.cloned().collect() }, found))
    }

    /// Deployments and StatefulSets, in order.
    #[must_use]
    pub fn workloads(&self) -> &[Workload] {
        &self.workloads
    }

    /// Whether pods mount `object` as Secret or `ConfigMap`; `None` if no pod mounts it.
    #[must_use]
    pub fn mount_kind(&self, object: &str) -> Option<ObjectKind> {
        let mut mounts = self.workloads.iter().flat_map(|workload| &workload.mounts);
        mounts.find(|mount| mount.name == object).map(|mount| mount.kind)
    }

    /// Workloads whose pods mount an object.
    pub fn mounting(&self, kind: ObjectKind, object: &str) -> impl Iterator<Item = &Workload> {
        let object = object.to_owned();
        let mounts = move |workload: &&Workload| workload.mounts.iter().any(|m| m.kind == kind && m.name == object);
        self.workloads.iter().filter(mounts)
    }

    /// The server name that the health probe asks for, as the manifest has it: chart defaults count here, which the
    /// values do not show.
    #[must_use]
    pub fn probe_name(&self) -> Option<String> {
        self.workloads.iter().find_map(|workload| argument(&workload.template, "-tls-server-name="))
    }

    /// Workloads whose pods a new manifest replaces, as `deployment/server`.
    #[must_use]
    pub fn changed_workloads(&self, new: &Self) -> Vec<String> {
        let same = |one: &Workload| {
            self.workloads
                .iter()
                .any(|old| old.kind == one.kind && old.name == one.name && old.template == one.template)
        };
        let changed = new.workloads.iter().filter(|one| !same(one));
        changed.map(|one| format!("{}/{}", one.kind.to_string().to_lowercase(), one.name)).collect()
    }
}

/// The value of a command's argument, anywhere in a pod template.
fn argument(node: &Value, flag: &str) -> Option<String> {
    match node {
        Value::String(text) => text.strip_prefix(flag).map(str::to_ascii_lowercase),
        Value::Array(items) => items.iter().find_map(|item| argument(item, flag)),
        Value::Object(map) => map.values().find_map(|value| argument(value, flag)),
        _ => None,
    }
}

/// The version in a label `helm.sh/chart` of this chart; a label cannot hold a `+`, which is written `_`.
fn version_of(label: &str, chart: &str) -> Option<String> {
    let version = label.strip_prefix(chart)?.strip_prefix('-')?;
    version.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()).then(|| version.replace('_', "+"))
}

/// The kind in which a chart mounts CAs: a Secret since orchestrator 8.6.0 and substra-backend 26.0.0, both of April
/// 2024; asked where the deployed manifest does not mount the object yet.
#[must_use]
pub fn expected_kind(side: Side, version: &str) -> ObjectKind {
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<u64>().ok()).unwrap_or(u64::MAX);
    let mut parts = version.trim_start_matches('v').split(['.', '-', '+']);
    let version = (number(parts.next()), number(parts.next()));
    let first = match side {
        Side::Orchestrator => (8, 6),
        Side::Backend => (26, 0),
    };
    if version < first { ObjectKind::ConfigMap } else { ObjectKind::Secret }
}

/// Documents are parted by lines that begin with `---`.
pub(super) fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.split_inclusive('\n') {
        if line.starts_with("---") {
            documents.push(String::new());
        } else if let Some(document) = documents.last_mut() {
            document.push_str(line);
        }
    }
    documents
}

fn workload(value: &Value) -> Option<Workload> {
    let kind = match value["kind"].as_str()? {
        "Deployment" => WorkloadKind::Deployment,
        "StatefulSet" => WorkloadKind::StatefulSet,
        _ => return None,
    };
    let template = value["spec"]["template"].clone();
    let volumes = template["spec"]["volumes"].as_array().cloned().unwrap_or_default();
    let mounts = volumes.iter().flat_map(mounts).collect();
    let chart = value["metadata"]["labels"]["helm.sh/chart"].as_str().map(str::to_owned);
    Some(Workload { kind, name: value["metadata"]["name"].as_str()?.to_owned(), chart, mounts, template })
}

/// A volume's objects: one of its own, or the sources of a projected one.
fn mounts(volume: &Value) -> Vec<Mount> {
    let name = volume["name"].as_str().unwrap_or_default();
    let sources = volume["projected"]["sources"].as_array();
    let sources = sources.into_iter().flatten().filter_map(|source| mount(source, name, "name"));
    sources.chain(mount(volume, name, "secretName")).collect()
}

fn mount(source: &Value, volume: &str, secret_name: &str) -> Option<Mount> {
    let (kind, body, name) = if source["secret"].is_object() {
        (ObjectKind::Secret, &source["secret"], source["secret"][secret_name].as_str()?)
    } else {
        (ObjectKind::ConfigMap, &source["configMap"], source["configMap"]["name"].as_str()?)
    };
    if body["optional"] == Value::Bool(true) {
        return None;
    }
    let items = body["items"].as_array().into_iter().flatten();
    let items = items.filter_map(|item| item["key"].as_str().map(str::to_owned)).collect();
    Some(Mount { kind, name: name.to_owned(), volume: volume.to_owned(), items })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "---\nkind: Service\n---\n# Source: x\nkind: Deployment\nmetadata:\n  name: server\nspec:\n  template:\n    spec:\n      volumes:\n        - name: a\n          secret:\n            secretName: pair\n        - name: b\n          configMap:\n            name: ca\n        - name: c\n          projected:\n            sources:\n              - secret:\n                  name: client-ca\n                  items:\n                    - key: ca.crt\n                      path: x.crt\n";

    #[test]
    fn mounts_are_found_in_plain_and_projected_volumes() {
        let manifest = Manifest::parse(TEXT).unwrap();
        assert_eq!(manifest.mount_kind("pair"), Some(ObjectKind::Secret));
        assert_eq!(manifest.mount_kind("ca"), Some(ObjectKind::ConfigMap));
        assert_eq!(manifest.mount_kind("client-ca"), Some(ObjectKind::Secret));
        assert_eq!(manifest.mount_kind("other"), None);
        assert_eq!(manifest.workloads()[0].mounts[2].items, ["ca.crt"]);
    }

    #[test]
    fn the_probe_s_name_is_that_of_the_manifest() {
        let text = "kind: Deployment\nmetadata:\n  name: s\nspec:\n  template:\n    spec:\n      containers:\n        - livenessProbe:\n            exec:\n              command: [probe, -tls, -tls-server-name=Orc.org-1.com]\n";
        assert_eq!(Manifest::parse(text).unwrap().probe_name().as_deref(), Some("orc.org-1.com"));
        assert_eq!(Manifest::parse(TEXT).unwrap().probe_name(), None);
    }

    #[test]
    fn only_workloads_with_another_template_restart() {
        let old = Manifest::parse(TEXT).unwrap();
        let new = Manifest::parse(&TEXT.replace("secretName: pair", "secretName: other")).unwrap();
        assert_eq!(old.changed_workloads(&new), ["deployment/server"]);
        assert!(old.changed_workloads(&old.clone()).is_empty());
    }

    #[test]
    fn the_workloads_of_one_chart_are_known_by_their_label() {
        let labelled = |name: &str, chart: &str| serde_json::json!({"kind": "Deployment", "metadata": {"name": name, "labels": {"helm.sh/chart": chart}}, "spec": {}});
        let all = Manifest::of(&[
            labelled("a", "hub-front-1.0.0"),
            labelled("b", "hub-8.8.0_1"),
            labelled("c", "other-1.0.0"),
        ]);
        let (own, version) = all.part_of_chart("hub").unwrap();
        assert_eq!((own.workloads().len(), own.workloads()[0].name.as_str(), version.as_str()), (1, "b", "8.8.0+1"));
        assert!(all.part_of_chart("hu").is_none());
    }

    #[test]
    fn the_kind_changed_in_april_2024() {
        for (side, version, kind) in [
            (Side::Orchestrator, "8.5.9", ObjectKind::ConfigMap),
            (Side::Orchestrator, "8.6.0", ObjectKind::Secret),
            (Side::Orchestrator, "10.0.0", ObjectKind::Secret),
            (Side::Backend, "25.3.0", ObjectKind::ConfigMap),
            (Side::Backend, "26.0.0", ObjectKind::Secret),
        ] {
            assert_eq!(expected_kind(side, version), kind, "{side} {version}");
        }
    }
}
