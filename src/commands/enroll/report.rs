//! What `enroll` answers: the request that waits, or the pair that is in place.

use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    exchange::{renewal::Schedule, state::Holds},
    names::{Hostname, MspId},
    pki::{fingerprint::Fingerprint, inspect::Certificate},
    text::labelled,
    times,
};

/// What `enroll` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(super) enum EnrollResult {
    Requested(Requested),
    Installed(Installed),
    Early(Early),
}

/// A request was made, or is there; without fingerprint where it is only planned.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Requested {
    /// MSP ID.
    pub(super) organization: MspId,
    /// Host of the backend.
    pub(super) host: Hostname,
    /// File of the certificate signing request.
    pub(super) request: String,
    #[serde(flatten)]
    pub(super) key: Option<RequestedKey>,
    /// The serial number of the live certificate, whose key has signed the request: then nobody needs to read the
    /// fingerprint out. Not there where it has to be read out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<crate::schemas::Serial>"))]
    pub(super) vouched_for_by: Option<String>,
    #[serde(flatten)]
    pub(super) waits: Option<WaitsBeside>,
    /// Whether the backend presents a pair already, which stays until the new certificate is installed.
    pub(super) mutual_tls: bool,
}

/// How a request stands whose certificate replaces a live one.
#[derive(Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct WaitsBeside {
    /// When the request was made; null where that is not known.
    #[cfg_attr(test, schemars(with = "Option<crate::schemas::Time>"))]
    requested_at: Option<String>,
    /// When the live certificate ends.
    #[serde(serialize_with = "times::as_rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schemas::Time"))]
    live_until: OffsetDateTime,
    /// Whether it has waited for a week, less than a sixth of the live certificate's life is left, or that has ended.
    overdue: bool,
}

/// The pair is in place, and its renewal is not due.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Early {
    /// MSP ID.
    organization: MspId,
    #[cfg_attr(test, schemars(with = "crate::schemas::Serial"))]
    serial: String,
    #[cfg_attr(test, schemars(with = "crate::schemas::KeyFingerprint"))]
    fingerprint: Fingerprint,
    #[serde(serialize_with = "times::as_rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schemas::Time"))]
    not_after: OffsetDateTime,
    /// From when on it is renewed.
    #[serde(serialize_with = "times::as_rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schemas::Time"))]
    due_at: OffsetDateTime,
}

/// How the key of a request is told apart.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestedKey {
    #[cfg_attr(test, schemars(with = "crate::schemas::KeyFingerprint"))]
    fingerprint: Fingerprint,
    /// The fingerprint in eight groups, to be read out by phone.
    to_read_out: String,
}

/// A pair is installed.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Installed {
    /// MSP ID.
    organization: MspId,
    #[cfg_attr(test, schemars(with = "crate::schemas::Serial"))]
    serial: String,
    #[cfg_attr(test, schemars(with = "crate::schemas::KeyFingerprint"))]
    fingerprint: Fingerprint,
    #[serde(serialize_with = "times::as_rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schemas::Time"))]
    not_after: OffsetDateTime,
    #[serde(flatten)]
    proof: Option<Proof>,
    /// Whether the backend presents its pair to the orchestrator.
    mutual_tls: bool,
    /// Whether that is deployed; not in a dry run, and not where somebody else deploys the values files.
    deployed: bool,
    #[serde(skip)]
    holds: Holds,
}

/// What a run that was no dry run can answer for.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Proof {
    /// What was looked at.
    pub(super) proven: String,
    /// What was not.
    pub(super) not_proven: &'static str,
}

impl From<Fingerprint> for RequestedKey {
    fn from(fingerprint: Fingerprint) -> Self {
        Self { fingerprint, to_read_out: fingerprint.groups().join(" ") }
    }
}

impl WaitsBeside {
    pub(super) fn new(requested_at: Option<OffsetDateTime>, live_until: OffsetDateTime, schedule: &Schedule) -> Self {
        Self { requested_at: requested_at.map(times::rfc3339), live_until, overdue: schedule.is_late() }
    }
}

impl Early {
    pub(super) fn new(organization: MspId, live: &Certificate, due_at: OffsetDateTime) -> Self {
        let (serial, fingerprint) = (live.serial.clone(), live.fingerprint());
        Self { organization, serial, fingerprint, not_after: live.not_after, due_at }
    }
}

impl Installed {
    pub(super) fn new(organization: MspId, certificate: &Certificate, proof: Option<Proof>, holds: Holds) -> Self {
        let (serial, fingerprint) = (certificate.serial.clone(), certificate.fingerprint());
        Self {
            organization,
            serial,
            fingerprint,
            not_after: certificate.not_after,
            proof,
            mutual_tls: true,
            deployed: holds.is_deployed(),
            holds,
        }
    }
}

impl EnrollResult {
    pub(super) fn lines(&self) -> Vec<String> {
        match self {
            Self::Requested(requested) => requested.lines(),
            Self::Installed(installed) => installed.lines(),
            Self::Early(Early { organization, serial, fingerprint, not_after, due_at }) => labelled(&[
                ("organization", Some(organization.to_string())),
                ("serial", Some(serial.clone())),
                ("fingerprint", Some(fingerprint.to_string())),
                ("valid until", Some(times::rfc3339(*not_after))),
                ("nothing to do until", Some(times::rfc3339(*due_at))),
            ]),
        }
    }
}

impl Requested {
    fn lines(&self) -> Vec<String> {
        let waits = self.waits.as_ref();
        let vouched = self.vouched_for_by.as_ref().map(|serial| format!("by the key of certificate {serial}"));
        labelled(&[
            ("organization", Some(self.organization.to_string())),
            ("host", Some(self.host.to_string())),
            ("request", Some(self.request.clone())),
            ("fingerprint", self.key.as_ref().map(|key| key.fingerprint.to_string())),
            ("to read out", self.key.as_ref().map(|key| key.to_read_out.clone())),
            ("vouched for", vouched),
            ("requested at", waits.and_then(|waits| waits.requested_at.clone())),
            ("live until", waits.map(|waits| times::rfc3339(waits.live_until))),
            ("mutual TLS", Some(until_installed(self.mutual_tls).to_owned())),
        ])
    }
}

impl Installed {
    fn lines(&self) -> Vec<String> {
        labelled(&[
            ("organization", Some(self.organization.to_string())),
            ("serial", Some(self.serial.clone())),
            ("fingerprint", Some(self.fingerprint.to_string())),
            ("valid until", Some(times::rfc3339(self.not_after))),
            ("mutual TLS", Some(self.holds.said(self.mutual_tls))),
            ("proven", self.proof.as_ref().map(|proof| proof.proven.clone())),
            ("not proven", self.proof.as_ref().map(|proof| proof.not_proven.to_owned())),
        ])
    }
}

fn until_installed(is_on: bool) -> &'static str {
    if is_on {
        "on, with the pair that is in place, until the new certificate is installed"
    } else {
        "off, until the certificate is installed"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::Stage, schemas};

    #[test]
    fn the_schema_of_enroll_is_kept() {
        let stages = [Stage::Requested, Stage::Installed, Stage::Already, Stage::Planned];
        schemas::is_kept::<EnrollResult>(&["enroll"], &stages);
    }
}
