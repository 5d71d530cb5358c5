//! The two sides of a federation, each with a chart of its own.

use std::fmt;

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

    /// The side whose chart has this name.
    #[must_use]
    pub fn of_chart(name: &str) -> Option<Self> {
        [Self::Backend, Self::Orchestrator].into_iter().find(|side| side.chart() == name)
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
