//! Whatever is printed as a command of ours can be pasted: quoted as a shell reads it, it is a command line of this program.

use std::{ffi::OsString, fs, path::Path};

use serde_json::{Map, Value};
use substra_mtls::cli::{Cli, NAME, help::PAGES};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The commands of ours in a text, each as a person copies it: up to what ends a command for the shell, or a code mark.
fn commands(text: &str) -> Vec<&str> {
    let starts = text.match_indices("helm substra-mtls ");
    starts.map(|(at, _)| text[at..].split_at(length(&text[at..])).0.trim_end()).collect()
}

/// The same with those of helm and kubectl.
pub(crate) fn all_commands(text: &str) -> Vec<&str> {
    let starts = text.match_indices("helm ").chain(text.match_indices("kubectl "));
    let mut starts: Vec<usize> =
        starts.map(|(at, _)| at).filter(|at| !text[..*at].ends_with(char::is_alphanumeric)).collect();
    starts.sort_unstable();
    // Prose that goes on after a command; and prose that names helm.
    let ends = [", ", " shows"];
    let one = |at: usize| {
        let command = &text[at..][..length(&text[at..])];
        ends.iter().fold(command, |command, end| command.split(end).next().unwrap_or(command)).trim_end()
    };
    let is_one = |command: &&str| {
        ["helm substra-mtls ", "helm -n ", "helm list ", "kubectl -n "].iter().any(|begin| command.starts_with(begin))
    };
    starts.into_iter().map(one).filter(is_one).collect()
}

fn length(text: &str) -> usize {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '`' | ';' | '\n' | '|' | '&' | '<' | '>' | ')') => return at,
            _ => {}
        }
    }
    text.len()
}

/// Why a command cannot be pasted.
fn refused(command: &str) -> Option<String> {
    // A line that goes on; shlex would make a word of it.
    let Some(words) = shlex::split(&command.replace("\\\n", " ")) else {
        return Some("its quotes do not close".to_owned());
    };
    let words: Vec<OsString> = words.into_iter().skip_while(|word| word != NAME).map(Into::into).collect();
    let error = Cli::read(&words).err()?;
    (error.exit_code() != 0).then(|| error.to_string())
}

/// Refuses a text with a command of ours that would be refused.
#[track_caller]
pub(crate) fn judged(text: &str) {
    for command in commands(text) {
        if let Some(why) = refused(command) {
            panic!("this cannot be pasted: {command}\n{why}\nin: {text}");
        }
    }
}

/// The same for every text of an answer.
#[track_caller]
pub(crate) fn judged_answer(answer: &Value) {
    match answer {
        Value::String(text) => judged(text),
        Value::Array(items) => items.iter().for_each(judged_answer),
        Value::Object(map) => {
            beside(map);
            map.values().for_each(judged_answer);
        }
        _ => {}
    }
}

/// What stands for a word that only a person knows, or that somebody else types.
const BLANKS: [&str; 4] = [" ORG.csr", " CA.crt", " FILE", " --new-request -f backend-values.yaml"];

/// Beside each `next` stand the commands of it that can be pasted as they are.
#[track_caller]
fn beside(map: &Map<String, Value>) {
    let Some(next) = map.get("next") else { return };
    let all = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let alone = map.get("commands").map(all).unwrap_or_default();
    let next = all(next);
    let texts: Vec<&str> = next.iter().filter_map(Value::as_str).collect();
    for command in texts.iter().flat_map(|text| commands(text)) {
        // What a pipe takes from it stands alone with it.
        let is_it = |one: &Value| one.as_str().and_then(|one| one.split(" | ").next()) == Some(command);
        let is_blank = BLANKS.iter().any(|blank| command.contains(blank));
        assert!(is_blank || alone.iter().any(is_it), "beside {texts:?} {command} does not stand alone");
    }
    for command in alone.iter().map(|one| one.as_str().unwrap()) {
        assert!(texts.iter().any(|text| text.contains(command)), "{command} is of no text: {texts:?}");
        assert!(shlex::split(command).is_some_and(|words| !words.is_empty()), "{command} is none");
    }
}

#[test]
fn a_command_ends_where_the_shell_or_the_code_mark_ends_it() {
    let text = "first: helm substra-mtls check -f 'a; b'\"`c`\" -n x; then `helm substra-mtls rehearse`.\nhelm substra-mtls \\\n  ca init";
    let wanted = [
        "helm substra-mtls check -f 'a; b'\"`c`\" -n x",
        "helm substra-mtls rehearse",
        "helm substra-mtls \\\n  ca init",
    ];
    assert_eq!(commands(text), wanted);
    for (command, is_good) in [
        ("helm substra-mtls check -f 'my values.yaml' -n x   # of one release", true),
        ("helm substra-mtls --version", true),
        ("helm substra-mtls check -f my values.yaml -n x", false),
        ("helm substra-mtls enroll", false),
        ("helm substra-mtls enroll ... --certificate ORG.crt", false),
        ("helm substra-mtls check -f 'it", false),
    ] {
        assert_eq!(refused(command).is_none(), is_good, "{command}");
    }
}

#[test]
fn every_example_of_every_page_can_be_pasted() {
    let pages =
        ["README.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md", "plugin.yaml", "docs/schemas/README.md"];
    let docs = fs::read_dir(Path::new(ROOT).join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let mut texts: Vec<String> = PAGES.iter().map(|(_, page)| (*page).to_owned()).collect();
    for path in pages.iter().map(|page| Path::new(ROOT).join(page)).chain(docs) {
        texts.push(fs::read_to_string(path).unwrap());
    }
    let all: Vec<&str> = texts.iter().flat_map(|text| commands(text)).collect();
    assert!(all.len() > 80, "{}", all.len());
    let bad = all.iter().filter_map(|command| Some(format!("{command}\n  {}", refused(command)?)));
    let bad: Vec<String> = bad.collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
