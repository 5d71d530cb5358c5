//! What is called done and proven was looked at: nothing is lost to somebody who works at the same time.

use std::{fs::File, os::unix::fs::symlink, process::Command};

use substra_mtls::{
    cluster::{Helm, Kubernetes, Object, ObjectRef},
    failure::Exit,
};

use super::{simulated::Federation, world::World};

const PAIR: &str = "orchestrator-client-cert";
const PENDING: &str = "orchestrator-client-cert-pending";

fn approved() -> Federation {
    let federation = Federation::new();
    federation.enroll("").unwrap();
    federation.approve().unwrap();
    federation
}

fn secret(federation: &Federation, name: &str) -> Option<Object> {
    federation.org.get(&[ObjectRef::secret(name)]).unwrap().pop()
}

fn key(federation: &Federation, name: &str) -> Vec<u8> {
    secret(federation, name).unwrap().data("tls.key").unwrap().to_vec()
}

#[test]
fn the_key_of_a_request_that_was_made_during_the_upgrade_is_kept() {
    let federation = std::sync::Arc::new(approved());
    let second = std::sync::Arc::clone(&federation);
    federation.org.after_write("upgrade backend", move || drop(second.enroll("--new-request").unwrap()));
    let outcome = federation.install().unwrap();
    let json = outcome.json();
    assert_eq!(outcome.stage().id(), "installed");
    let last = json["steps"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["id"], &last["state"]), (&"pending".into(), &"not-done".into()));
    assert!(json["warnings"].to_string().contains(&format!("secret/{PENDING} stays")), "{json}");
    assert!(!json["result"]["proven"].to_string().contains("gone"), "{json}");
    let (new, waiting) = (key(&federation, PAIR), key(&federation, PENDING));
    assert_ne!(new, waiting);
    federation.approve().unwrap();
    federation.install().unwrap();
    assert_eq!(key(&federation, PAIR), waiting, "its certificate fits a key that is still there");
    assert!(secret(&federation, PENDING).is_none());
}

#[test]
fn the_last_copy_of_a_key_stays_when_the_pair_is_lost_during_the_upgrade() {
    let other = Object::secret(PAIR, substra_mtls::cluster::PAIR_TYPE, &[], &[("tls.crt", b"x"), ("tls.key", b"y")]);
    for reverted in [None, Some(other)] {
        let federation = approved();
        let (kept, org) = (key(&federation, PENDING), federation.org.clone());
        federation.org.after_write("upgrade backend", move || {
            org.remove_object(&ObjectRef::secret(PAIR));
            reverted.iter().for_each(|other| org.create(other).unwrap());
        });
        let failure = federation.install().unwrap_err();
        assert_eq!((failure.exit, failure.code.id()), (Exit::Outside, "last-copy"), "{failure}");
        assert!(failure.why.starts_with(&format!("Secret {PAIR} is not as this run wrote it: it")), "{failure}");
        assert!(failure.standing.as_ref().unwrap().text().ends_with("not done: pending"), "{failure}");
        assert!(key(&federation, PENDING) == kept, "the only copy of the key is gone");
        federation.install().unwrap();
        assert!(key(&federation, PAIR) == kept);
        assert!(secret(&federation, PENDING).is_none());
    }
}

#[test]
fn a_pair_that_is_lost_with_the_last_copy_of_its_key_is_not_called_installed() {
    let federation = approved();
    let org = federation.org.clone();
    federation.org.after_write("delete secret/orchestrator-client-cert-pending", move || {
        org.remove_object(&ObjectRef::secret(PAIR));
    });
    let failure = federation.install().unwrap_err();
    assert_eq!((failure.exit, failure.code.id()), (Exit::Outside, "not-as-written"), "{failure}");
    assert_eq!(failure.what, format!("Secret {PAIR} is not as this run wrote it"));
}

