//! Values files: the traps of Helm's YAML, a corpus with its diffs, mutants, and Helm's own reading.
#![allow(missing_docs, clippy::disallowed_methods, reason = "tests are the world outside")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests are tests for us, not for clippy")]

mod corpus;
mod files;
mod helm;
mod lines;
mod masks;
mod mutants;
mod places;
mod rules;
mod traps;

use substra_mtls::values::{Refusal, Setting, edit};

/// What `enroll` sets.
fn backend() -> Vec<Setting> {
    vec![
        Setting::set(&["orchestrator", "tls", "enabled"], true),
        Setting::set(&["orchestrator", "tls", "cacert"], "orchestrator-cacert"),
        Setting::set(&["orchestrator", "tls", "mtls", "enabled"], true),
        Setting::set(&["orchestrator", "tls", "mtls", "clientCertificate"], "orchestrator-client-cert"),
    ]
}

/// What `approve` sets.
fn orchestrator() -> Vec<Setting> {
    vec![Setting::include(&["orchestrator", "tls", "mtls", "clientCACerts", "MyOrg1MSP"], "orchestrator-tls-cacert")]
}

fn edited(text: &str, settings: &[Setting]) -> Result<String, Refusal> {
    edit(text.as_bytes(), settings).map(|bytes| String::from_utf8(bytes).unwrap())
}
