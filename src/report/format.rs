//! The formats in which results are written.

use clap::ValueEnum;
use serde_json::Value;

use crate::plain;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document with `schemaVersion`.
    Json,
    /// Gauges in the text exposition format, for the node exporter's textfile collector.
    Prometheus,
}

impl Format {
    /// Whether every verb has it; `check` has all.
    #[must_use]
    pub fn is_everywhere(self) -> bool {
        match self {
            Self::Text | Self::Json => true,
            Self::Prometheus => false,
        }
    }

    /// What writes an answer as one document that a program reads, with nothing else on stdout; `None` where lines are
    /// written.
    #[must_use]
    pub fn document(self) -> Option<fn(&Value) -> String> {
        match self {
            Self::Json => Some(|answer| plain::json(&answer.to_string()).into_owned()),
            Self::Text | Self::Prometheus => None,
        }
    }

    /// Whether a program reads it.
    #[must_use]
    pub fn is_document(self) -> bool {
        self.document().is_some()
    }
}
