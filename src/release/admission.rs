//! What follows for the release when somebody is admitted in the values: one upgrade once mutual TLS is on, and none before.

use super::{
    Edited, Options, ReleaseState, UpgradeRequest, ValuesFiles,
    mounts::Mounts,
    remedy::{Of, Remedy},
};
use crate::{
    cluster::Object,
    failure::{Code, Exit, Failure, Result},
    plan::Plan,
    session::Session,
    substra::{
        Side,
        manifest::Manifest,
        orchestrator::{CLIENT_CAS, Orchestrator},
    },
    values::Setting,
};

/// An edit of `clientCACerts`, and the release that it is for.
pub(crate) struct Admission<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) found: &'a ReleaseState,
    /// Those of `mounts::wanted` once mutual TLS is on, as they will be before the upgrade; and the workloads.
    pub(crate) objects: &'a [Object],
    pub(crate) orchestrator: &'a Orchestrator,
    pub(crate) files: &'a ValuesFiles,
    pub(crate) edited: &'a Edited,
    /// The settings that the edit makes.
    pub(crate) own: &'a [Setting],
    pub(crate) options: &'a Options,
}

impl Admission<'_> {
    /// One upgrade once mutual TLS is on; before that the file alone changes, since nothing would be rendered anew.
    ///
    /// # Errors
    /// The gate is half way, drift, a file that Helm reads otherwise, an object without which the new pods do not start.
    pub(crate) fn plan(&self) -> Result<Plan> {
        gate_is_settled(self.found, self.orchestrator)?;
        let is_on = self.orchestrator.mtls_enabled;
        let request = UpgradeRequest {
            session: self.session,
            side: Side::Orchestrator,
            options: self.options,
            files: self.files,
            edited: self.edited,
            own: self.own,
            read: true,
            paths: &[CLIENT_CAS],
            then: if is_on {
                "the organization is let in"
            } else {
                "nothing changes before the gate is closed, since the same is rendered"
            },
        };
        if !is_on {
            let is_left = self.options.no_upgrade && self.edited.changes();
            if self.edited.changes() {
                self.edited.proven_by(self.session.cluster()?)?;
            }
            return Ok(Plan { handoff: is_left.then(|| request.handoff(self.found)), ..Plan::default() });
        }
        let (plan, after) = self.found.plan(&request)?;
        let plan = plan.with_rollouts_seen(self.objects);
        if plan.upgrades() || plan.handoff.is_some() {
            self.can_start(&after.manifest)?;
        }
        Ok(plan)
    }

    /// Pods that are made anew stand on all that they mount, whoever it is for: judged as the gate judges it.
    fn can_start(&self, manifest: &Manifest) -> Result<()> {
        let after = Orchestrator::read(&self.edited.merged)?.called(self.files.key().chart());
        let (found, objects) = (self.found, self.objects);
        let remedy = Remedy::new(self.session, self.options, found, Of::Orchestrator(self.orchestrator));
        let mounts = Mounts { found, manifest, objects, now: self.session.now, remedy };
        self.session.refuse(mounts.judge(&after), "nothing was signed and nothing was written")
    }
}

/// Neither admitting nor setting TLS up moves the gate: while files and release disagree on it, an upgrade of ours would.
///
/// # Errors
/// They disagree.
pub(crate) fn gate_is_settled(found: &ReleaseState, files: &Orchestrator) -> Result<()> {
    let deployed = Orchestrator::read(found.config())?;
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
