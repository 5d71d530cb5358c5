//! Completion: what Helm and the shells are answered when somebody presses the tab key.

mod candidates;
mod line;
mod shell;

use std::{
    ffi::{OsStr, OsString},
    io::{self, Write},
    path::Path,
};

use clap::Args;
use clap_complete::{CompletionCandidate, engine};

use self::line::TypedLine;
pub use self::shell::{Shell, print};
use crate::{NAME, args::EXIT_STATUSES};

/// Helm's hidden command, as cobra calls it: the words typed so far follow, the last one unfinished.
const ASKED: &str = "__complete";

/// Cobra's directives (`ShellCompDirective*`): no file names beside the candidates, and no blank after the only one.
const NO_FILES: u8 = 4;
const NO_BLANK: u8 = 2;

/// `completion`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct CompletionArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// What is completed: the command line, and what the verbs know of their options' values.
#[derive(Clone, Copy)]
pub struct CompletionData {
    /// The command line.
    pub command: fn() -> clap::Command,
    /// The ids of all checks, each with what it looks at.
    pub checks: fn() -> Vec<(&'static str, &'static str)>,
}

/// Answers a line that is being completed; `words` is the whole command line. `false`: it is no such line.
#[must_use]
pub fn answered(words: &[OsString], offered: CompletionData) -> bool {
    let current = std::env::current_dir().ok();
    if words.get(1).is_some_and(|word| word == ASKED) {
        let text = answer(words.get(2..).unwrap_or_default(), current.as_deref(), offered);
        // A shell that went away wants no answer.
        drop(io::stdout().write_all(text.as_bytes()));
        return true;
    }
    shell::answered(words, current.as_deref(), offered)
}

/// The candidates for the last word, one a line with its help after a tab, then the directive, as Helm reads them.
fn answer(words: &[OsString], current: Option<&Path>, offered: CompletionData) -> String {
    let mut command = candidates::with((offered.command)(), &TypedLine::read(words), offered);
    let all: Vec<OsString> = std::iter::once(NAME.into()).chain(words.iter().cloned()).collect();
    let last = all.len() - 1;
    let word = all.get(last).cloned().unwrap_or_default();
    let found = engine::complete(&mut command, all, last, current).unwrap_or_default();
    let found = wanted(found, &word);
    let goes_on = |candidate: &CompletionCandidate| {
        let value = candidate.get_value().to_string_lossy();
        value.ends_with('/') || value.ends_with('=')
    };
    let no_blank = if !found.is_empty() && found.iter().all(goes_on) { NO_BLANK } else { 0 };
    let lines: String = found.iter().map(shown).collect();
    format!("{lines}:{}\n", NO_FILES | no_blank)
}

/// Options are offered where they were begun, or where nothing else is to be said.
fn wanted(found: Vec<CompletionCandidate>, word: &OsStr) -> Vec<CompletionCandidate> {
    let is_option = |candidate: &CompletionCandidate| candidate.get_value().to_string_lossy().starts_with('-');
    let is_long = |candidate: &CompletionCandidate| candidate.get_value().to_string_lossy().starts_with("--");
    let has_words = found.iter().any(|candidate| !is_option(candidate));
    let begun = word.to_string_lossy().starts_with('-');
    found.into_iter().filter(|one| if begun { true } else { !has_words && is_long(one) || !is_option(one) }).collect()
}

/// A candidate with its help.
fn shown(candidate: &CompletionCandidate) -> String {
    let value = candidate.get_value().to_string_lossy();
    let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
    match help.lines().next() {
        Some(help) => format!("{value}\t{help}\n"),
        None => format!("{value}\n"),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::{cli::Cli, commands};

    fn answers(line: &str) -> String {
        let checks = || commands::check::ids().collect();
        let offered = CompletionData { command: Cli::command, checks };
        answer(&line.split(' ').map(OsString::from).collect::<Vec<_>>(), None, offered)
    }

    #[test]
    fn verbs_are_offered_first_and_options_where_they_were_begun() {
        let verbs = answers("");
        assert!(verbs.contains("enroll\tBackend: ") && verbs.ends_with(":4\n") && !verbs.contains("--"), "{verbs}");
        assert_eq!(answers("gate c"), "close\tMutual TLS on: backends without a valid pair are cut off\n:4\n");
        let options = answers("enroll --re");
        assert!(options.contains("--release\t") && options.contains("--renew\t") && !options.contains("--yes"));
        assert!(answers("enroll -f x ").contains("--certificate\t"));
    }

    #[test]
    fn words_of_an_option_are_offered_and_helms_own_flags_are_not_in_the_way() {
        assert_eq!(answers("enroll --key-type rsa-2"), "rsa-2048\tRSA of 2048 bits\n:4\n");
        assert_eq!(answers("--color=n"), "--color=never\tNowhere\n:4\n");
        assert!(!answers("enroll --").contains("--kube-token"));
        assert_eq!(answers("nonsense x"), ":4\n");
    }
}
