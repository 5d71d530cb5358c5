//! One folder a verb: observes, asks the core for a plan, shows it, has it applied, and tells what is proven.

pub mod approve;
pub mod bootstrap;
pub mod ca;
pub mod check;
pub mod enroll;
pub mod gate;
pub mod rehearse;
pub mod role;

use crate::{
    plan::Plan,
    report::{Outcome, Stage},
    session::Session,
};

/// A verb's result with its steps and what is to be known of them; `done` is its stage where anything was done.
fn outcome(verb: &'static str, done: Stage, plan: &Plan, session: &Session<'_>) -> Outcome {
    let stage = match (plan.is_open(), session.dry_run) {
        (false, _) => Stage::Already,
        (true, true) => Stage::Planned,
        (true, false) => done,
    };
    Outcome::new(verb, stage).steps(&plan.steps, stage != Stage::Planned).warnings(plan.warnings.iter().cloned())
}

/// What comes next where the release was left alone.
fn handed_over(outcome: Outcome, plan: &Plan) -> Outcome {
    let next = plan.handoff.iter().flat_map(|handoff| handoff.next(&plan.steps));
    next.fold(outcome, Outcome::next)
}
