//! The operator's terminal: talk on stderr, data on stdout, no question where nobody can answer, and all of it escaped.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    str::FromStr,
};

use zeroize::Zeroizing;

use super::{
    Format, Told, colour,
    terminal::{self, PromptResult},
};
use crate::{
    failure::{Code, Exit, Failure, Result},
    files, plain,
    text::{Line, Tone},
};

/// How often something is asked for that has a form.
const TRIES: usize = 3;

/// Where a verb talks and asks.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    /// How the result is written.
    pub format: Format,
    /// `--yes`: consent is given.
    pub yes: bool,
    /// Somebody sits there: both stdin and stderr are a terminal.
    pub interactive: bool,
    /// Says nothing; for verbs that run inside `rehearse`.
    pub quiet: bool,
}

impl Console {
    /// The console of this process.
    #[must_use]
    pub fn of_process(format: Format, yes: bool) -> Self {
        let interactive = io::stdin().is_terminal() && io::stderr().is_terminal();
        Self { format, yes, interactive, quiet: false }
    }

    /// A console that answers yes and says nothing.
    #[must_use]
    pub fn silent() -> Self {
        Self { format: Format::Text, yes: true, interactive: false, quiet: true }
    }

    /// Talk: one line to stderr.
    pub fn say(&self, line: impl Into<Line>) {
        self.say_all(&[line.into()]);
    }

    /// Talk: a change of a values file.
    pub fn say_diff(&self, diff: &str) {
        self.say_all(&Line::diff(diff).collect::<Vec<_>>());
    }

    /// Talk: a failure; `of` says whose it is, before the failure's own words.
    pub fn say_failure(&self, of: &str, failure: &Failure) {
        self.say_all(&lines_of(of, failure));
    }

    fn say_all(self, lines: &[Line]) {
        if !self.quiet {
            talk(lines);
        }
    }

    /// Data: lines to stdout.
    ///
    /// # Errors
    /// Nobody reads stdout any more.
    pub fn data(&self, told: &[Told]) -> Result<()> {
        let width = terminal::width(&io::stdout());
        self.put(&colour::for_stdout(told.iter().flat_map(|one| one.lines(width)), width))
    }

    /// Data as a document, as [`Format::document`] wrote it.
    ///
    /// # Errors
    /// As [`Console::data`].
    pub fn document(&self, text: &str) -> Result<()> {
        self.put(&format!("{text}\n"))
    }

    fn put(self, text: &str) -> Result<()> {
        if self.quiet {
            return Ok(());
        }
        io::stdout().write_all(text.as_bytes()).map_err(|e| {
            Failure::new(Exit::Failed, Code::Stdout, "the result could not be written")
                .why(files::reason(&e))
                .next("what the run has done is done: run the same command again, and it says so")
        })
    }

    /// Asks for consent; `what` says what happens and, in brackets, what that means: "upgrade release x (it restarts)".
    ///
    /// # Errors
    /// The operator said no, or nobody can be asked.
    pub fn consent(&self, what: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        if !self.interactive {
            return Err(no_terminal("--yes is needed here").next(format!("add --yes, which says yes to: {what}")));
        }
        self.agree(what)
    }

    /// The same where `--yes` is no answer.
    ///
    /// # Errors
    /// As [`Console::consent`].
    pub fn agree(&self, what: &str) -> Result<()> {
        if self.says_yes(&question(what))? {
            return Ok(());
        }
        Err(Failure::new(Exit::Refused, Code::Declined, "cancelled")
            .why("the answer was not yes")
            .next("run the command again when you want it")
            .unchanged("nothing was written"))
    }

    /// Asks a question whose answer is no, unless somebody says yes.
    ///
    /// # Errors
    /// As [`Console::ask`].
    pub fn says_yes(&self, question: &str) -> Result<bool> {
        let answer = self.ask(&format!("{question} [y/N] "))?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks for a line at the terminal.
    ///
    /// # Errors
    /// There is no terminal, or it was closed.
    pub fn ask(&self, question: &str) -> Result<String> {
        if !self.interactive {
            return Err(no_terminal("a question cannot be asked"));
        }
        let line = answered(false, question)?.map_err(|e| no_terminal("no answer could be read").why(e.to_string()))?;
        Ok(line.trim().to_owned())
    }

    /// Asks for something that has a form, and again where an answer has another one: `TRIES` times in all. The last
    /// error where none has it; nothing typed is no answer, and a closed terminal gives no other.
    ///
    /// # Errors
    /// As [`Console::ask`].
    pub fn ask_for<T: FromStr<Err: Display>>(&self, question: &str) -> Result<std::result::Result<T, T::Err>> {
        let mut left = TRIES;
        loop {
            left -= 1;
            let typed = self.ask(question)?;
            match typed.parse() {
                Err(bad) if left > 0 && !typed.is_empty() => self.say(format!("{bad}; type it again")),
                read => return Ok(read),
            }
        }
    }

    /// Asks for a passphrase without showing it.
    ///
    /// # Errors
    /// There is no terminal.
    pub fn passphrase(&self, question: &str) -> Result<Zeroizing<String>> {
        if !self.interactive {
            return Err(no_terminal("the key is encrypted and its passphrase cannot be asked for")
                .next("give the passphrase through a file descriptor: --passphrase-fd 3 3<passphrase.txt"));
        }
        answered(true, question)?.map_err(|e| no_terminal("no passphrase could be read").why(e.to_string()))
    }
}

/// `Upgrade release x?`
fn question(what: &str) -> String {
    let mut letters = what.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    format!("{}{}?", first.map(String::from).unwrap_or_default(), letters.as_str())
}

/// One line of talk to stderr that is never broken.
pub fn note(text: &str) {
    talk(&[Line::fixed(text)]);
}

/// Talk to stderr.
pub(super) fn talk(lines: &[Line]) {
    to_stderr(&colour::for_stderr(lines, terminal::width(&io::stderr())));
}

/// What a failure says; the lines below its next step are its own.
pub(super) fn lines_of(of: &str, failure: &Failure) -> Vec<Line> {
    let first = Line::label(Tone::Bad, "error", format!("{of}{} [{}]", failure.what, failure.code));
    let parts = failure.parts().flat_map(|(label, text)| {
        if label != "next" {
            return vec![Line::label(Tone::Strong, label, text).indented(2)];
        }
        let below = text.split('\n').skip(1).map(Line::fixed);
        std::iter::once(Line::next(label, &failure.next).indented(2)).chain(below).collect()
    });
    std::iter::once(first).chain(parts).collect()
}

/// One write a call. A stderr that is closed is no reason to stop.
fn to_stderr(text: &str) {
    drop(io::stderr().lock().write_all(text.as_bytes()));
}

/// What is typed at a question; an error within where the terminal cannot be read.
fn answered(hidden: bool, question: &str) -> Result<io::Result<Zeroizing<String>>> {
    match terminal::line(hidden, || to_stderr(&plain::line(question))) {
        Ok(PromptResult::Line(line)) => Ok(Ok(line)),
        Err(error) => Ok(Err(error)),
        Ok(PromptResult::Interrupted) => {
            to_stderr("\n");
            let what = "stopped at a question, as you asked".to_owned();
            Err(Failure { what, ..Failure::interrupted() }.unchanged("nothing was written"))
        }
    }
}

fn no_terminal(what: &str) -> Failure {
    Failure::new(Exit::Usage, Code::NoTerminal, what)
        .why("stdin or stderr is not a terminal")
        .unchanged("nothing was written")
}
