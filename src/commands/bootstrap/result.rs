//! What `bootstrap` answers: how far each organization is, and the gate.

use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    failure::{Code, Next},
    ids::ids,
    names::MspId,
    pki::inspect::Certificate,
    times,
};

/// What `bootstrap` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Bootstrapped {
    pub(super) organizations: Vec<MemberReport>,
    pub(super) gate: GateState,
    /// Where the file has the CA made: what has to be backed up.
    pub(super) back_up: Vec<String>,
}

/// How far an organization is.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub(super) enum MemberReport {
    /// Nothing had to be done.
    Already(Stands),
    /// This would be done.
    Planned(Stands),
    /// It was put into place by this run.
    Now(Stands),
    /// It was left behind.
    Failed(LeftOut),
}

/// An organization with its pair.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(super) struct Stands {
    /// MSP ID.
    organization: MspId,
    #[serde(flatten)]
    certificate: Option<PairReport>,
}

/// The certificate of a pair; one that is only planned is not there.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct PairReport {
    #[cfg_attr(test, schemars(with = "crate::schemas::Serial"))]
    serial: String,
    #[serde(serialize_with = "times::as_rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schemas::Time"))]
    not_after: OffsetDateTime,
}

/// An organization that was left behind.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(super) struct LeftOut {
    /// MSP ID.
    pub(super) organization: MspId,
    #[cfg_attr(test, schemars(with = "crate::schemas::Id"))]
    pub(super) code: Code,
    /// Why.
    pub(super) why: String,
    #[serde(flatten)]
    pub(super) next: Next,
}

ids! {
    /// What a run makes of the gate.
    pub(super) enum GateState {
        /// Mutual TLS and the identity check are on.
        Closed = "the gate is closed",
        /// The file leaves it, or somebody is left behind.
        AsItWas = "the gate is as it was",
        /// A dry run.
        WillBeClosed = "will be closed",
        /// Closing it was begun, and failed.
        Unfinished = "the gate is open or half way",
    }
}

impl Stands {
    pub(super) fn of(msp_id: &MspId, certificate: Option<&Certificate>) -> Self {
        let pair = |pair: &Certificate| PairReport { serial: pair.serial.clone(), not_after: pair.not_after };
        Self { organization: msp_id.clone(), certificate: certificate.map(pair) }
    }

    fn line(&self, state: &str) -> String {
        let Self { organization, certificate } = self;
        match certificate {
            None => format!("{organization} {state}: a new certificate"),
            Some(PairReport { serial, not_after }) => {
                format!("{organization} {state}: serial {serial}, until {}", times::rfc3339(*not_after))
            }
        }
    }
}

impl MemberReport {
    fn line(&self) -> String {
        match self {
            Self::Already(stands) => stands.line("already"),
            Self::Planned(stands) => stands.line("planned"),
            Self::Now(stands) => stands.line("done"),
            Self::Failed(LeftOut { organization, why, .. }) => format!("{organization} failed: {why}"),
        }
    }
}

impl Bootstrapped {
    pub(super) fn lines(&self) -> Vec<String> {
        let organizations = self.organizations.iter().map(|one| format!("organization: {}", one.line()));
        let back_up = (!self.back_up.is_empty()).then(|| format!("back up: {}", self.back_up.join(", ")));
        organizations.chain([format!("gate: {}", self.gate)]).chain(back_up).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::Stage, schemas};

    #[test]
    fn the_schema_of_bootstrap_is_kept() {
        let stages = [Stage::Bootstrapped, Stage::Unfinished, Stage::Already, Stage::Planned];
        schemas::is_kept::<Bootstrapped>(&["bootstrap"], &stages);
    }
}
