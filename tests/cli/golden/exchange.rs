//! The exchange of two organizations' operators: `enroll`, `approve`, `gate`, `rehearse`.

use std::fs;

use substra_mtls::{
    cluster::{Kubernetes, Object, ObjectRef, PAIR_TYPE, simulated::InjectedFault},
    pki::key::{KeyType, PrivateKey},
};

use super::Golden;
use crate::{
    simulated::Federation,
    world::{BACKEND, ORCHESTRATOR, World},
};

const KEY_FILE: &str = "enroll -f backend-values.yaml --key-file MyOrg1MSP.key";

#[test]
fn answers_of_enroll_are_pinned() {
    let mut golden = Golden::of("enroll", answers_of_enroll_are_pinned);
    let mut fed = Federation::new();
    golden.result("a request is planned", fed.enroll("--dry-run"));
    golden.result("requested", fed.enroll(""));
    golden.result("requested already", fed.enroll(""));
    fed.approve().unwrap();
    golden.result("installing is planned", fed.enroll("--certificate @MyOrg1MSP.crt --dry-run"));
    golden.result("installed", fed.install());
    golden.result("installed already", fed.install());
    golden.result("nothing to do", fed.enroll(""));
    golden.result("renewal is requested", fed.enroll("--renew"));
    fed.now += time::Duration::days(61);
    fed.approve().unwrap();
    golden.result("renewed", fed.install());
    golden.result("renewal that is due", {
        fed.now += time::Duration::days(61);
        fed.enroll("")
    });
    golden.pinned();
}

#[test]
fn answers_of_enroll_by_cron_are_pinned() {
    let mut golden = Golden::of("enroll-auto", answers_of_enroll_by_cron_are_pinned);
    let mut fed = Federation::new();
    golden.result("no pair yet", fed.enroll("--auto"));
    fed.enroll("").unwrap();
    fed.approve().unwrap();
    fed.install().unwrap();
    golden.result("not due", fed.enroll("--auto"));
    fed.now += time::Duration::days(61);
    golden.result("due", fed.enroll("--auto"));
    fed.now += time::Duration::days(6);
    golden.result("unanswered for six days", fed.enroll("--auto"));
    fed.now += time::Duration::days(2);
    golden.result("unanswered for eight days", fed.enroll("--auto"));
    fed.now += time::Duration::days(30);
    golden.result("ended", fed.enroll("--auto"));
    fed.approve().unwrap();
    golden.result("installed", fed.enroll("--auto"));
    fed.now += time::Duration::days(61);
    let line = "enroll -f @backend-values.yaml --key-file @thief.key --out-dir @";
    fed.run(&fed.org, line).unwrap();
    fed.approve().unwrap();
    fs::remove_file(fed.world.path("MyOrg1MSP.csr")).unwrap();
    golden.result("a certificate for another key", fed.enroll("--auto"));
    golden.result("the same by hand", fed.install());
    fed.world.write("MyOrg1MSP.crt", "hello");
    golden.result("no certificate", fed.enroll("--auto"));
    golden.pinned();
}

#[test]
fn answers_of_enroll_without_a_cluster_are_pinned() {
    let mut golden = Golden::of("enroll-key-file", answers_of_enroll_without_a_cluster_are_pinned);
    let world = World::new();
    golden.ran("a request is planned", &world.run(&format!("{KEY_FILE} --dry-run -o json")));
    golden.ran("requested", &world.run(&format!("{KEY_FILE} -o json")));
    golden.ran("requested already", &world.run(&format!("{KEY_FILE} -o json")));
    world.chmod("MyOrg1MSP.key", 0o644);
    golden.ran("a key file that others read", &world.run(&format!("{KEY_FILE} -o json")));
    world.write("other.yaml", &BACKEND.replace("MyOrg1MSP", "OwkinPeerMSP"));
    golden.ran("the chart's MSP ID", &world.run("enroll -f other.yaml --key-file x.key -o json"));
    golden.ran("no file", &world.run("enroll -f missing.yaml --key-file x.key -o json"));
    world.write("other.yaml", "orchestrator: [\n");
    golden.ran("no YAML", &world.run("enroll -f other.yaml --key-file x.key -o json"));
    golden.ran("no helm", &world.run("enroll -f backend-values.yaml -o json"));
    golden.pinned();
}

