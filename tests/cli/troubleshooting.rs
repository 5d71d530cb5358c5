//! `docs/troubleshooting.md` names checks that are there, in their own words, and commands that can be read.

use std::{collections::BTreeMap, process::Command};

use clap::Parser;
use serde_json::Value;
use substra_mtls::cli::Cli;

use super::world::World;

const PAGE: &str = include_str!("../../docs/troubleshooting.md");

/// `what` and `helps` of each check, as `check --explain` says them.
fn explained() -> BTreeMap<String, (String, String)> {
    let world = World::new();
    let all = world.run("check --explain nonsense").refused(2, "no-such-check").stderr;
    let listed =
        all.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| line.starts_with(char::is_alphabetic));
    let ids = listed.filter_map(|line| line.split("  ").next()).map(str::trim).filter(|id| !id.contains(':'));
    let one = |id: &str| {
        let answer: Value =
            serde_json::from_str(&world.run(&format!("check --explain {id} -o json")).ok().stdout).unwrap();
        let text = |key: &str| answer["result"][key].as_str().unwrap().to_owned();
        (id.to_owned(), (text("what"), text("helps")))
    };
    ids.map(one).collect()
}

#[test]
fn every_check_is_named_and_says_what_explain_says() {
    let all = explained();
    assert!(all.len() > 50, "{all:?}");
    for (id, (what, helps)) in &all {
        let in_an_entry = PAGE.contains(&format!("\n- `{id}`: {helps}\n"));
        let in_the_table = PAGE.contains(&format!("\n| `{id}` | {what} | {helps} |\n"));
        assert!(in_an_entry != in_the_table, "{id}: {what} / {helps}");
    }
    let named = PAGE.lines().filter_map(|line| line.strip_prefix("- `").or_else(|| line.strip_prefix("| `")));
    for id in named.map(|line| line.split('`').next().unwrap()) {
        assert!(all.contains_key(id), "there is no check {id}");
    }
}

#[test]
fn every_entry_has_a_text_a_check_and_a_command_that_can_be_read() {
    let entries: Vec<&str> = PAGE.split("\n## ").skip(1).filter(|entry| !entry.starts_with("Other checks")).collect();
    assert!(entries.len() > 12);
    for entry in entries {
        assert!(entry.starts_with('`') && entry.contains("\n- `"), "{entry}");
        let command = entry.split_once("```sh\n").unwrap().1.lines().next().unwrap();
        let words = command.strip_prefix("helm ").unwrap().split(' ');
        assert!(Cli::try_parse_from(words).is_ok(), "{command}");
    }
}

/// What helm and kubectl say, by which the product tells failures apart.
#[test]
fn every_text_of_helm_that_is_told_apart_is_found_in_a_heading() {
    let world = World::new();
    std::fs::create_dir(world.path("bin")).unwrap();
    for (text, code) in [
        ("another operation (install/upgrade/rollback) is in progress", "pending"),
        ("secrets is forbidden", "forbidden"),
        ("release: not found", "no-release"),
    ] {
        for name in ["bin/helm", "bin/kubectl"] {
            world.write(name, &format!("#!/bin/sh\necho 'Error: {text}' >&2\nexit 1\n"));
            world.chmod(name, 0o755);
        }
        let line = "gate open -f orchestrator-values.yaml --release orchestrator -o json";
        let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
        command.args(line.split(' ')).current_dir(world.path("")).env("PATH", world.path("bin"));
        let answer: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        assert_eq!(answer["error"]["code"], code, "{answer:#}");
        let headings = PAGE.lines().filter(|line| line.starts_with("## "));
        let quoted: Vec<&str> = headings.flat_map(|line| line.split('`').skip(1).step_by(2)).collect();
        assert!(quoted.iter().any(|heading| text.contains(heading)), "{text}");
    }
}
