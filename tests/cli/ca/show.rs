//! `ca show`: what is trusted where, and how much of the log is alive.

use super::*;

fn facts(site: &Site, cluster: &SimulatedCluster, line: &str) -> serde_json::Value {
    let outcome = site.json(cluster, line).unwrap();
    serde_json::json!({"certificates": outcome.get("certificates"), "issued": outcome.get("issued")})
}

#[test]
fn the_orchestrator_s_side_tells_objects_issuers_ends_and_what_is_alive() {
    let mut site = Site::new();
    site.init("").unwrap();
    let org = site.orc.in_namespace("org-1");
    let chart = ChartVersion { name: "substra-backend".into(), version: "26.15.3".into() };
    let ca = site.world.read("orchestrator-ca.crt");
    org.create(&Object::secret("orchestrator-cacert", "Opaque", &[], &[("ca.crt", ca.as_bytes())])).unwrap();
    org.install("backend", chart, values::read(BACKEND.as_bytes()).unwrap()).unwrap();
    site.at(&org, "enroll -f @backend-values.yaml --release backend --out-dir @ --yes").unwrap();
    site.run("approve @MyOrg1MSP.csr -f @orchestrator-values.yaml --release orchestrator --ca-cert @orchestrator-ca.crt --ca-key @orchestrator-ca.key --unverified-mail --yes").unwrap();
    let line = "ca show -f @orchestrator-values.yaml --release orchestrator -o json --ca-cert @orchestrator-ca.crt";
    let shown = facts(&site, &site.orc, line);
    let rows = shown["certificates"].as_array().unwrap();
    assert_eq!(rows[0]["object"], "secret/orchestrator-tls-cacert");
    assert_eq!(rows[0]["for"], "server, and all clients, clients of MyOrg1MSP");
    assert_eq!((&rows[0]["subject"], &rows[0]["alive"]), (&rows[0]["issuer"], &serde_json::json!(1)));
    assert_eq!(rows[1]["object"], "secret/orchestrator-tls-server-pair");
    assert_eq!((&rows[1]["issuer"], rows[1]["daysLeft"].as_i64()), (&rows[0]["subject"], Some(396)));
    assert_eq!(shown["issued"], serde_json::json!({"alive": 1, "total": 1}));
    site.later(100);
    assert_eq!(facts(&site, &site.orc, line)["issued"], serde_json::json!({"alive": 0, "total": 1}));
}

/// As for `check`: what keys of both charts stand beside each other does not tell, the chart of the release does.
#[test]
fn values_that_do_not_tell_their_side_are_those_of_the_release() {
    let site = Site::new();
    site.init("").unwrap();
    let text = site.world.read("orchestrator-values.yaml");
    site.world.write("both.yaml", &text.replace("orchestrator:\n", "orchestrator:\n  mspID: MyOrg1MSP\n"));
    let shown = facts(&site, &site.orc, "ca show -f @both.yaml --release orchestrator -o json");
    assert_eq!(shown["certificates"][0]["object"], "secret/orchestrator-tls-cacert");
    site.world.write("none.yaml", "nothing: here\n");
    for (file, code) in [("both", "which-side"), ("none", "which-side"), ("umbrella", "values-key")] {
        site.world.write("umbrella.yaml", "substra:\n  channels: []\n");
        let failure = site.json(&site.orc, &format!("ca show -f @{file}.yaml -o json")).unwrap_err();
        assert_eq!(failure.code.id(), code, "{failure}");
    }
}

#[test]
fn a_backend_s_side_tells_what_is_missing_too() {
    let site = Site::new();
    let org = site.orc.in_namespace("org-1");
    let chart = ChartVersion { name: "substra-backend".into(), version: "26.15.3".into() };
    org.install("backend", chart, values::read(BACKEND.as_bytes()).unwrap()).unwrap();
    let ca = site.world.read("ca.crt");
    org.create(&Object::secret("orchestrator-cacert", "Opaque", &[], &[("ca.crt", ca.as_bytes())])).unwrap();
    let line = "ca show -f @backend-values.yaml --release backend -o json";
    let shown = facts(&site, &org, line);
    assert_eq!(shown["certificates"][0]["for"], "the orchestrator");
    assert_eq!(
        shown["certificates"][1],
        serde_json::json!({"object": "secret/orchestrator-client-cert", "for": "the pair of MyOrg1MSP"})
    );
    let text = site.at(&org, &line.replace(" -o json", "")).unwrap();
    assert_eq!(text.get("certificates"), Some(&shown["certificates"]), "the facts do not depend on the format");
}
