//! Colours: whether there are any, and which words have them. They only repeat what the words say.

use std::{ffi::OsString, io, sync::LazyLock};

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
const NEXT: Style = AnsiColor::Cyan.on_default();
const QUIET: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();
const TAKEN: Style = AnsiColor::Red.on_default();

static ON_STDERR: LazyLock<bool> = LazyLock::new(|| AutoStream::choice(&io::stderr()) != ColorChoice::Never);
static ON_STDOUT: LazyLock<bool> = LazyLock::new(|| AutoStream::choice(&io::stdout()) != ColorChoice::Never);

/// Settles colours for the process, help and usage errors included: `--color` or `--colour` wherever it stands, else
/// `NO_COLOR`, `CLICOLOR_FORCE`, Helm 4's `HELM_COLOR`, and what the terminal is.
pub fn choose_colours(words: &[OsString]) {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let inherited = || variable("HELM_COLOR").filter(|_| variable("NO_COLOR").is_none());
    match said(words).or_else(inherited).as_deref() {
        Some("always") => ColorChoice::Always.write_global(),
        Some("never") => ColorChoice::Never.write_global(),
        // A word that is none is refused when the line is read.
        _ => {}
    }
}

fn said(words: &[OsString]) -> Option<String> {
    let mut last = None;
    let mut words = words.iter().map(|word| word.to_string_lossy()).take_while(|word| word != "--");
    while let Some(word) = words.next() {
        match word.as_ref() {
            "--color" | "--colour" => last = words.next().map(std::borrow::Cow::into_owned),
            word => {
                let value = word.strip_prefix("--color=").or_else(|| word.strip_prefix("--colour="));
                last = value.map(str::to_owned).or(last);
            }
        }
    }
    last
}

/// As it goes to stderr.
pub(super) fn for_stderr(text: &str) -> String {
    if *ON_STDERR { dressed(text) } else { text.to_owned() }
}

/// As it goes to stdout.
pub(super) fn for_stdout(text: &str) -> String {
    if *ON_STDOUT { dressed(text) } else { text.to_owned() }
}

/// Colours for a diff, else for the words that lines begin with.
fn dressed(text: &str) -> String {
    let line = if text.starts_with("--- ") { in_diff } else { in_talk };
    text.split_inclusive('\n')
        .map(|full| {
            let bare = full.trim_end_matches('\n');
            line(bare) + &full[bare.len()..]
        })
        .collect()
}

fn in_diff(line: &str) -> String {
    let style = match line.as_bytes() {
        [b'-', b'-', b'-', ..] | [b'+', b'+', b'+', ..] => STRONG,
        [b'@', b'@', ..] => NEXT,
        [b'+', ..] => GOOD,
        [b'-', ..] => TAKEN,
        _ => return line.to_owned(),
    };
    painted(style, line)
}

/// A label is what ends with a colon; a status is a word, or two, with room after it as in a column.
fn in_talk(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let (blanks, rest) = line.split_at(indent);
    let label = |words: &[&str]| words.iter().find(|word| rest.starts_with(**word)).map(|word| word.len());
    let column = |words: &[&str]| {
        let followed = |word: &&&str| rest.strip_prefix(**word).is_some_and(|after| after.starts_with("  "));
        words.iter().find(followed).map(|word| word.len())
    };
    let next = || rest.strip_prefix("next for ").and_then(|after| Some("next for ".len() + after.find(": ")? + 1));
    let found = None
        .or_else(|| Some((BAD, label(&["error:"])?)))
        .or_else(|| Some((DOUBTFUL, label(&["warning:"])?)))
        .or_else(|| Some((NEXT, label(&["next:"]).or_else(next)?)))
        .or_else(|| Some((STRONG, label(&["why:", "unchanged:", "so far:", "Plan:"])?)))
        .or_else(|| Some((GOOD, column(&["ok", "now"])?)))
        .or_else(|| Some((DOUBTFUL, column(&["warning", "to do"])?)))
        .or_else(|| Some((BAD, column(&["failed"])?)))
        .or_else(|| Some((QUIET, column(&["skipped", "already"])?)));
    let Some((style, length)) = found else { return line.to_owned() };
    let (word, after) = rest.split_at(length);
    format!("{blanks}{}{after}", painted(style, word))
}

fn painted(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<String> {
        said(&line.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_last_colour_that_is_asked_for_counts_wherever_it_stands() {
        assert_eq!(words("check --color never -f x"), Some("never".into()));
        assert_eq!(words("--colour=always check --color=never"), Some("never".into()));
        assert_eq!(words("check -f x"), None);
        assert_eq!(words("check -- --color never"), None);
    }

    #[test]
    fn labels_and_columns_are_coloured_and_what_people_wrote_is_not() {
        for (line, coloured) in [
            ("error: no", "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m no"),
            ("  why: so", "  \u{1b}[1mwhy:\u{1b}[0m so"),
            ("  ok       tls  x", "  \u{1b}[32mok\u{1b}[0m       tls  x"),
            ("next for A: run", "\u{1b}[36mnext for A:\u{1b}[0m run"),
            ("failed to do it", "failed to do it"),
            ("organization  stage", "organization  stage"),
        ] {
            assert_eq!(dressed(line), coloured);
        }
    }

    #[test]
    fn a_diff_is_coloured_by_its_first_column() {
        assert_eq!(dressed("--- a\n b\n+c\n"), "\u{1b}[1m--- a\u{1b}[0m\n b\n\u{1b}[32m+c\u{1b}[0m\n");
        assert_eq!(dressed("+c"), "+c", "outside of a diff it is what it is");
    }
}
