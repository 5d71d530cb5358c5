//! The simulated servers give the answers that were measured on the real ones, row for row.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests are the world outside"
)]

mod chains;
mod crashes;
mod loading;
mod manifests;
mod measured;
mod page;
mod robust;
mod world;
