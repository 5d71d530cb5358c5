//! `approve --offline`: all checks, one signature, the log, the values file.

mod batch;
mod consent;
mod ledger;
mod renewal;

use std::fs;

use substra_mtls::pki::inspect::certificates;

use super::world::{ORCHESTRATOR, World, diff};

#[test]
fn a_request_becomes_a_certificate_a_line_in_the_log_and_a_key_in_the_values() {
    let world = World::new();
    let fingerprint = world.request();
    let ran = world.approve("MyOrg1MSP.csr", &format!("--fingerprint MyOrg1MSP={fingerprint}")).ok();
    let leaf = certificates(world.read("MyOrg1MSP.crt").as_bytes()).unwrap().remove(0);
    assert_eq!(leaf.organizations, ["MyOrg1MSP"]);
    assert_eq!(leaf.dns_names, ["substra.org-1.example.org"]);
    assert!(leaf.client_auth() && !leaf.server_auth());
    assert_eq!((leaf.not_after - leaf.not_before).whole_days(), 90);
    assert_eq!(
        diff(ORCHESTRATOR, &world.read("orchestrator-values.yaml")),
        "+    mtls:\n+      clientCACerts:\n+        MyOrg1MSP:\n+          - orchestrator-tls-cacert\n"
    );
    let log: serde_json::Value = serde_json::from_str(&world.read("ca.issued.jsonl")).unwrap();
    assert_eq!((log["organization"].as_str(), log["unverifiedMail"].as_bool()), (Some("MyOrg1MSP"), Some(false)));
    assert_eq!(log["serial"].as_str().unwrap(), leaf.serial);
    assert!(!ran.stderr.contains("hunter2"), "a password in the diff's context is hidden");
    for shown in
        ["host         substra.org-1.example.org", &fingerprint, "client authentication only", "+        MyOrg1MSP:"]
    {
        assert!(ran.stderr.contains(shown), "{shown} is not shown: {}", ran.stderr);
    }
    assert!(ran.fact("gate").contains("mutual TLS is off"));
}

#[test]
fn behind_a_closed_gate_nobody_is_said_to_be_let_in_by_a_file_alone() {
    let world = World::new();
    world.request();
    let on =
        "enabled: true # by hand\n    mtls: {enabled: true, clientCACerts: {MyOrg2MSP: [orchestrator-tls-cacert]}}";
    world.write("orchestrator-values.yaml", &ORCHESTRATOR.replace("enabled: true # by hand", on));
    let ran = world.approve("MyOrg1MSP.csr", "--unverified-mail").ok();
    assert!(ran.fact("gate").contains("once these values are deployed"), "{}", ran.stdout);
}

#[test]
fn the_same_request_gives_the_same_bytes_again() {
    let world = World::new();
    let claim = format!("--fingerprint MyOrg1MSP={}", world.request());
    world.approve("MyOrg1MSP.csr", &claim).ok();
    let before = world.snapshot();
    world.approve("MyOrg1MSP.csr", &claim).ok();
    assert_eq!(world.snapshot(), before);
    // Killed after the log: certificate and values are missing, and come back the same.
    let certificate = world.read("MyOrg1MSP.crt");
    fs::remove_file(world.path("MyOrg1MSP.crt")).unwrap();
    world.write("orchestrator-values.yaml", ORCHESTRATOR);
    world.approve("MyOrg1MSP.csr", &claim).ok();
    assert_eq!(world.snapshot(), before);
    assert_eq!(world.read("MyOrg1MSP.crt"), certificate);
}

#[test]
fn a_request_made_again_with_the_same_key_is_the_same_request() {
    let world = World::new();
    let claim = format!("--fingerprint MyOrg1MSP={}", world.request());
    world.approve("MyOrg1MSP.csr", &claim).ok();
    let (old, certificate) = (world.read("MyOrg1MSP.csr"), world.read("MyOrg1MSP.crt"));
    fs::remove_file(world.path("MyOrg1MSP.csr")).unwrap();
    world.request();
    assert_ne!(world.read("MyOrg1MSP.csr"), old, "ECDSA signs otherwise each time");
    world.approve("MyOrg1MSP.csr", &claim).ok();
    assert_eq!(world.read("MyOrg1MSP.crt"), certificate);
}