#[test]
fn failures_of_enroll_are_pinned() {
    let mut golden = Golden::of("enroll-failures", failures_of_enroll_are_pinned);
    let fed = Federation::new();
    golden.result("no such release", fed.run(&fed.org, "enroll -f @backend-values.yaml --release other --yes"));
    golden.result(
        "release of the other chart",
        fed.run(&fed.orc, "enroll -f @backend-values.yaml --release orchestrator --yes"),
    );
    fed.enroll("").unwrap();
    fed.approve().unwrap();
    let certificate = fed.world.read("MyOrg1MSP.crt");
    fed.enroll("--new-request").unwrap();
    golden.result("a certificate whose request was replaced", fed.install());
    fed.world.write("MyOrg1MSP.crt", &fed.world.read("ca.crt"));
    golden.result("the CA as a certificate", fed.install());
    fed.world.write("MyOrg1MSP.crt", "nothing");
    golden.result("no certificate", fed.install());
    fed.world.write("MyOrg1MSP.crt", &certificate);

    let fed = Federation::new();
    fed.enroll("").unwrap();
    fed.approve().unwrap();
    fed.world.write("backend-values.yaml", &BACKEND.replace("substra.org-1", "other.org-1"));
    golden.result("drift", fed.install());
    fed.world.write("backend-values.yaml", BACKEND);
    fed.org.fail_write(1, InjectedFault::Before);
    golden.result("half way", fed.install());
    fed.org.remove_object(&ObjectRef::secret("orchestrator-cacert"));
    golden.result("no CA in the cluster", fed.install());
    fed.org.set_status("backend", "pending-upgrade");
    golden.result("pending release", fed.enroll(""));
    golden.pinned();
}

const SIGN: &str =
    "approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline -o json";

#[test]
fn answers_of_approve_are_pinned() {
    let mut golden = Golden::of("approve", answers_of_approve_are_pinned);
    let world = World::new();
    let fingerprint = format!("--fingerprint MyOrg1MSP={} --yes", world.request());
    golden.ran("planned offline", &world.run(&format!("{SIGN} {fingerprint} --dry-run")));
    golden.ran("approved offline", &world.run(&format!("{SIGN} {fingerprint}")));
    golden.ran("approved offline already", &world.run(&format!("{SIGN} {fingerprint}")));
    golden.ran("unverified", &{
        let world = World::new();
        world.request();
        world.run(&format!("{SIGN} --yes --unverified-mail"))
    });

    let fed = Federation::new();
    fed.enroll("").unwrap();
    golden.result("planned", fed.run(&fed.orc, &format!("{ONLINE} {FILES} --dry-run")));
    golden.result("approved", fed.approve());
    golden.result("approved already", fed.approve());
    fed.install().unwrap();
    fed.close("").unwrap();
    golden.result("approved behind a closed gate", {
        fed.enroll("--renew").unwrap();
        fed.approve()
    });

    let fed = Federation::new();
    let (certificate, key) = (fed.world.read("ca.crt"), fed.world.read("ca.key"));
    let pair: [(&str, &[u8]); 2] = [("tls.crt", certificate.as_bytes()), ("tls.key", key.as_bytes())];
    fed.orc.create(&Object::secret("federation-ca", PAIR_TYPE, &[], &pair)).unwrap();
    fed.enroll("").unwrap();
    golden.result(
        "approved by a CA in a Secret",
        fed.run(&fed.orc, &format!("{ONLINE} --ca-secret federation-ca --out-dir @")),
    );
    golden.result("the same again", fed.run(&fed.orc, &format!("{ONLINE} --ca-secret federation-ca --out-dir @")));
    golden.pinned();
}

const ONLINE: &str =
    "approve @MyOrg1MSP.csr -f @orchestrator-values.yaml --release orchestrator --unverified-mail --yes";
const FILES: &str = "--ca-cert @ca.crt --ca-key @ca.key";

