//! The plugin as it is installed: by its installer, by Helm 3 and Helm 4, from what `release` packs.
//!
//! The Helms come from `testbed/build`; no cluster is needed.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests are the world outside"
)]

mod downloads;
mod folder;
mod helm;
mod helms;
mod launch;
#[path = "../ran.rs"]
#[allow(dead_code, reason = "the scripts fail with words of their own")]
mod ran;
mod release;
mod server;
mod shells;
mod sources;
