//! Lines that people read. A part of a line may have a tone, of which a terminal makes a colour; the words say the same
//! without. Prose is broken at the terminal's width, and a command never.

use std::fmt::{self, Display};

use crate::{
    command_line::{Next, Piece},
    plain,
};

/// What a part of a line says.
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

/// How much room has to be left for what goes on below, so that it is set in at all.
const ROOM: usize = 20;

/// One line, whatever its words hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    parts: Vec<Part>,
    /// Columns before it.
    indent: usize,
    /// Columns before what goes on below, beside those.
    hang: usize,
    /// It is never broken: of a difference, of a table.
    is_fixed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    text: String,
    tone: Option<Tone>,
    /// A command.
    is_whole: bool,
}

/// What is never broken, with the blanks before it.
struct Word<'a> {
    gap: usize,
    text: &'a str,
    tone: Option<Tone>,
}

impl Line {
    const EMPTY: Self = Self { parts: Vec::new(), indent: 0, hang: 2, is_fixed: false };

    /// `label: text`.
    #[must_use]
    pub fn label(tone: Tone, label: &str, text: impl Display) -> Self {
        Self::EMPTY.toned(tone, &format!("{label}:")).then(&format!(" {text}"))
    }

    /// `label: ` and what to do next.
    #[must_use]
    pub fn next(label: &str, next: &Next) -> Self {
        Self::label(Tone::Next, label, "").with(next)
    }

    /// A heading.
    #[must_use]
    pub fn heading(text: &str) -> Self {
        Self::EMPTY.toned(Tone::Strong, text)
    }

    /// A command that is run.
    #[must_use]
    pub fn command(text: &str) -> Self {
        Self::EMPTY.part(Some(Tone::Strong), text, true)
    }

    /// A word in a column of eight, and a text beside it.
    #[must_use]
    pub fn marked(tone: Tone, mark: impl Display, text: impl Display) -> Self {
        let mark = mark.to_string();
        let room = " ".repeat(9_usize.saturating_sub(mark.chars().count()).max(1));
        Self::EMPTY.toned(tone, &mark).then(&format!("{room}{text}")).hanging(9)
    }

    /// A line that is never broken.
    #[must_use]
    pub fn fixed(text: &str) -> Self {
        Self { is_fixed: true, ..Self::EMPTY }.then(text)
    }

    /// The lines of a unified diff; the first two name its files.
    pub fn diff(diff: &str) -> impl Iterator<Item = Self> {
        diff.trim_end().lines().enumerate().map(|(at, line)| {
            let tone = match line.as_bytes() {
                _ if at < 2 => Tone::Strong,
                [b'@', ..] => Tone::Next,
                [b'+', ..] => Tone::Good,
                [b'-', ..] => Tone::Removed,
                _ => return Self::fixed(line),
            };
            Self { is_fixed: true, ..Self::EMPTY }.toned(tone, line)
        })
    }

    /// With more words.
    #[must_use]
    pub fn then(self, text: &str) -> Self {
        self.part(None, text, false)
    }

    /// With more words, of a tone.
    #[must_use]
    pub fn toned(self, tone: Tone, text: &str) -> Self {
        self.part(Some(tone), text, false)
    }

    /// With what to do next; what stands below that is no part of a line.
    #[must_use]
    pub fn with(self, next: &Next) -> Self {
        next.pieces().fold(self, |line, (piece, _)| match piece {
            Piece::Words(words) => line.then(words.split('\n').next().unwrap_or_default()),
            Piece::Command(command) => line.part(None, command, true),
        })
    }

    /// The same, so many columns further to the right.
    #[must_use]
    pub fn indented(mut self, columns: usize) -> Self {
        self.indent += columns;
        self
    }

    /// The same with what goes on below so many columns further to the right than the line.
    #[must_use]
    pub fn hanging(self, columns: usize) -> Self {
        Self { hang: columns, ..self }
    }

    fn part(mut self, tone: Option<Tone>, text: &str, is_whole: bool) -> Self {
        if !text.is_empty() {
            self.parts.push(Part { text: plain::line(text).into_owned(), tone, is_whole });
        }
        self
    }

    /// How wide it is where nothing is broken.
    #[must_use]
    pub fn width(&self) -> usize {
        self.indent + self.parts.iter().map(|part| part.text.chars().count()).sum::<usize>()
    }

