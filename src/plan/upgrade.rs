//! An upgrade of a plan, where another helm may have begun since the plan was made.

use std::time::Duration;

use super::{StepContext, proof};
use crate::{
    cluster::Upgrade,
    failure::{Code, Failure, Result},
    interrupt,
};

/// How long another helm is waited for that began meanwhile: one that takes longer is for the next run.
const LONGEST: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Upgrades. Another helm that has begun meanwhile may be one that an ended run of ours has left: where it brings what was
/// meant, that is done.
///
/// # Errors
/// Those of Helm.
pub(super) fn upgrade(context: &StepContext<'_>, upgrade: &Upgrade) -> Result<()> {
    match context.cluster()?.upgrade(upgrade) {
        Err(failure) if failure.code == Code::Pending => by_another(context, upgrade, failure),
        other => other,
    }
}

fn by_another(context: &StepContext<'_>, upgrade: &Upgrade, failure: Failure) -> Result<()> {
    let (cluster, clock) = (context.cluster()?, &context.clock);
    let began = clock.now();
    while cluster.release(&upgrade.release)?.is_some_and(|now| now.is_pending()) {
        if clock.now() - began > LONGEST.min(context.timeout) || interrupt::wished() {
            return Err(failure);
        }
        clock.wait(LOOK_EVERY);
    }
    proof::is_deployed(cluster, upgrade).map_err(|_| failure)
}
