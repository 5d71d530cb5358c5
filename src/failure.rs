//! What went wrong, as people and scripts are told it: what, why, what to do next, what was left unchanged.

use std::fmt;

pub use self::code::Code;
use crate::plain;

mod code;

/// The result of everything that can end a verb.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Exit statuses; a contract with scripts (README, "Exit status").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Everything asked for is effective.
    Done = 0,
    /// Something of this machine failed: a file, a lock, a bug of ours.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A check failed: the world is not as the verb needs it.
    CheckFailed = 3,
    /// Refused by policy or by the user.
    Refused = 5,
    /// `helm`, `kubectl` or the cluster failed.
    Outside = 6,
    /// A time limit ran out.
    TimedOut = 124,
    /// Stopped by Ctrl-C or a termination signal.
    Interrupted = 130,
}

impl Exit {
    /// The number that the process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// One failure in the words that an operator reads. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// The status that the process ends with.
    pub exit: Exit,
    /// A stable code that scripts may match, in kebab case.
    pub code: Code,
    /// What failed: one line, lower case, no final dot.
    pub what: String,
    /// Why: one line.
    pub why: String,
    /// The next thing to do, a command where there is one; below it lines to paste.
    pub next: String,
    /// What was left as it was; `None` where the caller knows it better and adds it.
    pub unchanged: Option<String>,
    /// What else was found; people were told it before this.
    pub also: Vec<Failure>,
}

impl Failure {
    /// A failure that ends with `exit` and can be told from others by `code`.
    pub fn new(exit: Exit, code: Code, what: impl Into<String>) -> Self {
        Self {
            exit,
            code,
            what: what.into(),
            why: String::new(),
            next: String::new(),
            unchanged: None,
            also: Vec::new(),
        }
    }

    /// Adds the reason.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// Adds the next thing to do: one line.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = plain::line(&next.into()).into_owned();
        self
    }

    /// Adds lines below the next thing to do.
    #[must_use]
    pub fn below(mut self, lines: &str) -> Self {
        self.next = format!("{}\n{lines}", self.next);
        self
    }

    /// Adds what else was found.
    #[must_use]
    pub fn also(mut self, others: Vec<Self>) -> Self {
        self.also = others;
        self
    }

    /// Says what was left as it was, unless somebody nearer to the cause said it already.
    #[must_use]
    pub fn unchanged(mut self, unchanged: impl Into<String>) -> Self {
        self.unchanged.get_or_insert_with(|| unchanged.into());
        self
    }
}

/// Whether what is said of the work's standing tells of something that is done or in place.
fn is_begun(standing: &str) -> bool {
    let untouched = standing.contains("nothing was ");
    standing.contains("in place") || (standing.contains("done: ") && !untouched)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", plain::line(&self.what), self.code)?;
        let unchanged = self.unchanged.as_deref().unwrap_or_default();
        // Where some of it is done, nobody may read that it is unchanged.
        let standing = if is_begun(unchanged) { "so far" } else { "unchanged" };
        let texts =
            [("why", plain::line(&self.why)), ("next", plain::block(&self.next)), (standing, plain::line(unchanged))];
        for (label, text) in texts {
            if !text.is_empty() {
                write!(f, "\n  {label}: {text}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_not_called_unchanged() {
        let told = |standing: &str| Failure::new(Exit::Failed, Code::Bug, "x").unchanged(standing).to_string();
        for begun in
            ["done: values; not done: upgrade", "of MyOrg1MSP: done: pair; not done: values", "in place: MyOrg1MSP"]
        {
            assert_eq!(told(begun), format!("x [bug]\n  so far: {begun}"));
        }
        for untouched in
            ["nothing was written", "nothing was changed by this run (not done: log)", "your files were only read"]
        {
            assert_eq!(told(untouched), format!("x [bug]\n  unchanged: {untouched}"));
        }
    }
}
