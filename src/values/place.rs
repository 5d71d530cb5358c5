//! Several values files: Helm's merge of them, and the file where a setting belongs.

use serde_json::Value;

use super::{Change, Setting};

/// Several `-f` files in Helm's order: maps are merged deeply, everything else is replaced by the later file.
#[must_use]
pub fn merge(files: &[Value]) -> Value {
    let mut merged = Value::Object(serde_json::Map::new());
    for file in files {
        merge_one(&mut merged, file);
    }
    merged
}

fn merge_one(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(key) {
                    Some(there) if there.is_object() && value.is_object() => merge_one(there, value),
                    _ => drop(base.insert(key.clone(), value.clone())),
                }
            }
        }
        (base, over) => *base = over.clone(),
    }
}

/// For each file the settings that go into it: the last file that decides about the setting's path, by the key itself
/// or by something else than a map on the way to it, since a later file would win; else the last file. A key is taken
/// out of every file that has it, since else an earlier file would show through.
#[must_use]
pub fn place(files: &[Value], settings: &[Setting]) -> Vec<Vec<Setting>> {
    let mut places = vec![Vec::new(); files.len()];
    for setting in settings {
        let deciding = files.iter().rposition(|file| decides(file, &setting.path)).unwrap_or(files.len().max(1) - 1);
        for (at, place) in places.iter_mut().enumerate() {
            let chosen = match setting.change {
                Change::Remove => has(&files[at], &setting.path),
                Change::Set(_) | Change::Include(_) => at == deciding,
            };
            if chosen {
                place.push(setting.clone());
            }
        }
    }
    places
}

fn has(file: &Value, path: &[String]) -> bool {
    path.iter().try_fold(file, |node, key| node.get(key)).is_some()
}

fn decides(file: &Value, path: &[String]) -> bool {
    let mut node = file;
    for key in path {
        match node {
            Value::Object(map) => match map.get(key) {
                Some(value) => node = value,
                None => return false,
            },
            _ => return true,
        }
    }
    true
}
