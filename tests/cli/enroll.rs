//! `enroll --key-file`: a key and a request without a cluster.

use std::{fs, os::unix::fs::MetadataExt};

use substra_mtls::pki::key::{KeyType, PrivateKey};

use super::world::World;

const REQUEST: &str = "enroll -f backend-values.yaml --key-file MyOrg1MSP.key";

#[test]
fn the_first_run_makes_a_private_key_and_a_request_and_says_what_comes_next() {
    let world = World::new();
    let ran = world.run(REQUEST).ok();
    assert_eq!(fs::metadata(world.path("MyOrg1MSP.key")).unwrap().mode() & 0o777, 0o600);
    let key = PrivateKey::from_pem(world.read("MyOrg1MSP.key").as_bytes(), None).unwrap();
    assert_eq!(ran.fact("fingerprint"), key.fingerprint().to_string());
    assert_eq!(ran.fact("to read out"), key.fingerprint().groups().join(" "));
    assert_eq!(ran.fact("request"), "MyOrg1MSP.csr");
    assert_eq!(
        ran.stderr,
        "Plan:\n  to do    private key in MyOrg1MSP.key (mode 0600)\n  to do    certificate signing request in MyOrg1MSP.csr\n\
         done     private key in MyOrg1MSP.key (mode 0600)\ndone     certificate signing request in MyOrg1MSP.csr\n\
         next: send MyOrg1MSP.csr to the orchestrator's operator, and read the fingerprint out to them by phone\n\
         next: when MyOrg1MSP.crt comes back: helm substra-mtls enroll -f backend-values.yaml --key-file MyOrg1MSP.key --certificate MyOrg1MSP.crt\n"
    );
    assert_eq!(world.read("backend-values.yaml"), super::world::BACKEND, "the values are not touched yet");
}

#[test]
fn a_second_run_changes_nothing_and_says_already() {
    let world = World::new();
    world.request();
    let before = world.snapshot();
    let ran = world.run(REQUEST).ok();
    assert_eq!(world.snapshot(), before);
    assert!(
        ran.stderr.starts_with(
            "already  private key in MyOrg1MSP.key (mode 0600)\nalready  certificate signing request in MyOrg1MSP.csr\n"
        ),
        "{}",
        ran.stderr
    );
    let json: serde_json::Value = serde_json::from_str(&world.run(&format!("{REQUEST} -o json")).ok().stdout).unwrap();
    assert_eq!((json["stage"].as_str(), json["schemaVersion"].as_u64()), (Some("already"), Some(1)));
}

#[test]
fn a_lost_request_is_made_again_with_the_same_key() {
    let world = World::new();
    let fingerprint = world.request();
    fs::remove_file(world.path("MyOrg1MSP.csr")).unwrap();
    assert_eq!(world.request(), fingerprint);
    assert!(world.path("MyOrg1MSP.csr").exists());
}

#[test]
fn every_key_type_is_made() {
    for (name, key_type) in
        [("ecdsa-p384", KeyType::EcdsaP384), ("rsa-2048", KeyType::Rsa2048), ("rsa-3072", KeyType::Rsa3072)]
    {
        let world = World::new();
        world.run(&format!("{REQUEST} --key-type {name}")).ok();
        let key = PrivateKey::from_pem(world.read("MyOrg1MSP.key").as_bytes(), None).unwrap();
        assert_eq!(key.key_type(), key_type);
    }
}

#[test]
fn a_dry_run_writes_nothing() {
    let world = World::new();
    let before = world.snapshot();
    let ran = world.run(&format!("{REQUEST} --dry-run")).ok();
    assert_eq!(world.snapshot(), before);
    assert!(!ran.stdout.contains("fingerprint"), "a key that is thrown away has no fingerprint to read out");
}