#[test]
fn failures_of_approve_are_pinned() {
    let mut golden = Golden::of("approve-failures", failures_of_approve_are_pinned);
    let world = World::new();
    let sign = |more: &str| world.run(&format!("{SIGN} {more}"));
    golden.ran("no request", &sign("--yes --unverified-mail"));
    let fingerprint = world.request();
    golden.ran("no fingerprint", &sign("--yes"));
    golden.ran("another fingerprint", &sign(&format!("--yes --fingerprint MyOrg1MSP=SHA256:{}", "0".repeat(64))));
    golden.ran("another organization's fingerprint", &sign(&format!("--yes --fingerprint MyOrg2MSP={fingerprint}")));
    golden.ran("nobody may be asked", &sign("--unverified-mail"));
    golden.ran("no helm", &world.run(&SIGN.replace("--offline", "--yes --unverified-mail")));
    world.write("stranger.yaml", &BACKEND.replace("MyOrg1MSP", "StrangerMSP"));
    world.run("enroll -f stranger.yaml --key-file stranger.key").ok();
    world.write("torn.csr", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n");
    golden
        .ran("a stranger and a torn request", &world.approve("StrangerMSP.csr torn.csr", "--unverified-mail -o json"));
    world.run("enroll -f backend-values.yaml --key-file host.key --out-dir . --hostname orchestrator.example.org").ok();
    golden.ran("the orchestrator's host", &sign("--yes --unverified-mail"));
    fs::remove_file(world.path("MyOrg1MSP.csr")).unwrap();
    world.request();
    let lock = fs::File::open(world.path("ca.crt")).unwrap();
    lock.lock().unwrap();
    golden.ran("a CA that is locked", &sign("--yes --unverified-mail"));
    lock.unlock().unwrap();
    world.write("ca.issued.jsonl", "{\"time\":\"2026-");
    golden.ran("a damaged log", &sign("--yes --unverified-mail"));
    fs::remove_file(world.path("ca.issued.jsonl")).unwrap();
    world.write("ca.key", &PrivateKey::generate(KeyType::EcdsaP256).unwrap().to_pem());
    golden.ran("another CA's key", &sign("--yes --unverified-mail"));
    let world = World::new();
    world.request();
    world.write(
        "orchestrator-values.yaml",
        &ORCHESTRATOR.replace("    enabled: true # by hand", "    enabled: true\n    mtls: &m {}\n  other: *m"),
    );
    golden.ran("values that cannot be edited", &world.approve("MyOrg1MSP.csr", "--unverified-mail -o json"));

    let fed = Federation::new();
    fed.enroll("").unwrap();
    fed.approve().unwrap();
    fed.install().unwrap();
    fed.orc.fail_write(0, InjectedFault::Before);
    drop(fed.close(""));
    golden.result("a gate half way", fed.approve());
    golden.pinned();
}

#[test]
fn answers_of_gate_are_pinned() {
    let mut golden = Golden::of("gate", answers_of_gate_are_pinned);
    let fed = Federation::new();
    let open = |more: &str| {
        fed.run(&fed.orc, &format!("gate open -f @orchestrator-values.yaml --release orchestrator --yes {more}"))
    };
    golden.result("a member that is not admitted", fed.close(""));
    fed.enroll("").unwrap();
    fed.approve().unwrap();
    let bare = "gate close -f @orchestrator-values.yaml --release orchestrator";
    golden.result("a member that is not installed", fed.run(&fed.orc, &format!("{bare} --yes")));
    fed.install().unwrap();
    golden.result("closing is planned", fed.close("--dry-run"));
    golden.result("closed", fed.close(""));
    golden.result("closed already", fed.close(""));
    golden.result("opening is planned", open("--dry-run"));
    fed.orc.fail_write(0, InjectedFault::Before);
    golden.result("half opened", open(""));
    golden.result("opened", open(""));
    golden.result("opened already", open(""));
    golden.result("no such release", fed.run(&fed.orc, "gate open -f @orchestrator-values.yaml --release other --yes"));
    fed.orc.set_status("orchestrator", "pending-upgrade");
    golden.result("pending release", fed.close(""));
    golden.ran("no helm", &World::new().run("gate close -f orchestrator-values.yaml -o json"));
    golden.pinned();
}

#[test]
fn answers_of_rehearse_are_pinned() {
    let mut golden = Golden::of("rehearse", answers_of_rehearse_are_pinned);
    let world = World::new();
    golden.ran("the built-in federation", &world.run("rehearse -o json"));
    world.write("two.yaml", &BACKEND.replace("MyOrg1MSP", "MyOrg2MSP").replace("org-1", "org-2"));
    let files =
        "rehearse --backend backend-values.yaml --backend two.yaml --orchestrator orchestrator-values.yaml -o json";
    golden.ran("values files", &world.run(files));
    crate::rehearse::federation(&world, "{create: true}", "close");
    golden.ran("a federation file", &world.run("rehearse federation.yaml -o json"));
    world.write("two.yaml", &BACKEND.replace("MyOrg1MSP", "StrangerMSP"));
    golden.ran("a stranger", &world.run(files));
    golden.ran("no file", &world.run("rehearse missing.yaml -o json"));
    golden.pinned();
}
