//! Where a release stands: in Helm's words, or beside Helm.

use std::fmt;

/// Where a release stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseStatus {
    /// Its last upgrade went through.
    Deployed,
    /// Its last upgrade failed.
    Failed,
    /// Another helm works on it, or was killed and holds it forever: `pending-upgrade`, `uninstalling`, ...
    Pending(String),
    /// Another word of Helm's: `superseded`, `unknown`, ...
    Other(String),
    /// It is not there and is to be installed.
    Absent,
    /// Helm does not know it: something else applies what the chart renders, and what of its values is deployed is not
    /// known.
    External,
}

impl ReleaseStatus {
    /// The status of a release that Helm knows.
    #[must_use]
    pub fn of_helm(word: &str) -> Self {
        match word {
            "deployed" => Self::Deployed,
            "failed" => Self::Failed,
            "uninstalling" => Self::Pending(word.to_owned()),
            _ if word.starts_with("pending-") => Self::Pending(word.to_owned()),
            _ => Self::Other(word.to_owned()),
        }
    }

    /// Whether Helm has a revision of it.
    #[must_use]
    pub fn is_of_helm(&self) -> bool {
        match self {
            Self::Deployed | Self::Failed | Self::Pending(_) | Self::Other(_) => true,
            Self::Absent | Self::External => false,
        }
    }
}

impl fmt::Display for ReleaseStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deployed => "deployed",
            Self::Failed => "failed",
            Self::Pending(word) | Self::Other(word) => word,
            Self::Absent => "absent",
            Self::External => "external",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_helm_is_shown_as_helm_says_it_and_what_may_go_on_is_pending() {
        // `pkg/release/v1/status.go` of Helm.
        for (word, pending) in [
            ("unknown", false),
            ("deployed", false),
            ("uninstalled", false),
            ("superseded", false),
            ("failed", false),
            ("uninstalling", true),
            ("pending-install", true),
            ("pending-upgrade", true),
            ("pending-rollback", true),
            ("absent", false),
        ] {
            let status = ReleaseStatus::of_helm(word);
            assert_eq!((status.to_string().as_str(), status.is_of_helm()), (word, true));
            assert_eq!(matches!(status, ReleaseStatus::Pending(_)), pending, "{word}");
        }
    }
}
