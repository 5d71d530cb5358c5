//! The change of a values file as a unified diff.

use similar::TextDiff;

use crate::{
    plain,
    values::{KeyPath, masked},
};

/// Three lines of context; keys, switches and what `is_ours` are shown and no other value. Empty when nothing changes,
/// and for a text that cannot be read.
#[must_use]
pub fn of_values(name: &str, old: &[u8], new: &[u8], is_ours: &dyn Fn(&KeyPath) -> bool) -> String {
    let (Some(old), Some(new)) = (masked(old, is_ours), masked(new, is_ours)) else { return String::new() };
    let name = plain::line(name);
    let text = TextDiff::from_lines(&old, &new).unified_diff().context_radius(3).header(&name, &name).to_string();
    // A carriage return at a line's end would move a terminal's cursor.
    text.replace('\r', "")
}
