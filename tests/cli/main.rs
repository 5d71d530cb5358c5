//! The command line without a cluster: what it prints, what it writes, what it refuses, and its exit statuses.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests are the world outside"
)]

mod approve;
mod bootstrap;
mod ca;
mod check;
mod check_federation;
mod colour;
mod completion;
mod completion_bash;
mod enroll;
mod gitops;
mod help;
mod help_flags;
mod rehearse;
mod simulated;
mod sops;
mod terminal;
mod usage;
mod world;
