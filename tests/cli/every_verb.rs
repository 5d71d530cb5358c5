//! What holds for every verb holds for a new one too: each test here names the file in which a verb is missing.

use std::collections::BTreeSet;

use clap::CommandFactory;
use serde_json::Value;
use substra_mtls::cli::Cli;

use super::{dry_run, golden, schemas};

/// What no scene brings about: a rehearsal comes out otherwise by a bug alone.
const NEVER: [(&str, &str); 1] = [("rehearse.schema.json", "failed")];

/// The verbs, by their words, that have this option.
fn with(option: &str) -> Vec<String> {
    fn collect(command: &clap::Command, before: &str, option: &str, found: &mut Vec<String>) {
        for verb in command.get_subcommands() {
            let words = format!("{before} {}", verb.get_name()).trim().to_owned();
            if verb.get_arguments().any(|arg| arg.get_id() == option) {
                found.push(words.clone());
            }
            collect(verb, &words, option, found);
        }
    }
    let mut found = Vec::new();
    collect(&Cli::command(), "", option, &mut found);
    assert!(found.len() > 5, "{found:?}");
    found
}

#[test]
fn every_verb_that_writes_survives_faults_and_has_a_dry_run() {
    let faults = include_str!("faults.rs");
    for verb in with("dry_run") {
        assert!(faults.contains(&format!("\"{verb} ")), "{verb} has no line in tests/cli/faults.rs");
        let is_there = dry_run::names().any(|name| name.starts_with(&verb));
        assert!(is_there, "{verb} has no case in tests/cli/dry_run/cases.rs");
    }
}

#[test]
fn every_verb_with_an_answer_has_its_schema_and_each_stage_of_it_is_pinned() {
    for verb in with("output") {
        let name = schemas::file_of(&verb);
        assert!(schemas::FILES.contains_key(&name), "docs/schemas/{name} is missing: `schemas::is_kept` in {verb}");
    }
    let pinned: BTreeSet<(String, String)> = golden::answers()
        .filter_map(|answer| Some((answer["verb"].as_str()?.to_owned(), answer["stage"].as_str()?.to_owned())))
        .map(|(verb, stage)| (schemas::file_of(&verb), stage))
        .collect();
    let stages = |schema: &Value| schema["properties"]["stage"]["enum"].as_array().cloned().unwrap_or_default();
    let missing: Vec<String> = schemas::FILES
        .iter()
        .flat_map(|(name, schema)| {
            stages(schema).into_iter().map(move |stage| (name.clone(), stage.as_str().unwrap().to_owned()))
        })
        .filter(|one| !pinned.contains(one) && !NEVER.contains(&(one.0.as_str(), one.1.as_str())))
        .map(|(name, stage)| format!("{stage} of {name} stands nowhere in tests/cli/golden"))
        .collect();
    assert_eq!(missing, [""; 0]);
}
