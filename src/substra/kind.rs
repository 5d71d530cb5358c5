//! The two kinds of object that the charts mount.

use std::fmt;

/// What a volume's source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// `secret`.
    Secret,
    /// `configmap`.
    ConfigMap,
}

impl ObjectKind {
    /// The kind that it is taken for by mistake.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Secret => Self::ConfigMap,
            Self::ConfigMap => Self::Secret,
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        })
    }
}
