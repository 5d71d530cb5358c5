//! What several verbs refuse in one wording: TLS that is off, names of no member; and who is given up.

use std::fmt::Display;

use crate::failure::{Code, Exit, Failure};

/// Why TLS is off, of values that do not turn it on.
pub const VALUES_LACK_TLS: &str = "the values lack orchestrator.tls.enabled: true";

/// TLS is off: `what` says where, `reason` how that is known.
pub fn tls_off(what: impl Into<String>, reason: &str) -> Failure {
    Failure::new(Exit::CheckFailed, Code::TlsOff, what).why(format!("mutual TLS requires TLS: {reason}"))
}

/// TLS is off at the orchestrator.
#[must_use]
pub fn tls_off_at_orchestrator(reason: &str) -> Failure {
    tls_off("TLS is not enabled at the orchestrator", reason).unchanged("nothing was written")
}

/// A name that was given, in `options`, for a member's.
#[must_use]
pub fn not_a_member(org: &impl Display, members: &[String], options: &str) -> Failure {
    Failure::new(Exit::CheckFailed, Code::NotAMember, format!("{org} is not a member of any channel"))
        .why(format!("the members are: {}", members.join(", ")))
        .next(format!("check the spelling in {options}"))
}

/// What it means that nobody waits for a member.
#[must_use]
pub fn given_up(member: &impl Display) -> String {
    format!("{member} is given up: without a valid pair it is cut off")
}
