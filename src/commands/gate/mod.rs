//! `gate close` and `gate open`: mutual TLS on for all once every member is in place, and the way back.

mod args;
mod members;

use serde::Serialize;

pub use self::args::{CloseArgs, GateCommand, OpenArgs};
use crate::{
    commands,
    exchange::{
        gate,
        state::{GateReport, Holds},
    },
    failure::{Next, Result},
    names::ReleaseName,
    parallel::side_by_side,
    pki::log::IssueLog,
    plan::Plan,
    release::{
        ClusterState, Observed, ReleaseState, Target,
        mounts::{self, Mounts},
        read,
    },
    report::{Outcome, Stage},
    session::Session,
    substra::{
        ingress::{Ingress, ingresses},
        orchestrator::Orchestrator,
        unmet,
    },
    text::labelled,
    values::Setting,
};

/// The orchestrator whose gate is moved.
type ObservedOrchestrator<'a> = Observed<'a, Orchestrator>;

/// What `gate close` and `gate open` answer.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Moved {
    /// The orchestrator's release.
    release: ReleaseName,
    /// The members of its channels.
    members: Vec<String>,
    #[serde(flatten)]
    gate: GateReport,
}

/// Turns mutual TLS on.
///
/// # Errors
/// A member that is not accounted for, a server pair that would fail its own probe, an object that is missing.
pub fn close(args: &CloseArgs, session: &Session<'_>) -> Result<Outcome> {
    let options = args.common.options();
    // No command to type by hand: it would close the gate before anybody has checked the members.
    let target = with_tls(Target::orchestrator(session, &options, Vec::new)?)?;
    let release = target.find()?;
    let is_closed = gate::is_closed(&release, &target.values, !args.no_verify_mspid);
    let look_at_log = || if is_closed { Ok(Some(IssueLog::default())) } else { members::issue_log(args, session) };
    let settings = target.values.close_settings(!args.no_verify_mspid);
    let (log, looked) = side_by_side(look_at_log, || look(&target, &release, &settings));
    let (cluster, plan, after) = looked?;
    let gate = ObservedOrchestrator { target, cluster };
    let mut findings = mounts_of(&gate, &after).check(&gate.values);
    let mut warnings = Vec::new();
    if !is_closed {
        let (absent, waived) = members::account_for(&gate, args)?;
        findings.extend(absent);
        warnings.extend(waived);
        warnings.extend(gate::dangers(&mounts_of(&gate, &gate.cluster.release), &gate.values, log?.as_ref()));
        warnings.extend(ingresses(&gate.cluster.release.record.manifest).iter().filter_map(Ingress::danger));
        warnings.extend(unverified(args));
    }
    session.refuse(findings, "nothing was written; the gate is as it was")?;
    let plan = plan.warn(warnings);
    let name = &gate.cluster.release.name;
    let consent = format!("turn mutual TLS on at release {name} (backends without a valid pair are cut off)");
    session.say_restarts(&plan, "");
    session.show(&plan)?;
    session.apply(&plan, Some(&consent))?;
    let named = if args.common.release.is_some() { None } else { Some(name) };
    let back = options.command(session, "gate open").option("--release", named);
    let live = options.look(session, "check --live").option("--release", [name]);
    let verifies = gate.values.verify_msp_id || !args.no_verify_mspid;
    let outcome = result(&gate, ("gate close", Stage::Closed), (true, verifies), &plan);
    Ok(outcome
        .next(Next::from("who is accepted and who is not: ").command(live))
        .next(Next::from("the way back: ").command(back)))
}

/// Turns mutual TLS off again.
///
/// # Errors
/// A child that fails, drift, no consent.
pub fn open(args: &OpenArgs, session: &Session<'_>) -> Result<Outcome> {
    let options = args.common.options();
    let target = with_tls(Target::orchestrator(session, &options, || read::usual(Orchestrator::open_settings))?)?;
    let (cluster, plan, _) = look(&target, &target.find()?, &target.values.open_settings())?;
    let gate = ObservedOrchestrator { target, cluster };
    let name = &gate.cluster.release.name;
    let consent =
        format!("turn mutual TLS off at release {name} (everybody is accepted, with or without a certificate)");
    session.say_restarts(&plan, "");
    session.show(&plan)?;
    session.apply(&plan, Some(&consent))?;
    Ok(result(&gate, ("gate open", Stage::Opened), (false, false), &plan))
}

fn unverified(args: &CloseArgs) -> Option<String> {
    let text = "verifyClientMSPID stays as it is: while it is off, every organization can act as every other";
    args.no_verify_mspid.then(|| text.to_owned())
}

/// Mutual TLS requires TLS.
fn with_tls(target: Target<'_, Orchestrator>) -> Result<Target<'_, Orchestrator>> {
    if target.values.tls_enabled {
        return Ok(target);
    }
    let init = target.options.command(target.session, "ca init");
    Err(unmet::tls_off_at_orchestrator(unmet::VALUES_LACK_TLS).next(Next::from("set TLS up first: ").command(init)))
}

/// The objects that are or will be mounted, beside what an upgrade to these settings would do; and the release after it.
fn look(
    target: &Target<'_, Orchestrator>,
    release: &ReleaseState,
    settings: &[Setting],
) -> Result<(ClusterState, Plan, ReleaseState)> {
    let look = || target.look(release.clone(), mounts::wanted(&target.values));
    let upgrade = || {
        let edited = target.files.edit(settings)?;
        let (plan, after) = release.plan(&gate::upgrade(target, &edited, settings))?;
        Ok((Plan::of(edited.steps), plan, after))
    };
    let (cluster, upgrade) = side_by_side(look, upgrade);
    let (cluster, (edit, upgrade, after)): (_, (Plan, Plan, ReleaseState)) = (cluster?, upgrade?);
    let plan = edit.then(upgrade.with_rollouts_seen(&cluster.objects));
    Ok((cluster, plan, after))
}

/// What the pods of a release stand on.
fn mounts_of<'a>(gate: &'a ObservedOrchestrator<'_>, release: &'a ReleaseState) -> Mounts<'a> {
    Mounts::of(&gate.target, &gate.values, &gate.cluster, &release.manifest)
}

/// `on` is mutual TLS, and with it the identity check.
fn result(
    gate: &ObservedOrchestrator<'_>,
    (verb, done): (&'static str, Stage),
    on: (bool, bool),
    plan: &Plan,
) -> Outcome {
    let outcome = commands::outcome(verb, done, plan, gate.session);
    let holds = Holds::of(outcome.stage(), !gate.options.no_upgrade);
    let moved = Moved {
        release: gate.cluster.release.name.clone(),
        members: gate.values.members.clone(),
        gate: GateReport::new(on.0, on.1, holds),
    };
    let mut lines =
        labelled(&[("release", Some(moved.release.to_string())), ("members", Some(moved.members.join(", ")))]);
    lines.push(moved.gate.line());
    commands::handed_over(outcome.result(&moved, lines), plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemas;

    #[test]
    fn the_schema_of_gate_is_kept() {
        let stages = [Stage::Closed, Stage::Opened, Stage::Already, Stage::Planned];
        schemas::is_kept::<Moved>(&["gate close", "gate open"], &stages);
    }
}
