//! Manifests as Helm renders them from the four stand-in charts.

use substra_mtls::substra::{
    Side,
    kind::ObjectKind::{self, ConfigMap, Secret},
    manifest::{Manifest, WorkloadKind, expected_kind},
};

const ORCHESTRATOR: &str = include_str!("fixtures/orchestrator.yaml");
const ORCHESTRATOR_OLD: &str = include_str!("fixtures/orchestrator-old.yaml");
const BACKEND: &str = include_str!("fixtures/substra-backend.yaml");
const BACKEND_OLD: &str = include_str!("fixtures/substra-backend-old.yaml");
const BACKEND_WITHOUT_MTLS: &str = include_str!("fixtures/substra-backend-without-mtls.yaml");

fn parse(text: &str) -> Manifest {
    Manifest::parse(text).unwrap()
}

#[test]
fn cas_are_secrets_in_new_charts_and_config_maps_in_old_ones_and_pairs_always_secrets() {
    let kinds = |text: &str, names: [&str; 2]| names.map(|name| parse(text).mount_kind(name));
    let orchestrator = ["orchestrator-tls-cacert", "orchestrator-tls-server-pair"];
    let backend = ["orchestrator-cacert", "orchestrator-client-cert"];
    assert_eq!(kinds(ORCHESTRATOR, orchestrator), [Some(Secret), Some(Secret)]);
    assert_eq!(kinds(ORCHESTRATOR_OLD, orchestrator), [Some(ConfigMap), Some(Secret)]);
    assert_eq!(kinds(BACKEND, backend), [Some(Secret), Some(Secret)]);
    assert_eq!(kinds(BACKEND_OLD, backend), [Some(ConfigMap), Some(Secret)]);
}

#[test]
fn the_kind_that_the_version_tells_is_the_kind_that_the_chart_renders() {
    let agrees = |side: Side, version: &str, text: &str, object: &str| {
        let rendered: ObjectKind = parse(text).mount_kind(object).unwrap();
        assert_eq!(expected_kind(side, version), rendered, "{side} {version}");
        assert!(text.contains(&format!("{}-{version}", side.chart())), "the fixture is of another version");
    };
    agrees(Side::Orchestrator, "8.8.0", ORCHESTRATOR, "orchestrator-tls-cacert");
    agrees(Side::Orchestrator, "8.5.0", ORCHESTRATOR_OLD, "orchestrator-tls-cacert");
    agrees(Side::Backend, "26.15.3", BACKEND, "orchestrator-cacert");
    agrees(Side::Backend, "25.3.0", BACKEND_OLD, "orchestrator-cacert");
}

#[test]
fn a_client_ca_is_mounted_from_a_projected_volume_that_needs_its_item() {
    for (text, kind) in [(ORCHESTRATOR, Secret), (ORCHESTRATOR_OLD, ConfigMap)] {
        let manifest = parse(text);
        let [server] = manifest.workloads() else { panic!("one workload") };
        assert_eq!((server.kind, server.name.as_str()), (WorkloadKind::Deployment, "orchestrator-server"));
        let of = |volume: &str| -> Vec<(ObjectKind, &str, &[String])> {
            let mounts = server.mounts.iter().filter(|mount| mount.volume == volume);
            mounts.map(|mount| (mount.kind, mount.name.as_str(), mount.items.as_slice())).collect()
        };
        let item = ["ca.crt".to_owned()];
        assert_eq!(of("orchestrator-tls-client-cacert-my-org1-msp"), [(kind, "orchestrator-tls-cacert", &item[..])]);
        let both = [(kind, "orchestrator-tls-cacert", &item[..]), (kind, "other-ca", &item[..])];
        assert_eq!(of("orchestrator-tls-client-cacert-my-org2-msp"), both);
    }
}

#[test]
fn turning_mutual_tls_on_restarts_the_six_workloads_of_a_backend() {
    let (before, after) = (parse(BACKEND_WITHOUT_MTLS), parse(BACKEND));
    assert_eq!(before.mount_kind("orchestrator-client-cert"), None);
    let mut changed = before.changed_workloads(&after);
    changed.sort();
    let name = |kind: &str, part: &str| format!("{kind}/backend-substra-backend-{part}");
    let deployments = ["api-events", "scheduler", "server", "worker-events"].map(|part| name("deployment", part));
    let stateful = ["builder", "worker"].map(|part| name("statefulset", part));
    assert_eq!(changed, [&deployments[..], &stateful[..]].concat());
}

#[test]
fn what_is_rendered_anew_without_need_restarts_nothing() {
    // Each upgrade renders another SECRET_KEY, and no checksum of it.
    let again = BACKEND.replace("rendered-anew-each-time", "another");
    assert_ne!(again, BACKEND);
    assert_eq!(parse(BACKEND).changed_workloads(&parse(&again)), Vec::<String>::new());
}

#[test]
fn documents_of_other_charts_do_not_stop_us() {
    let odd = format!("---\n# Source: x\n---\nkind: ConfigMap\ndata: {{a: 1, a: *b\n---\n'a text'\n{ORCHESTRATOR}");
    assert_eq!(parse(&odd).workloads().len(), 1);
    let torn = Manifest::parse("kind: Deployment\nspec: {template: [\n").unwrap_err();
    assert_eq!(torn.code.id(), "manifest");
}
