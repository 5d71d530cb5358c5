//! Colours, and where there are none.

use std::process::Command;

use super::world::World;

const ESCAPE: char = '\u{1b}';

/// Runs without a terminal, with variables; gives stdout, stderr and the status.
fn run(world: &World, line: &str, variables: &[(&str, &str)]) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    command.args(line.split_whitespace()).current_dir(world.path("")).env_clear().env("PATH", "/nonexistent");
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
}

/// The same at a terminal.
fn at_terminal(world: &World, line: &str, variables: &[(&str, &str)]) -> String {
    let command = format!("{} {line}", env!("CARGO_BIN_EXE_substra-mtls"));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &command, "/dev/null"]).current_dir(world.path(""));
    script.env_clear().env("PATH", "/usr/bin:/bin").env("TERM", "xterm").envs(variables.iter().copied());
    String::from_utf8(script.stdin(std::process::Stdio::null()).output().unwrap().stdout).unwrap()
}

/// Fails, in three lines.
const FAILS: &str = "enroll -f missing.yaml --key-file MyOrg1MSP.key";

#[test]
fn pipes_and_files_get_none_unless_they_are_asked_for() {
    let world = World::new();
    for (options, variables, coloured) in [
        ("", &[][..], false),
        ("--color always", &[], true),
        ("--colour=always", &[("NO_COLOR", "1")], true),
        ("--color auto", &[], false),
        ("", &[("CLICOLOR_FORCE", "1")], true),
        ("", &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        ("--color never", &[("CLICOLOR_FORCE", "1")], false),
        ("", &[("HELM_COLOR", "always")], true),
        ("--color never", &[("HELM_COLOR", "always")], false),
    ] {
        let (_, stderr, status) = run(&world, &format!("{FAILS} {options}"), variables);
        assert_eq!(stderr.contains(ESCAPE), coloured, "{options} {variables:?}: {stderr:?}");
        assert_ne!(status, 0);
        let (help, _, _) = run(&world, &format!("{options} enroll --help"), variables);
        assert_eq!(help.contains(ESCAPE), coloured, "{options} {variables:?}: help follows");
        let (_, usage, _) = run(&world, &format!("{options} enroll"), variables);
        assert_eq!(usage.contains(ESCAPE), coloured, "{options} {variables:?}: usage errors follow");
    }
}

#[test]
fn a_terminal_gets_them_unless_it_has_none_or_nobody_wants_them() {
    let world = World::new();
    for (options, variables, coloured) in [
        ("", &[][..], true),
        ("", &[("NO_COLOR", "1")], false),
        ("", &[("TERM", "dumb")], false),
        ("--color never", &[], false),
        ("--color always", &[("TERM", "dumb")], true),
    ] {
        for line in [FAILS, "enroll -h"] {
            let screen = at_terminal(&world, &format!("{line} {options}"), variables);
            assert_eq!(screen.contains(ESCAPE), coloured, "{line} {options} {variables:?}: {screen:?}");
        }
    }
}

#[test]
fn colours_change_no_word_and_no_document() {
    let world = World::new();
    let (plain, talk, _) = run(&world, "rehearse", &[]);
    let (coloured, coloured_talk, _) = run(&world, "rehearse --color always", &[]);
    assert_eq!((stripped(&coloured), stripped(&coloured_talk)), (stripped(&plain), stripped(&talk)));
    for line in [FAILS, "check -f backend-values.yaml"] {
        let (json, _, _) = run(&world, &format!("{line} -o json --color always"), &[]);
        assert!(!json.contains(ESCAPE) && serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
    }
    let (gauges, _, _) = run(&world, "check -f backend-values.yaml -o prometheus --color always", &[]);
    assert!(!gauges.contains(ESCAPE) && gauges.contains("substra_mtls_checked_at_seconds "), "{gauges}");
    let (table, _, _) = run(&world, "check -f backend-values.yaml --color always", &[]);
    assert!(table.contains(ESCAPE), "{table}");
}

#[test]
fn a_rehearsal_tells_accepted_from_refused_and_shows_its_differences_in_colour() {
    let world = World::new();
    let (out, talk, _) = run(&world, "rehearse --color always", &[]);
    for shown in [
        "\u{1b}[32maccepted\u{1b}[0m  MyOrg1MSP as itself \u{1b}[2m(expected)\u{1b}[0m\n",
        "\u{1b}[33mrefused\u{1b}[0m   MyOrg1MSP without a certificate \u{1b}[2m(expected)\u{1b}[0m\n",
        "\u{1b}[32mall 13 verdicts are as expected\u{1b}[0m\n",
    ] {
        assert!(out.contains(shown), "{shown:?} in {out}");
    }
    for shown in [
        "\n\u{1b}[1m$ helm substra-mtls enroll -f ",
        "\n           \u{1b}[36m@@ -",
        "\n           \u{1b}[32m+    mtls:\u{1b}[0m\n",
        "\n           \u{1b}[31m-            enabled: false\u{1b}[0m\n",
        "  connected: MyOrg1MSP \u{1b}[32maccepted\u{1b}[0m; ",
        "\n  \u{1b}[32mdone\u{1b}[0m     ",
    ] {
        assert!(talk.contains(shown), "{shown:?} in {talk}");
    }
}

/// Without colours, and without what is another in each run.
fn stripped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(ESCAPE) {
        out.push_str(&rest[..at]);
        rest = &rest[at + rest[at..].find('m').unwrap() + 1..];
    }
    let all = out + rest;
    all.split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| word.len() > 2 && !word.contains(|c: char| c.is_ascii_digit()))
        .filter(|word| word.chars().any(|c| !('a'..='f').contains(&c) && !('A'..='F').contains(&c)))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_word_that_is_no_answer_is_a_usage_error() {
    let (_, stderr, status) = run(&World::new(), "check --color rainbow -f x", &[]);
    assert!(status == 2 && stderr.contains("auto") && stderr.contains("never"), "{stderr}");
}

#[test]
fn what_we_say_needs_no_other_letters_than_ascii() {
    // A locale without UTF-8 then shows all of it; what people wrote is shown as they wrote it.
    let world = World::new();
    for line in ["--help", "rehearse", FAILS, "check -f backend-values.yaml"] {
        let (stdout, stderr, _) = run(&world, line, &[("LC_ALL", "C")]);
        assert!(stdout.is_ascii() && stderr.is_ascii(), "{line}");
    }
}
