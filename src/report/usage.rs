//! A command line that is wrong, told to people in clap's words and to scripts as a failure.

use std::ffi::OsString;

use clap::ValueEnum;

use super::{Format, console, outcome::document_failure};
use crate::{
    failure::{Code, Exit, Failure},
    plain,
    text::Line,
};

/// Writes help or what is wrong with the command line, and gives the status to end with. Scripts that asked for
/// a document get the failure on stdout too.
pub fn write_usage(error: &clap::Error, words: impl Iterator<Item = OsString>) -> Exit {
    let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let wrong = error.use_stderr();
    let foreign = foreign(&words);
    // A closed stdout or stderr is no reason to fail again.
    if wrong {
        document_failure(&failure(&said(error, &foreign)), asked_for(&words));
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

/// The format of documents that a line asks for which could not be read; else the usual one.
fn asked_for(words: &[String]) -> Format {
    let words: Vec<&str> = words.iter().map(String::as_str).take_while(|word| *word != "--").collect();
    let is_named = |format: &Format| {
        let name = format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let joined = ["-o", "-o=", "--output="].map(|option| format!("{option}{name}"));
        words.iter().any(|word| joined.iter().any(|one| one == word))
            || words.windows(2).any(|pair| matches!(pair[0], "-o" | "--output") && pair[1] == name)
    };
    Format::value_variants().iter().copied().filter(|format| format.is_document()).find(is_named).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn a_format_of_documents_is_seen_in_each_way_of_writing_it() {
        let asked = |line: String| asked_for(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        for format in Format::value_variants() {
            let name = format.to_possible_value().unwrap().get_name().to_owned();
            let wanted = if format.is_document() { *format } else { Format::Text };
            for line in ["-o NAME", "-oNAME", "-o=NAME", "--output NAME", "--output=NAME"] {
                assert_eq!(asked(format!("enroll {}", line.replace("NAME", &name))), wanted, "{line}, {name}");
            }
            for line in ["NAME -o", "enroll -- -o NAME"] {
                assert_eq!(asked(line.replace("NAME", &name)), Format::Text, "{line}, {name}");
            }
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
