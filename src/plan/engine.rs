//! Applies the steps of a plan in order, stops between two of them, and says where it stands.

use std::time::Duration;

use super::{Action, InitialState, Step, StepOutcome};
use crate::{
    cluster::Cluster,
    failure::{Code, Failure, Result, StateAfterFailure},
    interrupt,
    times::Clock,
};

/// What the steps act on.
pub struct StepContext<'a> {
    /// The cluster; `None` offline.
    pub cluster: Option<&'a dyn Cluster>,
    /// How long a rollout may take.
    pub timeout: Duration,
    /// By which rollouts are waited for.
    pub clock: Clock,
}

impl<'a> StepContext<'a> {
    /// The cluster.
    ///
    /// # Errors
    /// The plan was made without one: a mistake of ours, said instead of a panic.
    pub fn cluster(&self) -> Result<&'a dyn Cluster> {
        self.cluster.ok_or_else(|| Failure::bug("a step needs a cluster and the plan has none"))
    }
}

/// What the engine tells while it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It was so before.
    Already,
    /// The step begins.
    Starts,
    /// It is so now, as was seen.
    Now,
    /// It was left as it was.
    Left,
}

/// Asks of every step that is to be done whether it could be: no first step is done where a later one must fail.
///
/// # Errors
/// The first step that would fail; nothing was written.
pub fn probe<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Result<()> {
    let mut open = steps.into_iter().filter(|step| step.state == InitialState::ToDo);
    open.try_for_each(Step::probe).map_err(|failure| failure.unchanged("nothing was written"))
}

/// Applies every step that is not done already.
///
/// # Errors
/// The first failure of a step, or the wish to stop; both say which steps are done and that the same command continues.
pub fn apply(steps: &[Step], context: &StepContext<'_>, tell: &mut dyn FnMut(&Step, Event)) -> Result<()> {
    probe(steps)?;
    for (index, step) in steps.iter().enumerate() {
        if step.state == InitialState::Already {
            tell(step, Event::Already);
            continue;
        }
        if interrupt::wished() {
            return Err(interrupted().standing(standing(steps, index, false)));
        }
        tell(step, Event::Starts);
        let _under_way = interrupt::StepGuard::begin();
        let done = step.apply(context).map_err(|failure| {
            let half = half_done(step, &failure);
            failure.standing(standing(steps, index, half))
        })?;
        tell(step, if *done == StepOutcome::Seen { Event::Now } else { Event::Left });
    }
    Ok(())
}

pub(super) fn interrupted() -> Failure {
    let what = "stopped between two steps, as you asked".to_owned();
    Failure { what, ..Failure::interrupted() }.next("run the same command again: it continues from here")
}

/// Whether a step that failed may have changed something all the same. A file is put in place whole or not at all, and
/// of what a server refuses nothing is done; of everything else nobody knows.
fn half_done(step: &Step, failure: &Failure) -> bool {
    let refused = [
        Code::Exists,
        Code::Conflict,
        Code::NotFound,
        Code::Forbidden,
        Code::Pending,
        Code::Child,
        Code::Bug,
        Code::LastCopy,
    ];
    match &step.action {
        Action::RollOut { .. } => false,
        Action::KeyFile { .. } | Action::Publish { .. } | Action::EditValues { .. } | Action::AppendLog { .. } => {
            [Code::NotAsWritten, Code::FileTorn, Code::FileUnsynced].contains(&failure.code)
        }
        _ => !refused.contains(&failure.code),
    }
}

/// Who is done and who is not, for the last line of a failure.
fn standing(steps: &[Step], at: usize, half: bool) -> StateAfterFailure {
    let ids = |steps: &[Step]| steps.iter().map(|step| step.id.id()).collect::<Vec<_>>().join(", ");
    let (done, open) = steps.split_at(at);
    let (halfway, open) = open.split_at(usize::from(half));
    let changed = !done.iter().all(|step| step.state == InitialState::Already);
    if !changed && !half {
        return StateAfterFailure::Unchanged(format!("nothing was changed by this run (not done: {})", ids(open)));
    }
    let parts = [("done", done), ("may be half done", halfway), ("not done", open)];
    let told = parts.iter().filter(|(_, steps)| !steps.is_empty());
    StateAfterFailure::SoFar(told.map(|(word, steps)| format!("{word}: {}", ids(steps))).collect::<Vec<_>>().join("; "))
}
