//! The two sides of a federation, each with a chart of its own.

use std::fmt;

use clap::ValueEnum;
use serde_json::Value;

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// An organization's release.
    Backend,
    /// The federation's release.
    Orchestrator,
}

impl Side {
    /// The name of its chart in `Chart.yaml`.
    #[must_use]
    pub const fn chart(self) -> &'static str {
        match self {
            Self::Backend => "substra-backend",
            Self::Orchestrator => "orchestrator",
        }
    }

    /// Whose values these are, by the keys that only one of the two charts has.
    #[must_use]
    pub fn of_values(values: &Value) -> Option<Self> {
        let orchestrator = &values["orchestrator"];
        let of_backend =
            [&orchestrator["mspID"], &orchestrator["host"], &orchestrator["tls"]["mtls"]["clientCertificate"]];
        let of_orchestrator = [&orchestrator["verifyClientMSPID"], &orchestrator["tls"]["mtls"]["clientCACerts"]];
        let is_any = |keys: &[&Value]| keys.iter().any(|key| !key.is_null());
        match (is_any(&of_backend), values["channels"].is_array() || is_any(&of_orchestrator)) {
            (true, false) => Some(Self::Backend),
            (false, true) => Some(Self::Orchestrator),
            _ => None,
        }
    }

    /// The side whose chart has this name.
    #[must_use]
    pub fn of_chart(name: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|side| side.chart() == name)
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backend => "backend",
            Self::Orchestrator => "orchestrator",
        })
    }
}
