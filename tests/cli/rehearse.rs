//! `rehearse`: the whole exchange with nothing on PATH.

mod states;

use super::world::World;

#[test]
fn the_built_in_federation_gets_every_verdict_right() {
    let ran = World::new().run("rehearse").ok();
    for lines in [
        "accepted  MyOrg1MSP as itself (expected)\n",
        "refused   MyOrg1MSP under the name of MyOrg2MSP (expected)\n          PERMISSION_DENIED, cannot find MSPID MyOrg2MSP in client TLS certificate Subject Organizations\n",
        "refused   MyOrg1MSP without a certificate (expected)\n          in the handshake: certificate required\n",
        "refused   MyOrg1MSP's certificate posing as the orchestrator (expected)\n          the server is not trusted: unsupported certificate purpose\n",
        "accepted  for comparison: the walkthrough's, with the orchestrator's CN, posing as it (expected)\n",
        "refused   for comparison: the walkthrough's recipe, to the letter (expected)\n          PERMISSION_DENIED, invalid issuer for MSPID MyOrg1MSP\n",
    ] {
        assert!(ran.stdout.contains(lines), "{lines:?} in {}", ran.stdout);
    }
    let is_verdict = |line: &&str| line.starts_with("accepted  ") || line.starts_with("refused   ");
    assert_eq!(ran.stdout.lines().filter(is_verdict).count(), 13);
    assert!(ran.stdout.ends_with("\n\nall 13 verdicts are as expected\n"), "{}", ran.stdout);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 110), "{}", ran.stdout);
    assert!(!ran.stdout.contains("NOT EXPECTED"));
    assert!(!ran.stderr.contains("correct-horse"), "a password is hidden");
}

