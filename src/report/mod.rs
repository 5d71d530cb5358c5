//! How people and machines read what the tool found and did.

mod console;
pub mod diff;
pub mod mask;
mod outcome;

pub use self::{
    console::{Console, Format},
    outcome::{Outcome, write_failure},
};
