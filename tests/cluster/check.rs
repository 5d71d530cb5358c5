//! `check` on the real control plane: a good federation is all good, broken ones fire, and it starts few children.

use serde_json::Value;

use crate::site::{HelmVersion, Ran, Site, bed, chart};

fn check(site: &Site, side: &str, more: &str) -> Ran {
    let (namespace, release) = if side == "backend" { (&site.org, "backend") } else { (&site.orc, "orchestrator") };
    site.plugin(namespace, &format!("check -f {side}-values.yaml --release {release} {more}"))
}

/// Status and what was seen of a check.
#[track_caller]
fn finding(site: &Site, side: &str, id: &str) -> (String, String) {
    let ran = check(site, side, &format!("-o json --only {id}"));
    let json: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", ran.stdout, ran.stderr));
    let found = &json["result"]["sites"][0]["checks"][0];
    assert_eq!(ran.status, if found["status"] == "failed" { 3 } else { 0 }, "{}{}", ran.stdout, ran.stderr);
    (found["status"].as_str().unwrap().to_owned(), found["seen"].as_str().unwrap().to_owned())
}

#[track_caller]
fn fires(site: &Site, side: &str, id: &str, status: &str, words: &str) {
    let (found, seen) = finding(site, side, id);
    assert!(found == status && seen.contains(words), "{id} is {found}: {seen}");
}

/// Everything is good but for what cannot be looked at.
#[track_caller]
fn is_good(site: &Site, side: &str, more: &str) {
    let ran = check(site, side, &format!("-o json --fail-on warning {more}")).ok();
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&json["schemaVersion"], &json["stage"]), (&1.into(), &"ok".into()));
    let may_be_skipped = ["live-own", "live-without", "live-other", "passthrough", "issuer-any-organization"];
    for found in json["result"]["sites"][0]["checks"].as_array().unwrap() {
        let skipped = found["status"] == "skipped" && may_be_skipped.contains(&found["id"].as_str().unwrap());
        assert!(found["status"] == "ok" || skipped, "{side}: {found}");
    }
}

