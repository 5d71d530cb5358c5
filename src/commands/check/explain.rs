//! `check --explain`: what a check looks at, why, and what helps; offline.

use super::{
    catalogue::Check,
    report::{CheckResult, Explained},
};
use crate::{
    failure::{Code, Exit, Failure, Result},
    report::{Outcome, Stage},
    text::labelled,
};

/// Explains one check; an id that is none is answered with all of them.
pub(super) fn explain(id: &str) -> Result<Outcome> {
    let check = known(id)?;
    let side = check.side().map_or_else(|| "backend, orchestrator".to_owned(), |side| side.to_string());
    let (what, why, helps) = (check.what(), check.why(), check.helps());
    let explained = Explained { id: check, group: check.group().to_string(), side, what, why, helps };
    let lines = labelled(&[
        ("id", Some(check.id())),
        ("group", Some(&explained.group)),
        ("side", Some(&explained.side)),
        ("what", Some(what)),
        ("why", Some(why)),
        ("fix", Some(helps)),
    ]);
    Ok(Outcome::new("check", Stage::Explained).result(&CheckResult::Explained(explained), lines))
}

/// The check of an id that was typed.
pub(super) fn known(id: &str) -> Result<Check> {
    Check::of(id).ok_or_else(|| {
        let all: Vec<String> =
            Check::ALL.iter().map(|check| format!("  {:<24} {}", check.id(), check.what())).collect();
        Failure::new(Exit::Usage, Code::NoSuchCheck, format!("there is no check {id:?}"))
            .why("these are the checks")
            .next("name one of them:")
            .below(&all.join("\n"))
            .unchanged("nothing was looked at")
    })
}
