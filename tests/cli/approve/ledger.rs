//! The issue log: one beside a CA, whatever path leads to it, of any length; in a cluster one object a request.

use std::{fs, os::unix::fs::symlink};

use substra_mtls::{
    cluster::{Kubernetes, Object, ObjectRef, PAIR_TYPE},
    pki::inspect::certificates,
};

use super::{batch::second, renewal::renewal};
use crate::{
    bootstrap::world::{Fed, LINE},
    simulated::Federation,
    world::{ORCHESTRATOR, World},
};

#[test]
fn a_link_to_the_ca_has_no_log_and_no_lock_of_its_own() {
    let world = World::new();
    world.request();
    fs::create_dir(world.path("elsewhere")).unwrap();
    symlink("../ca.crt", world.path("elsewhere/link.crt")).unwrap();
    let by_link = "approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert elsewhere/link.crt --ca-key ca.key --offline --yes --unverified-mail";
    world.run(by_link).ok();
    let before = world.snapshot();
    assert!(world.path("ca.issued.jsonl").exists());
    assert!(before.keys().all(|path| !path.starts_with(world.path("elsewhere")) || path.ends_with("link.crt")));
    world.approve("MyOrg1MSP.csr", "--unverified-mail").ok();
    world.run(by_link).ok();
    assert_eq!(world.snapshot(), before, "the same certificate by either path");
    let file = fs::File::open(world.path("ca.crt")).unwrap();
    file.lock().unwrap();
    world.run(by_link).refused(1, "locked");
}

#[test]
fn a_log_of_more_than_eight_mebibytes_is_read_to_its_end() {
    let world = World::new();
    world.request();
    world.approve("MyOrg1MSP.csr", "--unverified-mail").ok();
    let (line, certificate) = (world.read("ca.issued.jsonl"), world.read("MyOrg1MSP.crt"));
    let strangers = line.replace("MyOrg1MSP", "StrangerMSP");
    let digest: serde_json::Value = serde_json::from_str(&line).unwrap();
    let strangers = strangers.replace(digest["request"].as_str().unwrap(), &"0".repeat(64));
    let strangers = strangers.replace(digest["fingerprint"].as_str().unwrap(), &format!("SHA256:{}", "1".repeat(64)));
    let strangers = strangers.replace("substra.org-1.example.org", "other.example.org");
    let count = (9 << 20) / strangers.len();
    let long = strangers.repeat(count) + &line;
    assert!(long.len() > 8 << 20);
    world.write("ca.issued.jsonl", &long);
    fs::remove_file(world.path("MyOrg1MSP.crt")).unwrap();
    world.approve("MyOrg1MSP.csr", "--unverified-mail").ok();
    assert_eq!(world.read("MyOrg1MSP.crt"), certificate, "the last line is found");
    second(&world, "substra.org-2.example.org", "second.key");
    world.approve("MyOrg2MSP.csr", "--unverified-mail").ok();
    let now = world.read("ca.issued.jsonl");
    assert!(now.starts_with(&long));
    assert_eq!(now.lines().count(), count + 2);
}

#[test]
fn bootstrap_and_approve_do_not_sign_at_one_time() {
    let fed = Fed::new(1);
    let file = fs::File::open(fed.world.path("ca.crt")).unwrap();
    file.lock().unwrap();
    let failure = fed.run(LINE).unwrap_err();
    assert_eq!(failure.code.id(), "locked");
    assert!(failure.what.contains("ca.crt"), "{failure}");
    // Closing would not do: a child that another test is starting may have the file open too.
    file.unlock().unwrap();
    fed.run(LINE).unwrap();
}

const ONLINE: &str = "-f @orchestrator-values.yaml --release orchestrator --ca-secret the-ca --unverified-mail --yes";
const LABEL: &str = "substra-mtls/issue-log";

/// The CA is in the cluster, and two organizations have asked.
fn in_the_cluster() -> Federation {
    let federation = Federation::new();
    let world = &federation.world;
    world.write("orchestrator-values.yaml", ORCHESTRATOR);
    let values = substra_mtls::values::read(ORCHESTRATOR.as_bytes()).unwrap();
    let chart = substra_mtls::cluster::ChartVersion { name: "orchestrator".into(), version: "8.8.0".into() };
    federation.orc.install("orchestrator", chart, values).unwrap();
    let (crt, key) = (world.read("ca.crt"), world.read("ca.key"));
    let data: [(&str, &[u8]); 2] = [("tls.crt", crt.as_bytes()), ("tls.key", key.as_bytes())];
    federation.orc.create(&Object::secret("the-ca", PAIR_TYPE, &[], &data)).unwrap();
    world.request();
    second(world, "substra.org-2.example.org", "second.key");
    federation
}

fn logged(federation: &Federation) -> Vec<Object> {
    federation.orc.list("configmaps", &format!("{LABEL}=the-ca")).unwrap()
}

