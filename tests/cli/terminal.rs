//! Questions at a real terminal (a pseudo-terminal of `script`, from util-linux), and none where there is no terminal.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
};

use super::world::World;

/// Runs the tool at a terminal, types an answer at each question, and gives what the screen showed and the exit status.
fn at_terminal(world: &World, line: &str, answers: &str) -> (String, i32) {
    // The shell of `script` is whatever the machine has, and some of them would die of a signal that the tool hears.
    let command = format!("exec {} {line}", env!("CARGO_BIN_EXE_substra-mtls"));
    typed(world, &command, &[("TERM", "dumb")], answers, "never")
}

/// What somebody reads out by phone is shown before the verb runs.
fn groups_on(screen: &[u8]) -> String {
    let screen = String::from_utf8_lossy(screen).into_owned();
    screen.split_once("by phone: ").unwrap().1.lines().next().unwrap().to_owned()
}

/// As `at_terminal`, any command; `echo` says whether what is typed is seen: `always` or `never`.
pub(crate) fn typed(
    world: &World,
    command: &str,
    environment: &[(&str, &str)],
    answers: &str,
    echo: &str,
) -> (String, i32) {
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--echo", echo, "--command", command, "/dev/null"]);
    // What the machine of the tests says of colours is not what the test says of them.
    for name in ["CI", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        script.env_remove(name);
    }
    script.current_dir(world.path("")).envs(environment.iter().copied());
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take(), child.stdout.take().unwrap());
    let (mut screen, mut answered, mut answers) = (Vec::new(), 0, answers.lines());
    let mut block = [0; 4096];
    loop {
        let read = output.read(&mut block).unwrap();
        if read == 0 {
            break;
        }
        screen.extend_from_slice(&block[..read]);
        // A question ends without a line end.
        if screen.len() > answered && (screen.ends_with(b": ") || screen.ends_with(b"[y/N] ")) {
            answered = screen.len();
            match answers.next() {
                // The verb may have ended at an earlier answer.
                Some(answer) => {
                    let answer = if answer == "GROUPS" { groups_on(&screen) } else { answer.to_owned() };
                    drop(input.as_mut().map(|input| writeln!(input, "{answer}")));
                }
                // One question too many: it finds the terminal closed, and the test fails instead of hanging.
                None => input = None,
            }
        }
    }
    (String::from_utf8_lossy(&screen).into_owned(), child.wait().unwrap().code().unwrap())
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
    assert!(screen.contains("Sign for MyOrg1MSP and admit it in the values file? [y/N]"), "{screen}");
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
    let (screen, status) = at_terminal(&world, APPROVE, &format!("{groups}\nn"));
    assert!(status == 5 && screen.contains("[declined]"), "{status} {screen}");
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_malformed_fingerprint_is_asked_for_again_and_loses_nothing_that_was_typed() {
    let world = World::new();
    world.request();
    let again = "type it again";
    // A third time that is none ends it.
    let before = world.snapshot();
    let (screen, status) = at_terminal(&world, APPROVE, "not a fingerprint\n0\n\ny");
    assert!(status == 5 && screen.contains("[fingerprint]") && screen.matches(again).count() == 2, "{status} {screen}");
    assert_eq!(world.snapshot(), before);
    // Of two requests the first was answered already.
    let first = world.run("enroll -f backend-values.yaml --key-file MyOrg1MSP.key").ok().fact("to read out");
    let other = world.read("backend-values.yaml").replace("MyOrg1MSP", "MyOrg2MSP").replace("org-1", "org-2");
    world.write("other-values.yaml", &other);
    let second = world.run("enroll -f other-values.yaml --key-file MyOrg2MSP.key").ok().fact("to read out");
    let line = APPROVE.replace("MyOrg1MSP.csr", "MyOrg1MSP.csr MyOrg2MSP.csr");
    let (short, _) = second.rsplit_once(' ').unwrap();
    let (screen, status) = at_terminal(&world, &line, &format!("{first}\n{short}\n{second}\ny"));
    assert_eq!(status, 0, "{screen}");
    assert!(
        screen.matches("MyOrg1MSP's operator read out").count() == 1 && screen.matches(again).count() == 1,
        "{screen}"
    );
    assert!(world.path("MyOrg1MSP.crt").exists() && world.path("MyOrg2MSP.crt").exists());
}

#[test]
fn ctrl_c_at_a_question_ends_at_once_and_signs_nothing() {
    let world = World::new();
    world.request();
    let before = world.snapshot();
    // The terminal makes a signal of this character; what follows would answer the question.
    let (screen, status) = at_terminal(&world, APPROVE, "\u{3}");
    assert_eq!(status, 130, "{screen}");
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_signal_at_the_passphrase_is_heard_at_once_and_the_terminal_shows_what_is_typed_again() {
    let world = World::new();
    world.request();
    let encrypt = "openssl pkcs8 -topk8 -in ca.key -out enc.key -passout pass:secret && chmod 600 enc.key";
    assert!(Command::new("sh").args(["-c", encrypt]).current_dir(world.path("")).status().unwrap().success());
    let before = world.snapshot();
    let line = APPROVE.replace("ca.key", "enc.key") + " --unverified-mail --yes";
    // The terminal makes a signal of each of these characters; what follows would be the passphrase.
    for signal in ["\u{3}", "\u{1c}"] {
        let (screen, status) = at_terminal(&world, &line, signal);
        assert!(status == 130 && screen.contains("[interrupted]"), "{signal:?} {status} {screen}");
    }
    let hidden = "n=0; while [ $n -lt 200 ] && stty -a | grep -q ' echo '; do n=$((n+1)); sleep 0.05; done";
    let tool = env!("CARGO_BIN_EXE_substra-mtls");
    let waits =
        format!("exec 3</dev/tty; {tool} {line} <&3 & {hidden}; kill -TERM $!; wait $!; echo status $?; stty -a");
    world.write("waits", &waits);
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--echo", "always", "--command", "sh waits", "/dev/null"]);
    script.current_dir(world.path("")).env("TERM", "dumb").stdin(Stdio::piped()).stdout(Stdio::piped());
    let start = std::time::Instant::now();
    let mut child = script.spawn().unwrap();
    // Nobody types: the terminal stays open.
    let (_open, mut output, mut screen) = (child.stdin.take(), child.stdout.take().unwrap(), String::new());
    output.read_to_string(&mut screen).unwrap();
    child.wait().unwrap();
    assert!(screen.contains("status 130") && screen.contains("[interrupted]"), "{screen}");
    assert!(screen.contains(" echo "), "typed characters are shown again: {screen}");
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{screen}");
    std::fs::remove_file(world.path("waits")).unwrap();
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
    let ran = world.run(&line).refused(2, "no-terminal");
    assert!(ran.stderr.contains("--passphrase-fd 3"), "{}", ran.stderr);
    let with_fd = format!("{} {line} --passphrase-fd 3 3<<E\nsecret\nE", env!("CARGO_BIN_EXE_substra-mtls"));
    let ran = Command::new("sh").args(["-c", &with_fd]).current_dir(world.path("")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}
