//! `federation.yaml`: what is read, what is refused and where, and that the JSON Schema says the same.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests are the world outside"
)]

use std::path::Path;

use substra_mtls::{
    failure::{Failure, Result},
    federation::Federation,
};

#[path = "../json_schema.rs"]
mod json_schema;
mod mutants;
mod neighbours;
mod reads;
mod refuses;
mod schema;

/// The file that `docs/federation.md` shows.
fn shown() -> &'static str {
    let page = include_str!("../../docs/federation.md");
    page.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0
}

/// It with one piece replaced, which must be there once.
fn with(old: &str, new: &str) -> String {
    assert_eq!(shown().matches(old).count(), 1, "{old:?}");
    shown().replacen(old, new, 1)
}

fn parse(text: impl AsRef<[u8]>) -> Result<Federation> {
    Federation::parse(text.as_ref(), "federation.yaml", Path::new("sites"))
}

fn refusal(text: impl AsRef<[u8]>) -> Failure {
    parse(text).unwrap_err()
}
