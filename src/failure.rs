//! What went wrong, as people and scripts are told it: what, why, what to do next, what was left unchanged.

use std::fmt;

use serde::{Serialize, Serializer};

pub use self::code::Code;
pub use crate::command_line::Next;
use crate::plain;

mod code;

/// The result of everything that can end a verb.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Exit statuses; a contract with scripts (`docs/exit-status.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
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

impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

/// One failure in the words that an operator reads. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Failure {
    /// The status that the process ends with.
    pub exit: Exit,
    /// A stable code that scripts may match, in kebab case.
    #[cfg_attr(test, schemars(with = "crate::schemas::Id"))]
    pub code: Code,
    /// What failed: one line, lower case, no final dot.
    pub what: String,
    /// Why: one line.
    pub why: String,
    /// The next thing to do, a command where there is one; below it lines to paste.
    #[serde(flatten)]
    pub next: Next,
    /// How the work stands; null where the caller knows it better and adds it.
    #[serde(rename = "unchanged")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub standing: Option<StateAfterFailure>,
    /// What else was found; people were told it before this.
    #[serde(skip_serializing_if = "Vec::is_empty")]
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
            next: Next::default(),
            standing: None,
            also: Vec::new(),
        }
    }

    /// A mistake of ours, said instead of a panic.
    pub fn bug(what: impl Into<String>) -> Self {
        Self::new(Exit::Failed, Code::Bug, what)
            .why("this is a mistake of the tool")
            .next("please report it with the command line")
    }

    /// A refusal for which nothing was found: a mistake of ours too.
    pub fn without_a_reason(what: impl Into<String>) -> Self {
        Self::new(Exit::Refused, Code::Refused, what)
            .why("no rule said which")
            .next("please report it with the command line")
    }

    /// Of several findings the first; the others are told in its reason. `or` is what is refused where there is none.
    pub(crate) fn first_of(found: Vec<Self>, or: &str) -> Self {
        let mut found = found.into_iter();
        let Some(first) = found.next() else { return Self::without_a_reason(or) };
        let more: String = found.map(|other| format!("; and {}", other.what)).collect();
        let why = format!("{}{more}", first.why);
        first.why(why)
    }

    /// A signal cut the work short.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(Exit::Interrupted, Code::Interrupted, "stopped, as you asked")
            .why("a signal arrived")
            .next("run the same command again")
    }

    /// Adds the reason.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// Adds the next thing to do: one line.
    #[must_use]
    pub fn next(mut self, next: impl Into<Next>) -> Self {
        self.next = next.into();
        self
    }

    /// Adds lines below the next thing to do.
    #[must_use]
    pub fn below(mut self, lines: &str) -> Self {
        self.next = self.next.below(lines);
        self
    }

    /// What is told below the first line, each with its label; of the next step alone it may be several lines.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let (label, standing) = self.standing.as_ref().map_or(("", ""), |standing| (standing.label(), standing.text()));
        let parts = [("why", self.why.as_str()), ("next", &self.next), (label, standing)];
        parts.into_iter().filter(|(_, text)| !text.is_empty())
    }

    /// Adds what else was found.
    #[must_use]
    pub fn also(mut self, others: Vec<Self>) -> Self {
        self.also = others;
        self
    }

    /// Says what was left as it was, unless somebody nearer to the cause said it already.
    #[must_use]
    pub fn unchanged(self, unchanged: impl Into<String>) -> Self {
        self.standing(StateAfterFailure::Unchanged(unchanged.into()))
    }

    /// Says how the work stands, unless somebody nearer to the cause said it already.
    #[must_use]
    pub fn standing(mut self, standing: StateAfterFailure) -> Self {
        self.standing.get_or_insert(standing);
        self
    }
}

/// How the work stands after a failure: where some of it is done, nobody may read that it is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum StateAfterFailure {
    /// What was left as it was.
    Unchanged(String),
    /// What is done or in place, and what is not.
    SoFar(String),
}

impl StateAfterFailure {
    /// What people read before the text.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Unchanged(_) => "unchanged",
            Self::SoFar(_) => "so far",
        }
    }

    /// The text, which scripts see under one key whatever it is.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Unchanged(text) | Self::SoFar(text) => text,
        }
    }

    /// The same, where the work was only that of `whose`.
    #[must_use]
    pub fn of(self, whose: &str) -> Self {
        let of = |text: String| format!("of {whose}: {text}");
        match self {
            Self::Unchanged(text) => Self::Unchanged(of(text)),
            Self::SoFar(text) => Self::SoFar(of(text)),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", plain::line(&self.what), self.code)?;
        self.parts().try_for_each(|(label, text)| {
            let shown = if label == "next" { plain::block(text) } else { plain::line(text) };
            write!(f, "\n  {label}: {shown}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_several_names_the_others_and_none_at_all_is_a_mistake_of_ours() {
        let one = |what: &str| Failure::new(Exit::Refused, Code::RequestKey, what).why("w");
        assert_eq!(Failure::first_of(vec![one("a"), one("b"), one("c")], "x"), one("a").why("w; and b; and c"));
        let none = Failure::first_of(Vec::new(), "x");
        assert!(none.code == Code::Refused && !none.why.is_empty() && !none.next.is_empty(), "{none:?}");
    }

    #[test]
    fn what_is_done_is_not_called_unchanged() {
        let failure = Failure::new(Exit::Failed, Code::Bug, "x");
        let begun = failure.clone().standing(StateAfterFailure::SoFar("done: a; not done: b".to_owned()).of("A"));
        assert_eq!(begun.to_string(), "x [bug]\n  so far: of A: done: a; not done: b");
        let untouched =
            failure.unchanged("nothing was written").standing(StateAfterFailure::SoFar("done: a".to_owned()));
        assert_eq!(untouched.to_string(), "x [bug]\n  unchanged: nothing was written");
    }
}
