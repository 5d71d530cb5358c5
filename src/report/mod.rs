//! How people and machines read what the tool found and did.

mod colour;
mod console;
pub mod diff;
pub mod mask;
mod outcome;
mod progress;
pub mod text;
mod usage;

pub(crate) use self::outcome::described;
pub use self::{
    colour::choose_colours,
    console::{Console, Format},
    outcome::{Outcome, failure_json, write_failure},
    progress::{Line, Progress},
    usage::write_usage,
};
