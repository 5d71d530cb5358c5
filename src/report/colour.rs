//! Colours: whether there are any, and which a tone has. They only repeat what the words say.

use std::{ffi::OsString, io, sync::LazyLock};

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};

use crate::text::{Line, Tone};

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

/// As they go to stderr.
pub(super) fn for_stderr<'a>(lines: impl IntoIterator<Item = &'a Line>, width: Option<usize>) -> String {
    joined(lines, width, *ON_STDERR)
}

/// As they go to stdout.
pub(super) fn for_stdout<'a>(lines: impl IntoIterator<Item = &'a Line>, width: Option<usize>) -> String {
    joined(lines, width, *ON_STDOUT)
}

/// Broken where there is a terminal and a line does not fit into it.
fn joined<'a>(lines: impl IntoIterator<Item = &'a Line>, width: Option<usize>, coloured: bool) -> String {
    let paint = |tone, words: &str| if coloured { painted(tone, words) } else { words.to_owned() };
    let shown = |line: &Line| width.map_or_else(|| line.painted(paint), |width| line.within(width, paint));
    lines.into_iter().map(|line| shown(line) + "\n").collect()
}

fn painted(tone: Tone, words: &str) -> String {
    let style = style(tone);
    format!("{style}{words}{style:#}")
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Doubtful => AnsiColor::Yellow.on_default(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
        Tone::Removed => AnsiColor::Red.on_default(),
        Tone::Next => AnsiColor::Cyan.on_default(),
        Tone::Strong => Style::new().bold(),
        Tone::Quiet => Style::new().dimmed(),
    }
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
    fn a_tone_is_a_colour_where_there_are_any() {
        let line = [Line::label(Tone::Bad, "error", "no")];
        assert_eq!(joined(&line, None, true), "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m no\n");
        assert_eq!(joined(&line, None, false), "error: no\n");
    }
}
