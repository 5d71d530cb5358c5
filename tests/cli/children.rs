//! Children that misbehave: one that says without end, one that hangs, and signals meanwhile.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::world::World;

/// Puts scripts in the places of `helm` and `kubectl`; gives the PATH on which they are found.
pub(crate) fn tools(world: &World, helm: &str, kubectl: &str) -> String {
    fs::create_dir_all(world.path("bin")).unwrap();
    for (name, script) in [("helm", helm), ("kubectl", kubectl)] {
        world.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(world.path(&format!("bin/{name}")), fs::Permissions::from_mode(0o755)).unwrap();
    }
    format!("{}:/usr/bin:/bin", world.path("bin").display())
}

fn tool(world: &World, path: &str, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    command.args(line.split_whitespace()).current_dir(world.path("")).env_clear().env("PATH", path);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

const LINES: [&str; 3] = [
    "enroll -f backend-values.yaml --release backend -n org-1",
    "check -f backend-values.yaml --release backend -n org-1",
    "ca show -f backend-values.yaml --release backend -n org-1",
];

#[test]
fn a_signal_ends_a_reading_child_within_a_second() {
    let world = World::new();
    let path = tools(&world, "touch hangs; exec sleep 60", "touch hangs; trap '' INT TERM; sleep 60 & wait; sleep 60");
    for line in LINES {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            drop(fs::remove_file(world.path("hangs")));
            let child = tool(&world, &path, line).spawn().unwrap();
            let start = Instant::now();
            while !world.path("hangs").exists() && start.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let asked = Instant::now();
            kill_process(Pid::from_child(&child), signal).unwrap();
            let output = child.wait_with_output().unwrap();
            let (said, took) = (String::from_utf8(output.stderr).unwrap(), asked.elapsed());
            assert_eq!(output.status.code(), Some(130), "{line} {signal:?}: {said}");
            assert!(said.contains("[interrupted]") && said.contains("\n  unchanged: nothing was written"), "{said}");
            assert!(took < Duration::from_secs(1), "{line} {signal:?}: {took:?}");
        }
    }
}

#[test]
fn a_child_that_says_300_megabytes_is_ended_and_does_not_fill_the_memory() {
    let world = World::new();
    for end in ["", " >&2"] {
        let flood = format!("exec head -c 300000000 /dev/zero{end}");
        let path = tools(&world, &flood, &flood);
        let this = env!("CARGO_BIN_EXE_substra-mtls");
        // Whoever asks for more than these 300 MB of addresses is ended by the system.
        let script = format!("ulimit -v 300000 && exec {this} {}", LINES[0]);
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(world.path("")).env_clear().env("PATH", &path);
        let output = shell.env("MALLOC_ARENA_MAX", "1").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(6), "{said}");
        assert!(said.contains("[child-output]") && said.len() < 2000, "{} {said}", said.len());
    }
}

#[test]
fn a_long_line_of_a_child_is_cut() {
    let world = World::new();
    let helm = "{ echo begins; head -c 1000000 /dev/zero | tr '\\0' -; echo; echo ends; } >&2; exit 1";
    let path = tools(&world, helm, "exit 1");
    let output = tool(&world, &path, LINES[0]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("begins / ---") && said.contains("--- / ends") && said.len() < 3000, "{}", said.len());
}

#[test]
fn the_tests_may_shorten_a_childs_time() {
    let world = World::new();
    let path = tools(&world, "exec sleep 60", "exec sleep 60");
    let start = Instant::now();
    let output = tool(&world, &path, LINES[0]).env("SUBSTRA_MTLS_CHILD_LIMIT", "1s").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(124), "{said}");
    assert!(said.contains("no answer within 1 s from: ") && said.contains("[time-limit]"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

/// A sealed file, so that sops is wanted.
const ENCRYPTED: &str = "orchestrator:\n    mspID: ENC[x]\nsops:\n    mac: ENC[y]\n";

#[test]
fn no_program_of_the_working_directory_is_run() {
    let world = World::new();
    let good = tools(&world, ": >good; exit 1", ": >good; exit 1");
    world.write("sealed.yaml", ENCRYPTED);
    for name in ["helm", "kubectl", "sops"] {
        world.write(name, "#!/bin/sh\n: >evil\nexit 1\n");
        world.chmod(name, 0o755);
    }
    let lines = [LINES[0], LINES[2], "enroll -f sealed.yaml --key-file k.key"];
    for path in ["", ".", "./", "..:.", ":/nonexistent", "/nonexistent:", "/nonexistent::/none", "bin/.."] {
        for line in lines {
            let output = tool(&world, path, line).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(6), "{path:?} {line}: {said}");
            assert!(
                said.contains("[tool-missing]") && said.contains("directory is not run"),
                "{path:?} {line}: {said}"
            );
        }
        assert_eq!(tool(&world, path, LINES[1]).output().unwrap().status.code(), Some(3), "{path:?}");
        assert!(!world.path("evil").exists(), "{path:?}");
    }
    for path in [format!(".:{good}"), format!(":{good}"), format!("bin:{good}")] {
        tool(&world, &path, LINES[0]).output().unwrap();
        assert!(fs::remove_file(world.path("good")).is_ok() && !world.path("evil").exists(), "{path}");
    }
}
