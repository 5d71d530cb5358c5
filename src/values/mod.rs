//! Values files: read as Helm reads them, edited without loss, and the edit proven.

use crate::failure::Code;

mod edit;
mod flow;
mod insert;
mod key;
mod literal;
mod mask;
mod odd;
mod place;
mod plan;
mod read;
mod refuse;
mod remove;
mod scalar;
mod setting;
mod sops;
mod splice;
mod style;
mod tree;

pub use self::{
    edit::edit,
    key::ValuesKey,
    literal::plain_or_quoted,
    mask::{HIDDEN, KeyPath, masked},
    odd::{AmbiguousScalar, odd},
    place::{merge, place},
    read::read,
    setting::{Change, Scalar, Setting, apply},
    sops::{is_encrypted, words},
};

/// Why a text is not read or not edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {why}")]
pub struct Refusal {
    /// A stable code in kebab case.
    pub code: Code,
    /// From 1; 0 for the whole file.
    pub line: usize,
    /// From 1; 0 for the whole file.
    pub column: usize,
    /// The reason, one line.
    pub why: String,
    /// For an edit: the YAML to merge by hand.
    pub snippet: Option<String>,
}

impl Refusal {
    fn new(code: Code, (line, column): (usize, usize), why: impl Into<String>) -> Self {
        Self { code, line, column, why: why.into(), snippet: None }
    }
}
