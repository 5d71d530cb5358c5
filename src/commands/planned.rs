//! What an upgrade would do, and what of it is done already.

use crate::{
    cluster::Object,
    plan::{Action, State, Step, StepId, rollout},
    substra::manifest::Manifest,
};

/// What an upgrade would do, seen before anything is written.
pub(super) struct Planned {
    /// `upgrade` and `rollout`; empty with `--no-upgrade`.
    pub(super) steps: Vec<Step>,
    /// The workloads of the chart that will be live.
    pub(super) manifest: Manifest,
    /// Every workload of the release.
    pub(super) whole: Manifest,
    /// Workloads whose pods are made anew, as `deployment/server`.
    pub(super) restarts: Vec<String>,
    /// Differences that were accepted, or that stay since nothing is upgraded.
    pub(super) warnings: Vec<String>,
    /// The files say something that somebody else has to deploy.
    pub(super) is_left: bool,
}

impl Planned {
    /// The same plan once the workloads were seen: where nothing is deployed anew, the rollout may be complete.
    pub(super) fn seen(mut self, objects: &[Object]) -> Self {
        if self.steps.iter().any(|step| step.state == State::ToDo && step.id != StepId::Rollout) {
            return self;
        }
        for step in &mut self.steps {
            if let Action::RollOut { workloads, .. } = &step.action
                && workloads.iter().all(|wanted| rollout::is_complete(objects, wanted))
            {
                step.state = State::Already;
            }
        }
        self
    }

    /// Whether anything is deployed anew.
    pub(super) fn upgrades(&self) -> bool {
        Step::any_upgrades(&self.steps)
    }

    /// A restart comes before the rollout: that is waited for, however complete it looks now.
    pub(super) fn await_rollout(&mut self) {
        self.steps.iter_mut().filter(|step| step.id == StepId::Rollout).for_each(|step| step.state = State::ToDo);
    }
}
