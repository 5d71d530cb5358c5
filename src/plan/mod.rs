//! A plan: its steps with what comes with them, their preview, and the engine that applies them.

pub mod drift;
mod engine;
mod handoff;
mod proof;
pub mod rollout;
mod step;
mod step_id;
mod step_report;
mod unfinished;
mod upgrade;

pub use self::{
    engine::{Event, StepContext, apply, probe},
    handoff::Handoff,
    step::{Action, InitialState, Step, StepOutcome},
    step_id::StepId,
    step_report::{StepReport, StepState},
    unfinished::Unfinished,
};
use crate::{cluster::Object, values::HIDDEN};

/// What would be done, in its order, and what comes with it.
#[derive(Default)]
pub struct Plan {
    /// What is done, one after the other.
    pub steps: Vec<Step>,
    /// Workloads whose pods are replaced, as `deployment/server`.
    pub restarts: Vec<String>,
    /// What the operator should know before.
    pub warnings: Vec<String>,
    /// It cuts off everyone who cannot follow.
    pub cuts_off: bool,
    /// What is left to somebody else, where the release is not upgraded.
    pub handoff: Option<Handoff>,
}

/// What is said below diffs that hide something: else people fear for their own values.
pub(crate) fn hides<'s>(steps: impl IntoIterator<Item = &'s Step>) -> Option<String> {
    let hides = steps.into_iter().filter_map(Step::diff).any(|diff| diff.contains(HIDDEN));
    hides.then(|| format!("{HIDDEN} stands for a value or comment of yours: it is not shown, and stays as it is"))
}

impl Plan {
    /// Only these steps.
    #[must_use]
    pub fn of(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), ..Self::default() }
    }

    /// This plan and then another.
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        self.steps.extend(next.steps);
        self.restarts.extend(next.restarts);
        self.warnings.extend(next.warnings);
        self.cuts_off |= next.cuts_off;
        self.handoff = self.handoff.or(next.handoff);
        self
    }

    /// The same with more to know.
    #[must_use]
    pub fn warn(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    /// Whether anything is left to do.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.steps.iter().any(|step| step.state == InitialState::ToDo)
    }

    /// Whether anything is deployed again.
    #[must_use]
    pub fn upgrades(&self) -> bool {
        Step::any_upgrades(&self.steps)
    }

    /// The plan of an upgrade once the workloads were seen: where nothing is deployed again, the rollout may be complete.
    #[must_use]
    pub fn with_rollouts_seen(mut self, objects: &[Object]) -> Self {
        if self.steps.iter().any(|step| step.state == InitialState::ToDo && !step.is_rollout()) {
            return self;
        }
        for step in &mut self.steps {
            if let Action::RollOut { workloads, .. } = &step.action
                && workloads.iter().all(|wanted| rollout::is_complete(objects, wanted))
            {
                step.state = InitialState::Already;
            }
        }
        self
    }

    /// A restart comes before the rollout: that is waited for, however complete it looks now.
    pub fn await_rollout(&mut self) {
        self.steps.iter_mut().filter(|step| step.is_rollout()).for_each(|step| step.state = InitialState::ToDo);
    }
}
