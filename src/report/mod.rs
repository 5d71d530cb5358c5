//! How people and machines read what the tool found and did.

mod colour;
mod console;
pub mod diff;
pub mod mask;
mod outcome;
mod progress;
mod stage;
mod step_report;
mod terminal;
pub mod text;
mod usage;

#[cfg(test)]
pub(crate) use self::outcome::{Answer, Nothing};
pub use self::{
    colour::choose_colours,
    console::{Console, Format},
    outcome::{Outcome, failure_json, write_failure},
    progress::{Line, Progress},
    stage::Stage,
    step_report::{StepReport, StepState},
    usage::write_usage,
};
pub(crate) use self::{console::note, text::labelled};
