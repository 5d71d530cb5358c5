//! A step as scripts see it.

use serde::Serialize;

use super::{InitialState, Step, StepId};
use crate::ids::ids;

ids! {
    /// What became of a step.
    pub enum StepState {
        /// It would be done.
        Planned = "planned",
        /// It was found done.
        Already = "already",
        /// It was done.
        Done = "done",
        /// It was left, or not come to.
        NotDone = "not-done",
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StepReport {
    /// What kind of step it is.
    #[cfg_attr(test, schemars(with = "crate::schemas::Id"))]
    pub id: StepId,
    /// What it changes, for people.
    pub title: String,
    /// What became of it.
    pub state: StepState,
    /// The change of a values file as a unified diff; of others no value and no comment is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Of `bootstrap` alone, for whom it is: an MSP ID, or orchestrator.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub whose: Option<String>,
}

impl StepReport {
    /// A step of a plan that was carried out, or was not.
    #[must_use]
    pub fn of(step: &Step, done: bool) -> Self {
        let state = match (step.state, done) {
            (InitialState::Already, _) => StepState::Already,
            (InitialState::ToDo, true) if step.left().is_some() => StepState::NotDone,
            (InitialState::ToDo, true) => StepState::Done,
            (InitialState::ToDo, false) => StepState::Planned,
        };
        let diff = step.diff().filter(|diff| !diff.is_empty());
        Self { id: step.id, title: step.title.clone(), state, diff, whose: None }
    }
}
