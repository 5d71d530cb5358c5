//! Every file of the corpus with what the two edits make of it: a diff, or the refusal. After a change on purpose,
//! run the test with `UPDATE_EXPECTED=1` and review the diffs of `expected/`.

use std::{env, fs};

use serde_json::Value;
use similar::TextDiff;
use substra_mtls::values::{Change, Setting, edit, read};

use super::{backend, files, lines, orchestrator};

fn outcome(name: &str, old: &[u8], settings: &[Setting]) -> String {
    match edit(old, settings) {
        Err(refusal) => {
            assert!(!refusal.why.is_empty() && !refusal.why.contains('\n'), "{name}: {refusal:?}");
            format!("refused: {}, line {}\n", refusal.code.id(), refusal.line)
        }
        Ok(new) if new == old => "unchanged\n".to_owned(),
        Ok(new) => {
            let (old, new) = (str::from_utf8(old).unwrap(), str::from_utf8(&new).unwrap());
            TextDiff::from_lines(old, new).unified_diff().to_string()
        }
    }
}

#[test]
fn every_file_is_edited_or_refused_as_reviewed() {
    let files = files::corpus();
    assert!(files.len() >= 300, "{} files", files.len());
    let mut wrong = Vec::new();
    for (name, old) in &files {
        let found = format!(
            "== backend\n{}== orchestrator\n{}",
            outcome(name, old, &backend()),
            outcome(name, old, &orchestrator())
        );
        let path = files::folder("expected").join(format!("{name}.diff"));
        if env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&path, &found).unwrap();
        }
        if fs::read_to_string(&path).unwrap_or_default() != found {
            wrong.push(format!("--- {name}\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "not as reviewed:\n{}", wrong.join("\n"));
}

#[test]
fn no_edit_loses_a_line_and_a_second_one_changes_nothing() {
    for (name, old) in files::corpus() {
        for settings in [backend(), orchestrator()] {
            let Ok(new) = edit(&old, &settings) else { continue };
            assert_eq!(lines::lost(&old, &new), None, "{name}");
            assert_eq!(edit(&new, &settings).unwrap(), new, "{name}");
        }
    }
}

/// Where the map is there already and holds something, a key that comes and goes leaves no trace.
#[test]
fn setting_and_then_removing_gives_the_old_bytes() {
    let mut tried = 0;
    for (name, old) in files::corpus() {
        for parent in [&["orchestrator"][..], &["orchestrator", "tls"], &["orchestrator", "tls", "mtls"], &["server"]] {
            let Ok(tree) = read(&old) else { continue };
            let map = parent.iter().try_fold(&tree, |node, key| node.get(key));
            if map.and_then(Value::as_object).is_none_or(serde_json::Map::is_empty) {
                continue;
            }
            for change in [Change::Set("x".into()), Change::Include("x".to_owned())] {
                let path: Vec<String> = parent.iter().copied().chain(["new"]).map(str::to_owned).collect();
                let Ok(new) = edit(&old, &[Setting { path: path.clone(), change }]) else { continue };
                let back = edit(&new, &[Setting { path, change: Change::Remove }]).unwrap();
                assert_eq!(String::from_utf8_lossy(&back), String::from_utf8_lossy(&old), "{name}");
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried} tried");
}
