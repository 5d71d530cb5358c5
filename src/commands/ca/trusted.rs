//! What `ca trust` answers, on both sides.

use serde::Serialize;
use time::OffsetDateTime;

use crate::{
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
}

impl Trusted {
    pub(super) fn new(
        organization: Option<&MspId>,
        object: &ObjectName,
        certificate: &Certificate,
        is_compared: bool,
    ) -> Self {
        Self {
            organization: organization.cloned(),
            object: object.clone(),
            ca: certificate.subject.clone(),
            ca_fingerprint: is_compared.then(|| certificate.fingerprint()),
            ca_not_after: certificate.not_after,
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        labelled(&[
            ("organization", self.organization.as_ref().map(MspId::to_string)),
            ("object", Some(self.object.to_string())),
            ("ca", Some(self.ca.clone())),
            ("ca fingerprint", self.ca_fingerprint.map(|fingerprint| fingerprint.to_string())),
            ("ca not after", Some(times::rfc3339(self.ca_not_after))),
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
