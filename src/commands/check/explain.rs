//! `check --explain`: what a check looks at, why, and what helps; offline.

use super::catalogue::Check;
use crate::{
    failure::{Code, Exit, Failure, Result},
    report::{Outcome, Stage},
};

/// Explains one check; an id that is none is answered with all of them.
pub(super) fn explain(id: &str) -> Result<Outcome> {
    let check = known(id)?;
    let side = check.side().map_or_else(|| "backend, orchestrator".to_owned(), |side| side.to_string());
    Ok(Outcome::new("check", Stage::Explained)
        .fact("id", check.id())
        .fact("group", check.group().to_string())
        .fact("side", side)
        .fact("what", check.what())
        .fact("why", check.why())
        .fact("helps", check.helps()))
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
