//! The change of a values file as a unified diff.

use similar::TextDiff;

use super::mask;

/// Three lines of context, secrets of others hidden. Empty when nothing changes.
#[must_use]
pub fn of_values(name: &str, old: &[u8], new: &[u8]) -> String {
    let shown = |bytes: &[u8]| mask::text(&String::from_utf8_lossy(bytes));
    let (old, new) = (shown(old), shown(new));
    let text = TextDiff::from_lines(&old, &new).unified_diff().context_radius(3).header(name, name).to_string();
    // A carriage return at a line's end would move a terminal's cursor.
    text.replace('\r', "")
}
