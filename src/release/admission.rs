//! What follows for the release when somebody is admitted in the values: one upgrade once mutual TLS is on, and none before.

use super::{ClusterState, EditedFiles, ReleaseState, Target, mounts::Mounts};
use crate::{
    failure::{Code, Exit, Failure, Result},
    plan::Plan,
    substra::orchestrator::{CLIENT_CAS, Orchestrator},
    values::Setting,
};

impl Target<'_, Orchestrator> {
    /// What follows from an edit of `clientCACerts`, which makes the settings `own`: one upgrade once mutual TLS is on;
    /// before that the file alone changes, since nothing would be rendered again. `cluster` has the objects of
    /// [`wanted`](super::mounts::wanted) once mutual TLS is on, as they will be before the upgrade.
    ///
    /// # Errors
    /// The gate is half way, drift, a file that Helm reads otherwise, an object without which the new pods do not start.
    pub(crate) fn admission(&self, cluster: &ClusterState, edited: &EditedFiles, own: &[Setting]) -> Result<Plan> {
        let ClusterState { release, objects } = cluster;
        gate_is_settled(release, &self.values)?;
        let is_on = self.values.mtls_enabled;
        let then = if is_on {
            "the organization is accepted"
        } else {
            "nothing changes before the gate is closed, since the same is rendered"
        };
        let request = self.upgrade(edited, own, &[CLIENT_CAS], then);
        if !is_on {
            let is_left = self.options.no_upgrade && edited.changes();
            if edited.changes() {
                edited.proven_by(self.session.cluster()?)?;
            }
            return Ok(Plan { handoff: is_left.then(|| request.handoff(release)), ..Plan::default() });
        }
        let (plan, after) = release.plan(&request)?;
        let plan = plan.with_rollouts_seen(objects);
        if plan.upgrades() || plan.handoff.is_some() {
            // Pods that are replaced stand on all that they mount, for whomever it is: checked as the gate checks it.
            let as_edited = Orchestrator::read(&edited.merged)?.called(self.files.key().chart());
            let findings = Mounts::of(self, &self.values, cluster, &after.manifest).check(&as_edited);
            self.session.refuse(findings, "nothing was signed and nothing was written")?;
        }
        Ok(plan)
    }
}

/// Neither admitting nor setting TLS up moves the gate: while files and release disagree on it, an upgrade of ours would.
///
/// # Errors
/// They disagree.
pub(crate) fn gate_is_settled(release: &ReleaseState, files: &Orchestrator) -> Result<()> {
    let deployed = Orchestrator::read(release.config())?;
    if deployed.mtls_enabled == files.mtls_enabled && deployed.verify_msp_id == files.verify_msp_id {
        return Ok(());
    }
    let word = |on: bool| if on { "on" } else { "off" };
    let side = |o: &Orchestrator| {
        format!("mutual TLS {} and verifyClientMSPID {}", word(o.mtls_enabled), word(o.verify_msp_id))
    };
    Err(Failure::new(Exit::CheckFailed, Code::GateHalfWay, "the values files and the release disagree on the gate")
        .why(format!("deployed is {}, the files say {}", side(&deployed), side(files)))
        .next("finish what was begun with gate close or gate open, then run this again")
        .unchanged("nothing was signed and nothing was written"))
}
