//! The operator's terminal: talk on stderr, data on stdout, and no question where nobody can answer.

use std::io::{self, BufRead, IsTerminal, Write};

use zeroize::Zeroizing;

use super::colour;
use crate::{
    failure::{Exit, Failure, Result},
    interrupt,
};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document with `schemaVersion`.
    Json,
}

/// Where a verb talks and asks.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    /// How the result is written.
    pub format: Format,
    /// `--yes`: every "Continue?" is answered.
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

    /// Talk: one line or several, to stderr.
    pub fn say(&self, text: impl AsRef<str>) {
        if !self.quiet {
            // One write a call. A stderr that is closed is no reason to stop.
            drop(io::stderr().lock().write_all(format!("{}\n", colour::for_stderr(text.as_ref())).as_bytes()));
        }
    }

    /// Data: to stdout.
    ///
    /// # Errors
    /// Nobody reads stdout any more.
    pub fn data(&self, text: impl AsRef<str>) -> Result<()> {
        if self.quiet {
            return Ok(());
        }
        let text = text.as_ref();
        let text = if self.format == Format::Json { text.to_owned() } else { colour::for_stdout(text) };
        writeln!(io::stdout(), "{text}")
            .map_err(|e| Failure::new(Exit::Failed, "stdout", "the result could not be written").why(e.to_string()))
    }

    /// Asks for consent; `what` says what happens: "change the values file and upgrade release orchestrator".
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
        let answer = self.ask(&format!("Continue: {what}? [y/N] "))?;
        if matches!(answer.to_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Failure::new(Exit::Refused, "declined", "stopped, as you answered")
            .why("the answer was not yes")
            .next("run the command again when you want it")
            .unchanged("nothing was written"))
    }

    /// Asks for a line at the terminal.
    ///
    /// # Errors
    /// There is no terminal, or it was closed.
    pub fn ask(&self, question: &str) -> Result<String> {
        if !self.interactive {
            return Err(no_terminal("a question cannot be asked"));
        }
        anstream::eprint!("{question}");
        let mut line = String::new();
        interrupt::answer(|| io::stdin().lock().read_line(&mut line))?
            .map_err(|e| no_terminal("no answer could be read").why(e.to_string()))?;
        Ok(line.trim().to_owned())
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
        rpassword::prompt_password(question)
            .map(Zeroizing::new)
            .map_err(|e| no_terminal("no passphrase could be read").why(e.to_string()))
    }
}

fn no_terminal(what: &str) -> Failure {
    Failure::new(Exit::Usage, "no-terminal", what)
        .why("stdin or stderr is not a terminal")
        .unchanged("nothing was written")
}