#[test]
fn the_same_comes_as_json() {
    let ran = World::new().run("rehearse -o json").ok();
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let verdicts = json["result"]["verdicts"].as_array().unwrap();
    assert_eq!(verdicts.len(), 13);
    assert!(verdicts.iter().all(|verdict| verdict["right"] == true));
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_user_s_own_files_are_rehearsed_and_never_written_to() {
    let world = World::new();
    world.write("two.yaml", &super::world::BACKEND.replace("MyOrg1MSP", "MyOrg2MSP").replace("org-1", "org-2"));
    let before = world.snapshot();
    let ran = world
        .run("rehearse --backend backend-values.yaml --backend two.yaml --orchestrator orchestrator-values.yaml")
        .ok();
    assert_eq!(world.snapshot(), before);
    assert!(ran.stdout.contains("MyOrg2MSP as itself"));
}

#[test]
fn a_file_that_the_verbs_would_refuse_is_refused_with_their_words() {
    let world = World::new();
    world.write("backend-values.yaml", &super::world::BACKEND.replace("MyOrg1MSP", "OwkinPeerMSP"));
    let rehearsed = world
        .run("rehearse --backend backend-values.yaml --orchestrator orchestrator-values.yaml")
        .refused(3, "msp-id");
    let real = world.run("enroll -f backend-values.yaml --key-file x.key").refused(3, "msp-id");
    // Here several files are read: the one that is meant is named.
    let named = real.stderr.replacen("error: ", "error: backend-values.yaml: ", 1);
    assert_eq!(rehearsed.stderr, named.replace("nothing was written", "your files were only read"));
}

#[test]
fn a_stranger_is_refused_as_approve_would() {
    let world = World::new();
    world.write("backend-values.yaml", &super::world::BACKEND.replace("MyOrg1MSP", "StrangerMSP"));
    let ran = world
        .run("rehearse --backend backend-values.yaml --orchestrator orchestrator-values.yaml")
        .refused(5, "request-not-a-member");
    // The folder of the rehearsal is nobody's business.
    assert!(ran.stderr.contains("\nerror: StrangerMSP.csr: StrangerMSP is not a member"), "{}", ran.stderr);
    assert!(ran.stderr.contains("unchanged: your files were only read"), "{}", ran.stderr);
}

/// Two organizations on clusters of their own, with namespaces of one name.
pub(crate) fn federation(world: &World, ca: &str, gate: &str) {
    world.write("two.yaml", &super::world::BACKEND.replace("MyOrg1MSP", "MyOrg2MSP").replace("org-1", "org-2"));
    world.write(
        "federation.yaml",
        &format!(
            "apiVersion: substra-mtls/v1\nkind: Federation\norchestrator:\n  context: orc\n  namespace: substra\n  release: orchestrator\n  values: [orchestrator-values.yaml]\n  ca: {ca}\n  gate: {gate}\norganizations:\n  MyOrg1MSP:\n    context: one\n    namespace: substra\n    release: backend\n    values: [backend-values.yaml]\n  MyOrg2MSP:\n    context: two\n    namespace: substra\n    release: backend\n    chart: ./charts/substra-backend\n    values: [two.yaml]\n"
        ),
    );
}

#[test]
fn a_federation_file_is_rehearsed_on_copies_and_the_second_run_finds_nothing_to_do() {
    for ca in ["{cert: ca.crt, key: ca.key}", "{create: true}", "{secret: ca}"] {
        let world = World::new();
        federation(&world, ca, "close");
        let before = world.snapshot();
        let ran = world.run("rehearse federation.yaml").ok();
        assert_eq!(world.snapshot(), before, "{ca}");
        assert!(ran.stdout.lines().any(|line| line == "accepted  MyOrg2MSP as itself (expected)"));
        assert!(!ran.stdout.contains("NOT EXPECTED"), "{}", ran.stdout);
        let (first, second) = ran
            .stderr
            .split_once("$ helm substra-mtls bootstrap federation.yaml")
            .unwrap()
            .1
            .split_once("$ helm")
            .unwrap();
        assert!(first.contains("  done     MyOrg2MSP: helm upgrade backend"), "{first}");
        assert!(!second.contains("  done "), "{second}");
    }
}

#[test]
fn a_gate_that_the_file_leaves_open_is_said() {
    let world = World::new();
    federation(&world, "{create: true}", "leave");
    let ran = world.run("rehearse federation.yaml").ok();
    assert!(ran.stderr.contains("The file leaves the gate as it is"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("Verdicts"), "{}", ran.stderr);
    assert!(
        ran.stderr.ends_with("next: on the real clusters: helm substra-mtls bootstrap federation.yaml\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_federation_that_bootstrap_would_not_finish_is_refused_in_its_words() {
    let world = World::new();
    federation(&world, "{create: true}", "close");
    world.write(
        "two.yaml",
        "orchestrator: {mspID: MyOrg9MSP, tls: {enabled: true}}\nserver: {ingress: {hostname: a.example.org}}\n",
    );
    let ran = world.run("rehearse federation.yaml").refused(3, "organization-other");
    assert!(ran.stderr.contains("unchanged: your files were only read"), "{}", ran.stderr);
    world.write("federation.yaml", "apiVersion: substra-mtls/v1\nkind: Federation\norchestratr: 1\n");
    let ran = world.run("rehearse federation.yaml").refused(5, "federation-key");
    assert!(ran.stderr.contains("federation.yaml:3:1"), "{}", ran.stderr);
}

#[test]
fn the_name_of_the_orchestrator_s_release_changes_no_verdict() {
    let world = World::new();
    federation(&world, "{cert: ca.crt, key: ca.key}", "close");
    let usual = world.run("rehearse federation.yaml").ok();
    let file = world.read("federation.yaml").replace("release: orchestrator", "release: hub");
    world.write("federation.yaml", &file);
    let renamed = world.run("rehearse federation.yaml").ok();
    assert_eq!(renamed.stdout, usual.stdout);
    assert!(renamed.stdout.contains("in the handshake: certificate required"), "{}", renamed.stdout);
    assert!(renamed.stderr.contains("helm upgrade hub"), "{}", renamed.stderr);
}
