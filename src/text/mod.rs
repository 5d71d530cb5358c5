//! Text: tables, words for a shell, differences, and what is taken out of the words of others.

pub mod diff;
mod line;
pub mod mask;

pub use self::line::{Line, Tone};
pub use crate::command_line::word;
use crate::plain;

/// Rows with columns as wide as their widest cell, each row a line, whatever its cells hold. The first row is the head.
#[must_use]
pub fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> =
        rows.iter().map(|row| row.each_ref().map(|cell| plain::line(cell).into_owned())).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// What people read of a struct: `label: text`, each a line; none where there is no text.
#[must_use]
pub fn labelled<T: AsRef<str>, const N: usize>(facts: &[(&str, Option<T>); N]) -> Vec<String> {
    let told = facts.iter().filter_map(|(label, text)| Some((label, text.as_ref()?)));
    told.map(|(label, text)| format!("{label}: {}", text.as_ref())).collect()
}

/// `1 place`, `2 places`.
#[must_use]
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_cells_and_has_no_spaces_at_its_line_ends() {
        let rows = [["who", "is"], ["org-1", ""], ["é", "x"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "who    is\norg-1\né      x\n");
    }

    #[test]
    fn one_thing_is_no_plural() {
        assert_eq!([count(0, "place"), count(1, "place"), count(2, "place")], ["0 places", "1 place", "2 places"]);
    }
}
