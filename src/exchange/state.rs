//! The state that a run leaves behind, as its last lines say it: what is on, and from when on that holds.

use serde::Serialize;

use crate::report::Stage;

/// From when on a state holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// It is deployed.
    Now,
    /// The values files say so, and somebody else deploys them.
    OnceDeployed,
    /// It was a dry run.
    OnceDone,
    /// The values files say so, and the run changes nothing of it and has not seen what is deployed.
    InFiles,
}

impl Holds {
    /// Of a run that ended at this stage, and upgrades the release itself or does not.
    pub(crate) fn of(stage: Stage, upgrades: bool) -> Self {
        match (stage, upgrades) {
            (Stage::Planned, _) => Self::OnceDone,
            (_, true) => Self::Now,
            (_, false) => Self::OnceDeployed,
        }
    }

    /// Whether it is deployed.
    pub(crate) fn is_deployed(self) -> bool {
        self == Self::Now
    }

    /// `on` or `off`, and from when on.
    pub(crate) fn said(self, is_on: bool) -> String {
        format!("{}{}", if is_on { "on" } else { "off" }, self.when())
    }

    /// What follows the last word of a state.
    pub(crate) fn when(self) -> &'static str {
        match self {
            Self::Now | Self::InFiles => "",
            Self::OnceDeployed => ", once these values are deployed",
            Self::OnceDone => ", once this is done",
        }
    }
}

/// What the orchestrator asks of its clients.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct GateReport {
    /// Whether mutual TLS is on at the orchestrator.
    mutual_tls: bool,
    /// Whether an organization can act under its own name alone.
    identity_check: bool,
    /// Whether that is deployed; not in a dry run, and not where somebody else deploys the values files.
    deployed: bool,
    #[serde(skip)]
    holds: Holds,
}

impl GateReport {
    /// Without mutual TLS nobody's identity is looked at.
    pub(crate) fn new(mutual_tls: bool, verifies: bool, holds: Holds) -> Self {
        Self { mutual_tls, identity_check: mutual_tls && verifies, deployed: holds.is_deployed(), holds }
    }

    /// For the last line of a run.
    pub(crate) fn line(&self) -> String {
        let said = |is_on: bool| if is_on { "on" } else { "off" };
        let (mutual, identity) = (said(self.mutual_tls), said(self.identity_check));
        format!("mutual TLS: {mutual}, identity check: {identity}{}", self.holds.when())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_says_from_when_on_it_holds() {
        let line =
            |mutual, verifies, stage, upgrades| GateReport::new(mutual, verifies, Holds::of(stage, upgrades)).line();
        assert_eq!(line(true, true, Stage::Closed, true), "mutual TLS: on, identity check: on");
        assert_eq!(line(false, true, Stage::Opened, true), "mutual TLS: off, identity check: off");
        let later = "mutual TLS: on, identity check: off, once these values are deployed";
        assert_eq!(line(true, false, Stage::Closed, false), later);
        let planned = "mutual TLS: on, identity check: on, once this is done";
        assert_eq!(line(true, true, Stage::Planned, true), planned);
        assert_eq!(Holds::of(Stage::Already, true).said(true), "on");
    }
}
