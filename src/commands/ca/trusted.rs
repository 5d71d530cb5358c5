//! What `ca trust` answers, on both sides.

use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    exchange::state::Holds,
    names::{MspId, ObjectName},
    pki::{fingerprint::Fingerprint, inspect::Certificate},
    text::labelled,
    times,
};

/// What `ca trust` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Trusted {
    /// MSP ID, with --for.
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<MspId>,
    /// The object that holds the CA.
    object: ObjectName,
    /// Subject of the CA.
    ca: String,
    /// The fingerprint of its key; absent where nobody has compared it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<crate::schemas::KeyFingerprint>"))]
    ca_fingerprint: Option<Fingerprint>,
    #[serde(serialize_with = "times::as_rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schemas::Time"))]
    ca_not_after: OffsetDateTime,
    #[serde(flatten)]
    tls: Option<Dials>,
}

/// How a backend dials the orchestrator.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Dials {
    /// Of a backend, whether it dials the orchestrator with TLS.
    tls: bool,
    /// Whether that is deployed; not in a dry run, and not where somebody else deploys the values files.
    deployed: bool,
    #[serde(skip)]
    holds: Holds,
}

impl Dials {
    pub(super) fn new(tls: bool, holds: Holds) -> Self {
        Self { tls, deployed: holds.is_deployed(), holds }
    }
}

impl Trusted {
    pub(super) fn new(
        organization: Option<&MspId>,
        object: &ObjectName,
        certificate: &Certificate,
        is_compared: bool,
        tls: Option<Dials>,
    ) -> Self {
        Self {
            organization: organization.cloned(),
            object: object.clone(),
            ca: certificate.subject.clone(),
            ca_fingerprint: is_compared.then(|| certificate.fingerprint()),
            ca_not_after: certificate.not_after,
            tls,
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        labelled(&[
            ("organization", self.organization.as_ref().map(MspId::to_string)),
            ("kept in", Some(self.object.to_string())),
            ("ca", Some(self.ca.clone())),
            ("ca fingerprint", self.ca_fingerprint.map(|fingerprint| fingerprint.to_string())),
            ("ca valid until", Some(times::rfc3339(self.ca_not_after))),
            ("TLS to the orchestrator", self.tls.as_ref().map(|dials| dials.holds.said(dials.tls))),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::Stage, schemas};

    #[test]
    fn the_schema_of_ca_trust_is_kept() {
        schemas::is_kept::<Trusted>(&["ca trust"], &[Stage::Trusted, Stage::Already, Stage::Planned]);
    }
}
