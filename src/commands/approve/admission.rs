//! What follows for the release when somebody is admitted in the values: one upgrade once mutual TLS is on, and none before.

use super::refuse_all;
use crate::{
    cli::CommonArgs,
    cluster::Object,
    commands::{
        Desk,
        check::mounts::Mounts,
        hand_over::Left,
        release::{Chart, Found, Planned, Wish},
    },
    failure::{Code, Exit, Failure, Result},
    plan::{
        Step,
        edits::{Edited, ValuesFiles},
    },
    substra::orchestrator::{CLIENT_CAS, Orchestrator},
    values::Setting,
};

/// An edit of `clientCACerts`, and the release that it is for.
pub(in crate::commands) struct Admission<'a> {
    pub(in crate::commands) desk: &'a Desk<'a>,
    pub(in crate::commands) found: &'a Found,
    /// Those of `mounts::wanted` once mutual TLS is on, as they will be before the upgrade; and the workloads.
    pub(in crate::commands) objects: &'a [Object],
    pub(in crate::commands) orchestrator: &'a Orchestrator,
    pub(in crate::commands) files: &'a ValuesFiles,
    pub(in crate::commands) edited: &'a Edited,
    /// The settings that the edit makes.
    pub(in crate::commands) own: &'a [Setting],
    pub(in crate::commands) common: &'a CommonArgs,
}

/// What follows for the release.
#[derive(Default)]
pub(in crate::commands) struct After {
    pub(in crate::commands) steps: Vec<Step>,
    pub(in crate::commands) restarts: Vec<String>,
    pub(in crate::commands) warnings: Vec<String>,
    pub(in crate::commands) left: Left,
}

impl Admission<'_> {
    /// One upgrade once mutual TLS is on; before that the file alone changes, since nothing would be rendered anew.
    ///
    /// # Errors
    /// The gate is half way, drift, a file that Helm reads otherwise, an object without which the new pods do not start.
    pub(in crate::commands) fn upgrade(&self) -> Result<After> {
        let cluster = self.desk.cluster()?;
        gate_is_settled(self.found, self.orchestrator)?;
        if !self.orchestrator.mtls_enabled {
            if self.edited.changes() {
                self.edited.proven_by(cluster)?;
            }
            let then = "nothing changes before the gate is closed, since the same is rendered";
            let is_left = self.common.no_upgrade && self.edited.changes();
            return Ok(After { left: Left::of(is_left, self.edited, &[CLIENT_CAS], then), ..After::default() });
        }
        let (common, files, edited, own) = (self.common, self.files, self.edited, self.own);
        let wish = Wish { chart: Chart::Orchestrator, common, files, edited, own, read: true };
        let planned = self.found.plan(cluster, &wish)?.seen(self.objects);
        self.can_start(&planned)?;
        let left = Left::of(planned.is_left, edited, &[CLIENT_CAS], "the organization is let in");
        Ok(After { steps: planned.steps, restarts: planned.restarts, warnings: planned.warnings, left })
    }

    /// Pods that are made anew stand on all that they mount, whoever it is for: judged as the gate judges it.
    fn can_start(&self, planned: &Planned) -> Result<()> {
        if !planned.upgrades() && !planned.is_left {
            return Ok(());
        }
        let after = Orchestrator::read(&self.edited.merged)?.called(self.files.key().chart());
        let (found, manifest, objects) = (self.found, &planned.manifest, self.objects);
        let remedy = self.desk.remedy(self.common, found, self.orchestrator);
        let mounts = Mounts { found, manifest, objects, now: self.desk.now, remedy };
        let findings = mounts.judge(&after);
        if findings.is_empty() { Ok(()) } else { Err(refuse_all(self.desk, findings)) }
    }
}

/// Neither admitting nor setting TLS up moves the gate: while files and release disagree on it, an upgrade of ours would.
///
/// # Errors
/// They disagree.
pub(in crate::commands) fn gate_is_settled(found: &Found, files: &Orchestrator) -> Result<()> {
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
