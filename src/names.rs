//! Checked names: types that cannot hold a bad value, so that work code never sees what the user typed.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

/// The name that the backend's chart gives to every organization that never set its own (`orchestrator.mspID`): nobody
/// means it.
pub const DEFAULT_MSP_ID: &str = "OwkinPeerMSP";

/// The hosts of a backend that never set its own (chart `substra-backend`, `values.yaml`): nobody means them.
pub const DEFAULT_HOSTS: [&str; 2] = ["substra.backend.local", "localhost"];

/// Why a text is not the name that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not {kind}: {rule}")]
pub struct BadName {
    /// What it should have been, with its article: "a namespace".
    pub kind: &'static str,
    /// What was given.
    pub given: String,
    /// The rule that it breaks.
    pub rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $rule:literal, $good:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = BadName;
            fn from_str(given: &str) -> Result<Self, BadName> {
                let good: fn(&str) -> bool = $good;
                if good(given) {
                    Ok(Self(given.to_owned()))
                } else {
                    Err(BadName { kind: $kind, given: given.to_owned(), rule: $rule })
                }
            }
        }

        impl TryFrom<String> for $type {
            type Error = BadName;
            fn try_from(given: String) -> Result<Self, BadName> {
                given.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// An organization's MSP ID, as it stands in `orchestrator.mspID` and in the O of its certificate.
    /// Narrower than Substra asks: the name is printed unquoted into the orchestrator's manifest (chart
    /// `orchestrator`, template `deployment-server.yaml`) and sent as a gRPC header.
    MspId,
    "an MSP ID",
    "1 to 64 of the letters A-Z a-z, digits, '.', '_' and '-', a letter or digit first and last",
    |s| s.len() <= 64 && ends_are_alphanumeric(s) && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
);
name!(
    /// A Kubernetes namespace (RFC 1123 label).
    Namespace,
    "a namespace",
    "1 to 63 lower-case letters, digits and '-', a letter or digit first and last",
    |s| is_label(s)
);
name!(
    /// A Helm release name (`helm.sh/helm/v3/pkg/chartutil`: at most 53 characters).
    ReleaseName,
    "a release name",
    "1 to 53 lower-case letters, digits, '-' and '.', a letter or digit first and last",
    |s| s.len() <= 53 && is_subdomain(s)
);
name!(
    /// The name of a Secret or ConfigMap (RFC 1123 subdomain).
    ObjectName,
    "an object name",
    "1 to 253 lower-case letters, digits, '-' and '.', a letter or digit first and last",
    |s| is_subdomain(s)
);
name!(
    /// A DNS host name in lower case, without wildcard, final dot, underscore or port (RFC 952, RFC 1123).
    Hostname,
    "a host name",
    "lower-case letters, digits, '-' and '.', labels of 1 to 63 characters, 253 in all, not an IP address",
    |s| s.len() <= 253 && s.split('.').all(is_label) && !s.rsplit('.').next().is_some_and(|l| l.bytes().all(|b| b.is_ascii_digit()))
);

fn ends_are_alphanumeric(s: &str) -> bool {
    let alphanumeric = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    alphanumeric(s.bytes().next()) && alphanumeric(s.bytes().next_back())
}

fn is_label(s: &str) -> bool {
    s.len() <= 63
        && ends_are_alphanumeric(s)
        && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_subdomain(s: &str) -> bool {
    s.len() <= 253
        && s.split('.').all(|label| {
            !label.is_empty()
                && ends_are_alphanumeric(label)
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
}

/// How long a certificate is asked to live: one day to 398 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Validity(Duration);

impl Validity {
    /// 90 days: the chart's own duration, and expiry is the only revocation that the servers know.
    pub const DEFAULT_DAYS: u64 = 90;
    const DAY: u64 = 24 * 60 * 60;

    /// The duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl Default for Validity {
    fn default() -> Self {
        Self(Duration::from_secs(Self::DEFAULT_DAYS * Self::DAY))
    }
}

impl FromStr for Validity {
    type Err = BadName;
    fn from_str(given: &str) -> Result<Self, BadName> {
        let rule = "a duration between 1 day and 398 days, for example 90d";
        let bad = || BadName { kind: "a validity", given: given.to_owned(), rule };
        let duration = humantime::parse_duration(given).map_err(|_| bad())?;
        let (least, most) = (Self::DAY, 398 * Self::DAY);
        (least..=most).contains(&duration.as_secs()).then_some(Self(duration)).ok_or_else(bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_msp_id_cannot_break_out_of_the_manifest() {
        for bad in ["", "../x", "a:b", "a\nb", "{{x}}", " MyOrg1MSP", "MyOrg1MSP ", "-a", "a-", "Ørg", "a b"] {
            assert!(bad.parse::<MspId>().is_err(), "{bad:?}");
        }
        for good in ["MyOrg1MSP", "my_org.1-MSP", "a", "7"] {
            assert_eq!(good.parse::<MspId>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn a_hostname_is_lower_case_without_wildcard_port_or_address() {
        for bad in ["*.org", "org-1.com:443", "10.0.0.1", "a..b", "a.", "A.com", "a_b.com", "-a.com"] {
            assert!(bad.parse::<Hostname>().is_err(), "{bad:?}");
        }
        assert!("api.cluster-1.example.org".parse::<Hostname>().is_ok());
    }

    #[test]
    fn a_validity_is_between_a_day_and_398_days() {
        for bad in ["", "0d", "23h", "399d", "x", "90"] {
            assert!(bad.parse::<Validity>().is_err(), "{bad:?}");
        }
        assert_eq!("90d".parse::<Validity>().unwrap().duration().as_secs(), 90 * 86_400);
    }
}