fn relabelled(federation: &Federation, object: &Object, name: &str, labels: &[(&str, &str)]) {
    let lines = String::from_utf8(object.data("issued.jsonl").unwrap().to_vec()).unwrap();
    federation.orc.create(&Object::config_map(name, labels, &[("issued.jsonl", &lines)])).unwrap();
}

/// Two operators read the log before either has written: the second one does not see the first one's entry.
#[test]
fn two_operators_with_overlapping_batches_do_not_sign_one_request_twice() {
    let federation = in_the_cluster();
    federation.run(&federation.orc, &format!("approve @MyOrg2MSP.csr {ONLINE}")).unwrap();
    let certificate = federation.world.read("MyOrg2MSP.crt");
    let entry = logged(&federation).remove(0);
    let unseen = ObjectRef::config_map(entry.name());
    federation.orc.remove_object(&unseen);
    relabelled(&federation, &entry, entry.name(), &[]);
    fs::remove_file(federation.world.path("MyOrg2MSP.crt")).unwrap();

    let both = format!("approve @MyOrg1MSP.csr @MyOrg2MSP.csr {ONLINE}");
    let failure = federation.run(&federation.orc, &both).err().unwrap();
    assert_eq!(failure.code.id(), "exists", "{failure}");
    for org in ["MyOrg1MSP", "MyOrg2MSP"] {
        assert!(!federation.world.path(&format!("{org}.crt")).exists(), "nothing leaves: {org}");
    }
    federation.orc.remove_object(&unseen);
    relabelled(&federation, &entry, entry.name(), &[(LABEL, "the-ca")]);
    federation.run(&federation.orc, &both).unwrap();
    assert_eq!(federation.world.read("MyOrg2MSP.crt"), certificate);
    assert_eq!(logged(&federation).len(), 2);
}

#[test]
fn a_batch_that_was_logged_in_one_object_is_still_read() {
    let federation = in_the_cluster();
    let both = format!("approve @MyOrg1MSP.csr @MyOrg2MSP.csr {ONLINE}");
    federation.run(&federation.orc, &both).unwrap();
    let objects = logged(&federation);
    let text = |object: &Object| String::from_utf8(object.data("issued.jsonl").unwrap().to_vec()).unwrap();
    let lines: String = objects.iter().map(text).collect();
    for object in &objects {
        federation.orc.remove_object(&ObjectRef::config_map(object.name()));
    }
    let batch = Object::config_map("the-ca-issued-0123456789abcdef", &[(LABEL, "the-ca")], &[("issued.jsonl", &lines)]);
    federation.orc.create(&batch).unwrap();
    let before = federation.world.snapshot();
    assert_eq!(federation.run(&federation.orc, &both).unwrap().stage().id(), "already");
    assert_eq!(federation.world.snapshot(), before);
    assert_eq!(logged(&federation).len(), 1);
}

/// Two operators sign different renewals by one key at one time: the object of a renewal is named after the certificate
/// whose one successor it is.
#[test]
fn two_operators_do_not_let_one_certificate_vouch_for_two() {
    let federation = in_the_cluster();
    let by_print =
        ONLINE.replace("--unverified-mail", &format!("--fingerprint MyOrg1MSP={}", federation.world.request()));
    federation.run(&federation.orc, &format!("approve @MyOrg1MSP.csr {by_print}")).unwrap();
    let vouched = ONLINE.replace("--unverified-mail", "");
    let run = |line: &str| federation.run(&federation.orc, &format!("approve {line} {vouched}"));
    let first = certificates(federation.world.read("MyOrg1MSP.crt").as_bytes()).unwrap().remove(0).serial;
    for (file, key) in [("MyOrg1MSP.csr", "own.key"), ("other.csr", "other.key")] {
        renewal(&federation.world, file, key);
    }
    run("@MyOrg1MSP.csr").unwrap();
    let name = format!("the-ca-renewed-{first}");
    let entry = logged(&federation).into_iter().find(|object| object.name() == name).unwrap();
    let certificate = federation.world.read("MyOrg1MSP.crt");
    federation.orc.remove_object(&ObjectRef::config_map(&name));
    relabelled(&federation, &entry, &name, &[]);
    assert_eq!(run("@other.csr").err().unwrap().code.id(), "exists");
    assert_eq!(federation.world.read("MyOrg1MSP.crt"), certificate, "nothing leaves");

    federation.orc.remove_object(&ObjectRef::config_map(&name));
    relabelled(&federation, &entry, &name, &[(LABEL, "the-ca")]);
    assert_eq!(run("@other.csr").err().unwrap().code.id(), "proof-second-successor");
    let is_alarm = |object: &Object| object.name().starts_with("the-ca-alarm-");
    assert_eq!(logged(&federation).iter().filter(|object| is_alarm(object)).count(), 1);
    run(&format!("--settle MyOrg1MSP --keep {first}")).unwrap();
    assert!(logged(&federation).iter().any(|object| object.name().starts_with("the-ca-settled-")));
    let settled = run(&format!("--settle MyOrg1MSP --keep {first}"));
    assert_eq!(settled.err().unwrap().code.id(), "no-alarm");
}
