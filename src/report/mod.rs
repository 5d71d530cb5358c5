//! How people and machines read what the tool found and did.

mod colour;
mod console;
pub mod diff;
pub mod mask;
mod outcome;
mod progress;
mod stage;
mod terminal;
pub mod text;
mod usage;

pub use self::{
    colour::choose_colours,
    console::{Console, Format},
    outcome::{Outcome, failure_json, write_failure},
    progress::{Line, Progress},
    stage::Stage,
    usage::write_usage,
};
pub(crate) use self::{console::note, outcome::described};
