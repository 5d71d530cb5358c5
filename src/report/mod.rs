//! How people and machines read what the tool found and did.

mod colour;
mod console;
mod format;
mod outcome;
mod progress;
mod stage;
mod terminal;
mod told;
mod usage;

pub use self::console::note;
#[cfg(test)]
pub(crate) use self::outcome::{Answer, Nothing};
pub(crate) use self::told::table;
pub use self::{
    colour::choose_colours,
    console::Console,
    format::Format,
    outcome::{Outcome, failure_json, write_failure},
    progress::{Progress, ProgressLine},
    stage::Stage,
    told::Told,
    usage::write_usage,
};