#[test]
fn without_a_compared_fingerprint_nothing_is_signed() {
    let world = World::new();
    world.request();
    let before = world.snapshot();
    let other = "0".repeat(64);
    world.approve("MyOrg1MSP.csr", "").refused(5, "request-fingerprint");
    world
        .approve("MyOrg1MSP.csr", &format!("--fingerprint MyOrg1MSP=SHA256:{other}"))
        .refused(5, "request-fingerprint");
    world
        .approve("MyOrg1MSP.csr", &format!("--fingerprint MyOrg2MSP=SHA256:{other}"))
        .refused(5, "request-fingerprint");
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_fingerprint_given_for_another_organization_says_so() {
    let world = World::new();
    let fingerprint = world.request();
    let ran = world
        .approve("MyOrg1MSP.csr", &format!("--fingerprint MyOrg2MSP={fingerprint}"))
        .refused(5, "request-organization");
    assert!(ran.stderr.contains("it names MyOrg1MSP, but its fingerprint was given for MyOrg2MSP"), "{}", ran.stderr);
}

#[test]
fn unverified_mail_is_written_into_the_log() {
    let world = World::new();
    world.request();
    world.approve("MyOrg1MSP.csr", "--unverified-mail").ok();
    assert!(world.read("ca.issued.jsonl").contains("\"unverifiedMail\":true"));
}

#[test]
fn one_bad_request_stops_the_whole_batch_and_all_findings_are_shown() {
    let world = World::new();
    world.request();
    world.write("stranger-values.yaml", &super::world::BACKEND.replace("MyOrg1MSP", "StrangerMSP"));
    world.run("enroll -f stranger-values.yaml --key-file StrangerMSP.key").ok();
    world.write("spoilt.csr", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n");
    let before = world.snapshot();
    let ran = world.approve("MyOrg1MSP.csr StrangerMSP.csr spoilt.csr", "--unverified-mail");
    assert_eq!(ran.status, 5);
    for code in ["[request-not-a-member]", "[request-not-strict-der]"] {
        assert!(ran.stderr.contains(code), "{code}: {}", ran.stderr);
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn two_requests_of_one_organization_are_refused() {
    let world = World::new();
    let first = world.request();
    fs::rename(world.path("MyOrg1MSP.csr"), world.path("first.csr")).unwrap();
    let second = world.run("enroll -f backend-values.yaml --key-file other.key").ok().fact("fingerprint");
    assert_ne!(first, second, "two keys");
    world.approve("first.csr MyOrg1MSP.csr", "--unverified-mail").refused(5, "organization-twice");
}

#[test]
fn a_host_of_the_orchestrator_is_refused() {
    let world = World::new();
    world.run("enroll -f backend-values.yaml --key-file a.key --hostname orchestrator.example.org").ok();
    let ran = world.approve("MyOrg1MSP.csr", "--unverified-mail").refused(5, "request-host");
    assert!(ran.stderr.contains("could pose as the orchestrator"), "{}", ran.stderr);
}

#[test]
fn a_ca_key_that_is_not_the_certificate_s_is_refused() {
    let world = World::new();
    world.request();
    world.run("enroll -f backend-values.yaml --key-file other.key").ok();
    let ran = world.run("approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key other.key --offline --yes --unverified-mail");
    ran.refused(5, "authority-key-mismatch");
}

#[test]
fn a_locked_authority_is_not_used_by_a_second_operator() {
    let world = World::new();
    world.request();
    let file = fs::File::open(world.path("ca.crt")).unwrap();
    file.lock().unwrap();
    world.approve("MyOrg1MSP.csr", "--unverified-mail").refused(1, "locked");
}

#[test]
fn a_spoilt_log_stops_the_signing() {
    let world = World::new();
    world.request();
    world.write("ca.issued.jsonl", "{\"time\":\"2026-");
    let ran = world.approve("MyOrg1MSP.csr", "--unverified-mail").refused(3, "issue-log-damaged");
    assert!(ran.stderr.contains("it is cut off"), "{}", ran.stderr);
}

#[test]
fn a_question_without_a_terminal_names_the_missing_flag() {
    let world = World::new();
    world.request();
    let before = world.snapshot();
    let ran = world.run("approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline --unverified-mail");
    let ran = ran.refused(2, "no-terminal");
    assert!(ran.stderr.contains("add --yes"), "{}", ran.stderr);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn the_certificate_goes_into_the_out_dir() {
    let world = World::new();
    world.request();
    fs::create_dir(world.path("out")).unwrap();
    world.approve("MyOrg1MSP.csr", "--unverified-mail --out-dir out").ok();
    assert!(world.path("out/MyOrg1MSP.crt").exists() && !world.path("MyOrg1MSP.crt").exists());
}

#[test]
fn a_values_file_with_hard_links_is_not_edited() {
    let world = World::new();
    world.request();
    fs::hard_link(world.path("orchestrator-values.yaml"), world.path("twin.yaml")).unwrap();
    let before = world.snapshot();
    world.approve("MyOrg1MSP.csr", "--unverified-mail").refused(5, "hard-links");
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_values_file_that_cannot_be_edited_gives_the_lines_to_paste() {
    let world = World::new();
    world.request();
    world.write(
        "orchestrator-values.yaml",
        &ORCHESTRATOR.replace("    enabled: true # by hand", "    enabled: true\n    mtls: &m {}\n  other: *m"),
    );
    let ran = world.approve("MyOrg1MSP.csr", "--unverified-mail").refused(5, "anchor");
    assert!(
        ran.stderr.contains("clientCACerts:\n        MyOrg1MSP:\n          - orchestrator-tls-cacert"),
        "{}",
        ran.stderr
    );
}
