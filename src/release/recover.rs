//! The way on from an upgrade that was cut short: what was pending is begun again, and no security step is put back.

use serde_json::{Value, json};

use super::{Options, ReleaseQuery, ReleaseState, UpgradeRequest, find};
use crate::{
    cluster::{Cluster, Object, Release, ReleaseStatus, Revision},
    command_line::CommandLine,
    failure::{Failure, Result},
    plan::{
        Action, Step, StepId, Unfinished,
        drift::{self, Difference, same},
    },
    session::Session,
};

/// A revision that goes before the next upgrade, and what the upgrade must bring all the same.
#[derive(Clone)]
pub(crate) struct Recovery {
    unfinished: Unfinished,
    /// What was pending, by place.
    began: Vec<Difference>,
    /// As it stops the verb where this one does not go on with it.
    refused: Failure,
}

/// The release as the revision before the pending one has it, with the way on.
///
/// # Errors
/// No way on is known to be safe: the commands by hand.
pub(super) fn judge(
    session: &Session<'_>,
    options: &Options,
    query: &ReleaseQuery<'_>,
    found: &ReleaseState,
    (gone, secret): (String, &Object),
) -> Result<ReleaseState> {
    let cluster = session.cluster()?;
    let ReleaseState { name, record: pending, .. } = found;
    let refuse = |why: String| by_hand(cluster, found, None).why(format!("{gone}; {why}"));
    if pending.status != ReleaseStatus::Pending("pending-upgrade".to_owned())
        && pending.status != ReleaseStatus::Pending("pending-rollback".to_owned())
    {
        let uninstall = CommandLine::helm().at(&cluster.target()).with("uninstall").word(name);
        let next = format!(
            "what is there may be half of it; if nothing of it is needed: {uninstall}, and then install it again"
        );
        return Err(refuse("there is no deployed revision to go on from".to_owned()).next(next));
    }
    let history = cluster.history(name)?;
    let at = |revision: u64| history.iter().find(|one| one.revision == revision);
    let (Some(now), Some(before)) = (at(pending.revision), at(pending.revision - 1)) else {
        return Err(refuse("the revision before it is not kept".to_owned()));
    };
    goes_on_from(before, now).map_err(refuse)?;
    let Some(deployed) = cluster.release_at(name, before.revision)? else {
        return Err(refuse("the revision before it is not kept".to_owned()));
    };
    let began = drift::between(&deployed.config, &pending.config, &[]);
    let foreign: Vec<String> =
        began.iter().filter(|one| !one.is_ours(&query.key)).map(|one| one.path.join(".")).collect();
    if !foreign.is_empty() {
        return Err(refuse(format!("it changes more than mutual TLS: {}", foreign.join(", "))));
    }
    let unfinished = Unfinished {
        release: name.clone(),
        revision: pending.revision,
        secret: without_data(secret),
        why: gone.clone(),
        agreed: options.recover,
    };
    let refused = by_hand(cluster, found, Some(before.revision)).why(gone.clone());
    let release = Release { status: ReleaseStatus::Deployed, ..deployed };
    let (revision, counts) = (pending.revision, before.revision);
    let said = format!(
        "release {name}: revision {revision} is unfinished, and stays so until an upgrade; revision {counts} counts"
    );
    session.console.say(said);
    let base = ReleaseState::read(name.clone(), release, found.package.clone(), query)?;
    Ok(ReleaseState { recovery: Some(Recovery { unfinished, began, refused }), ..base })
}

/// The same chart, and a revision that Helm goes on from. A helm that ends between its last two words has superseded the
/// one before and not yet called its own deployed.
fn goes_on_from(before: &Revision, pending: &Revision) -> std::result::Result<(), String> {
    if before.chart != pending.chart || before.chart.is_none() {
        return Err("it is of another chart or version than the revision before".to_owned());
    }
    match &before.status {
        ReleaseStatus::Deployed => Ok(()),
        ReleaseStatus::Other(word) if word == "superseded" => Ok(()),
        other => Err(format!("the revision before it is {other}")),
    }
}

impl Recovery {
    /// The step before the upgrade.
    ///
    /// # Errors
    /// The upgrade would not bring what was pending, or nobody has agreed or can be asked.
    pub(super) fn step(&self, request: &UpgradeRequest<'_>, is_same_version: bool) -> Result<Step> {
        let will = &request.edited.whole;
        let lost = self.began.iter().filter(|one| !is_kept(one, will));
        let lost: Vec<String> = lost.map(|one| one.path.join(".")).collect();
        if !lost.is_empty() || !is_same_version {
            let what = if is_same_version { lost.join(", ") } else { "the chart's version".to_owned() };
            let why = format!("{}; this command would not go on with what it began: {what}", self.refused.why);
            let next = format!("run the command again that was cut short, with --recover; or {}", self.refused.next);
            return Err(self.refused.clone().why(why).next(next));
        }
        if !self.unfinished.agreed && !request.session.console.interactive {
            let next = "run the same command again with --recover: it removes that revision, touches no pod by that, and upgrades again";
            return Err(self.refused.clone().next(next));
        }
        let unfinished = self.unfinished.clone();
        Ok(Step::to_do(StepId::Recover, unfinished.title(), Action::Recover(unfinished)))
    }
}

/// Whether what a pending revision was to change is so in these values.
fn is_kept(one: &Difference, will: &Value) -> bool {
    let there = one.path.iter().try_fold(will, |node, key| node.get(key));
    match (&one.file, there) {
        (Some(meant), Some(there)) => same(meant, there),
        (None, None) => true,
        _ => false,
    }
}

/// What is left to a person: what is there, and the ways from it.
fn by_hand(cluster: &dyn Cluster, found: &ReleaseState, before: Option<u64>) -> Failure {
    let (name, target) = (&found.name, cluster.target());
    let failure = find::pending(name, &found.record, &target);
    let Some(before) = before else { return failure };
    let rollback = CommandLine::helm().at(&target).with("rollback").word(name).word(before);
    failure.next(format!("back to what revision {before} had, in mutual TLS too: {rollback}"))
}

/// What a removal is guarded by, and nothing of what the release holds.
fn without_data(secret: &Object) -> Object {
    let of = |field: &str| secret.json()["metadata"][field].clone();
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": of("name"), "namespace": of("namespace"),
        "uid": of("uid"), "resourceVersion": of("resourceVersion")}})
    .into()
}