#[test]
fn nobody_is_told_to_chmod_what_is_no_private_key() {
    let world = World::new();
    world.run("enroll -f backend-values.yaml --key-file ca.crt").refused(5, "key-file-no-key");
    world.request();
    let swapped = "approve MyOrg1MSP.csr -f orchestrator-values.yaml --offline --yes --ca-cert ca.key --ca-key ca.crt";
    for mode in [0o644, 0o600] {
        world.chmod("ca.crt", mode);
        world.chmod("ca.key", mode);
        let ran = world.run(&format!("{swapped} --unverified-mail")).refused(5, "key-file-no-key");
        for line in [
            "error: the CA's certificate and its private key are swapped [key-file-no-key]",
            "  why: ca.key holds a private key, and ca.crt holds none",
            "  next: name them the other way round: --ca-cert ca.crt --ca-key ca.key",
        ] {
            assert!(ran.stderr.lines().any(|one| one == line), "{line}: {}", ran.stderr);
        }
        for (file, held) in [
            ("backend-values.yaml", "Helm values"),
            ("orchestrator-values.yaml", "Helm values"),
            ("MyOrg1MSP.csr", "a certificate signing request"),
            ("ca.crt", "a certificate"),
        ] {
            world.chmod(file, mode);
            let ran =
                world.run(&format!("enroll -f backend-values.yaml --key-file {file}")).refused(5, "key-file-no-key");
            assert!(ran.stderr.contains(&format!("\n  why: it holds {held}\n")), "{file}: {}", ran.stderr);
            assert!(!ran.stderr.contains("chmod"), "{}", ran.stderr);
        }
    }
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let world = World::new();
    world.request();
    world.chmod("MyOrg1MSP.key", 0o644);
    let before = world.snapshot();
    world.run(REQUEST).refused(5, "key-file-open");
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_key_file_that_is_no_key_is_refused_and_stays() {
    let world = World::new();
    world.write("MyOrg1MSP.key", "not a key");
    world.chmod("MyOrg1MSP.key", 0o600);
    world.run(REQUEST).refused(5, "key-file");
    assert_eq!(world.read("MyOrg1MSP.key"), "not a key");
}

#[test]
fn values_that_name_nobody_are_refused() {
    for (old, new, code) in [
        ("mspID: MyOrg1MSP", "mspID: OwkinPeerMSP", "msp-id"),
        ("  mspID: MyOrg1MSP\n", "", "msp-id"),
        ("mspID: MyOrg1MSP", "mspID: no", "value"),
        ("mspID: MyOrg1MSP", "mspID: \"a/../b\"", "value"),
        ("hostname: substra.org-1.example.org", "hostname: localhost", "host"),
        ("hostname: substra.org-1.example.org", "hostname: \"{{ .Values.x }}\"", "value"),
    ] {
        let world = World::new();
        world.write("backend-values.yaml", &super::world::BACKEND.replace(old, new));
        let before = world.snapshot();
        world.run(REQUEST).refused(3, code);
        assert_eq!(world.snapshot(), before);
    }
}

#[test]
fn the_host_of_the_command_line_wins() {
    let world = World::new();
    let ran = world.run(&format!("{REQUEST} --hostname api.other.example.org")).ok();
    assert_eq!(ran.fact("host"), "api.other.example.org");
}

#[test]
fn a_values_file_that_cannot_be_read_is_named_with_its_line() {
    let world = World::new();
    world.write("backend-values.yaml", "a: 1\n\t\nb: 2\n");
    let ran = world.run(REQUEST).refused(5, "tab");
    assert!(ran.stderr.contains("backend-values.yaml:2:1"), "{}", ran.stderr);
    let ran = world.run("enroll -f nowhere.yaml --key-file x.key").refused(1, "file-unreadable");
    assert!(ran.stderr.contains("nowhere.yaml"), "{}", ran.stderr);
}

#[test]
fn several_values_files_are_read_in_helm_s_order() {
    let world = World::new();
    world.write("more.yaml", "orchestrator:\n  mspID: MyOrg2MSP\n");
    let ran = world.run("enroll -f backend-values.yaml -f more.yaml --key-file x.key").ok();
    assert_eq!(ran.fact("organization"), "MyOrg2MSP");
}

#[test]
fn a_null_in_a_later_file_that_hides_an_earlier_one_is_not_filled() {
    let world = World::new();
    world.write("one.yaml", "orchestrator:\n  tls:\n    mtls:\n      other: 1\n");
    world.write("two.yaml", "orchestrator:\n  tls:\n    mtls: null\n");
    let sops: std::sync::Arc<dyn substra_mtls::cluster::Sops> =
        std::sync::Arc::new(substra_mtls::cluster::simulated::SimulatedSops);
    let files = substra_mtls::release::ValuesFiles::read(
        &[world.path("one.yaml"), world.path("two.yaml")],
        &substra_mtls::values::ValuesKey::default(),
        &sops,
    )
    .unwrap();
    let settings = [substra_mtls::values::Setting::set(&["orchestrator", "tls", "mtls", "enabled"], true)];
    assert_eq!(files.edit(&settings).err().unwrap().code.id(), "values-merge");
}

#[test]
fn without_helm_and_kubectl_the_cluster_verbs_say_what_is_missing() {
    let world = World::new();
    world.run("enroll -f backend-values.yaml").refused(6, "tool-missing");
}
