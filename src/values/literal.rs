//! How a name or value is written so that Helm reads back the same text.

use serde_json::json;

use super::{Scalar, scalar};

/// A text as YAML: plain where Helm reads it as this text and nothing else, else in double quotes.
pub(super) fn text(text: &str, quoted: bool) -> String {
    let safe = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
    let plain = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && text.bytes().all(safe)
        && scalar::resolve(text) == Ok(json!(text));
    // JSON's escapes are YAML's too.
    if plain && !quoted { text.to_owned() } else { json!(text).to_string() }
}

/// A text as YAML: plain where Helm and kubectl read it as this text and nothing else, else in double quotes.
#[must_use]
pub fn plain_or_quoted(given: &str) -> String {
    text(given, false)
}

/// A scalar as YAML.
pub(super) fn scalar(value: &Scalar, quoted: bool) -> String {
    match value {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Text(value) => text(value, quoted),
    }
}
