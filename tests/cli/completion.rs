//! Completion without Helm and without a cluster: the answers, a real bash, and no hanging.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{completion_bash::tab, world::World};

/// What is answered: the values of the candidates, and the directive.
fn answers(world: &World, words: &[&str], path: &str) -> (Vec<String>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    command.arg("__complete").args(words).current_dir(world.path("")).env_clear().env("PATH", path);
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: no talk beside the candidates");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<String> = text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
    let directive = lines.pop().unwrap();
    (lines, directive)
}

fn offered(world: &World, words: &[&str]) -> Vec<String> {
    answers(world, words, "/nonexistent").0
}

fn world() -> World {
    let world = World::new();
    for name in ["MyOrg1MSP.csr", "MyOrg1MSP.crt", "notes.txt", "MyOrg1MSP.key"] {
        world.write(name, "");
    }
    fs::create_dir(world.path("mail")).unwrap();
    world
}

#[test]
fn files_are_offered_by_their_kind_with_the_folders_on_the_way() {
    let world = world();
    assert_eq!(offered(&world, &["approve", ""]), ["MyOrg1MSP.csr", "mail/"]);
    assert_eq!(offered(&world, &["enroll", "--certificate", "My"]), ["MyOrg1MSP.crt"]);
    assert_eq!(offered(&world, &["enroll", "-f", ""]), ["backend-values.yaml", "orchestrator-values.yaml", "mail/"]);
    assert_eq!(offered(&world, &["enroll", "--values=b"]), ["--values=backend-values.yaml"]);
    assert_eq!(offered(&world, &["ca", "trust", ""]), ["MyOrg1MSP.crt", "ca.crt", "mail/"]);
    assert_eq!(offered(&world, &["bootstrap", "o"]), ["orchestrator-values.yaml"]);
    assert_eq!(offered(&world, &["role", ""]), ["backend", "orchestrator"]);
    assert_eq!(answers(&world, &["approve", "ma"], "").1, ":6", "no blank after a folder");
    assert_eq!(answers(&world, &["approve", "My"], "").1, ":4");
}

#[test]
fn organizations_come_from_the_values_files_of_the_line() {
    let world = world();
    let line = ["gate", "close", "-f", "orchestrator-values.yaml", "--installed"];
    assert_eq!(offered(&world, &[&line[..], &[""]].concat()), ["MyOrg1MSP", "MyOrg2MSP"]);
    let more = [&line[..], &["MyOrg1MSP", "--cut-off", ""]].concat();
    assert_eq!(offered(&world, &more), ["MyOrg2MSP"], "one that is accounted for is not asked for again");
    let claim = ["approve", "x.csr", "-forchestrator-values.yaml", "--fingerprint", ""];
    assert_eq!(answers(&world, &claim, ""), (vec!["MyOrg1MSP=".into(), "MyOrg2MSP=".into()], ":6".into()));
    assert_eq!(offered(&world, &["ca", "trust", "c.crt", "-f", "backend-values.yaml", "--for", ""]), ["MyOrg1MSP"]);
    assert_eq!(offered(&world, &["gate", "close", "-f", "missing.yaml", "--installed", ""]), [""; 0]);
}

#[test]
fn checks_are_offered_with_what_they_look_at() {
    let checks = offered(&world(), &["check", "--explain", "pa"]);
    assert!(checks.contains(&"passthrough".to_owned()) && checks.iter().all(|id| id.starts_with("pa")), "{checks:?}");
}

/// A folder with a `helm` and a `kubectl` of our own.
fn tools(world: &World, kubectl: &str) -> String {
    fs::create_dir(world.path("bin")).unwrap();
    for (name, script) in [("helm", "exit 1"), ("kubectl", kubectl)] {
        world.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(world.path(&format!("bin/{name}")), fs::Permissions::from_mode(0o755)).unwrap();
    }
    format!("{}:/usr/bin:/bin", world.path("bin").display())
}

#[test]
fn a_cluster_that_does_not_answer_gives_nothing_within_a_second() {
    for kubectl in ["exec sleep 30", "trap '' INT TERM; sleep 30 & wait; sleep 30"] {
        let world = world();
        let path = tools(&world, kubectl);
        let start = Instant::now();
        assert_eq!(answers(&world, &["enroll", "-n", "x", "--release", ""], &path), (vec![], ":4".into()));
        assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
    }
}

