//! Applies the steps of a plan in order, stops between two of them, and says where it stands.

use std::time::Duration;

use super::{State, Step};
use crate::{
    cluster::Cluster,
    failure::{Exit, Failure, Result},
    interrupt,
    times::Clock,
};

/// What the steps act on.
pub struct World<'a> {
    /// The cluster; `None` offline.
    pub cluster: Option<&'a dyn Cluster>,
    /// How long a rollout may take.
    pub timeout: Duration,
    /// By which rollouts are waited for.
    pub clock: Clock,
}

impl<'a> World<'a> {
    /// The cluster.
    ///
    /// # Errors
    /// The plan was made without one: a mistake of ours, said instead of a panic.
    pub fn cluster(&self) -> Result<&'a dyn Cluster> {
        self.cluster.ok_or_else(|| {
            Failure::new(Exit::Failed, "bug", "a step needs a cluster and the plan has none")
                .why("this is a mistake of the tool")
                .next("please report it with the command line")
        })
    }
}

/// What the engine tells while it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It was so before.
    Already,
    /// The step begins.
    Starts,
    /// It is so now.
    Now,
}

/// Applies every step that is not done already.
///
/// # Errors
/// The first failure of a step, or the wish to stop; both say which steps are done and that the same command goes on.
pub fn apply(steps: &[Step], world: &World<'_>, tell: &mut dyn FnMut(&Step, Event)) -> Result<()> {
    for (index, step) in steps.iter().enumerate() {
        if step.state == State::Already {
            tell(step, Event::Already);
            continue;
        }
        if interrupt::wished() {
            return Err(interrupted().unchanged(standing(steps, index)));
        }
        tell(step, Event::Starts);
        let _under_way = interrupt::Step::begin();
        step.apply(world).map_err(|failure| failure.unchanged(standing(steps, index)))?;
        tell(step, Event::Now);
    }
    Ok(())
}

pub(super) fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "interrupted", "stopped between two steps, as you asked")
        .why("a signal arrived")
        .next("run the same command again: it goes on from here")
}

/// Who is done and who is not, for the last line of a failure.
fn standing(steps: &[Step], at: usize) -> String {
    let ids = |steps: &[Step]| steps.iter().map(|step| step.id).collect::<Vec<_>>().join(", ");
    let (done, open) = steps.split_at(at);
    if done.iter().all(|step| step.state == State::Already) {
        return format!("nothing was changed by this run (not done: {})", ids(open));
    }
    format!("done: {}; not done: {}", ids(done), ids(open))
}
