//! The answers of `ca init`, `ca trust` and `ca show`, as scripts read them.

use super::*;
use crate::golden::Golden;

#[test]
fn answers_of_ca_init_are_pinned() {
    let mut golden = Golden::of("ca-init", answers_of_ca_init_are_pinned);
    let mut site = Site::new();
    golden.result("planned", site.init("--dry-run"));
    golden.result("initialized", site.init(""));
    golden.result("initialized already", site.init(""));
    site.later(300);
    golden.result("renewed", site.init(""));
    let site = Site::new();
    golden.result("a CA in a Secret", site.init("--secret federation-ca"));
    golden.result("another Secret", site.init("--secret other"));
    golden.result("a Secret that pods mount", site.init("--secret orchestrator-tls-cacert"));
    let site = Site::new();
    golden.result("nobody may be asked", site.init("--encrypt"));
    let line = "ca init -f @orchestrator-values.yaml --release orchestrator --out-dir @";
    golden.result("no consent", site.with(&site.orc, Console { yes: false, ..Console::silent() }, line));
    site.orc.fail_write(1, InjectedFault::Before);
    golden.result("half way", site.init(""));
    fs::remove_file(site.world.path("orchestrator-ca.key")).unwrap();
    golden.result("a CA without its key", site.init(""));
    offline(&mut golden);
    golden.pinned();
}

/// By the binary, without a cluster and without helm and kubectl.
fn offline(golden: &mut Golden) {
    let world = World::new();
    world.write("orchestrator-values.yaml", PLAIN);
    let line = "ca init --offline -f orchestrator-values.yaml -o json";
    let at = "--release orchestrator -n orchestrator --yes";
    golden.ran("offline, no namespace", &world.run(&format!("{line} --release orchestrator")));
    golden.ran("offline, planned", &world.run(&format!("{line} {at} --dry-run")));
    golden.ran("offline", &world.run(&format!("{line} {at}")));
    golden.ran("offline already", &world.run(&format!("{line} {at}")));
    golden.ran("offline with one more host", &world.run(&format!("{line} {at} --host other.example.org")));
    fs::remove_file(world.path("orchestrator-tls-server-pair.key")).unwrap();
    golden.ran("offline, a certificate without its key", &world.run(&format!("{line} {at}")));
}

#[test]
fn answers_of_ca_trust_are_pinned() {
    let mut golden = Golden::of("ca-trust", answers_of_ca_trust_are_pinned);
    let site = trust::with_another_ca("8.8.0");
    golden.result("planned", site.trust("@org-ca.crt --for MyOrg1MSP --dry-run"));
    golden.result("trusted", site.trust("@org-ca.crt --for MyOrg1MSP"));
    golden.result("trusted already", site.trust("@org-ca.crt --for MyOrg1MSP"));
    golden.result("no member", site.trust("@org-ca.crt --for MyOrg9MSP"));
    golden.result("a key as a CA", site.trust("@org-ca.key --for MyOrg1MSP"));
    let wrong = format!("@org-ca.crt --for MyOrg1MSP --fingerprint {}", "0".repeat(64));
    golden.result("another fingerprint", site.trust(&wrong));
    let (site, _) = trust::backend("26.15.3");
    golden.result("a backend without a fingerprint", site.backend("@ca.crt"));
    let fingerprint = site.fingerprint("ca.crt");
    golden.result("a backend is planned", site.backend("@ca.crt --enable-tls --dry-run"));
    golden.result("a backend trusts", site.backend(&format!("@ca.crt --enable-tls --fingerprint {fingerprint}")));
    golden.result("a backend trusts already", site.backend("@ca.crt --enable-tls"));
    golden.pinned();
}

#[test]
fn answers_of_ca_show_are_pinned() {
    let mut golden = Golden::of("ca-show", answers_of_ca_show_are_pinned);
    let site = Site::new();
    let line = "ca show -f @orchestrator-values.yaml --release orchestrator -o json";
    golden.result("plain text", site.json(&site.orc, line));
    site.init("").unwrap();
    golden.result("an orchestrator", site.json(&site.orc, line));
    golden.result("with its log", site.json(&site.orc, &format!("{line} --ca-cert @orchestrator-ca.crt")));
    let org = site.orc.in_namespace("org-1");
    let chart = ChartVersion { name: "substra-backend".into(), version: "26.15.3".into() };
    org.install("backend", chart, values::read(BACKEND.as_bytes()).unwrap()).unwrap();
    golden.result("a backend", site.json(&org, "ca show -f @backend-values.yaml --release backend -o json"));
    golden.result(
        "no such release",
        site.json(&site.orc, "ca show -f @orchestrator-values.yaml --release other -o json"),
    );
    golden.pinned();
}
