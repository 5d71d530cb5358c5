//! Two requests signed by one key: the alarm, and how somebody settled it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::rfc3339;
use crate::{
    names::MspId,
    pki::{fingerprint::Fingerprint, request::RequestDigest},
};

/// A second, different request came with a proof by a key that had vouched for another one: the first may have been lost,
/// or the key is in two hands. Until it is settled, no certificate of the organization vouches for anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Alarm {
    /// When it was seen.
    #[serde(with = "rfc3339")]
    pub time: OffsetDateTime,
    /// Whose key it is.
    pub organization: MspId,
    /// The serial number of the certificate of that key.
    pub predecessor: String,
    /// The serial number of the certificate that it vouched for first.
    pub successor: String,
    /// The digest of the second request.
    pub request: RequestDigest,
    /// The fingerprint of the second request's key.
    pub fingerprint: Fingerprint,
}

/// Somebody looked into the alarm of an organization, and said which certificate is its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settlement {
    /// When that was.
    #[serde(with = "rfc3339")]
    pub time: OffsetDateTime,
    /// The organization.
    pub organization: MspId,
    /// The serial number of the certificate that it keeps: of those until then the only one that may vouch for a renewal.
    pub keep: String,
}

/// Either of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Incident {
    Alarm(Alarm),
    Settlement(Settlement),
}

impl Incident {
    pub(super) fn organization(&self) -> &MspId {
        match self {
            Self::Alarm(Alarm { organization, .. }) | Self::Settlement(Settlement { organization, .. }) => organization,
        }
    }

    pub(super) fn time(&self) -> OffsetDateTime {
        match self {
            Self::Alarm(Alarm { time, .. }) | Self::Settlement(Settlement { time, .. }) => *time,
        }
    }

    pub(super) fn alarm(&self) -> Option<&Alarm> {
        match self {
            Self::Alarm(alarm) => Some(alarm),
            Self::Settlement(_) => None,
        }
    }

    /// The serial number of the certificate that was kept, where it was settled.
    pub(super) fn kept(&self) -> Option<&str> {
        match self {
            Self::Alarm(_) => None,
            Self::Settlement(settled) => Some(&settled.keep),
        }
    }
}
