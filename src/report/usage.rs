//! A command line that is wrong, told to people in clap's words and to scripts as a failure.

use std::ffi::OsString;

use super::{Format, outcome::failure_json};
use crate::{
    failure::{Exit, Failure},
    report::Console,
};

/// Writes help or what is wrong with the command line, and gives the status to end with. Scripts that asked for JSON
/// get the failure on stdout too.
pub fn write_usage(error: &clap::Error, words: impl Iterator<Item = OsString>) -> Exit {
    let wrong = error.use_stderr();
    // A closed stdout or stderr is no reason to fail again.
    if wrong && wants_json(words) {
        let console = Console { format: Format::Json, yes: false, interactive: false, quiet: false };
        drop(console.data(failure_json(&failure(error)).to_string()));
    }
    drop(error.print());
    if wrong { Exit::Usage } else { Exit::Done }
}

/// What clap says in paragraphs: the error, tips, the usage.
fn failure(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
    let what = paragraphs.next().unwrap_or_default();
    let (next, why): (Vec<String>, Vec<String>) = paragraphs.partition(|one| one.starts_with("Usage: "));
    Failure::new(Exit::Usage, "usage", what.trim_start_matches("error: "))
        .why(why.join(" "))
        .next(next.join(" "))
        .unchanged("nothing was written")
}

/// Whether `-o json` is on a line that could not be read.
fn wants_json(words: impl Iterator<Item = OsString>) -> bool {
    let words: Vec<String> =
        words.map(|word| word.to_string_lossy().into_owned()).take_while(|word| word != "--").collect();
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
            assert_eq!(wants_json(line.split(' ').map(OsString::from)), wanted, "{line}");
        }
    }

    #[test]
    fn a_missing_flag_is_named_in_one_line() {
        let failure = failure(&Cli::try_parse_from(["substra-mtls", "enroll"]).unwrap_err());
        assert_eq!(failure.what, "the following required arguments were not provided: --values <FILE>");
        assert!(failure.next.starts_with("Usage: substra-mtls enroll "), "{}", failure.next);
    }
}
