//! Files that are read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use substra_mtls::federation::{CaSpec, Federation, GateSpec};

use super::{parse, shown, with};

#[test]
fn reads_the_file_of_the_page_in_its_order() {
    let read = parse(shown()).unwrap();
    let (orchestrator, site) = (&read.orchestrator, &read.orchestrator.site);
    assert_eq!(
        (site.context.as_deref(), site.kubeconfig.as_deref()),
        (Some("orc"), Some(Path::new("sites/orc.kubeconfig")))
    );
    assert_eq!((site.namespace.as_str(), site.release.as_str()), ("orchestrator", "orchestrator"));
    assert_eq!((site.chart.as_deref(), site.version.as_deref()), (Some("substra/orchestrator"), Some("8.8.0")));
    assert_eq!(site.values, [PathBuf::from("sites/orchestrator-values.yaml")]);
    assert_eq!(
        orchestrator.ca,
        CaSpec::Files { cert: "sites/orchestrator-ca.crt".into(), key: "sites/orchestrator-ca.key".into() }
    );
    assert_eq!((orchestrator.gate, orchestrator.cut_off.len()), (GateSpec::Close, 0));
    let ids: Vec<&str> = read.organizations.iter().map(|one| one.msp_id.as_str()).collect();
    assert_eq!(ids, ["MyOrg1MSP", "MyOrg2MSP"]);
    assert_eq!(read.organizations[0].hostname.as_ref().map(AsRef::as_ref), Some("api.org-1.example.org"));
    assert_eq!((&read.organizations[1].hostname, &read.organizations[1].site.chart), (&None, &None));
}

#[test]
fn organizations_keep_the_order_of_the_file_and_not_of_the_alphabet() {
    let read = parse(with("MyOrg1MSP", "Zebra")).unwrap();
    assert_eq!(read.organizations[0].msp_id.as_str(), "Zebra");
}

#[test]
fn paths_are_relative_to_the_folder_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("federation.yaml");
    fs::write(&path, with("[backend-org-1-values.yaml]", "[common.yaml, ../org-1.yaml, /etc/org-1.yaml]")).unwrap();
    let values = Federation::read(&path).unwrap().organizations.remove(0).site.values;
    assert_eq!(
        values,
        [folder.path().join("common.yaml"), folder.path().join("../org-1.yaml"), "/etc/org-1.yaml".into()]
    );
    assert_eq!(Federation::read(&folder.path().join("none.yaml")).unwrap_err().code.id(), "file-unreadable");
}

#[test]
fn only_a_chart_that_begins_as_a_path_is_one() {
    for (given, read) in [
        ("substra/substra-backend", "substra/substra-backend"),
        ("oci://registry.example.org/substra-backend", "oci://registry.example.org/substra-backend"),
        ("./charts/backend", "sites/./charts/backend"),
        ("../charts/backend", "sites/../charts/backend"),
        ("/charts/backend", "/charts/backend"),
    ] {
        let federation = parse(with("substra/substra-backend", given)).unwrap();
        assert_eq!(federation.organizations[0].site.chart.as_deref(), Some(read));
    }
}

#[test]
fn an_authority_is_in_files_in_a_secret_or_made() {
    let pair = |cert: &str, key: &str| (PathBuf::from(cert), PathBuf::from(key));
    let ca = |text: &str| {
        parse(with("{cert: orchestrator-ca.crt, key: orchestrator-ca.key}", text)).unwrap().orchestrator.ca
    };
    let (cert, key) = pair("sites/a.crt", "sites/a.key");
    assert_eq!(ca("{cert: a.crt, key: a.key}"), CaSpec::Files { cert: cert.clone(), key: key.clone() });
    assert_eq!(ca("{cert: a.crt, key: a.key, create: false}"), CaSpec::Files { cert: cert.clone(), key: key.clone() });
    assert_eq!(ca("{create: true, cert: a.crt, key: a.key}"), CaSpec::Create { cert, key });
    let (cert, key) = pair("sites/orchestrator-ca.crt", "sites/orchestrator-ca.key");
    assert_eq!(ca("{create: true}"), CaSpec::Create { cert, key });
    assert_eq!(ca("{secret: the-ca}"), CaSpec::Secret("the-ca".parse().unwrap()));
}

#[test]
fn the_gate_is_left_unless_the_file_closes_it() {
    let read = parse(with("  gate: close                  # or leave, the default\n", "")).unwrap();
    assert_eq!(read.orchestrator.gate, GateSpec::Leave);
}

#[test]
fn who_may_be_cut_off_need_not_be_described() {
    let read = parse(with("cutOff: []", "cutOff: [MyOrg9MSP, MyOrg1MSP]")).unwrap();
    let ids: Vec<&str> = read.orchestrator.cut_off.iter().map(AsRef::as_ref).collect();
    assert_eq!(ids, ["MyOrg9MSP", "MyOrg1MSP"]);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    let windows = format!("\u{feff}{}", shown().replace('\n', "\r\n"));
    assert_eq!(parse(windows), parse(shown()));
}

#[test]
fn anchors_aliases_and_merges_are_read() {
    let text = with("chart: substra/substra-backend", "chart: &chart substra/substra-backend");
    let text = text.replace("    release: backend-org-2\n", "    release: backend-org-2\n    chart: *chart\n");
    assert_eq!(parse(text).unwrap().organizations[1].site.chart.as_deref(), Some("substra/substra-backend"));
    let text = with("MyOrg1MSP:", "MyOrg1MSP: &one").replace("    context: org2\n", "    <<: *one\n");
    assert_eq!(parse(text).unwrap().organizations[1].site.context.as_deref(), Some("org1"));
}

#[test]
fn the_same_release_name_may_be_in_another_namespace_or_context() {
    assert!(parse(with("release: backend-org-2", "release: backend-org-1")).is_ok());
    let text = with("release: backend-org-2", "release: backend-org-1").replace("namespace: org-2", "namespace: org-1");
    assert!(parse(text).is_ok());
}