both! {
    fn a_good_federation_is_all_good_and_five_children_tell(site) {
        let ran = check(site, "backend", "").ok();
        assert!(ran.stdout.contains("MyOrg1MSP     none   -"), "{}", ran.stdout);
        site.enrolled();
        let ran = check(site, "orchestrator", "").ok();
        assert!(ran.stdout.contains("MyOrg1MSP     admitted"), "{}", ran.stdout);
        site.gate("close", "--installed MyOrg1MSP").ok();
        is_good(site, "backend", "");
        is_good(site, "orchestrator", "--ca-cert ca.crt");
        let before = (site.state(&site.org), site.state(&site.orc));
        for (side, stage) in [("backend", "installed"), ("orchestrator", "enforced")] {
            let more = if side == "backend" { "-v" } else { "-v --ca-cert ca.crt" };
            let ran = check(site, side, more).ok();
            assert_eq!(ran.stderr.lines().filter(|line| line.starts_with("+ ")).count(), 5, "{}", ran.stderr);
            let row = ran.stdout.lines().nth(1).unwrap();
            assert!(row.starts_with("MyOrg1MSP") && row.contains(stage) && row.contains("CN=Orchestrator Root CA") && row.ends_with("89"), "{row}");
        }
        assert_eq!((site.state(&site.org), site.state(&site.orc)), before, "it changes nothing");
    }

    fn objects_that_are_missing_or_of_the_wrong_kind_fire(site) {
        site.enrolled();
        site.admin(&site.org, "delete secret orchestrator-cacert");
        fires(site, "backend", "mount-missing", "failed", "nothing of that name is there");
        site.admin(&site.org, "create configmap orchestrator-cacert --from-file=ca.crt=ca.crt");
        fires(site, "backend", "mount-missing", "failed", "there is a ConfigMap of that name, and chart substra-backend 26.15.3 mounts a Secret");
        site.admin(&site.org, "create secret generic orchestrator-cacert --from-file=tls.crt=ca.crt");
        fires(site, "backend", "mount-ca", "failed", "no item ca.crt; it has: tls.crt");
        site.admin(&site.org, "delete secret orchestrator-client-cert");
        fires(site, "backend", "pair", "failed", "Secret orchestrator-client-cert is not there");
        fires(site, "backend", "mtls-without-pair", "failed", "mutual TLS is on");
    }

    fn a_walkthrough_pair_and_halves_that_do_not_fit_fire(site) {
        site.enrolled();
        site.sh("openssl req -newkey rsa:2048 -nodes -keyout w.key -subj /O=MyOrg1MSP/CN=orchestrator.example.org -out w.csr 2>/dev/null
                 openssl x509 -req -days 365 -in w.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out w.crt -sha256 2>/dev/null");
        site.admin(&site.org, "delete secret orchestrator-client-cert");
        site.admin(&site.org, "create secret generic orchestrator-client-cert --from-file=tls.crt=w.crt --from-file=tls.key=w.key");
        fires(site, "backend", "pair-key-id", "failed", "X.509 v1");
        fires(site, "backend", "pair-name", "failed", "orchestrator.example.org");
        fires(site, "backend", "pair-usage", "warning", "no extended key usage");
        fires(site, "backend", "pair-chain", "ok", "CN=Orchestrator Root CA");
        site.admin(&site.org, "delete secret orchestrator-client-cert");
        site.admin(&site.org, "create secret generic orchestrator-client-cert --from-file=tls.crt=w.crt --from-file=tls.key=server.key");
        fires(site, "backend", "pair-halves", "failed", "another key");
    }

    fn what_is_newer_than_the_pods_fires_until_they_are_restarted(site) {
        site.enrolled();
        site.gate("close", "--installed MyOrg1MSP").ok();
        // Times are whole seconds.
        site.sh("sleep 1.1");
        let new = site.admin(&site.orc, "create secret tls orchestrator-tls-server-pair --cert=server.crt --key=server.key --dry-run=client -o yaml");
        let changed = new.replacen("  tls.key:", "  more: eA==\n  tls.key:", 1);
        site.write("new.yaml", &changed);
        site.admin(&site.orc, "label secret orchestrator-tls-server-pair team=x");
        fires(site, "orchestrator", "restart-objects", "ok", "nothing is newer");
        site.admin(&site.orc, "replace -f new.yaml");
        fires(site, "orchestrator", "restart-objects", "failed", "secret/orchestrator-tls-server-pair was changed");
        site.sh("sed -i 's/\\[MyOrg1MSP\\]/[MyOrg1MSP, MyOrg2MSP]/' orchestrator-values.yaml");
        site.helm(&site.orc, &format!("upgrade orchestrator {} -f orchestrator-values.yaml", chart("orchestrator")));
        fires(site, "orchestrator", "restart-channels", "failed", "configmap/orchestrator-server-config was changed");
        fires(site, "orchestrator", "member-cut-off", "failed", "MyOrg2MSP has no key of its own");
        site.sh("sleep 1.1");
        let next = check(site, "orchestrator", "-o json --only restart-channels");
        let json: Value = serde_json::from_str(&next.stdout).unwrap();
        let next = json["result"]["sites"][0]["checks"][0]["next"].as_str().unwrap().to_owned();
        site.admin(&site.orc, next.strip_prefix(&format!("kubectl -n {} ", site.orc)).unwrap());
        site.admin(&site.orc, "rollout status deployment/orchestrator-server");
        for _ in 0..50 {
            if finding(site, "orchestrator", "restart-channels").0 == "ok" {
                break;
            }
            site.sh("sleep 0.2");
        }
        fires(site, "orchestrator", "restart-channels", "ok", "nothing is newer");
        fires(site, "orchestrator", "restart-objects", "ok", "nothing is newer");
    }

    fn drift_and_a_pending_release_fire_and_hide_nothing(site) {
        site.helm(&site.org, &format!("upgrade backend {} -f backend-values.yaml --set worker.replicaCount=0,database.auth.password=secret1", chart("substra-backend")));
        fires(site, "backend", "drift", "failed", "worker.replicaCount: deployed only");
        site.upgrade_is_cut_short();
        fires(site, "backend", "release-pending", "failed", "pending-upgrade");
        let ran = check(site, "backend", "");
        assert_eq!(ran.status, 3, "{}", ran.stdout);
        let mut good = ran.stdout.lines().filter(|line| line.starts_with("  ok "));
        assert!(good.any(|line| line.contains("mount-ca")) && !ran.stdout.contains("secret1"), "{}", ran.stdout);
    }

    fn an_ingress_that_ends_tls_fires_and_the_gate_warns_of_it(site) {
        site.enrolled();
        fires(site, "orchestrator", "passthrough", "skipped", "the release has no Ingress");
        let upgrade = |from: &str, to: &str| {
            let text = site.read("orchestrator-values.yaml").replacen(from, to, 1);
            site.write("orchestrator-values.yaml", &text);
            site.helm(&site.orc, &format!("upgrade orchestrator {} -f orchestrator-values.yaml", chart("orchestrator")));
        };
        upgrade("ingress:\n", "ingress:\n  enabled: true\n  annotations: {nginx.ingress.kubernetes.io/ssl-passthrough: \"false\"}\n");
        fires(site, "orchestrator", "passthrough", "warning", "Ingress orchestrator-server ends TLS itself");
        let ran = site.gate("close", "--installed MyOrg1MSP").ok();
        assert!(ran.stderr.contains("warning: Ingress orchestrator-server ends TLS itself"), "{}", ran.stderr);
        fires(site, "orchestrator", "passthrough", "failed", "Ingress orchestrator-server ends TLS itself");
        upgrade("\"false\"", "\"true\"");
        fires(site, "orchestrator", "passthrough", "ok", "passes TLS through");
    }

    fn missing_rights_are_named_and_hide_nothing_else(site) {
        fires(site, "backend", "rights", "ok", "is allowed");
        fires(site, "orchestrator", "rights", "ok", "is allowed");
        site.admin(&site.org, "delete rolebinding substra-mtls-backend");
        site.admin(&site.org, "create role look --verb=get,list --resource=secrets,configmaps,deployments,statefulsets");
        site.admin(&site.org, &format!("create rolebinding look --role=look --serviceaccount={}:substra-mtls", site.org));
        fires(site, "backend", "rights", "failed", "create secrets, update secrets, patch deployments");
        fires(site, "backend", "pods-waiting", "skipped", "pods may not be listed here");
        fires(site, "backend", "mount-ca", "ok", "orchestrator-cacert");
        site.admin(&site.org, "delete rolebinding look");
        let ran = check(site, "backend", "");
        assert_eq!(ran.status, 3, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("failed   rights") && ran.stdout.contains("ok       values "), "{}", ran.stdout);
        let mut skipped = ran.stdout.lines().filter(|line| line.starts_with("  skipped  release, release-pending, release-failed, rollout, drift, half-way"));
        assert!(skipped.any(|line| line.contains(" because the release could not be read")), "{}", ran.stdout);
    }
}

/// etcd is a gRPC server in Go that asks for certificates: what is made of TLS and HTTP/2 by the real one.
#[test]
fn a_real_grpc_server_in_go_is_understood() {
    let site = Site::new(HelmVersion::V3);
    site.enrolled();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("https://127.0.0.1:{port}");
    let mut etcd = std::process::Command::new(format!("{}/etcd", bed("BIN")));
    etcd.args([
        "--data-dir=etcd",
        "--unsafe-no-fsync",
        "--client-cert-auth",
        "--trusted-ca-file=ca.crt",
        "--cert-file=server.crt",
    ])
    .args([
        "--key-file=server.key",
        "--log-level=error",
        "--listen-peer-urls=unix://peer.sock",
        "--initial-advertise-peer-urls=http://localhost:1",
    ])
    .args([
        "--initial-cluster=default=http://localhost:1".to_owned(),
        format!("--listen-client-urls={url}"),
        format!("--advertise-client-urls={url}"),
    ])
    .current_dir(site.folder.path());
    let mut etcd = etcd.stderr(std::process::Stdio::null()).spawn().unwrap();
    let own = || finding(&site, "backend", &format!("live-own --live --connect 127.0.0.1:{port}"));
    for _ in 0..100 {
        if own().1.contains("grpc-status") {
            break;
        }
        site.sh("sleep 0.1");
    }
    let verdicts = ["live-own", "live-without", "live-other"]
        .map(|id| finding(&site, "backend", &format!("{id} --live --connect 127.0.0.1:{port}")));
    etcd.kill().unwrap();
    etcd.wait().unwrap();
    let [own, without, other] = verdicts;
    // Its answer is read to the words, and no orchestrator gives it: not called fine.
    let words =
        "grpc-status \"12\" came, which no orchestrator gives here: \"unknown service orchestrator.InfoService\"";
    assert_eq!(own, ("failed".into(), words.into()));
    assert_eq!(without, ("ok".into(), "refused: certificate required".into()));
    assert_eq!(other, ("skipped".into(), words.into()));
}
