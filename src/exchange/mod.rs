//! What the parties of an exchange plan: an organization enrols, the orchestrator approves, sets up its TLS and moves its
//! gate. The verbs and `bootstrap` put these together.

pub(crate) mod approval;
pub(crate) mod ca;
pub(crate) mod enrolment;
pub(crate) mod gate;
pub(crate) mod installation;
pub(crate) mod renewal;
mod signing;
pub(crate) mod state;
mod vouching;

use crate::failure::{Code, Exit, Failure};

/// A precondition that does not hold, before anything was written.
pub(crate) fn unwritten(code: Code, what: impl Into<String>) -> Failure {
    Failure::new(Exit::CheckFailed, code, what).unchanged("nothing was written")
}

/// A precondition that does not hold, before anything was signed.
pub(crate) fn unsigned(code: Code, what: impl Into<String>) -> Failure {
    Failure::new(Exit::CheckFailed, code, what).unchanged(NOT_SIGNED)
}

/// What is so where somebody who signs is refused.
pub(crate) const NOT_SIGNED: &str = "nothing was signed and nothing was written";
