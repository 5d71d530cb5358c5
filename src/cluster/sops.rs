//! The calls of `sops`: a values file that it has encrypted is read into memory and edited without plain text on a disk.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    child::{ChildCommand, ChildKind, ChildOutput, MAX_OUTPUT},
    kubectl::one_line,
    program,
};
use crate::{
    failure::{Code, Exit, Failure, Result},
    files,
    text::mask,
    values,
};

/// A key may lie in a cloud's service, or be unlocked at a pinentry.
const LIMIT: Duration = Duration::from_mins(1);

/// Values files whatever their names end in.
const YAML: [&str; 2] = ["--input-type=yaml", "--output-type=yaml"];

/// One change of an encrypted file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SopsChange {
    /// Keys, and indices of list items.
    pub path: Vec<Value>,
    /// The new value there; `None` removes it. Never a secret.
    pub value: Option<Value>,
}

impl SopsChange {
    /// The same as a command that people type.
    #[must_use]
    pub fn command(&self, file: &Path) -> String {
        let (file, index) = (file.display(), self.index());
        match &self.value {
            Some(value) => format!("sops set {file} '{index}' '{value}'"),
            None => format!("sops unset {file} '{index}'"),
        }
    }

    /// The path as sops writes it: `["orchestrator"]["members"][0]`.
    fn index(&self) -> String {
        self.path.iter().map(|key| format!("[{key}]")).collect()
    }
}

/// What the verbs need of sops. `file` is for messages: what is read is its text.
pub trait Sops: Send + Sync {
    /// The plain text of an encrypted file.
    ///
    /// # Errors
    /// `tool-missing` without sops; `sops` where it has no key for the file, or the file was changed behind its back.
    fn decrypt(&self, file: &Path, text: &[u8]) -> Result<Zeroizing<Vec<u8>>>;

    /// The encrypted text of a file after the changes.
    ///
    /// # Errors
    /// As for `decrypt`, and where a path does not fit what the file holds.
    fn edit(&self, file: &Path, text: &[u8], changes: &[SopsChange]) -> Result<Vec<u8>>;
}

/// The real sops, looked for when it is first needed.
#[derive(Debug, Clone)]
pub struct SopsProgram {
    program: PathBuf,
}

impl Default for SopsProgram {
    fn default() -> Self {
        Self::new("sops")
    }
}

impl SopsProgram {
    /// A program by its name on PATH, or by its path.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }

    fn run(&self, file: &Path, args: &[&str], stdin: Zeroizing<Vec<u8>>) -> Result<ChildOutput> {
        let program = program::find(&self.program).ok_or_else(|| {
            let what = format!("sops was not found, and {} is encrypted by it", file.display());
            let needed = "only sops can read and edit its values, and it is not on PATH";
            program::missing(&self.program, what, needed)
                .next("install sops 3.10 or later and have its key at hand, then run the same command again")
        })?;
        ChildCommand {
            program,
            args: args.iter().map(OsString::from).collect(),
            // All of the environment: keys and the ways to them are named there.
            env: env::vars_os().collect(),
            stdin: Some(stdin),
            limit: LIMIT,
            // What it edits is a throw-away copy: nothing is lost with it.
            kind: ChildKind::Read,
            max_output: MAX_OUTPUT,
        }
        .run()
    }

    /// Makes a change in `copy`, never in the original: sops writes in place, not atomically.
    fn change(&self, file: &Path, copy: &Path, change: &SopsChange) -> Result<()> {
        let (at, index) = (copy.to_string_lossy(), change.index());
        let output = match &change.value {
            Some(value) => {
                let args = ["set", YAML[0], YAML[1], "--value-stdin", &at, &index];
                self.run(file, &args, Zeroizing::new(value.to_string().into_bytes()))?
            }
            None => self.run(file, &["unset", YAML[0], YAML[1], &at, &index], Zeroizing::default())?,
        };
        if output.success { Ok(()) } else { Err(cannot_edit(file, &files::read(copy)?, change, &output.stderr)) }
    }
}

impl Sops for SopsProgram {
    fn decrypt(&self, file: &Path, text: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        // sops wants a name for what comes by standard input, by which it finds its own settings.
        let args = ["decrypt", YAML[0], YAML[1], "--filename-override=values.yaml"];
        let output = self.run(file, &args, Zeroizing::new(text.to_vec()))?;
        if output.success { Ok(output.stdout) } else { Err(cannot_decrypt(file, text, &output.stderr)) }
    }

    fn edit(&self, file: &Path, text: &[u8], changes: &[SopsChange]) -> Result<Vec<u8>> {
        let folder = files::scratch()?;
        let copy = folder.path().join("values.yaml");
        files::create_private(&copy, text)?;
        changes.iter().try_for_each(|change| self.change(file, &copy, change))?;
        Ok(files::read(&copy)?.to_vec())
    }
}

/// Not everything in the file need be encrypted, and an error of sops may quote it.
fn redacted(text: &[u8], error: &str) -> String {
    one_line(&mask::without(error, &values::words(text), &[]))
}

pub(super) fn cannot_decrypt(file: &Path, text: &[u8], error: &str) -> Failure {
    Failure::new(Exit::Outside, Code::Sops, format!("sops cannot decipher {}", file.display()))
        .why(redacted(text, error))
        .next(format!("make this work, then run the same command again: sops decrypt {}", file.display()))
        .unchanged("nothing was written")
}

pub(super) fn cannot_edit(file: &Path, text: &[u8], change: &SopsChange, error: &str) -> Failure {
    Failure::new(Exit::Outside, Code::Sops, format!("sops cannot edit {}", file.display()))
        .why(redacted(text, error))
        .next(format!("sops 3.10 or later is needed; by hand: {}", change.command(file)))
        .unchanged("nothing was written")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_command_by_hand_is_one_that_a_shell_takes() {
        let path = vec![json!("orchestrator"), json!("a.b"), json!(0)];
        let command = |value| SopsChange { path: path.clone(), value }.command(Path::new("v.yaml"));
        assert_eq!(command(Some(json!(true))), r#"sops set v.yaml '["orchestrator"]["a.b"][0]' 'true'"#);
        assert_eq!(command(None), r#"sops unset v.yaml '["orchestrator"]["a.b"][0]'"#);
    }
}
