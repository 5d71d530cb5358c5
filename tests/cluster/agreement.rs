//! The simulated cluster and the real one: the same federation ends with the same objects, values and order of writes.

use std::collections::BTreeMap;

use clap::Parser;
use serde_json::Value;
use substra_mtls::{
    cli::{Cli, Command},
    cluster::{ChartVersion, Cluster, Helm, Kubernetes, Object, ObjectRef, PAIR_TYPE, simulated::SimulatedCluster},
    commands::bootstrap,
    failure::Result,
    federation::Site,
    report::{Console, Format},
    session::Session,
    times::Clock,
    values,
};

use crate::{
    federation::{Fed, children},
    site::HelmVersion,
};

#[test]
fn objects_values_and_the_order_of_writes_agree() {
    let fed = Fed::new(HelmVersion::V3, 2);
    fed.site.sh("mkdir simulated && cp *.yaml ca.* server.* simulated");
    let world = simulated(&fed);
    let (steps, simulated_writes) = bootstrapped(&fed, &world);
    let real = fed.bootstrap("-v -o json --parallel 1").ok();
    let json: Value = serde_json::from_str(&real.stdout).unwrap();
    assert_eq!(told(json["steps"].as_array().unwrap()), told(&steps));
    for file in ["orchestrator-values.yaml", "org-1.yaml", "org-2.yaml"] {
        assert_eq!(fed.site.read(file), fed.site.read(&format!("simulated/{file}")), "{file}");
    }
    for (namespace, release) in places(&fed) {
        let cluster = world.in_namespace(namespace);
        let deployed = cluster.release(&release.parse().unwrap()).unwrap().unwrap().config;
        assert_eq!(fed.deployed(namespace, release), deployed, "{namespace}");
        let name = ObjectRef::secret("orchestrator-client-cert");
        let theirs = cluster.get(std::slice::from_ref(&name)).unwrap().first().map(|object| form(object.json()));
        let ours = fed.site.object(namespace, &name.to_string());
        assert_eq!((!ours.is_null()).then(|| form(&ours)), theirs, "{namespace}");
        assert_eq!(real_writes(&real, namespace), simulated_writes[namespace], "{namespace}");
    }
}

fn places(fed: &Fed) -> Vec<(&str, &'static str)> {
    let orgs = fed.orgs.iter().map(|org| (org.as_str(), "backend"));
    orgs.chain([(fed.site.orc.as_str(), "orchestrator")]).collect()
}

/// The same releases and objects, with the same names.
fn simulated(fed: &Fed) -> SimulatedCluster {
    let world = SimulatedCluster::new(&fed.site.orc, &Clock::system());
    let read = |name: &str| std::fs::read(fed.site.path(name)).unwrap();
    let ca = |name| Object::secret(name, "Opaque", &[], &[("ca.crt", &read("ca.crt"))]);
    let pair = [("tls.crt", read("server.crt")), ("tls.key", read("server.key"))];
    let pair: Vec<(&str, &[u8])> = pair.iter().map(|(key, bytes)| (*key, bytes.as_slice())).collect();
    world.create(&ca("orchestrator-tls-cacert")).unwrap();
    world.create(&Object::secret("orchestrator-tls-server-pair", PAIR_TYPE, &[], &pair)).unwrap();
    let install = |cluster: &SimulatedCluster, release, name: &str, version: &str, file: &str| {
        let chart = ChartVersion { name: name.to_owned(), version: version.to_owned() };
        cluster.install(release, chart, values::read(&read(file)).unwrap()).unwrap();
    };
    install(&world, "orchestrator", "orchestrator", "8.8.0", "orchestrator-values.yaml");
    for (n, org) in fed.orgs.iter().enumerate() {
        let cluster = world.in_namespace(org);
        cluster.create(&ca("orchestrator-cacert")).unwrap();
        install(&cluster, "backend", "substra-backend", "26.15.3", &format!("org-{}.yaml", n + 1));
    }
    world
}

/// The steps, and the writes of each namespace.
fn bootstrapped(fed: &Fed, world: &SimulatedCluster) -> (Vec<Value>, BTreeMap<String, Vec<String>>) {
    let file = fed.site.path("simulated/federation.yaml").display().to_string();
    let words = ["substra-mtls", "bootstrap", &file, "--yes", "--parallel", "1", "-o", "json"];
    let cli = Cli::try_parse_from(words).unwrap();
    let Command::Bootstrap(args) = &cli.command else { unreachable!() };
    let console = Console { format: Format::Json, ..Console::silent() };
    let session = Session::new(None, console, &world.clock());
    let sites: std::sync::Mutex<Vec<(String, SimulatedCluster)>> = std::sync::Mutex::default();
    let open = |site: &Site| -> Result<Box<dyn Cluster>> {
        let cluster = world.in_namespace(site.namespace.as_str());
        sites.lock().unwrap().push((site.namespace.to_string(), cluster.clone()));
        Ok(Box::new(cluster))
    };
    let before = world.writes().len();
    let outcome = bootstrap::run(args, &session, &open).unwrap();
    assert!(outcome.failure().is_none());
    // One organization at a time and the orchestrator last: the writes fall apart at the upgrades.
    let mut writes = BTreeMap::new();
    let all: Vec<String> = world.writes().split_off(before);
    let mut namespaces = places(fed).into_iter().map(|(namespace, _)| namespace.to_owned());
    for part in all.split_inclusive(|write| write.starts_with("upgrade")) {
        let kinds = part.iter().map(|write| write.split(' ').next().unwrap().to_owned()).collect();
        writes.insert(namespaces.next().unwrap(), kinds);
    }
    (outcome.json()["steps"].as_array().unwrap().clone(), writes)
}

fn real_writes(ran: &crate::site::Ran, namespace: &str) -> Vec<String> {
    let word = |line: &String| {
        let known = ["create", "replace", "delete", "upgrade", "patch"];
        line.split(' ').find(|word| known.contains(word)).map(str::to_owned)
    };
    children(ran, namespace).iter().filter_map(word).collect()
}

/// A step without what is random or a place of this machine.
fn told(steps: &[Value]) -> Vec<String> {
    let title = |step: &Value| {
        let words = step["title"].as_str().unwrap().split(' ').map(|word| word.rsplit('/').next().unwrap());
        words.filter(|word| word.len() != 34).collect::<Vec<_>>().join(" ")
    };
    steps.iter().map(|step| format!("{} {} {} {}", step["for"], step["id"], step["state"], title(step))).collect()
}

/// What of an object does not depend on its moment.
fn form(object: &Value) -> Value {
    let items: Vec<&String> = object["data"].as_object().unwrap().keys().collect();
    serde_json::json!({"type": object["type"], "items": items, "labels": object["metadata"]["labels"]})
}
