//! `rehearse` begins where the files are, and says in the user's own words what is wrong with them.

use std::time::{Duration, Instant};

use super::federation;
use crate::world::{BACKEND, ORCHESTRATOR, Ran, World};

/// A values file with mutual TLS on, as the walkthrough and `enroll` leave it.
fn mutual(text: &str) -> String {
    let on = "cacert: orchestrator-cacert\n    mtls:\n      enabled: true\n      clientCertificate: orchestrator-client-cert\n";
    text.replace("cacert: orchestrator-cacert\n", on)
}

const OWN: &str = "rehearse --backend backend-values.yaml --backend two.yaml --orchestrator orchestrator-values.yaml";

fn two(world: &World) {
    let two = BACKEND.replace("MyOrg1MSP", "MyOrg2MSP").replace("org-1", "org-2");
    world.write("two.yaml", &two);
}

/// The first line that people see, and what follows it.
#[track_caller]
fn first_line(ran: &Ran) -> (&str, &str) {
    ran.stderr.split_once('\n').unwrap()
}

#[test]
fn one_backend_that_went_ahead_is_rehearsed_in_no_time() {
    let world = World::new();
    two(&world);
    world.write("backend-values.yaml", &mutual(BACKEND));
    let start = Instant::now();
    let ran = world.run(OWN).ok();
    assert!(start.elapsed() < Duration::from_secs(10), "no wait is real");
    let (before, rest) = first_line(&ran);
    assert_eq!(
        before,
        "Before: TLS is on, mutual TLS is off. Everybody who reaches the orchestrator is accepted. Assumed, since files cannot say it: the pair of MyOrg1MSP was made by this tool."
    );
    assert!(rest.starts_with("  connected: MyOrg1MSP accepted; MyOrg2MSP accepted\n"), "{rest}");
    assert!(!ran.stdout.contains("NOT EXPECTED"), "{}", ran.stdout);
}

#[test]
fn what_the_files_cannot_say_is_said_in_the_first_line() {
    let orchestrator = ORCHESTRATOR;
    let with = |mtls: &str| orchestrator.replace("enabled: true # by hand\n", &format!("enabled: true\n{mtls}"));
    let by_hand = with("    mtls: {enabled: true, clientCACerts: {orchestrator: [orchestrator-tls-cacert]}}\n");
    let foreign = with("    mtls: {clientCACerts: {MyOrg2MSP: [their-ca]}}\n");
    let half = with("    mtls: {clientCACerts: {orchestrator: [orchestrator-tls-cacert]}}\n");
    let dialled = mutual(BACKEND).replace("host: orchestrator.example.org", "host: orc.test");
    for (orchestrator, backend, said) in [
        (
            by_hand,
            mutual(BACKEND),
            "mutual TLS is on, the identity check is off. Any organization can act as any other. Assumed, since files cannot say it: the pair of MyOrg1MSP was made by Substra's walkthrough (X.509 version 1, no authorityKeyId).",
        ),
        (
            foreign,
            BACKEND.to_owned(),
            "TLS is on, mutual TLS is off. Everybody who reaches the orchestrator is accepted. Assumed, since files cannot say it: their-ca of clientCACerts holds the orchestrator's own CA.",
        ),
        (
            half,
            dialled,
            "TLS is on, mutual TLS is off. Everybody who reaches the orchestrator is accepted. Assumed, since files cannot say it: the pair of MyOrg1MSP was made by Substra's walkthrough (X.509 version 1, no authorityKeyId); the server's certificate names orc.test, which MyOrg1MSP dials.",
        ),
    ] {
        let world = World::new();
        two(&world);
        world.write("orchestrator-values.yaml", &orchestrator);
        world.write("backend-values.yaml", &backend);
        let ran = world.run(OWN).ok();
        assert_eq!(first_line(&ran).0, format!("Before: {said}"));
        let json =
            serde_json::from_str::<serde_json::Value>(&world.run(&format!("{OWN} -o json")).ok().stdout).unwrap();
        assert_eq!(json["result"]["before"], format!("Before: {said}"));
    }
}

