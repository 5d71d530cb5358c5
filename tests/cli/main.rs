//! The command line without a cluster: what it prints, what it writes, what it refuses, and its exit statuses.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests are the world outside"
)]

mod air_gapped;
mod approve;
mod auto;
mod bootstrap;
mod ca;
mod check;
mod check_federation;
mod children;
mod colour;
mod completion;
mod completion_bash;
mod deny;
mod dry_run;
mod enroll;
mod every_verb;
mod faults;
mod gitops;
mod goes_live;
mod golden;
mod guide;
mod help;
mod help_flags;
mod hidden;
mod json;
#[path = "../json_schema.rs"]
mod json_schema;
mod judged;
mod layers;
#[path = "../cluster/readme/page.rs"]
#[allow(dead_code, reason = "what a page links to is looked at in tests/cluster")]
mod page;
mod pasted;
mod pending;
mod pictures;
mod proofs;
mod questions;
#[path = "../ran.rs"]
#[allow(dead_code, reason = "nothing stops half-way here")]
mod ran;
mod reader;
mod readme;
mod rehearse;
mod renewal;
mod role;
mod schemas;
mod scratch;
#[path = "../scripted.rs"]
mod scripted;
mod security;
mod simulated;
mod sops;
mod steered;
mod terminal;
mod troubleshooting;
mod usage;
mod waits;
mod width;
mod world;
