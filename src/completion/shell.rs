//! Shells without Helm: the script that each one loads, and the way in which each one asks.

use std::{
    ffi::OsString,
    io::{self, Write},
    path::Path,
};

use clap::ValueEnum;
use clap_complete::{
    CompleteEnv,
    env::{EnvCompleter, Fish, Powershell, Shells, Zsh},
};

use super::{CompletionData, candidates, line::TypedLine};
use crate::{
    NAME,
    failure::{Code, Exit, Failure, Result},
};

/// The variable by which the scripts of all shells but bash ask; its value is the shell.
const VARIABLE: &str = "SUBSTRA_MTLS_COMPLETE";

/// Bash has a script of our own: it joins the words that bash parts at `=` and `:`, which our options are full of.
const BASH: &str = include_str!("substra-mtls.bash");

/// A shell that can be completed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// bash 4 or later
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
    /// PowerShell
    Powershell,
}

/// Prints the script of a shell; it calls this very binary, wherever it stands.
///
/// # Errors
/// The binary does not know where it stands, or nobody reads stdout.
pub fn print(shell: Shell) -> Result<Exit> {
    let failed = |e: io::Error| {
        Failure::new(Exit::Failed, Code::Stdout, "the script could not be written").why(crate::files::reason(&e))
    };
    let binary = std::env::current_exe().map_err(failed)?.to_string_lossy().into_owned();
    let mut script = Vec::new();
    let written = match shell {
        Shell::Bash => write!(script, "{}", BASH.replace("SUBSTRA_MTLS", &quoted(&binary))),
        Shell::Zsh => Zsh.write_registration(VARIABLE, NAME, NAME, &binary, &mut script),
        Shell::Fish => Fish.write_registration(VARIABLE, NAME, NAME, &binary, &mut script),
        Shell::Powershell => Powershell.write_registration(VARIABLE, NAME, NAME, &binary, &mut script),
    };
    written.and_then(|()| io::stdout().write_all(&script)).map_err(failed)?;
    Ok(Exit::Done)
}

/// One word for a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Answers where a script of another shell than bash asks.
pub(super) fn answered(words: &[OsString], current: Option<&Path>, offered: CompletionData) -> bool {
    if std::env::var_os(VARIABLE).is_none() {
        return false;
    }
    let typed = words.iter().skip_while(|word| *word != "--").skip(2).cloned().collect::<Vec<_>>();
    let factory = || candidates::with((offered.command)(), &TypedLine::read(&typed), offered);
    let shells: [&dyn EnvCompleter; 3] = [&Fish, &Powershell, &Zsh];
    let asked = CompleteEnv::with_factory(factory).var(VARIABLE).shells(Shells(&shells));
    // A line that cannot be completed has no candidates, and a shell wants no talk.
    asked.try_complete(words.iter().cloned(), current).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_for_a_shell() {
        assert_eq!(quoted("/a b/it's"), r"'/a b/it'\''s'");
    }
}
