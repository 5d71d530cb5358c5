//! The steps, their preview, and the engine that applies them.

pub mod drift;
pub mod edits;
mod engine;
mod proof;
pub mod rollout;
mod sealed;
mod step;
mod step_id;

pub use self::{
    engine::{Event, World, apply, probe},
    step::{Action, Done, State, Step},
    step_id::StepId,
};
