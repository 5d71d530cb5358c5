//! The formats in which results are written.

use clap::ValueEnum;

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

    /// Whether a program reads it: a document, and nothing else on stdout.
    #[must_use]
    pub fn is_document(self) -> bool {
        match self {
            Self::Json => true,
            Self::Text | Self::Prometheus => false,
        }
    }
}
