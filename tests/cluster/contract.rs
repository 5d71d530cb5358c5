//! The simulated cluster, the scripted helm and kubectl, and the real ones give the same answers to the same calls.

use std::time::Duration;

use substra_mtls::{
    cluster::{
        Cluster, Object, ObjectRef, RealCluster, RealClusterOptions, created, revision_secret,
        simulated::SimulatedCluster,
    },
    failure::Failure,
    times::Clock,
};

use crate::{
    scripted::Scripted,
    site::{HelmVersion, Site, bed},
};

fn code(result: Result<(), Failure>) -> String {
    result.map_or_else(|failure| format!("{} {}", failure.exit.code(), failure.code.id()), |()| "done".to_owned())
}

/// What both clusters are asked, and what they answer, in words.
fn story(cluster: &dyn Cluster) -> Vec<String> {
    let mut told = Vec::new();
    let secret = |value: &[u8]| Object::secret("orchestrator-client-cert", "Opaque", &[("a", "b")], &[("x", value)]);
    let name = ObjectRef::secret("orchestrator-client-cert");
    let get = || cluster.get(&[name.clone(), ObjectRef::secret("orchestrator-client-cert-pending")]).unwrap();
    told.push(format!("nothing there: {}", get().len()));
    told.push(code(cluster.create(&secret(b"1"))));
    told.push(code(cluster.create(&secret(b"2"))));
    let first = get().remove(0);
    told.push(format!("{} {:?} {:?}", first.secret_type(), first.label("a"), first.data("x").map(|x| x.to_vec())));
    told.push(code(cluster.replace(&first.with_data(&[("x", b"3")]))));
    told.push(code(cluster.replace(&first.with_data(&[("x", b"4")]))));
    let second = get().remove(0);
    told.push(format!(
        "{:?} {}",
        second.data("x").map(|x| x.to_vec()),
        second.resource_version() == first.resource_version()
    ));
    told.push(format!("of the first, which is no more: {}", code(cluster.delete(&first))));
    told.push(code(cluster.delete(&second)));
    told.push(format!("{}, and again: {}", get().len(), code(cluster.delete(&second))));
    told.push(code(cluster.create(&secret(b"5"))));
    told.push(format!("of another one of that name: {}", code(cluster.delete(&second))));
    let third = get().remove(0);
    told.push(code(cluster.delete(&third)));
    told.push(code(cluster.replace(&second)));
    told.push(format!("no release: {}", cluster.release(&"nothing".parse().unwrap()).unwrap().is_none()));
    told.push(format!("no chart: {}", cluster.chart(&"nothing".parse().unwrap()).unwrap().is_none()));
    let backend = "backend".parse().unwrap();
    let release = cluster.release(&backend).unwrap().unwrap();
    told.push(format!("{} {} {}", release.status, release.revision, release.config["orchestrator"]["mspID"]));
    told.push(format!("{:?}", cluster.chart(&backend).unwrap()));
    told.push(format!("{:?}", cluster.releases().unwrap()));
    told.push(format!("{:?}", cluster.history(&backend).unwrap()));
    told.push(format!("{}", cluster.history(&"nothing".parse().unwrap()).unwrap().len()));
    let first = cluster.release_at(&backend, 1).unwrap().unwrap();
    told.push(format!("{} {} {}", first.status, first.revision, first.config == release.config));
    told.push(format!("{}", cluster.release_at(&backend, 7).unwrap().is_none()));
    let kept = cluster.get(&[revision_secret(&backend, 1)]).unwrap().remove(0);
    let age = cluster.server_time().unwrap() - created(&kept).unwrap();
    told.push(format!("{} {}", kept.secret_type(), age >= time::Duration::ZERO && age < time::Duration::HOUR));
    told.push(format!("{:?}", cluster.note(&kept, 2)));
    let server = ObjectRef::new("deployment", "backend-substra-backend-server");
    told.push(code(cluster.annotate_template(&ObjectRef::new("deployment", "nothing"), "substra-mtls/note", "1")));
    told.push(code(cluster.annotate_template(&server, "substra-mtls/note", "1")));
    let annotated = cluster.get(std::slice::from_ref(&server)).unwrap().remove(0);
    told.push(format!("{:?}", annotated.template_annotation("substra-mtls/note")));
    let readings = cluster.parse_values(&[b"a: 0123\nb: yes\n", b"a: {{ x }}\n", b"# nothing\n"]).unwrap();
    let words = readings.iter().map(|reading| {
        reading
            .as_ref()
            .map_or("unreadable".to_owned(), |value| format!("{} {}", value["a"].as_f64().unwrap_or(0.0), value["b"]))
    });
    told.extend(words);
    told
}

/// Which objects the deployed release mounts, in which workloads.
fn mounts(cluster: &dyn Cluster) -> Vec<String> {
    let release = cluster.release(&"backend".parse().unwrap()).unwrap().unwrap();
    let manifest = substra_mtls::substra::manifest::Manifest::parse(&release.manifest).unwrap();
    let mut all: Vec<String> = manifest
        .workloads()
        .iter()
        .flat_map(|w| w.mounts.iter().map(move |m| format!("{} {} {} {} {}", w.kind, w.name, m.volume, m.kind, m.name)))
        .collect();
    all.sort();
    all
}

#[test]
fn the_simulated_and_the_scripted_cluster_answer_as_the_real_one() {
    let site = Site::new(HelmVersion::V3);
    let simulated = SimulatedCluster::new("org", &Clock::system());
    let chart = substra_mtls::cluster::ChartVersion { name: "substra-backend".into(), version: "26.15.3".into() };
    let values = substra_mtls::values::read(crate::site::BACKEND.as_bytes()).unwrap();
    simulated.install("backend", chart, values).unwrap();
    let scripted = Scripted::of(&simulated);
    let links = RealCluster::new(RealClusterOptions {
        namespace: Some("org".parse().unwrap()),
        helm: Some(scripted.bin().join("helm")),
        kubectl: Some(scripted.bin().join("kubectl")),
        timeout: Duration::from_mins(1),
        ..RealClusterOptions::default()
    });
    let links = links.unwrap();
    let told = story(&simulated);
    assert_eq!((told.clone(), mounts(&simulated)), (story(&links), mounts(&links)), "scripted");
    for helm in ["helm3", "helm4"] {
        let real = RealCluster::new(RealClusterOptions {
            namespace: Some(site.org.parse().unwrap()),
            kubeconfig: Some(site.path(&format!("{}.kubeconfig", site.org))),
            helm: Some(format!("{}/{helm}", bed("BIN")).into()),
            kubectl: Some(format!("{}/kubectl", bed("BIN")).into()),
            timeout: Duration::from_mins(1),
            ..RealClusterOptions::default()
        })
        .unwrap();
        assert_eq!(told, story(&real), "{helm}");
        assert_eq!(mounts(&simulated), mounts(&real), "{helm}");
    }
}
