//! What people are told: each scene is played again in a process of its own, whose verbs talk, in `golden/*.txt`.
//!
//! stdout, stderr and the exit status stand there to the letter, but for what is drawn by chance or by the clock.

use std::{
    env,
    io::{self, Write},
    process::Command,
};

use substra_mtls::{
    failure::Result,
    report::{self, Console, Format, Outcome},
};

use super::mask;
use crate::world::Ran;

/// Set in the process that plays a scene for its text.
const PLAYED: &str = "SUBSTRA_MTLS_TEST_TEXT";

/// Begins a line between texts; the tool itself shows no such character.
const MARK: char = '\u{1}';

/// Whether this process plays a scene for its text.
pub(crate) fn is_played() -> bool {
    env::var_os(PLAYED).is_some()
}

/// The console of a session in a test: here it talks, and what was said so far is of another run.
pub(crate) fn console(quiet: Console) -> Console {
    if !is_played() {
        return quiet;
    }
    mark("begin");
    Console { format: Format::Text, quiet: false, ..quiet }
}

/// A command line: here it asks for text.
pub(crate) fn line(line: &str) -> String {
    if is_played() { line.replace(" -o json", "") } else { line.to_owned() }
}

/// Ends what a verb says at a session, as the process would.
pub(super) fn result(what: &str, result: Result<Outcome>) {
    let console = Console { quiet: false, ..Console::silent() };
    let exit = match result {
        Ok(outcome) => {
            outcome.write(&console).unwrap();
            outcome.exit()
        }
        Err(failure) => {
            let exit = failure.exit;
            report::write_failure(&failure.unchanged("nothing was written"), Format::Text);
            exit
        }
    };
    mark(&format!("end {} {what}", exit.code()));
}

/// The same of a run of the binary.
pub(super) fn ran(what: &str, ran: &Ran) {
    mark("begin");
    put(&ran.stdout, &ran.stderr);
    mark(&format!("end {} {what}", ran.status));
}

fn mark(text: &str) {
    let line = format!("{MARK}{text}\n");
    put(&line, &line);
}

fn put(stdout: &str, stderr: &str) {
    io::stdout().write_all(stdout.as_bytes()).unwrap();
    io::stderr().write_all(stderr.as_bytes()).unwrap();
}

/// Plays a test again for its text, and gives the file of all its answers.
#[track_caller]
pub(super) fn played(test: &str) -> String {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture", "--test-threads=1"]).env_clear();
    let output = child.env("TMPDIR", "/tmp").env(PLAYED, "1").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{test}: {stdout}{stderr}");
    let (stdout, stderr) = (parted(&stdout), parted(&stderr));
    assert!(!stdout.is_empty() && stdout.len() == stderr.len(), "{test} plays no scene");
    let both = stdout.iter().zip(&stderr);
    both.map(|((end, stdout), (_, stderr))| {
        let (exit, what) = end.split_once(' ').unwrap();
        format!("==== {what}\nexit {exit}\n{}{}\n", stream("stdout", stdout), stream("stderr", stderr))
    })
    .collect()
}

/// What stands on a stream between each end and the last begin before it.
fn parted(stream: &str) -> Vec<(&str, &str)> {
    let parts = stream.split(MARK).skip(1).map(|part| part.split_once('\n').unwrap());
    let mut last = "";
    let mut all = Vec::new();
    for (mark, text) in parts {
        match mark.strip_prefix("end ") {
            Some(end) => all.push((end, last)),
            None => last = text,
        }
    }
    all
}

fn stream(name: &str, text: &str) -> String {
    assert!(text.is_empty() || text.ends_with('\n'), "{name} ends within a line: {text}");
    if text.is_empty() { String::new() } else { format!("---- {name}\n{}", mask::masked(text)) }
}
