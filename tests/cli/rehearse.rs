//! `rehearse`: the whole exchange with nothing on PATH.

use super::world::World;

#[test]
fn the_built_in_federation_gets_every_verdict_right() {
    let ran = World::new().run("rehearse").ok();
    let starts = [
        "MyOrg1MSP as itself                                                          accepted",
        "MyOrg1MSP under the name of MyOrg2MSP                                        refused: PERMISSION_DENIED, cannot find MSPID MyOrg2MSP",
        "MyOrg1MSP without a certificate                                              refused in the handshake: certificate required",
        "MyOrg1MSP's certificate posing as the orchestrator                           refused: the server is not trusted: unsupported certificate purpose",
        "for comparison: the walkthrough's recipe, to the letter                      refused: PERMISSION_DENIED, invalid issuer for MSPID MyOrg1MSP",
    ];
    for start in starts {
        assert!(ran.stdout.lines().any(|line| line.starts_with(start)), "{start:?} in {}", ran.stdout);
    }
    assert_eq!(ran.stdout.lines().count(), 13);
    assert!(!ran.stdout.contains("WRONG"));
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
    assert_eq!(rehearsed.stderr, real.stderr);
}

#[test]
fn a_stranger_is_refused_as_approve_would() {
    let world = World::new();
    world.write("backend-values.yaml", &super::world::BACKEND.replace("MyOrg1MSP", "StrangerMSP"));
    world
        .run("rehearse --backend backend-values.yaml --orchestrator orchestrator-values.yaml")
        .refused(5, "request-not-a-member");
}
