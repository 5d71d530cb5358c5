//! Lines that people read. What a line begins with may have a tone, of which a terminal makes a colour; the words say the
//! same without.

use std::fmt::{self, Display};

use crate::plain;

/// What the beginning of a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It is as it should be, or was added.
    Good,
    /// It may be wrong, or is still to do.
    Doubtful,
    /// It is wrong.
    Bad,
    /// It was taken away.
    Removed,
    /// It leads on.
    Next,
    /// It is a heading.
    Strong,
    /// It can be passed over.
    Quiet,
}

/// One line, whatever its words hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Columns before it.
    indent: usize,
    head: Option<(Tone, String)>,
    rest: String,
}

impl Line {
    /// `label: text`.
    #[must_use]
    pub fn label(tone: Tone, label: &str, text: impl Display) -> Self {
        Self { indent: 0, head: Some((tone, format!("{label}:"))), rest: format!(" {text}") }
    }

    /// A heading.
    #[must_use]
    pub fn heading(text: &str) -> Self {
        Self { indent: 0, head: Some((Tone::Strong, text.to_owned())), rest: String::new() }
    }

    /// A word in a column of eight, and a text beside it.
    #[must_use]
    pub fn marked(tone: Tone, mark: impl Display, text: impl Display) -> Self {
        let mark = mark.to_string();
        let room = " ".repeat(9_usize.saturating_sub(mark.chars().count()).max(1));
        Self { indent: 0, head: Some((tone, mark)), rest: format!("{room}{text}") }
    }

    /// The lines of a unified diff; the first two name its files.
    pub fn diff(diff: &str) -> impl Iterator<Item = Self> {
        diff.trim_end().lines().enumerate().map(|(at, line)| {
            let tone = match line.as_bytes() {
                _ if at < 2 => Tone::Strong,
                [b'@', ..] => Tone::Next,
                [b'+', ..] => Tone::Good,
                [b'-', ..] => Tone::Removed,
                _ => return line.into(),
            };
            Self { indent: 0, head: Some((tone, line.to_owned())), rest: String::new() }
        })
    }

    /// The same, so many columns further to the right.
    #[must_use]
    pub fn indented(mut self, columns: usize) -> Self {
        self.indent += columns;
        self
    }

    /// As it is shown, with the beginning in the hands of `paint`.
    #[must_use]
    pub fn painted(&self, paint: impl Fn(Tone, &str) -> String) -> String {
        let head = self.head.as_ref().map(|(tone, words)| paint(*tone, &plain::line(words))).unwrap_or_default();
        format!("{:indent$}{head}{}", "", plain::line(&self.rest), indent = self.indent)
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.painted(|_, words| words.to_owned()))
    }
}

impl<T: Into<String>> From<T> for Line {
    fn from(text: T) -> Self {
        Self { indent: 0, head: None, rest: text.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning in brackets.
    fn shown(line: &Line) -> String {
        line.painted(|tone, words| format!("[{tone:?} {words}]"))
    }

    #[test]
    fn labels_and_marks_have_a_tone_and_what_people_wrote_has_none() {
        assert_eq!(shown(&Line::label(Tone::Bad, "error", "no")), "[Bad error:] no");
        assert_eq!(shown(&Line::label(Tone::Strong, "why", "so").indented(2)), "  [Strong why:] so");
        assert_eq!(shown(&Line::marked(Tone::Good, "ok", "tls  x").indented(2)), "  [Good ok]       tls  x");
        assert_eq!(shown(&Line::marked(Tone::Good, "much longer", "x")), "[Good much longer] x");
        assert_eq!(shown(&Line::from("error: of others")), "error: of others");
    }

    #[test]
    fn a_line_is_one_line_whatever_it_holds() {
        let line = Line::label(Tone::Next, "next", "a\nb\u{1b}[2J").to_string();
        assert_eq!(line, "next: a\\u{a}b\\u{1b}[2J");
    }

    #[test]
    fn a_diff_has_its_tones_by_its_first_column_below_the_names_of_its_files() {
        let lines: Vec<String> =
            Line::diff("--- a\n+++ a\n@@ -1 +1 @@\n b\n+c\n--- d\n").map(|line| shown(&line)).collect();
        let wanted = ["[Strong --- a]", "[Strong +++ a]", "[Next @@ -1 +1 @@]", " b", "[Good +c]", "[Removed --- d]"];
        assert_eq!(lines, wanted);
    }
}
