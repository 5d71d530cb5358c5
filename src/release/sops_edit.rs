//! The edit of a values file that SOPS has encrypted: made by sops, and proven before it is used.

use std::path::Path;

use serde_json::Value;

use crate::{
    cluster::{Sops, SopsChange},
    failure::{Code, Exit, Failure, Result},
    values::{self, Setting},
};

/// The encrypted text with the settings; the same bytes where everything is so already. `tree` is what it holds.
///
/// # Errors
/// sops fails, or the result holds something else than meant; the failure has the commands to type.
pub(super) fn edit(
    sops: &dyn Sops,
    (path, text): (&Path, &[u8]),
    tree: &Value,
    settings: &[Setting],
) -> Result<Vec<u8>> {
    let changes = changes(tree, settings);
    if changes.is_empty() {
        return Ok(text.to_vec());
    }
    let new = sops.edit(path, text, &changes)?;
    let (old_plain, new_plain) = (sops.decrypt(path, text)?, sops.decrypt(path, &new)?);
    let reads_as_meant = values::read(&new_plain).is_ok_and(|read| read == values::apply(tree, settings));
    if reads_as_meant && comments(&old_plain) == comments(&new_plain) { Ok(new) } else { Err(unproven(path, &changes)) }
}

/// The commands by which people would do the same.
pub(super) fn by_hand(path: &Path, settings: &[Setting]) -> String {
    shown(path, &changes(&Value::Null, settings))
}

/// What has to be set; of a list each new item by its number, since sops sets no list.
fn changes(tree: &Value, settings: &[Setting]) -> Vec<SopsChange> {
    let after = values::apply(tree, settings);
    let changed = settings.iter().filter(|setting| at(tree, &setting.path) != at(&after, &setting.path));
    changed.flat_map(|setting| change(setting, at(tree, &setting.path), at(&after, &setting.path))).collect()
}

fn at<'a>(tree: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(tree, |node, key| node.get(key))
}

fn change(setting: &Setting, old: Option<&Value>, new: Option<&Value>) -> Vec<SopsChange> {
    let path: Vec<Value> = setting.path.iter().map(|key| Value::from(key.as_str())).collect();
    let Some(items) = new.and_then(Value::as_array) else {
        return vec![SopsChange { path, value: new.cloned() }];
    };
    let there = old.and_then(Value::as_array).map_or(0, Vec::len);
    let item = |(index, item): (usize, &Value)| SopsChange {
        path: [path.clone(), vec![index.into()]].concat(),
        value: Some(item.clone()),
    };
    items.iter().enumerate().skip(there).map(item).collect()
}

/// Comments, which sops writes on lines of their own.
fn comments(plain: &[u8]) -> Vec<&[u8]> {
    plain.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| line.starts_with(b"#")).collect()
}

fn shown(path: &Path, changes: &[SopsChange]) -> String {
    changes.iter().map(|change| change.command(path)).collect::<Vec<_>>().join("; ")
}

fn unproven(path: &Path, changes: &[SopsChange]) -> Failure {
    Failure::new(Exit::Refused, Code::SopsUnproven, format!("{} is not edited", path.display()))
        .why("what sops made of it could not be proven to change nothing else")
        .next(format!("by hand: {}; then run the same command again", shown(path, changes)))
        .unchanged("nothing was written")
}
