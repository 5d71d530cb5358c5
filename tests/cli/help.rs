//! Help: a page for each verb, short help of one screen, and the manual and the reference that are made of the same.

mod man;
mod markdown;

use std::{fs, path::PathBuf, process::Command};

use clap::CommandFactory;
use substra_mtls::cli::{
    Cli, NAME,
    help::{HelpBlock, PAGES, blocks},
};

/// The classic terminal has 24 lines of 80 columns. One line is the prompt's that comes after the help: what is longer
/// pushes the verb's own first line off the screen.
const SCREEN: (usize, usize) = (80, 23);

/// Verbs that are only the heading of others.
const GROUPS: [&str; 2] = ["gate", "ca"];

fn helped(verb: &str, how: &str, columns: usize) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    command.args(verb.split_whitespace()).arg(how).env_clear().env("COLUMNS", columns.to_string());
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{verb} {how}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every verb of the command line, by its words.
fn verbs(command: &clap::Command, before: &str) -> Vec<String> {
    let mut found = vec![before.to_owned()];
    for verb in command.get_subcommands() {
        found.extend(verbs(verb, format!("{before} {}", verb.get_name()).trim()));
    }
    found
}

/// A file that is made: equal to what is there, or written anew with `UPDATE_EXPECTED=1`.
fn expect(file: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "{file} is not what the command line says: UPDATE_EXPECTED=1 cargo test --test cli help");
}

#[test]
fn every_verb_has_its_page() {
    let mut named: Vec<&str> = PAGES.iter().map(|(verb, _)| *verb).collect();
    let all = verbs(&Cli::command(), "");
    named.sort_by_key(|verb| all.iter().position(|known| known == verb));
    assert_eq!(named, all);
}

#[test]
fn a_page_says_what_is_touched_and_which_rights_it_takes_and_has_two_examples_that_can_be_typed() {
    for (verb, page) in PAGES {
        let all = blocks(page);
        assert!(page.is_ascii(), "{verb}: not every terminal has other letters");
        let says = |words: &str| all.contains(&HelpBlock::Heading(words.to_owned()));
        let is_group = verb.is_empty() || GROUPS.contains(&verb);
        for words in ["Files and objects", "Rights", "Exit status"] {
            assert!(is_group || says(words), "{verb}: {words}");
        }
        let names_role =
            page.split("## Rights").nth(1).is_some_and(|part| part.contains("\n    helm substra-mtls role "));
        let needs_none = is_group || ["rehearse", "role", "completion"].contains(&verb);
        assert!(names_role || needs_none, "{verb} does not say which Role suffices");
        let code =
            all.iter().filter_map(|block| if let HelpBlock::Code(text) = block { Some(text.as_str()) } else { None });
        let lines: Vec<String> =
            code.flat_map(|text| text.replace("\\\n", " ").lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        assert!(lines.len() >= 2, "{verb}: {lines:?}");
        lines.iter().filter(|line| !line.trim_start().starts_with("kubectl ")).for_each(|line| can_be_typed(line));
    }
}

#[track_caller]
fn can_be_typed(line: &str) {
    let at = line.find(NAME).unwrap_or_else(|| panic!("{line}"));
    let words =
        line[at..].split(" > ").next().unwrap().split(" |").next().unwrap().trim_end_matches(")\"").split_whitespace();
    let words: Vec<_> = words.map(Into::into).collect();
    let read = Cli::read(&words);
    assert!(read.is_ok(), "{line}: {}", read.unwrap_err());
}

#[test]
fn short_help_fits_a_screen() {
    for (verb, _) in PAGES {
        let text = helped(verb, "-h", SCREEN.0);
        assert!(text.lines().count() <= SCREEN.1, "{verb}: {} lines\n{text}", text.lines().count());
        assert!(text.lines().all(|line| line.len() <= SCREEN.0), "{text}");
        assert!(text.contains("see more with '--help'"), "{text}");
    }
}

#[test]
fn long_help_follows_the_width() {
    for (verb, _) in PAGES {
        let narrow = helped(verb, "--help", 80);
        assert!(narrow.lines().all(|line| line.len() <= 120), "{verb}");
        let too_wide: Vec<&str> = narrow.lines().filter(|line| line.len() > 80).collect();
        assert!(too_wide.is_empty(), "{verb}: {too_wide:?}");
        assert!(helped(verb, "--help", 120).lines().count() < narrow.lines().count(), "{verb}");
    }
}

#[test]
fn the_usage_names_helm_where_helm_calls() {
    let usage = |plugin: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
        command.args(["enroll", "-h"]).env_clear().env("HELM_PLUGIN_NAME", plugin);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(usage(NAME).contains("Usage: helm substra-mtls enroll [OPTIONS]"));
    assert!(usage("another").contains("Usage: substra-mtls enroll [OPTIONS]"));
}

#[test]
fn help_before_a_verb_is_its_page_too() {
    let world = super::world::World::new();
    for (words, page) in [("help", "--help"), ("help enroll", "enroll --help"), ("help ca init", "ca init --help")] {
        assert_eq!(world.run(words).ok().stdout, world.run(page).ok().stdout, "{words}");
    }
}

#[test]
fn what_helm_gives_by_environment_does_not_look_required() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    command.arg("enroll").env_clear().env("HELM_NAMESPACE", "default").env("HELM_KUBECONTEXT", "here");
    let said = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(said.contains("--values <FILE>") && !said.contains("--namespace"), "{said}");
}

#[test]
fn the_reference_is_made_of_the_command_line() {
    expect("docs/reference.md", &markdown::reference(&command()));
}

#[test]
fn the_manual_is_made_of_the_command_line() {
    let pages = man::pages(&command());
    pages.iter().for_each(|(name, text)| expect(&format!("docs/man/{name}.1"), text));
    let there = fs::read_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/man")).unwrap().count();
    assert_eq!(there, pages.len(), "docs/man has a page of a verb that is no more");
}

fn command() -> clap::Command {
    let mut command = in_full(Cli::command().bin_name(NAME));
    command.build();
    command
}

/// With every option, since the manual would show those without their text that short help leaves out.
fn in_full(command: clap::Command) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let command = command.mut_args(|arg| arg.hide_short_help(false));
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, in_full))
}
