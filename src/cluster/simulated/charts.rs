//! What the two charts render: the workloads with what they mount. JSON, which is YAML too.

use serde_json::{Value, json};

use crate::{
    cluster::ChartVersion,
    failure::{Code, Exit, Failure, Result},
    substra::{
        Side,
        kebab::{kebab_case, volume_of},
        kind::ObjectKind,
        manifest::expected_kind,
        orchestrator::Orchestrator,
    },
};

/// The six workloads of a backend that mount the pair (chart `substra-backend`).
const BACKEND: [(&str, &str); 6] = [
    ("Deployment", "server"),
    ("Deployment", "scheduler"),
    ("Deployment", "api-events"),
    ("Deployment", "worker-events"),
    ("StatefulSet", "worker"),
    ("StatefulSet", "builder"),
];

/// The manifest of a release.
pub(super) fn render(chart: &ChartVersion, release: &str, values: &Value) -> Result<String> {
    let side = Side::of_chart(&chart.name).ok_or_else(|| {
        let what = format!("the simulated cluster has no chart {}", chart.name);
        Failure::new(Exit::CheckFailed, Code::Chart, what)
    })?;
    let kind = expected_kind(side, &chart.version);
    let documents = match side {
        Side::Backend => backend(release, values, kind),
        Side::Orchestrator => orchestrator(release, values, kind)?,
    };
    Ok(documents.iter().map(|document| format!("---\n{document}\n")).collect())
}

fn backend(release: &str, values: &Value, kind: ObjectKind) -> Vec<Value> {
    let tls = &values["orchestrator"]["tls"];
    let mut volumes = Vec::new();
    if tls["enabled"] == true {
        volumes.push(plain("orchestrator-tls-cacert", kind, tls["cacert"].as_str().unwrap_or_default()));
        if tls["mtls"]["enabled"] == true {
            let pair = tls["mtls"]["clientCertificate"].as_str().unwrap_or_default();
            volumes.push(plain("orchestrator-tls-client-pair", ObjectKind::Secret, pair));
        }
    }
    let workload = |(kind, part): &(&str, &str)| {
        workload(kind, &format!("{release}-substra-backend-{part}"), &volumes, &values["orchestrator"])
    };
    BACKEND.iter().map(workload).collect()
}

fn orchestrator(release: &str, values: &Value, kind: ObjectKind) -> Result<Vec<Value>> {
    let read = Orchestrator::read(values)?;
    let mut volumes = Vec::new();
    if read.tls_enabled {
        volumes.push(plain("orchestrator-tls-cacert", kind, read.cacert.as_str()));
        volumes.push(plain("orchestrator-tls-server-pair", ObjectKind::Secret, read.server_pair.as_str()));
    }
    if read.tls_enabled && read.mtls_enabled {
        volumes.extend(read.client_cas.iter().map(|(key, objects)| projected(key, objects, kind)));
    }
    // The one checksum of the template is that of the server's environment.
    let environment = json!([read.tls_enabled, read.mtls_enabled, read.mtls_enabled && read.verify_msp_id]);
    let service = read.service_name(release);
    Ok(vec![workload("Deployment", &service, &volumes, &environment)])
}

fn workload(kind: &str, name: &str, volumes: &[Value], checksum: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
        "spec": {"replicas": 1, "template": {
            "metadata": {"annotations": {"checksum/config": checksum.to_string()}},
            "spec": {"volumes": volumes},
        }},
    })
}

fn plain(volume: &str, kind: ObjectKind, name: &str) -> Value {
    match kind {
        ObjectKind::Secret => json!({"name": volume, "secret": {"secretName": name}}),
        ObjectKind::ConfigMap => json!({"name": volume, "configMap": {"name": name}}),
    }
}

fn projected(key: &str, objects: &[String], kind: ObjectKind) -> Value {
    let source = |object: &String| {
        let body = json!({"name": object, "items": [{"key": "ca.crt", "path": format!("{}.crt", kebab_case(object))}]});
        match kind {
            ObjectKind::Secret => json!({"secret": body}),
            ObjectKind::ConfigMap => json!({"configMap": body}),
        }
    };
    let sources: Vec<Value> = objects.iter().map(source).collect();
    json!({"name": volume_of(key), "projected": {"sources": sources}})
}
