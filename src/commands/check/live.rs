//! Real handshakes with the orchestrator.

/// What came of them.
pub(super) enum Handshakes {
    /// Nothing was tried, and why.
    NotTried(String),
}
