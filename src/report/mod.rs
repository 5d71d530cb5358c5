//! How people and machines read what the tool found and did.

mod colour;
mod console;
pub mod diff;
pub mod mask;
mod outcome;
mod progress;
mod terminal;
pub mod text;
mod usage;

pub use self::{
    colour::choose_colours,
    console::{Console, Format},
    outcome::{Outcome, PLANNED, failure_json, write_failure},
    progress::{Line, Progress},
    usage::write_usage,
};
pub(crate) use self::{console::note, outcome::described};
