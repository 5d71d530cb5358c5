//! The stages of results: how far a verb has come.

use crate::ids::ids;

ids! {
    /// How far a verb has come, as a result says it.
    pub enum Stage {
        /// Nothing had to be done.
        Already = "already",
        /// Certificates were signed, and the organizations admitted.
        Approved = "approved",
        /// The federation is as its file says.
        Bootstrapped = "bootstrapped",
        /// The gate was closed.
        Closed = "closed",
        /// A check was explained.
        Explained = "explained",
        /// A check failed, or a verdict was another than expected.
        Failed = "failed",
        /// The authority was made, and TLS turned on.
        Initialized = "initialized",
        /// The pair is in place.
        Installed = "installed",
        /// Every check was good or skipped.
        Ok = "ok",
        /// The gate was opened.
        Opened = "opened",
        /// A dry run: this is what would be done.
        Planned = "planned",
        /// The rehearsal came out as expected.
        Rehearsed = "rehearsed",
        /// The server's pair or the authority's objects were renewed.
        Renewed = "renewed",
        /// A request was written, and waits for its certificate.
        Requested = "requested",
        /// An alarm was settled.
        Settled = "settled",
        /// What was asked for was shown.
        Shown = "shown",
        /// A CA is trusted.
        Trusted = "trusted",
        /// Part of the federation is not as its file says yet.
        Unfinished = "unfinished",
        /// A check warned, and none failed.
        Warned = "warned",
    }
}
