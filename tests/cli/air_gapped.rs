//! `docs/air-gapped.md`: each line is run as it stands there, on a machine without a cluster and on one that reaches it, with
//! the files that the page says are carried.

use substra_mtls::{
    cluster::{ChartVersion, Helm, Kubernetes, Object, simulated::SimulatedCluster},
    substra::servers::{CallOutcome, call},
    times::Clock,
    values,
};
use time::OffsetDateTime;

use crate::{page, reader::Reader, scripted::Scripted, world::BACKEND};

const PAGE: &str = include_str!("../../docs/air-gapped.md");
const STEPS: [&str; 4] = [
    "1. On the CA's machine: the CA and the server's pair",
    "2. At the cluster: TLS",
    "3. On the CA's machine: each request",
    "4. At the cluster: mutual TLS",
];

const ORCHESTRATOR: &str = "\
ingress:
  hostname: orchestrator.example.org
channels:
  - name: our-channel
    organizations: [MyOrg1MSP]
";

/// The page's lines of a step, on a machine.
#[track_caller]
fn does(reader: &Reader, step: usize) {
    let lines = page::commands_of(PAGE, STEPS[step - 1]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.iter().for_each(|line| drop(reader.does(line)));
}

fn install(cluster: &SimulatedCluster, release: &str, (chart, version): (&str, &str), text: &str) {
    let chart = ChartVersion { name: chart.into(), version: version.into() };
    cluster.install(release, chart, values::read(text.as_bytes()).unwrap()).unwrap();
}

#[test]
fn the_key_of_the_ca_never_leaves_its_machine_and_the_gate_is_closed_all_the_same() {
    let orc = SimulatedCluster::new("orchestrator", &Clock::system());
    install(&orc, "orchestrator", ("orchestrator", "8.8.0"), ORCHESTRATOR);
    let [ca, at_the_cluster] = [None, Some(Scripted::of(&orc))].map(Reader::new);
    ca.write("orchestrator-values.yaml", ORCHESTRATOR);
    does(&ca, 1);
    let pair = ["orchestrator-tls-server-pair.crt", "orchestrator-tls-server-pair.key"];
    for name in ["orchestrator-ca.crt", "orchestrator-values.yaml"].iter().chain(&pair) {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
        ca.hands(&[name], &at_the_cluster);
    }
    does(&at_the_cluster, 2);

    // The backend's part, where TLS is on and its key in a file.
    let backend = Reader::new(None);
    backend.write("backend-values.yaml", BACKEND);
    backend.does("helm substra-mtls enroll -f backend-values.yaml --key-file MyOrg1MSP.key");
    backend.hands(&["MyOrg1MSP.csr"], &ca);
    at_the_cluster.hands(&["orchestrator-values.yaml"], &ca);
    does(&ca, 3);
    ca.hands(&["MyOrg1MSP.crt", "orchestrator-values.yaml"], &at_the_cluster);
    does(&at_the_cluster, 4);
    for name in ["orchestrator-ca.key", "orchestrator-ca.issued.jsonl"] {
        assert!(ca.path(name).exists() && !at_the_cluster.path(name).exists(), "{name}");
    }
    is_accepted(&ca, &backend, &at_the_cluster);
}

/// With the certificate of the CA's machine and the key of the backend's, at the orchestrator as it is deployed.
fn is_accepted(ca: &Reader, backend: &Reader, at_the_cluster: &Reader) {
    let orc = at_the_cluster.cluster().world("orchestrator");
    let name = "orchestrator".parse().unwrap();
    let config = orc.release(&name).unwrap().unwrap().config;
    assert_eq!(config["orchestrator"]["verifyClientMSPID"], true);
    orc.install("orchestrator", orc.chart(&name).unwrap().unwrap(), config).unwrap();
    let org = orc.in_namespace("org-1");
    let opaque = |name, data: &[(&str, &[u8])]| Object::secret(name, "Opaque", &[], data);
    org.create(&opaque("orchestrator-cacert", &[("ca.crt", ca.read("orchestrator-ca.crt").as_bytes())])).unwrap();
    let (certificate, key) = (ca.read("MyOrg1MSP.crt"), backend.read("MyOrg1MSP.key"));
    let data: [(&str, &[u8]); 2] = [("tls.crt", certificate.as_bytes()), ("tls.key", key.as_bytes())];
    org.create(&opaque("orchestrator-client-cert", &data)).unwrap();
    let mtls = "cacert: orchestrator-cacert\n    mtls: {enabled: true, clientCertificate: orchestrator-client-cert}\n";
    install(&org, "backend", ("substra-backend", "26.15.3"), &BACKEND.replace("cacert: orchestrator-cacert\n", mtls));
    let client = org.backend("backend").unwrap();
    let answer = orc.with_server("orchestrator", |server| call(&client, server, OffsetDateTime::now_utc()));
    assert_eq!(answer, Some(CallOutcome::Accepted));
}

#[test]
fn an_organization_that_comes_later_is_named_and_has_to_be_agreed_to() {
    let orc = SimulatedCluster::new("orchestrator", &Clock::system());
    install(&orc, "orchestrator", ("orchestrator", "8.8.0"), ORCHESTRATOR);
    let [ca, at_the_cluster] = [None, Some(Scripted::of(&orc))].map(Reader::new);
    ca.write("orchestrator-values.yaml", ORCHESTRATOR);
    does(&ca, 1);
    let carried = ["orchestrator-ca.crt", "orchestrator-tls-server-pair.crt", "orchestrator-tls-server-pair.key"];
    ca.hands(&carried, &at_the_cluster);
    ca.hands(&["orchestrator-values.yaml"], &at_the_cluster);
    does(&at_the_cluster, 2);
    let approve = page::commands_of(PAGE, STEPS[2]).remove(0);
    let close = page::commands_of(PAGE, STEPS[3]).remove(0);
    for (n, close) in [(1, close.clone()), (2, format!("{close} --installed MyOrg2MSP --accept-drift"))] {
        let (organization, host) = (format!("MyOrg{n}MSP"), format!("org-{n}"));
        let values = BACKEND.replace("MyOrg1MSP", &organization).replace("org-1", &host);
        ca.write("backend-values.yaml", &values);
        ca.does(&format!("helm substra-mtls enroll -f backend-values.yaml --key-file {organization}.key"));
        at_the_cluster.hands(&["orchestrator-values.yaml"], &ca);
        if n == 2 {
            let joined = ca.read("orchestrator-values.yaml").replace("[MyOrg1MSP]\n", "[MyOrg1MSP, MyOrg2MSP]\n");
            ca.write("orchestrator-values.yaml", &joined);
        }
        ca.does(&approve.replace("MyOrg1MSP", &organization));
        ca.hands(&["orchestrator-values.yaml"], &at_the_cluster);
        if n == 2 {
            let unseen = close.replace(" --accept-drift", " --yes");
            let ran = at_the_cluster.runs(&unseen).refused(3, "drift");
            assert!(ran.stderr.contains("clientCACerts.MyOrg2MSP"), "{}", ran.stderr);
        }
        at_the_cluster.does(&close);
    }
    let config = at_the_cluster
        .cluster()
        .world("orchestrator")
        .release(&"orchestrator".parse().unwrap())
        .unwrap()
        .unwrap()
        .config;
    assert!(config["orchestrator"]["tls"]["mtls"]["clientCACerts"]["MyOrg2MSP"].is_array(), "{config}");
}
