//! How new text is written: in the file's own indentation, dashes and line ends.

use std::collections::BTreeMap;

use super::{
    Change, Scalar, literal,
    tree::{Node, NodeKind},
};

/// A path that is not there yet, and what happens at its end; the path of a list's new item is empty.
pub(super) type Addition<'a> = (&'a [String], &'a Change);

/// How a file is written.
pub(super) struct FileFormat {
    /// `\n` or `\r\n`, the commoner one.
    pub(super) line_end: &'static str,
    /// How far a map stands inside its parent, the commonest.
    pub(super) step: usize,
    /// How far a dash stands inside its key, the commonest.
    dash: usize,
}

impl Default for FileFormat {
    fn default() -> Self {
        Self { line_end: "\n", step: 2, dash: 2 }
    }
}

impl FileFormat {
    pub(super) fn of(text: &str, root: Option<&Node>) -> Self {
        let (all, dos) = (text.matches('\n').count(), text.matches("\r\n").count());
        let (mut steps, mut dashes) = (BTreeMap::new(), BTreeMap::new());
        if let Some(root) = root {
            count(text, root, &mut steps, &mut dashes);
        }
        let commonest =
            |counts: &BTreeMap<usize, usize>| counts.iter().max_by_key(|(_, n)| **n).map(|(width, _)| *width);
        let step = commonest(&steps).unwrap_or(2);
        Self { line_end: if dos * 2 > all { "\r\n" } else { "\n" }, step, dash: commonest(&dashes).unwrap_or(step) }
    }

    /// The lines of what is not there yet, from a column on.
    pub(super) fn lines(&self, additions: &[Addition<'_>], column: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, inside) in by_key(additions) {
            let indentation = " ".repeat(column);
            match (name, value_of(&inside)) {
                (AddedEntry::Item(item), _) => lines.push(format!("{indentation}- {}", literal::text(item, false))),
                (AddedEntry::Key(key), Some(value)) => {
                    lines.push(format!(
                        "{indentation}{}: {}",
                        literal::text(key, false),
                        literal::scalar(value, false)
                    ));
                }
                (AddedEntry::Key(key), None) => {
                    lines.push(format!("{indentation}{}:", literal::text(key, false)));
                    lines.extend(self.lines(&inside, column + self.step_into(&inside)));
                }
            }
        }
        lines
    }

    /// How far what is added stands inside its key.
    pub(super) fn step_into(&self, additions: &[Addition<'_>]) -> usize {
        if additions.iter().any(|(path, _)| path.is_empty()) { self.dash } else { self.step }
    }
}

/// What is added inside `{ }` or `[ ]`: `tls: {mtls: {enabled: true}}`.
pub(super) fn members(additions: &[Addition<'_>], quoted: bool) -> Vec<String> {
    let member = |(name, inside): (AddedEntry<'_>, Vec<Addition<'_>>)| match name {
        AddedEntry::Item(item) => literal::text(item, quoted),
        AddedEntry::Key(key) => format!("{}: {}", literal::text(key, quoted), collection(&inside, quoted)),
    };
    by_key(additions).into_iter().map(member).collect()
}

/// A value, map or list on one line.
pub(super) fn collection(additions: &[Addition<'_>], quoted: bool) -> String {
    if let Some(value) = value_of(additions) {
        return literal::scalar(value, quoted);
    }
    let members = members(additions, quoted).join(", ");
    if additions.iter().any(|(path, _)| path.is_empty()) { format!("[{members}]") } else { format!("{{{members}}}") }
}

/// What stands at one place of what is added.
#[derive(PartialEq)]
enum AddedEntry<'a> {
    Key(&'a str),
    Item(&'a str),
}

/// Each key once, in the order of its first setting, with what belongs inside.
fn by_key<'a>(additions: &[Addition<'a>]) -> Vec<(AddedEntry<'a>, Vec<Addition<'a>>)> {
    let mut found: Vec<(AddedEntry<'a>, Vec<Addition<'a>>)> = Vec::new();
    for (path, change) in additions {
        let (name, inside) = match (path.split_first(), change) {
            (Some((key, below)), _) => (AddedEntry::Key(key), Some((below, *change))),
            (None, Change::Include(item)) => (AddedEntry::Item(item), None),
            (None, _) => continue,
        };
        match found.iter_mut().find(|(other, _)| *other == name) {
            Some((_, all)) => all.extend(inside),
            None => found.push((name, inside.into_iter().collect())),
        }
    }
    found
}

/// The value that a key is set to; of several the last.
fn value_of<'a>(additions: &[Addition<'a>]) -> Option<&'a Scalar> {
    additions.iter().rev().find_map(|(path, change)| match change {
        Change::Set(value) if path.is_empty() => Some(value),
        _ => None,
    })
}

fn count(text: &str, node: &Node, steps: &mut BTreeMap<usize, usize>, dashes: &mut BTreeMap<usize, usize>) {
    match &node.kind {
        NodeKind::Map { pairs, flow: false } => {
            for (key, value) in pairs {
                let inside = value.at.1.saturating_sub(key.at.1);
                match &value.kind {
                    NodeKind::Map { flow: false, .. } if inside > 0 => *steps.entry(inside).or_default() += 1,
                    NodeKind::List { items, flow: false } => {
                        let dash = items.first().map(|item| indent_of_line(text, item.bytes.start) + 1);
                        let inside = dash.and_then(|dash| dash.checked_sub(key.at.1));
                        if let Some(inside) = inside {
                            *dashes.entry(inside).or_default() += 1;
                        }
                    }
                    _ => {}
                }
                count(text, value, steps, dashes);
            }
        }
        NodeKind::List { items, flow: false } => items.iter().for_each(|item| count(text, item, steps, dashes)),
        _ => {}
    }
}

fn indent_of_line(text: &str, at: usize) -> usize {
    let line = &text[text[..at].rfind('\n').map_or(0, |i| i + 1)..];
    line.len() - line.trim_start_matches(' ').len()
}
