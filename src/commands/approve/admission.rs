//! What follows for the release when somebody is admitted in the values: one upgrade once mutual TLS is on, and none before.

use crate::{
    cli::CommonArgs,
    cluster::{Cluster, Object},
    commands::{
        hand_over::Left,
        release::{Chart, Found, Wish},
    },
    failure::{Exit, Failure, Result},
    plan::{
        Step,
        edits::{Edited, ValuesFiles},
    },
    substra::orchestrator::{self, CLIENT_CAS, Orchestrator},
};

/// An edit of `clientCACerts`, and the release that it is for.
pub(in crate::commands) struct Admission<'a> {
    pub(in crate::commands) found: &'a Found,
    pub(in crate::commands) objects: &'a [Object],
    pub(in crate::commands) orchestrator: &'a Orchestrator,
    pub(in crate::commands) files: &'a ValuesFiles,
    pub(in crate::commands) edited: &'a Edited,
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
    /// The gate is half way, drift, a file that Helm reads otherwise.
    pub(in crate::commands) fn upgrade(&self, cluster: &dyn Cluster) -> Result<After> {
        gate_is_settled(self.found, self.orchestrator)?;
        if !self.orchestrator.mtls_enabled {
            if self.edited.changes() {
                self.edited.proven_by(cluster)?;
            }
            let then = "nothing changes before the gate is closed, since the same is rendered";
            let is_left = self.common.no_upgrade && self.edited.changes();
            return Ok(After { left: Left::of(is_left, self.edited, &[CLIENT_CAS], then), ..After::default() });
        }
        let (common, files, edited, own) = (self.common, self.files, self.edited, orchestrator::OWN_PATHS);
        let wish = Wish { chart: Chart::Orchestrator, common, files, edited, own, read: true };
        let planned = self.found.plan(cluster, &wish)?.seen(self.objects);
        let left = Left::of(planned.is_left, edited, &[CLIENT_CAS], "the organization is let in");
        Ok(After { steps: planned.steps, restarts: planned.restarts, warnings: planned.warnings, left })
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
    Err(Failure::new(Exit::CheckFailed, "gate-half-way", "the values files and the release disagree on the gate")
        .why(format!("deployed is {}, the files say {}", side(&deployed), side(files)))
        .next("finish what was begun with gate close or gate open, then run this again")
        .unchanged("nothing was signed and nothing was written"))
}
