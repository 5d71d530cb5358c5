//! Questions at a real terminal (a pseudo-terminal of `script`, from util-linux).

use std::{
    io::Write,
    process::{Command, Stdio},
};

use super::world::World;

/// Runs at a terminal, types the answers, and gives what the screen showed and the exit status.
fn at_terminal(world: &World, line: &str, answers: &str) -> (String, i32) {
    let command = format!("{} {line}", env!("CARGO_BIN_EXE_substra-mtls"));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--echo", "never", "--command", &command, "/dev/null"]);
    script.current_dir(world.path("")).env("TERM", "dumb").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = script.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for answer in answers.lines() {
        // A person types after the question is there; early input is kept by the terminal all the same.
        std::thread::sleep(std::time::Duration::from_millis(400));
        // The verb may have ended at an earlier answer.
        drop(writeln!(input, "{answer}"));
    }
    // A verb that still waits then finds the terminal closed, and the test fails instead of hanging.
    std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_secs(20));
        drop(input);
    });
    let output = child.wait_with_output().unwrap();
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code().unwrap())
}

const APPROVE: &str = "approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline";

#[test]
fn the_operator_types_the_groups_and_says_yes() {
    let world = World::new();
    world.request();
    let groups = world.run("enroll -f backend-values.yaml --key-file MyOrg1MSP.key").ok().fact("to read out");
    let (screen, status) = at_terminal(&world, APPROVE, &format!("{groups}\ny"));
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("Fingerprint that MyOrg1MSP's operator read out to you (8 groups):"), "{screen}");
    assert!(screen.contains("Continue: sign for MyOrg1MSP and admit it in the values file? [y/N]"), "{screen}");
    assert!(world.path("MyOrg1MSP.crt").exists());
}

#[test]
fn a_mistyped_fingerprint_or_a_no_signs_nothing() {
    let world = World::new();
    world.request();
    let before = world.snapshot();
    let groups = world.run("enroll -f backend-values.yaml --key-file MyOrg1MSP.key").ok().fact("to read out");
    let (screen, status) = at_terminal(&world, APPROVE, &format!("{}\ny", groups.replace(['0', '1', '2', '3'], "4")));
    assert!(status == 5 && screen.contains("[request-fingerprint]"), "{status} {screen}");
    let (screen, status) = at_terminal(&world, APPROVE, "not a fingerprint");
    assert!(status == 5 && screen.contains("[fingerprint]"), "{status} {screen}");
    let (screen, status) = at_terminal(&world, APPROVE, &format!("{groups}\nn"));
    assert!(status == 5 && screen.contains("[declined]"), "{status} {screen}");
    assert_eq!(world.snapshot(), before);
}

#[test]
fn an_encrypted_ca_key_is_opened_by_its_passphrase_alone() {
    let world = World::new();
    world.request();
    let encrypt = "openssl pkcs8 -topk8 -in ca.key -out enc.key -passout pass:secret && chmod 600 enc.key";
    assert!(Command::new("sh").args(["-c", encrypt]).current_dir(world.path("")).status().unwrap().success());
    let line = APPROVE.replace("ca.key", "enc.key") + " --unverified-mail --yes";
    let (screen, status) = at_terminal(&world, &line, "wrong");
    assert!(status == 5 && screen.contains("[ca-key]") && !screen.contains("wrong\r"), "{status} {screen}");
    let (screen, status) = at_terminal(&world, &line, "secret");
    assert_eq!(status, 0, "{screen}");
    world.run(&line).refused(2, "no-terminal");
    let with_fd = format!("{} {line} --passphrase-fd 3 3<<E\nsecret\nE", env!("CARGO_BIN_EXE_substra-mtls"));
    let ran = Command::new("sh").args(["-c", &with_fd]).current_dir(world.path("")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}