#[test]
fn files_without_tls_are_refused_by_name_with_the_command_that_comes_before() {
    let world = World::new();
    two(&world);
    world.write("two.yaml", &world.read("two.yaml").replace("enabled: true", "enabled: false"));
    let ran = world.run(OWN).refused(3, "tls-off");
    assert!(ran.stderr.contains("error: two.yaml: TLS is not on from MyOrg2MSP to the orchestrator"), "{}", ran.stderr);
    assert!(ran.stderr.contains("ca trust orchestrator-ca.crt --backend --enable-tls -f two.yaml\n"), "{}", ran.stderr);
    world.write("orchestrator-values.yaml", &ORCHESTRATOR.replace("enabled: true", "enabled: false"));
    let ran = world.run(OWN).refused(3, "tls-off");
    assert!(
        ran.stderr.starts_with("error: orchestrator-values.yaml: TLS is not on at the orchestrator"),
        "{}",
        ran.stderr
    );
}

#[test]
fn errors_name_the_user_s_own_files_wherever_they_stand() {
    let world = World::new();
    two(&world);
    std::fs::create_dir(world.path("env")).unwrap();
    world.write("env/two.yaml", "a: 1\na: [\n");
    let ran = world.run(&OWN.replace("two.yaml", "env/two.yaml"));
    assert_eq!(ran.status, 5, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: env/two.yaml:"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("substra-mtls-"), "{}", ran.stderr);
    world.write("env/two.yaml", &BACKEND.replace("MyOrg1MSP", "StrangerMSP"));
    let ran = world.run(&OWN.replace("two.yaml", "env/two.yaml")).refused(5, "request-not-a-member");
    assert!(ran.stderr.contains("$ helm substra-mtls enroll -f env/two.yaml "), "{}", ran.stderr);
    // The same for the files of a federation.
    federation(&world, "{create: true}", "close");
    world.write("two.yaml", "a: 1\na: [\n");
    let ran = world.run("rehearse federation.yaml");
    assert!(ran.stderr.starts_with("error: two.yaml:"), "{}", ran.stderr);
    world.write("two.yaml", "server: {}\n");
    let ran = world.run("rehearse federation.yaml").refused(3, "msp-id");
    assert!(ran.stderr.starts_with("error: two.yaml: orchestrator.mspID is missing"), "{}", ran.stderr);
}

#[test]
fn a_file_of_the_other_side_is_known_by_what_is_in_it() {
    let world = World::new();
    two(&world);
    let ran = world.run("rehearse --backend two.yaml --orchestrator backend-values.yaml").refused(3, "values-side");
    assert!(
        ran.stderr.starts_with("error: backend-values.yaml looks like a backend's file [values-side]\n"),
        "{}",
        ran.stderr
    );
    let ran = world
        .run("rehearse --backend two.yaml --backend orchestrator-values.yaml --orchestrator orchestrator-values.yaml")
        .refused(3, "values-side");
    assert!(
        ran.stderr.starts_with("error: orchestrator-values.yaml looks like an orchestrator's file"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_member_without_a_file_is_asked_for() {
    let world = World::new();
    let ran = world
        .run("rehearse --backend backend-values.yaml --orchestrator orchestrator-values.yaml")
        .refused(3, "not-admitted");
    assert!(ran.stderr.contains("\n  next: add --backend FILE for MyOrg2MSP\n"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("--cut-off"), "{}", ran.stderr);
}

#[test]
fn a_host_that_the_server_s_certificate_does_not_name_is_said_and_nothing_is_recommended() {
    let world = World::new();
    federation(&world, "{create: true}", "close");
    world.write("two.yaml", &world.read("two.yaml").replace("host: orchestrator.example.org", "host: orc.test"));
    let ran = world.run("rehearse federation.yaml").refused(3, "verdict");
    assert!(
        ran.stderr
            .contains("\n  why: MyOrg2MSP dials orc.test; the server's certificate names orchestrator.example.org, "),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("\n  next: fix orchestrator.host in two.yaml, "), "{}", ran.stderr);
    assert!(!ran.stderr.contains("on the real clusters"), "{}", ran.stderr);
    // The others are refused, or let in, for what they are.
    let wrong: Vec<&str> = ran.stdout.lines().filter(|line| line.ends_with("(NOT EXPECTED)")).collect();
    assert_eq!(wrong, ["refused   MyOrg2MSP as itself (NOT EXPECTED)"]);
}

#[test]
fn a_federation_s_own_result_and_the_walkthrough_s_end_are_rehearsed_from_its_file() {
    let orchestrator = ORCHESTRATOR.replace(
        "enabled: true # by hand\n",
        "enabled: true\n    mtls: {enabled: true, clientCACerts: {orchestrator: [orchestrator-tls-cacert]}}\n",
    );
    for ca in ["{create: true}", "{cert: ca.crt, key: ca.key}"] {
        let world = World::new();
        federation(&world, ca, "close");
        world.write("orchestrator-values.yaml", &orchestrator);
        world.write("backend-values.yaml", &mutual(BACKEND));
        world.write("two.yaml", &mutual(&world.read("two.yaml")));
        let ran = world.run("rehearse federation.yaml").ok();
        let (before, rest) = first_line(&ran);
        let is_made = if ca == "{create: true}" { "; the CA that the federation file has made is there." } else { "." };
        let by = |whom: &str| format!("the pairs of MyOrg1MSP, MyOrg2MSP were made by {whom}{is_made}");
        let walkthrough = by("Substra's walkthrough (X.509 version 1, no authorityKeyId)");
        assert!(before.ends_with(&walkthrough), "{before}");
        assert_eq!(rest.matches("  connected: MyOrg1MSP accepted; MyOrg2MSP accepted\n").count(), 2, "{rest}");
        assert!(!ran.stdout.contains("NOT EXPECTED"), "{}", ran.stdout);
        // What that leaves in the files.
        let own = "    mtls: {enabled: true, clientCACerts: {orchestrator: [orchestrator-tls-cacert], MyOrg1MSP: [orchestrator-tls-cacert], MyOrg2MSP: [orchestrator-tls-cacert]}}\n    cacert: orchestrator-tls-cacert\n    secrets: {pair: orchestrator-tls-server-pair}\n  verifyClientMSPID: true\n";
        let text = ORCHESTRATOR.replace("enabled: true # by hand\n", &format!("enabled: true\n{own}"));
        world.write("orchestrator-values.yaml", &text);
        let ran = world.run("rehearse federation.yaml").ok();
        assert!(!ran.stderr.contains("  done "), "{}", ran.stderr);
        assert!(first_line(&ran).0.ends_with(&by("this tool")), "{}", ran.stderr);
    }
}

#[test]
fn a_gate_that_is_left_and_is_closed_already_has_its_verdicts() {
    let world = World::new();
    federation(&world, "{cert: ca.crt, key: ca.key}", "leave");
    let closed = "enabled: true\n    mtls: {enabled: true, clientCACerts: {MyOrg1MSP: [orchestrator-tls-cacert], MyOrg2MSP: [orchestrator-tls-cacert]}}\n  verifyClientMSPID: true\n";
    world.write("orchestrator-values.yaml", &ORCHESTRATOR.replace("enabled: true # by hand\n", closed));
    world.write("backend-values.yaml", &mutual(BACKEND));
    world.write("two.yaml", &mutual(&world.read("two.yaml")));
    let ran = world.run("rehearse federation.yaml").ok();
    assert!(ran.stdout.contains("refused   MyOrg1MSP without a certificate (expected)\n"), "{}", ran.stdout);
}

#[test]
fn a_federation_in_plain_text_is_rehearsed_from_there() {
    let world = World::new();
    federation(&world, "{create: true}", "close");
    let plain = |text: &str| text.replace("enabled: true", "enabled: false");
    for file in ["orchestrator-values.yaml", "backend-values.yaml", "two.yaml"] {
        world.write(file, &plain(&world.read(file)));
    }
    let ran = world.run("rehearse federation.yaml").ok();
    let (before, rest) = first_line(&ran);
    assert_eq!(before, "Before: TLS is off at the orchestrator. Everybody who reaches it is accepted, in plain text.");
    assert!(
        rest.starts_with("  connected: MyOrg1MSP accepted, in plain text; MyOrg2MSP accepted, in plain text\n"),
        "{rest}"
    );
}

#[test]
fn an_orchestrator_that_does_not_start_is_said_with_its_reason_and_mended_on_the_way() {
    let world = World::new();
    two(&world);
    let none = ORCHESTRATOR.replace("enabled: true # by hand\n", "enabled: true\n    mtls: {enabled: true}\n");
    world.write("orchestrator-values.yaml", &none);
    let ran = world.run(OWN).ok();
    let (before, rest) = first_line(&ran);
    assert_eq!(
        before,
        "Before: the orchestrator does not start with these values (CrashLoopBackOff: open /var/orchestrator/tls/client: no such file or directory)."
    );
    assert!(rest.starts_with("  connected: MyOrg1MSP no answer: connection refused"), "{rest}");
}

#[test]
fn what_a_rehearsal_cannot_play_is_refused_by_the_file_s_name() {
    let without = |line: &str| {
        BACKEND.lines().filter(|l| !l.trim_start().starts_with(line)).map(|l| format!("{l}\n")).collect::<String>()
    };
    for (lacks, code, next) in [
        ("cacert", "no-cacert", "next: rehearse with a copy of the file that names one"),
        ("host: ", "no-answer", "next: look at orchestrator.host and orchestrator.tls in backend-values.yaml"),
    ] {
        let world = World::new();
        two(&world);
        world.write("backend-values.yaml", &without(lacks));
        let ran = world.run(OWN).refused(3, code);
        assert!(ran.stderr.contains(next), "{}", ran.stderr);
    }
    let world = World::new();
    federation(&world, "{cert: ca.crt, key: ca.key}", "close");
    world.write("backend-values.yaml", &without("cacert"));
    let ran = world.run("rehearse federation.yaml").refused(3, "no-cacert");
    assert!(ran.stderr.starts_with("error: backend-values.yaml: the values name no CA"), "{}", ran.stderr);
}

#[test]
fn commands_are_printed_as_a_shell_reads_them() {
    let world = World::new();
    two(&world);
    world.write("my values.yaml", BACKEND);
    let words: Vec<&str> =
        OWN.split(' ').map(|word| if word == "backend-values.yaml" { "my values.yaml" } else { word }).collect();
    let ran = world.run_words(&words).ok();
    assert!(ran.stderr.contains("$ helm substra-mtls enroll -f 'my values.yaml' "), "{}", ran.stderr);
}

#[test]
fn a_gate_that_is_left_half_way_is_said_as_it_is() {
    let world = World::new();
    federation(&world, "{cert: ca.crt, key: ca.key}", "leave");
    let half = "enabled: true\n    mtls: {enabled: true, clientCACerts: {orchestrator: [orchestrator-tls-cacert]}}\n";
    world.write("orchestrator-values.yaml", &ORCHESTRATOR.replace("enabled: true # by hand\n", half));
    world.write("backend-values.yaml", &mutual(BACKEND));
    let ran = world.run("rehearse federation.yaml").ok();
    let said = "The file leaves the gate as it is: without the identity check any organization can act as any other.\n";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}