#[test]
fn a_release_is_asked_for_by_its_label_and_no_secret_is_read() {
    let world = world();
    let path = tools(
        &world,
        "printf '%s\\n' \"$*\" >>calls; echo 'sh.helm.release.v1.b.v1  helm.sh/release.v1  1  3d  backend'",
    );
    let words = ["enroll", "--namespace=org-1", "--kube-context", "there", "--release", ""];
    assert_eq!(answers(&world, &words, &path).0, ["backend"]);
    let calls = world.read("calls");
    for word in ["--context=there", "--namespace=org-1", "get secrets --selector=owner=helm,", "--label-columns=name"] {
        assert!(calls.contains(word), "{word}: {calls}");
    }
    assert!(!calls.contains("-o ") && !calls.contains("--output"), "a table has no content of Secrets: {calls}");
}

/// The candidates of a real bash for a line, the cursor at its end.
fn bash(world: &World, line: &str) -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_substra-mtls")).parent().unwrap();
    // Readline parts a line in words at blanks and at = and :, and the function is called as it would be.
    let script = r#"
        eval "$(substra-mtls completion bash)"
        COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=() COMP_CWORD=0
        rest=$1
        while [[ $rest =~ ^([[:space:]]*)([=:]+|[^[:space:]=:]+)(.*)$ ]]; do
            COMP_WORDS+=("${BASH_REMATCH[2]}"); rest=${BASH_REMATCH[3]}
        done
        [[ $1 != *[[:space:]] ]] || COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        complete -p substra-mtls >/dev/null || exit 1
        _substra_mtls substra-mtls "${COMP_WORDS[COMP_CWORD]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", script, "bash", line]).current_dir(world.path("")).env_clear();
    let output = bash.env("PATH", format!("{}:/usr/bin:/bin", folder.display())).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_words_that_it_parts_itself() {
    let world = world();
    assert_eq!(bash(&world, "substra-mtls enr"), ["enroll"]);
    assert_eq!(bash(&world, "substra-mtls gate "), ["close", "open"]);
    assert_eq!(bash(&world, "substra-mtls enroll --values=b"), ["backend-values.yaml"]);
    assert_eq!(bash(&world, "substra-mtls enroll --certificate="), ["MyOrg1MSP.crt", "ca.crt", "mail/"]);
    assert_eq!(bash(&world, "substra-mtls approve -f orchestrator-values.yaml --fingerprint MyOrg1"), ["MyOrg1MSP="]);
    assert_eq!(bash(&world, "substra-mtls enroll --key-type dsa"), [""; 0]);
    world.write("of Org.csr", "");
    assert_eq!(bash(&world, "substra-mtls approve of"), ["of\\ Org.csr"], "a name with a blank stays one word");
}

#[test]
fn a_person_at_bash_presses_tab() {
    let world = world();
    world.write("of Org.csr", "");
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_substra-mtls")).parent().unwrap();
    let path = [("PATH", format!("{}:/usr/bin:/bin", folder.display()))];
    let typed = |line: &str| tab(&world.path(""), &path, "eval \"$(substra-mtls completion bash)\"", line);
    assert_eq!(typed("substra-mtls enr"), "substra-mtls enroll");
    assert_eq!(typed("substra-mtls approve of"), "substra-mtls approve of Org.csr");
    assert_eq!(typed("substra-mtls enroll --values=b"), "substra-mtls enroll --values=backend-values.yaml");
    let claim = "substra-mtls approve -f orchestrator-values.yaml --fingerprint MyOrg1";
    assert_eq!(typed(claim), format!("{claim}MSP="), "and no blank after it");
}

#[test]
fn every_shell_gets_a_script_that_calls_this_binary() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = World::new().run(&format!("completion {shell}")).ok().stdout;
        assert!(script.contains(env!("CARGO_BIN_EXE_substra-mtls")), "{shell}: {script}");
    }
    let ran = World::new().run("completion tcsh");
    assert_eq!(ran.status, 2, "{}", ran.stderr);
}

#[test]
fn the_other_shells_are_answered_by_their_own_protocol() {
    let world = world();
    let mut fish = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    fish.args(["--", "substra-mtls", "approve", "My"]).current_dir(world.path("")).env_clear();
    let output = fish.env("SUBSTRA_MTLS_COMPLETE", "fish").output().unwrap();
    assert_eq!((output.stdout, output.stderr), (b"MyOrg1MSP.csr\n".to_vec(), Vec::new()));
}
