//! What `approve` answers: the certificates that go out, and whether they count at once.

use serde::Serialize;
use time::OffsetDateTime;

use super::{renewals::Renewals, settle::Settled, sign::SigningPlan};
use crate::{
    exchange::state::GateReport,
    names::{Hostname, MspId},
    pki::{fingerprint::Fingerprint, policy::Identification},
    report::Stage,
    times,
};

/// What `approve` answers: requests approved, renewals of a mailbox, or an alarm settled.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(super) enum ApproveResult {
    Approved(Approved),
    Renewals(Renewals),
    Settled(Settled),
}

/// Requests that were approved.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Approved {
    /// Their MSP IDs.
    pub(super) organizations: Vec<MspId>,
    pub(super) certificates: Vec<CertificateReport>,
    /// Whether an installed certificate counts at once, for people.
    pub(super) gate: &'static str,
    #[serde(flatten)]
    pub(super) state: GateReport,
}

/// A certificate that goes out, or would.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct CertificateReport {
    /// MSP ID.
    organization: MspId,
    /// The certificate's file.
    file: String,
    /// Its serial number; a certificate that is only planned has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<crate::schemas::Serial>"))]
    serial: Option<String>,
    /// The fingerprint of its key; a certificate that is only planned has none where nobody compared it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<crate::schemas::KeyFingerprint>"))]
    fingerprint: Option<Fingerprint>,
    /// Its DNS names.
    hosts: Vec<Hostname>,
    #[serde(serialize_with = "times::as_rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schemas::Time"))]
    not_before: OffsetDateTime,
    #[serde(serialize_with = "times::as_rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schemas::Time"))]
    not_after: OffsetDateTime,
    /// It expires earlier than asked, with the CA.
    cut_to_the_ca: bool,
    /// The same request was answered before: these are the same bytes.
    again: bool,
    /// How it was settled that the request is the organization's; not said again of one that was answered before.
    #[serde(skip_serializing_if = "Option::is_none")]
    identified: Option<IdentifiedBy>,
    /// The serial number of the certificate whose key vouches for the request, where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<crate::schemas::Serial>"))]
    predecessor: Option<String>,
}

/// How it was settled that a request is its organization's.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum IdentifiedBy {
    /// Its fingerprint was compared over another channel.
    Fingerprint,
    /// The key of the organization's certificate vouches for it.
    Renewal,
    /// Nobody compared anything.
    UnverifiedMail,
}

impl IdentifiedBy {
    fn of(identified: &Identification) -> Self {
        match identified {
            Identification::Fingerprint | Identification::Renewal { compared: true, .. } => Self::Fingerprint,
            Identification::Renewal { compared: false, .. } => Self::Renewal,
            Identification::UnverifiedMail => Self::UnverifiedMail,
        }
    }
}

impl Approved {
    pub(super) fn lines(&self, stage: Stage) -> Vec<String> {
        let organizations: Vec<&str> = self.organizations.iter().map(MspId::as_str).collect();
        let certificates = self.certificates.iter().map(CertificateReport::line);
        // In a dry run nobody is.
        let label = if stage == Stage::Planned { "organizations" } else { "admitted" };
        let first = format!("{label}: {}", organizations.join(", "));
        let last = [self.state.line(), format!("gate: {}", self.gate)];
        std::iter::once(first).chain(certificates).chain(last).collect()
    }
}

impl CertificateReport {
    /// Of what is not signed yet nobody shall take a number down that nobody has compared.
    pub(super) fn of(ready: &SigningPlan) -> Self {
        let SigningPlan { request, identified, target, window, issued, is_again, .. } = ready;
        Self {
            organization: request.msp_id.clone(),
            file: target.display().to_string(),
            serial: issued.as_ref().map(|issued| issued.serial.clone()),
            fingerprint: (issued.is_some() || ready.is_compared()).then_some(request.fingerprint),
            hosts: request.hosts.clone(),
            not_before: window.not_before,
            not_after: window.not_after,
            cut_to_the_ca: window.cut_to_ca_end,
            again: *is_again,
            identified: (!is_again).then(|| IdentifiedBy::of(identified)),
            predecessor: identified.predecessor().map(str::to_owned),
        }
    }

    pub(super) fn line(&self) -> String {
        let serial = self.serial.iter().map(|serial| format!(", serial {serial}")).collect::<String>();
        format!("certificate: {} of {}{serial}", self.file, self.organization)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemas;

    #[test]
    fn the_schema_of_approve_is_kept() {
        let stages = [Stage::Approved, Stage::Settled, Stage::Already, Stage::Planned];
        schemas::is_kept::<ApproveResult>(&["approve"], &stages);
    }
}
