//! A command line that is wrong, told to people in clap's words and to scripts as a failure.

use std::ffi::OsString;

use super::{Format, console, outcome::failure_json};
use crate::{
    failure::{Code, Exit, Failure},
    plain,
    report::Console,
    text::Line,
};

/// Writes help or what is wrong with the command line, and gives the status to end with. Scripts that asked for JSON
/// get the failure on stdout too.
pub fn write_usage(error: &clap::Error, words: impl Iterator<Item = OsString>) -> Exit {
    let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let wrong = error.use_stderr();
    let foreign = foreign(&words);
    // A closed stdout or stderr is no reason to fail again.
    if wrong && wants_json(&words) {
        let console = Console { format: Format::Json, yes: false, interactive: false, quiet: false };
        drop(console.json(&failure_json(&failure(&said(error, &foreign)))));
    }
    if foreign.is_empty() {
        drop(error.print());
    } else {
        let lines: Vec<Line> = said(error, &foreign).trim_end().lines().map(Line::fixed).collect();
        console::talk(&lines);
    }
    if wrong { Exit::Usage } else { Exit::Done }
}

/// The words of the line, and of the variables that stand for some, that would steer the terminal; the longest first. clap
/// shows a value without the option before it: `--option=VALUE`, `-oVALUE`.
fn foreign(words: &[String]) -> Vec<String> {
    let variables = ["HELM_NAMESPACE", "HELM_KUBECONTEXT"].map(|name| std::env::var(name).unwrap_or_default());
    let parts = |word: &String| {
        [Some(word.as_str()), word.split_once('=').map(|(_, value)| value), word.get(2..)]
            .map(|part| part.map(str::to_owned))
    };
    let mut found: Vec<String> = words.iter().chain(&variables).flat_map(parts).flatten().collect();
    found.retain(|part| !part.chars().all(plain::is_plain));
    found.sort_by_key(|part| std::cmp::Reverse(part.len()));
    found
}

/// What clap says, without its colours, which cannot be told from those that a word brings along. The line feeds that
/// remain are clap's.
fn said(error: &clap::Error, foreign: &[String]) -> String {
    let text =
        foreign.iter().fold(error.render().ansi().to_string(), |text, part| text.replace(part, &plain::line(part)));
    anstream::adapter::strip_str(&text).to_string()
}

/// What clap says in paragraphs: the error, tips, the usage.
fn failure(text: &str) -> Failure {
    let mut paragraphs = text.split("\n\n").map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
    let what = paragraphs.next().unwrap_or_default();
    let (next, why): (Vec<String>, Vec<String>) =
        paragraphs.filter(|one| !one.starts_with("For more information")).partition(|one| one.starts_with("Usage: "));
    let why = if why.is_empty() { "the command line is not one of this program".to_owned() } else { why.join(" ") };
    // Of a value that cannot be read clap shows no usage.
    let next = if next.is_empty() { "correct it, then run the command again".to_owned() } else { next.join(" ") };
    Failure::new(Exit::Usage, Code::Usage, what.trim_start_matches("error: "))
        .why(why)
        .next(next)
        .unchanged("nothing was written")
}

/// Whether `-o json` is on a line that could not be read.
fn wants_json(words: &[String]) -> bool {
    let words: Vec<&String> = words.iter().take_while(|word| *word != "--").collect();
    let joined = ["-ojson", "-o=json", "--output=json"];
    words.iter().any(|word| joined.contains(&word.as_str()))
        || words.windows(2).any(|pair| matches!(pair[0].as_str(), "-o" | "--output") && pair[1] == "json")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn json_is_seen_in_each_way_of_writing_it() {
        for (line, wanted) in [
            ("enroll -o json", true),
            ("enroll -ojson", true),
            ("enroll -o=json", true),
            ("enroll --output json", true),
            ("enroll --output=json", true),
            ("enroll -o text", false),
            ("json -o", false),
            ("enroll -- -o json", false),
        ] {
            assert_eq!(wants_json(&line.split(' ').map(str::to_owned).collect::<Vec<_>>()), wanted, "{line}");
        }
    }

    #[test]
    fn a_missing_flag_is_named_in_one_line() {
        let failure = failure(&said(&Cli::try_parse_from(["substra-mtls", "enroll"]).unwrap_err(), &[]));
        assert_eq!(failure.what, "the following required arguments were not provided: --values <FILE>");
        assert!(failure.next.starts_with("Usage: substra-mtls enroll "), "{}", failure.next);
        assert_eq!(failure.why, "the command line is not one of this program");
    }
}
