//! `SECURITY.md` names tests that are there: each of its lines at least one, and each of these is compiled and run.

use std::{fs, path::Path};

use regex_lite::Regex;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PAGE: &str = include_str!("../../SECURITY.md");

/// The tests that a text names, each with its file.
fn named(text: &str) -> Vec<(String, String)> {
    let pattern = Regex::new(r"`([a-z_0-9]+)` \(`([a-z_/]+\.rs)`\)").unwrap();
    pattern.captures_iter(text).map(|found| (found[1].to_owned(), found[2].to_owned())).collect()
}

/// Why a name is not that of a test which is run.
fn missing(test: &str, file: &str) -> Option<String> {
    let Ok(text) = fs::read_to_string(Path::new(ROOT).join(file)) else { return Some(format!("there is no {file}")) };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let Some(at) = lines.iter().position(|line| line.starts_with(&format!("fn {test}("))) else {
        return Some(format!("{file} has no {test}"));
    };
    let attributes: Vec<&&str> = lines[..at].iter().rev().take_while(|line| line.starts_with("#[")).collect();
    // The stories of the real control plane are functions in a macro, which makes a test of each for each Helm.
    let story =
        lines[at].starts_with(&format!("fn {test}(site) {{")) || lines[at].starts_with(&format!("fn {test}(helm) {{"));
    let is_test = attributes.iter().any(|line| **line == "#[test]") || (story && text.contains("! {\n"));
    if !is_test || attributes.iter().any(|line| line.contains("ignore")) {
        return Some(format!("{test} in {file} is no test that is run"));
    }
    (!is_compiled(file)).then(|| format!("{file} is compiled into nothing"))
}

/// Whether a module above declares the file.
fn is_compiled(file: &str) -> bool {
    let path = Path::new(ROOT).join(file);
    let stem = path.file_stem().unwrap().to_str().unwrap();
    let folder = path.parent().unwrap();
    let above = ["main.rs", "lib.rs", "mod.rs"].map(|name| folder.join(name));
    let above = above.into_iter().chain([folder.with_extension("rs")]);
    stem == "main"
        || above.filter_map(|path| fs::read_to_string(path).ok()).any(|text| text.contains(&format!("mod {stem};\n")))
}

#[test]
fn every_line_of_the_threat_model_names_tests_that_are_run() {
    let rows: Vec<Vec<&str>> = PAGE
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert!(rows.len() > 10);
    for row in &rows[1..] {
        assert_eq!(row.len(), 4, "{row:?}");
        assert!(!named(row[2]).is_empty(), "no test shows that this is stopped: {row:?}");
    }
    let all = named(PAGE);
    let bad: Vec<String> = all.iter().filter_map(|(test, file)| missing(test, file)).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    // Whatever looks like a test's name says where it stands.
    let words = PAGE.split('`').skip(1).step_by(2).filter(|word| word.contains('_') && !word.contains(['/', ' ', '.']));
    words.for_each(|word| assert!(all.iter().any(|(test, _)| test == word), "{word} says no file"));
}

#[test]
fn a_name_that_is_no_test_is_seen() {
    let here = "tests/cli/security.rs";
    assert_eq!(missing("a_name_that_is_no_test_is_seen", here), None);
    for (test, file) in [
        ("missing", here),
        ("nothing_of_the_kind", here),
        ("missing", "tests/cli/nothing.rs"),
        ("judged", "tests/cli/pasted.rs"),
    ] {
        assert!(missing(test, file).is_some(), "{test} {file}");
    }
}
