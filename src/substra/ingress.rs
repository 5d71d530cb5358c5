//! The Ingresses of a release's manifest: whether one of them terminates TLS in front of the orchestrator.

use serde_json::Value;

use super::manifest;
use crate::values;

/// An Ingress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingress {
    /// Its name.
    pub name: String,
    /// Whether it passes TLS through to the server.
    pub passes_tls: bool,
}

impl Ingress {
    /// What it does to mutual TLS, which the orchestrator's own process terminates.
    #[must_use]
    pub fn danger(&self) -> Option<String> {
        let name = &self.name;
        let ends = || format!("Ingress {name} ends TLS itself: no client certificate reaches the orchestrator");
        (!self.passes_tls).then(ends)
    }
}

/// The Ingresses of the documents of `helm status`; one that cannot be read is passed over.
#[must_use]
pub fn ingresses(text: &str) -> Vec<Ingress> {
    let documents = manifest::documents(text);
    let values = documents.iter().filter(|document| document.contains("Ingress"));
    values.filter_map(|document| ingress(&values::read(document.as_bytes()).ok()?)).collect()
}

fn ingress(value: &Value) -> Option<Ingress> {
    if value["kind"] != "Ingress" {
        return None;
    }
    let annotations = value["metadata"]["annotations"].as_object();
    // ingress-nginx and HAProxy have an annotation of this ending, OpenShift makes a Route with this termination.
    let passes = |(key, value): (&String, &Value)| {
        (key.ends_with("/ssl-passthrough") && value == "true")
            || (key == "route.openshift.io/termination" && value == "passthrough")
    };
    let name = value["metadata"]["name"].as_str()?.to_owned();
    Some(Ingress { name, passes_tls: annotations.is_some_and(|all| all.iter().any(passes)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ingress_passes_tls_only_by_its_annotation() {
        let text = |annotation: &str| {
            format!(
                "---\nkind: Ingress\nmetadata:\n  name: a\n  annotations:\n    {annotation}\n---\nkind: Deployment\n"
            )
        };
        for (annotation, passes) in [
            ("nginx.ingress.kubernetes.io/ssl-passthrough: \"true\"", true),
            ("nginx.ingress.kubernetes.io/ssl-passthrough: \"false\"", false),
            ("route.openshift.io/termination: passthrough", true),
            ("x: \"true\"", false),
        ] {
            assert_eq!(
                ingresses(&text(annotation)),
                [Ingress { name: "a".into(), passes_tls: passes }],
                "{annotation}"
            );
        }
        assert!(ingresses("kind: Service\n").is_empty());
    }
}
