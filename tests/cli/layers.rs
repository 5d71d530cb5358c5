//! The storeys of the house: a module uses only what stands below it, so that no two use each other.

use std::{collections::BTreeSet, fs, path::Path};

use regex_lite::Regex;

/// From the cellar up; the picture in CONTRIBUTING.md shows the same.
const STOREYS: [&str; 24] = [
    "plain",
    "command_line",
    "ids",
    "failure",
    "interrupt",
    "names",
    "times",
    "pki",
    "files",
    "federation",
    "values",
    "substra",
    "text",
    "parallel",
    "cluster",
    "plan",
    "report",
    "session",
    "release",
    "exchange",
    "args",
    "commands",
    "completion",
    "cli",
];

/// What is only there for tests may look at everything.
const OF_TESTS: [&str; 2] = ["schemas.rs", "commands/rehearse/tests.rs"];

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.to_str().unwrap().split_once("/src/").unwrap().1.to_owned();
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            if !OF_TESTS.contains(&name.as_str()) {
                found.push((name, code.join("\n")));
            }
        }
    }
}

/// Each source by its name, without comments and without tests.
pub(crate) fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
    assert!(found.len() > 150, "the sources were read");
    found
}

/// The first words of what a source takes from the crate: of `use crate::{a::b, c::{d, e}}` it is `a` and `c`.
fn uses(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        // The form that only tests are built with, which schemars reads.
        if code[..at].ends_with("with = \"") {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let tree = rest.strip_prefix('{').map_or_else(|| first_word(rest), heads);
        found.extend(tree);
    }
    found
}

fn first_word(text: &str) -> Vec<String> {
    vec![text.chars().take_while(|one| one.is_ascii_alphanumeric() || *one == '_').collect()]
}

/// The words that begin each item of a list in braces.
fn heads(tree: &str) -> Vec<String> {
    let (mut depth, mut found, mut is_head) = (0, Vec::new(), true);
    for (at, one) in tree.char_indices() {
        match one {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_head = true,
            _ if is_head && !one.is_whitespace() => {
                found.extend(first_word(&tree[at..]));
                is_head = false;
            }
            _ => {}
        }
    }
    found
}

fn storey(module: &str) -> Option<usize> {
    STOREYS.iter().position(|storey| *storey == module)
}

#[test]
fn a_module_uses_only_what_stands_below_it() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, code) in all() {
        let module = name.split('/').next().unwrap().trim_end_matches(".rs");
        // The doors of the house, which know everything.
        if ["lib", "main", "dispatch"].contains(&module) {
            continue;
        }
        let own = storey(module).unwrap_or_else(|| panic!("{name}: in which storey is {module}?"));
        seen.insert(own);
        for used in uses(&code) {
            if storey(&used).is_some_and(|below| below > own) {
                wrong.push(format!("{name} uses {used}"));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(seen.len(), STOREYS.len(), "each storey is there");
}

/// The words that follow each `path::`, of a list in braces all.
fn after(code: &str, path: &str) -> Vec<String> {
    let rests = code.match_indices(path).map(|(at, _)| &code[at + path.len()..]);
    rests.flat_map(|rest| rest.strip_prefix('{').map_or_else(|| first_word(rest), heads)).collect()
}

#[test]
fn no_verb_uses_another_verb() {
    let all = all();
    let of_verb = |name: &'_ str| Some(name.strip_prefix("commands/")?.split_once('/')?.0.to_owned());
    let verbs: BTreeSet<String> = all.iter().filter_map(|(name, _)| of_verb(name)).collect();
    assert!(verbs.len() > 7, "{verbs:?}");
    let mut wrong = Vec::new();
    for (name, code) in all {
        let Some((own, file)) = name.strip_prefix("commands/").and_then(|rest| rest.split_once('/')) else { continue };
        // In a folder below, the verb's own modules are one step up, and its neighbours two.
        let up = match (file, file.matches('/').count()) {
            ("mod.rs", _) => "use super::",
            (_, 0) => "use super::super::",
            _ => "use super::super::super::",
        };
        let used = after(&code, "commands::").into_iter().chain(after(&code, up));
        wrong.extend(used.filter(|used| verbs.contains(used) && used != own).map(|used| format!("{name}: {used}")));
    }
    assert_eq!(wrong, [""; 0]);
}

/// The words with which the lines of the picture begin, from the top down.
#[test]
fn the_picture_shows_the_same_storeys() {
    let page = include_str!("../../CONTRIBUTING.md");
    let picture = page.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let column = |line: &str| line.split("  ").next().unwrap().replace("/VERB", "");
    let shown: Vec<String> =
        picture.lines().flat_map(|line| column(line).split(", ").map(str::to_owned).collect::<Vec<_>>()).collect();
    let storeys = STOREYS.iter().rev().map(|storey| (*storey).to_owned());
    assert_eq!(shown, ["main", "dispatch"].map(str::to_owned).into_iter().chain(storeys).collect::<Vec<_>>());
}

#[test]
fn the_options_of_a_verb_are_read_in_its_own_folder_alone() {
    let structs = Regex::new(r"pub struct (\w+Args)\b").unwrap();
    let all = all();
    let folder =
        |name: &str| name.strip_prefix("commands/")?.strip_suffix("/args.rs").map(|verb| format!("commands/{verb}/"));
    let options: Vec<(String, String)> = all
        .iter()
        .filter_map(|(name, code)| Some((folder(name)?, code)))
        .flat_map(|(folder, code)| {
            structs.captures_iter(code).map(move |found| (found[1].to_owned(), folder.clone())).collect::<Vec<_>>()
        })
        .collect();
    assert!(options.len() > 10, "{options:?}");
    let mut wrong = Vec::new();
    for (args, folder) in options {
        let word = Regex::new(&format!(r"\b{args}\b")).unwrap();
        let others = all.iter().filter(|(name, _)| name != "cli.rs" && !name.starts_with(&folder));
        wrong.extend(others.filter(|(_, code)| word.is_match(code)).map(|(name, _)| format!("{name} reads {args}")));
    }
    assert_eq!(wrong, [""; 0]);
}