    /// As it is shown on one line, with what has a tone in the hands of `paint`.
    #[must_use]
    pub fn painted(&self, paint: impl Fn(Tone, &str) -> String) -> String {
        let parts = self.parts.iter().map(|part| toned(part.tone, &part.text, &paint));
        std::iter::once(" ".repeat(self.indent)).chain(parts).collect()
    }

    /// As it is shown on a terminal of this width: on several lines where it is too long.
    #[must_use]
    pub fn within(&self, width: usize, paint: impl Fn(Tone, &str) -> String) -> String {
        if self.is_fixed || self.width() <= width {
            return self.painted(paint);
        }
        let hang = self.indent + self.hang;
        let hang = if hang + ROOM > width { 0 } else { hang };
        let (mut shown, mut column) = (" ".repeat(self.indent), self.indent);
        let words = self.words();
        let mut rest = words.as_slice();
        while let Some(first) = rest.first() {
            // What has no blank between goes together.
            let more = rest[1..].iter().take_while(|word| word.gap == 0).count();
            let (together, after) = rest.split_at(1 + more);
            let length: usize = together.iter().map(|word| word.text.chars().count()).sum();
            if column > hang && first.gap > 0 && column + first.gap + length > width {
                shown.push_str(&format!("\n{}", " ".repeat(hang)));
                column = hang + length;
            } else {
                shown.push_str(&" ".repeat(first.gap));
                column += first.gap + length;
            }
            shown.extend(together.iter().map(|word| toned(word.tone, word.text, &paint)));
            rest = after;
        }
        shown
    }

    fn words(&self) -> Vec<Word<'_>> {
        let (mut words, mut gap) = (Vec::new(), 0);
        for Part { text, tone, is_whole } in &self.parts {
            let pieces = if *is_whole { vec![text.as_str()] } else { text.split(' ').collect() };
            for (at, text) in pieces.into_iter().enumerate() {
                gap += usize::from(at > 0);
                if !text.is_empty() {
                    words.push(Word { gap, text, tone: *tone });
                    gap = 0;
                }
            }
        }
        words
    }
}

fn toned(tone: Option<Tone>, text: &str, paint: impl Fn(Tone, &str) -> String) -> String {
    tone.map_or_else(|| text.to_owned(), |tone| paint(tone, text))
}

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.painted(|_, words| words.to_owned()))
    }
}

impl<T: Into<String>> From<T> for Line {
    fn from(text: T) -> Self {
        let text = text.into();
        let bare = text.trim_start_matches(' ');
        Self::EMPTY.then(bare).indented(text.len() - bare.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command_line::CommandLine;

    /// What has a tone in brackets.
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

    fn plain(_: Tone, words: &str) -> String {
        words.to_owned()
    }

    #[test]
    fn prose_is_broken_at_a_blank_and_a_command_never() {
        let check = CommandLine::ours("check --live -n orchestrator -f orchestrator-values.yaml");
        let next = Next::from("who is accepted and who is not: ").command(check).words("; then again");
        let next = Line::next("next", &next);
        let whole = "next: who is accepted and who is not: helm substra-mtls check --live -n orchestrator -f orchestrator-values.yaml; then again";
        assert_eq!([next.to_string(), next.within(200, plain)], [whole, whole]);
        let broken = "next: who is accepted and who\n  is not:\n  helm substra-mtls check --live -n orchestrator -f orchestrator-values.yaml;\n  then again";
        assert_eq!(next.within(30, plain), broken);
        let coloured = next.within(30, |tone, words| format!("<{tone:?}>{words}"));
        assert_eq!(coloured.replace("<Next>", ""), broken, "a tone changes no break");
        let column = Line::marked(Tone::Good, "ok", "one two three four five six").indented(2);
        assert_eq!(column.within(34, plain), "  ok       one two three four five\n           six");
        assert_eq!(Line::from("a-word-that-is-longer b").within(10, plain), "a-word-that-is-longer\nb");
        assert_eq!(Line::fixed("+    some: value   that stays").within(10, plain), "+    some: value   that stays");
        assert_eq!(
            Line::from("  one two three four five six seven").within(25, plain),
            "  one two three four five\n    six seven"
        );
    }
}
