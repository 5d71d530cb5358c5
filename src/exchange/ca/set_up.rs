//! The set-up of an orchestrator's TLS: CA, objects, server pair, values, upgrade, rollout, in this order.

use super::{
    PlannedCa,
    pair_files::PairFiles,
    server::{ServerPairPlan, ServerTarget},
};
use crate::{
    cluster::ReleaseStatus,
    failure::{Next, Result},
    names::Hostname,
    plan::{Plan, drift::same},
    release::{EditedFiles, Observed, ReleaseState, ValuesFiles},
    substra::orchestrator::{Orchestrator, TLS_PATHS},
    values,
};

/// The whole set-up, planned.
pub(crate) struct TlsSetUp {
    pub(crate) plan: Plan,
    pub(crate) pair: ServerPairPlan,
    /// The release and its files once that is done.
    pub(crate) release: ReleaseState,
    pub(crate) files: ValuesFiles,
    /// The restart that somebody else has to make, where the release is left alone.
    pub(crate) by_hand: Option<Next>,
}

/// Plans it; `hosts` are covered by the server's pair beside those of the values, and `made` are files with one.
///
/// # Errors
/// A pair that is good and of another CA, a name that no certificate can carry, a CA that cannot sign, drift.
pub(crate) fn set_up(
    state: &Observed<'_, Orchestrator>,
    (hosts, made): (&[Hostname], Option<&PairFiles>),
    ca: &mut PlannedCa<'_>,
) -> Result<TlsSetUp> {
    let edited = state.files.edit(&state.values.tls_settings())?;
    let (mut upgrade, release) = upgrade(state, &edited)?;
    let files = state.files.after(&edited);
    let server = ServerTarget::of(&state.cluster, &release.manifest, &state.values, hosts, made);
    let mut pair = server.plan(ca, state.session)?;
    let by_hand = if state.options.no_upgrade {
        pair.without_restart(state.session.kubectl(&state.cluster.release.record.namespace))
    } else {
        None
    };
    if pair.restarts {
        upgrade.await_rollout();
    }
    let plan =
        std::mem::take(&mut ca.plan).then(std::mem::take(&mut pair.plan)).then(Plan::of(edited.steps)).then(upgrade);
    Ok(TlsSetUp { plan, pair, release, files, by_hand })
}

/// No upgrade where TLS is live as the files have it: other differences must not stand in the way of a renewal.
fn upgrade(state: &Observed<'_, Orchestrator>, edited: &EditedFiles) -> Result<(Plan, ReleaseState)> {
    let release = &state.cluster.release;
    let config = release.config();
    let own = state.values.own_tls_settings(config);
    let request = state.upgrade(edited, &own, TLS_PATHS, "the server speaks TLS");
    let live = same(&values::apply(config, &state.values.tls_settings()), config);
    let (plan, after) = if live && !edited.changes() && release.record.status == ReleaseStatus::Deployed {
        (release.plan_unchanged(&request), release.clone())
    } else {
        release.plan(&request)?
    };
    Ok((plan.with_rollouts_seen(&state.cluster.objects), after))
}

/// Whether the set-up turns TLS on.
pub(crate) fn goes_on(release: &ReleaseState) -> bool {
    !Orchestrator::read(release.config()).is_ok_and(|deployed| deployed.tls_enabled)
}
