//! `-o json` as a contract with scripts: one document on stdout whatever happens, and words that stay.

use std::{collections::BTreeSet, env, fmt::Debug, fs};

use clap::Parser;
use substra_mtls::{cli::Cli, commands::check::Check, failure::Code, plan::StepId, report::Stage};

use super::world::{BACKEND, World};

const IDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemas/ids.txt");
const CODES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemas/codes.md");

#[test]
fn a_run_that_fails_gives_one_document_too() {
    let world = World::new();
    for (line, status, code) in [
        ("enroll -o json", 2, "usage"),
        ("enroll -f backend-values.yaml --key-type dsa -o json", 2, "usage"),
        ("nonsense -o json", 2, "usage"),
        ("approve a.csr -f orchestrator-values.yaml -o json", 2, "usage"),
        ("enroll -f missing.yaml --key-file x.key -o json", 1, "file-unreadable"),
        ("enroll -f backend-values.yaml -o json", 6, "tool-missing"),
        ("check --explain nonsense -o json", 2, "no-such-check"),
        ("rehearse missing.yaml -o json", 1, "file-unreadable"),
        ("bootstrap missing.yaml -o json", 1, "file-unreadable"),
        ("ca show -f orchestrator-values.yaml -o json", 6, "tool-missing"),
    ] {
        // The form is judged where it runs.
        let ran = world.run(line);
        let answer: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((ran.status, answer["error"]["code"].as_str()), (status, Some(code)), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains("error: "), "people see it too: {line}: {}", ran.stderr);
    }
}

#[test]
fn the_verbs_that_need_no_cluster_answer_in_their_form() {
    let world = World::new();
    let answer = |line: &str| -> serde_json::Value { serde_json::from_str(&world.run(line).stdout).unwrap() };
    let requested = answer("enroll -f backend-values.yaml --key-file MyOrg1MSP.key -o json");
    let fingerprint = requested["result"]["fingerprint"].as_str().unwrap();
    let approve =
        "approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline --yes -o json";
    let refused = answer(approve);
    assert_eq!((&refused["error"]["code"], refused.get("verb")), (&"request-fingerprint".into(), None));
    let planned = answer(&format!("{approve} --fingerprint MyOrg1MSP={fingerprint} --dry-run"));
    let approved = answer(&format!("{approve} --fingerprint MyOrg1MSP={fingerprint}"));
    assert_eq!((&planned["stage"], &planned["steps"][0]["state"]), (&"planned".into(), &"planned".into()));
    assert_eq!((&approved["stage"], &approved["steps"][0]["state"]), (&"approved".into(), &"done".into()));
    assert_eq!(approved["result"]["certificates"][0]["fingerprint"], fingerprint);
}

#[test]
fn all_that_was_found_is_in_the_failure() {
    let world = World::new();
    world.write("stranger.yaml", &BACKEND.replace("MyOrg1MSP", "StrangerMSP"));
    world.run("enroll -f stranger.yaml --key-file stranger.key").ok();
    world.write("torn.csr", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n");
    let ran = world.approve("StrangerMSP.csr torn.csr", "--unverified-mail -o json");
    let error = &serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap()["error"];
    let codes = [&error["code"], &error["also"][0]["code"]].map(|code| code.as_str().unwrap_or_default());
    assert!(codes.contains(&"request-not-a-member") && codes.contains(&"request-not-strict-der"), "{error:#}");
}

#[test]
fn the_page_s_commands_can_be_read() {
    let page = include_str!("../../docs/schemas/README.md");
    let commands = page.lines().filter_map(|line| line.strip_prefix("helm "));
    assert_eq!(commands.clone().count(), 3);
    commands.for_each(|line| assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}"));
}

#[test]
fn an_explanation_is_an_answer_too() {
    let answer = World::new().run("check --explain passthrough -o json").ok().stdout;
    assert!(answer.contains(r#""id":"passthrough""#), "{answer}");
}

/// Words that scripts may match are kept in a list, so that one that goes or gets another name is seen. After a change
/// that is meant: `UPDATE_EXPECTED=1 cargo test --test cli every_id`.
#[test]
fn every_id_stands_in_the_list_and_none_is_lost() {
    let found = ids().into_iter().map(|id| id + "\n").collect::<String>();
    if env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(IDS, &found).unwrap();
    }
    let kept = fs::read_to_string(IDS).unwrap_or_default();
    assert_eq!(
        super::world::diff(&kept, &found),
        "",
        "docs/schemas/ids.txt: UPDATE_EXPECTED=1 cargo test --test cli every_id"
    );
}

/// What each code means, for whoever reads a failure; written as the list is.
#[test]
fn every_code_stands_in_the_table_with_its_meaning() {
    let rows: BTreeSet<_> = Code::ALL.iter().map(|code| format!("| `{code}` | {} |\n", code.meaning())).collect();
    let head = "# Codes of failures\n\nThe `error.code` of `-o json`, which ends a failure's first line in brackets.\n\n| code | meaning |\n|---|---|\n";
    let found = head.to_owned() + &rows.into_iter().collect::<String>();
    if env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(CODES, &found).unwrap();
    }
    let kept = fs::read_to_string(CODES).unwrap_or_default();
    assert_eq!(
        super::world::diff(&kept, &found),
        "",
        "docs/schemas/codes.md: UPDATE_EXPECTED=1 cargo test --test cli every_code"
    );
}

/// Those that the sources only compare with or match, at best.
fn not_made<T: Debug>(kind: &str, all: &[T], sources: &str) -> Vec<String> {
    let makes = |before: &str, after: &str| {
        let ends = !after.starts_with(|next: char| next.is_ascii_alphanumeric());
        let (before, after) = (before.trim_end(), after.trim_start());
        let compares = before.ends_with("==") || before.ends_with("!=");
        ends && !compares && !after.starts_with("=>") && !after.starts_with('|')
    };
    let names = all.iter().map(|one| format!("{kind}::{one:?}"));
    let is_made = |name: &String| {
        sources.match_indices(name.as_str()).any(|(at, _)| makes(&sources[..at], &sources[at + name.len()..]))
    };
    names.filter(|name| !is_made(name)).collect()
}

/// A word that nothing makes is a promise that nobody keeps.
#[test]
fn every_id_is_made_somewhere() {
    let sources: String = super::layers::all().into_iter().map(|(_, code)| code + "\n").collect();
    let found = [
        not_made("Code", Code::ALL, &sources),
        not_made("Check", Check::ALL, &sources),
        not_made("StepId", StepId::ALL, &sources),
        not_made("Stage", Stage::ALL, &sources),
    ];
    assert_eq!(found.concat(), [""; 0]);
}

/// `check ID`, `code ID` and `step ID`.
fn ids() -> BTreeSet<String> {
    let checks = Check::ALL.iter().map(|id| format!("check {id}"));
    let codes = Code::ALL.iter().map(|id| format!("code {id}"));
    checks.chain(codes).chain(StepId::ALL.iter().map(|id| format!("step {id}"))).collect()
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure_in_plain_words() {
    let world = World::new();
    for format in ["text", "json"] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
        command.args(["enroll", "-f", "backend-values.yaml", "--key-file", "k.key", "-o", format]);
        command.current_dir(world.path("")).env_clear().stdout(full);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("[stdout]") && said.contains("\n  next: what the run has done is done"), "{said}");
        assert!(!said.contains("os error") && !said.contains("unchanged: nothing"), "{said}");
    }
}
