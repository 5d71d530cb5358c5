//! A corpus of values files, each with its edits as diffs that people review. `UPDATE_DIFFS=1` writes them anew.

use std::{collections::BTreeMap, fs, path::PathBuf};

use substra_mtls::values::{Setting, apply, edit, read};

use super::{backend, orchestrator};

pub(super) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/values/corpus")
}

/// Every file by its name.
pub(super) fn files() -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let yaml = files.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    yaml.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())).collect()
}

/// What an edit gives, as it is reviewed.
fn reviewed(old: &[u8], settings: &[Setting]) -> String {
    match edit(old, settings) {
        Ok(new) if new == old => "already so\n".to_owned(),
        Ok(new) => {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().replace('\r', "\\r");
            let (old, new) = (text(old), text(&new));
            similar::TextDiff::from_lines(&old, &new).unified_diff().context_radius(2).to_string()
        }
        Err(refusal) => format!("refused: {} at {}:{}: {}\n", refusal.code, refusal.line, refusal.column, refusal.why),
    }
}

#[test]
fn every_file_is_edited_as_reviewed() {
    let files = files();
    assert!(files.len() >= 100, "{} files", files.len());
    let update = std::env::var_os("UPDATE_DIFFS").is_some();
    for (name, old) in &files {
        for (edit, settings) in [("backend", backend()), ("orchestrator", orchestrator())] {
            let path = folder().join(format!("{name}.{edit}.diff"));
            let found = reviewed(old, &settings);
            if update {
                fs::write(&path, &found).unwrap();
            }
            let meant = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is not there", path.display()));
            assert_eq!(found, meant, "{name}: {edit}");
        }
    }
}

#[test]
fn every_edit_reads_as_the_merge_keeps_every_comment_and_is_done_once() {
    for (name, old) in files() {
        for settings in [backend(), orchestrator()] {
            let Ok(new) = edit(&old, &settings) else { continue };
            assert_eq!(read(&new).unwrap(), apply(&read(&old).unwrap(), &settings), "{name}");
            assert_eq!(edit(&new, &settings).unwrap(), new, "{name}");
            super::assert_nothing_else_changed(&old, &new);
        }
    }
}
