//! Values files: the traps of Helm's YAML, a corpus with its diffs, mutants, and Helm's own reading.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests are the world outside"
)]

mod corpus;
mod helm;
mod mutants;
mod traps;

use substra_mtls::values::{Refusal, Setting, edit};

/// What `enroll` sets.
fn backend() -> Vec<Setting> {
    vec![
        Setting::set(&["orchestrator", "tls", "enabled"], true),
        Setting::set(&["orchestrator", "tls", "cacert"], "orchestrator-cacert"),
        Setting::set(&["orchestrator", "tls", "mtls", "enabled"], true),
        Setting::set(&["orchestrator", "tls", "mtls", "clientCertificate"], "orchestrator-client-cert"),
    ]
}

/// What `approve` sets.
fn orchestrator() -> Vec<Setting> {
    vec![Setting::include(&["orchestrator", "tls", "mtls", "clientCACerts", "MyOrg1MSP"], "orchestrator-tls-cacert")]
}

fn edited(text: &str, settings: &[Setting]) -> Result<String, Refusal> {
    edit(text.as_bytes(), settings).map(|bytes| String::from_utf8(bytes).unwrap())
}

/// Independent of the editor's own gates: every comment is still there, and a line that is gone was one of the path's.
#[track_caller]
fn assert_nothing_else_changed(old: &[u8], new: &[u8]) {
    let (old, new) = (String::from_utf8(old.to_vec()).unwrap(), String::from_utf8(new.to_vec()).unwrap());
    let words = [
        "orchestrator",
        "tls",
        "enabled",
        "cacert",
        "mtls",
        "clientCertificate",
        "clientCACerts",
        "MyOrg1MSP",
        "{",
        "[",
        "}",
        "]",
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "null",
        "~",
        "-",
    ];
    let mut gone = Vec::new();
    for change in similar::TextDiff::from_lines(&old, &new).iter_all_changes() {
        if change.tag() == similar::ChangeTag::Delete {
            gone.push(change.value().to_owned());
        }
    }
    for line in &gone {
        let ours =
            line.trim().is_empty() || words.iter().any(|word| line.to_lowercase().contains(&word.to_lowercase()));
        let only_its_end = new.contains(line.trim_end());
        // A value of the path may stand on a line of its own.
        let a_value = line.split_whitespace().count() == 1 && !line.contains(':');
        assert!(ours || only_its_end || a_value, "{line:?} is gone\n{old}\n---\n{new}");
    }
    // In a quoted text a # is no comment.
    for comment in old
        .lines()
        .filter(|line| !line.contains(['"', '\'']))
        .filter_map(|line| line.split_once(" #").map(|(_, comment)| comment.trim_end()))
    {
        assert!(new.contains(comment), "the comment {comment:?} is gone\n{old}\n---\n{new}");
    }
}