#[test]
fn proven_is_what_was_looked_at_and_nothing_more() {
    let federation = approved();
    let proven = |outcome: &substra_mtls::report::Outcome| outcome.get("proven").unwrap().as_str().unwrap().to_owned();
    let left = federation.enroll("--certificate @MyOrg1MSP.crt --no-upgrade").unwrap();
    assert!(!proven(&left).contains("workload") && !proven(&left).contains("release"), "{}", proven(&left));
    let all = proven(&federation.install().unwrap());
    for part in [
        "the certificate is from the cluster's CA, names MyOrg1MSP and fits its key",
        "Secret orchestrator-client-cert is as planned",
        "release backend is deployed with the values of the files",
        "every workload of release backend runs what is deployed",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
}

#[test]
fn helm_gets_what_was_judged_whatever_becomes_of_the_files() {
    let federation = approved();
    federation.world.write("base,evil%zz.yaml", "worker: {replicas: 1}\n");
    let path = federation.world.path("base,evil%zz.yaml");
    federation.org.after_write("create secret/orchestrator-client-cert", move || {
        std::fs::write(path, "worker: {replicas: 9}\n").unwrap();
    });
    let line = "enroll -f @base,evil%zz.yaml -f @backend-values.yaml --release backend --accept-drift --yes --certificate @MyOrg1MSP.crt";
    federation.run(&federation.org, line).unwrap();
    assert!(federation.world.read("base,evil%zz.yaml").contains('9'), "the file was changed meanwhile");
    let deployed = federation.org.release(&"backend".parse().unwrap()).unwrap().unwrap().config;
    assert_eq!(deployed["worker"]["replicas"], 1);
    assert_eq!(deployed["orchestrator"]["tls"]["mtls"]["enabled"], true);
}

#[test]
fn a_file_is_named_by_a_name_that_helm_would_understand_too() {
    let world = World::new();
    symlink("/dev/stdin", world.path("link.yaml")).unwrap();
    symlink("link.yaml", world.path("link-to-link.yaml")).unwrap();
    std::fs::create_dir(world.path("folder.yaml")).unwrap();
    assert!(Command::new("mkfifo").arg(world.path("fifo.yaml")).status().unwrap().success());
    let before = world.read("backend-values.yaml");
    let names =
        ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "link.yaml", "link-to-link.yaml", "folder.yaml", "fifo.yaml"];
    for name in names {
        let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
        command.args(["enroll", "-f", name, "--key-file", "a.key"]).current_dir(world.path(""));
        let output = command.stdin(File::open(world.path("backend-values.yaml")).unwrap()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert!(said.starts_with(&format!("error: {name} is not a plain file [file-kind]")), "{name}: {said}");
    }
    assert_eq!(world.read("backend-values.yaml"), before);
    symlink("backend-values.yaml", world.path("plain.yaml")).unwrap();
    world.run("enroll -f plain.yaml --key-file a.key").ok();
}

#[test]
fn no_first_step_is_done_where_a_later_one_cannot_be() {
    let world = World::new();
    world.request();
    let before = world.snapshot();
    let ran = world.approve("MyOrg1MSP.csr", "--unverified-mail --out-dir missing").refused(1, "file-unwritable");
    assert!(ran.stderr.ends_with("unchanged: nothing was written\n"), "{}", ran.stderr);
    assert!(world.snapshot() == before, "the log, a certificate or the values were written");
}

#[test]
fn a_log_that_cannot_grow_has_no_half_line_and_the_next_run_completes() {
    let world = World::new();
    world.request();
    let limited = |name: &str| {
        let line = "approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline --yes --unverified-mail";
        let script = format!("ulimit -f 1; exec {} {line}", env!("CARGO_BIN_EXE_substra-mtls"));
        let output = Command::new("sh").args(["-c", &script]).current_dir(world.path("")).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains("[file-unwritable]\n  why: file too large"), "{name}: {said}");
        assert!(said.contains("unchanged: nothing was changed by this run (not done: log, "), "{name}: {said}");
    };
    let before = world.snapshot();
    limited("a new log");
    assert!(world.snapshot() == before, "a new log has half a line");
    world.approve("MyOrg1MSP.csr", "--unverified-mail").ok();
    let log = world.read("ca.issued.jsonl");
    assert!(log.len() > 1024, "longer than the limit, so that no byte of a second line fits");
    std::fs::remove_file(world.path("MyOrg1MSP.csr")).unwrap();
    std::fs::remove_file(world.path("MyOrg1MSP.key")).unwrap();
    world.request();
    world.write("ca.issued.jsonl", "");
    let before = world.snapshot();
    limited("a log that is there");
    assert!(world.snapshot() == before, "a log that was there has half a line");
    world.approve("MyOrg1MSP.csr", "--unverified-mail").ok();
}
