//! What a run gave, and how it is judged.

use std::{
    os::unix::process::ExitStatusExt,
    process::{Command, Output},
};

/// A run that came to its end.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit status; of a run that a signal ended, its number below zero.
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let status = output.status.code().unwrap_or_else(|| -output.status.signal().unwrap());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { status, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn of(command: &mut Command) -> Self {
        command.output().unwrap_or_else(|e| panic!("{command:?}: {e}")).into()
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 0, "{}{}", self.stdout, self.stderr);
        self
    }

    /// Ended with a status and a code before anything was changed, and says so.
    #[track_caller]
    pub(crate) fn refused(self, status: i32, code: &str) -> Self {
        self.failed(status, code, "\n  unchanged: ")
    }

    /// Ended half-way: it says what is done.
    #[track_caller]
    pub(crate) fn stopped(self, status: i32, code: &str) -> Self {
        self.failed(status, code, "\n  so far: ")
    }

    /// In the lines of a failure, and in nobody's words but ours.
    #[track_caller]
    fn failed(self, status: i32, code: &str, standing: &str) -> Self {
        assert_eq!(self.status, status, "{}{}", self.stdout, self.stderr);
        let text = &self.stderr;
        assert!(text.contains(&format!("[{code}]")), "{code}: {text}");
        for label in ["error: ", "\n  why: ", "\n  next: ", standing] {
            assert!(text.contains(label), "{label:?} is missing: {text}");
        }
        assert!(!text.contains("panicked") && !text.contains("Err(") && !text.contains("os error"), "{text}");
        self
    }

    /// A fact of stdout: `key: value`.
    #[track_caller]
    pub(crate) fn fact(&self, key: &str) -> String {
        let found = self.stdout.lines().find_map(|line| line.strip_prefix(&format!("{key}: ")));
        found.unwrap_or_else(|| panic!("no {key} in {}{}", self.stdout, self.stderr)).to_owned()
    }
}
