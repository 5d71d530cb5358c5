//! What is drawn by chance or by the clock, told by its form.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

/// What stands alone in an answer for scripts.
const KINDS: [(&str, &str); 3] =
    [("fingerprint", "SHA256:[0-9a-f]+"), ("serial", "[0-9a-f]{16,}"), ("time", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")];

/// What stands in sentences; a group in brackets stays.
const IN_TEXT: [(&str, &str); 5] = [
    ("groups", r"\b(?:[0-9a-f]{8} ){7}[0-9a-f]{8}\b"),
    ("date", r"\b\d{4}-\d\d-\d\d\b"),
    ("made", r"(Orchestrator Root CA )\d{8}-[0-9a-f]{4}\b"),
    ("port", r"(\b127\.0\.0\.1:)\d+"),
    ("folder", r"(/tmp/(?:it'\\''s a |it's a |federation-))[0-9A-Za-z]{6}\b"),
];

static FORMS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let all = KINDS.iter().chain(&IN_TEXT);
    all.map(|(kind, form)| (*kind, Regex::new(form).unwrap())).collect()
});

/// The kind of a whole text.
pub(super) fn kind(text: &str) -> &'static str {
    let is_whole = |form: &Regex| form.find(text).is_some_and(|found| found.as_str() == text);
    let mut kinds = FORMS.iter().take(KINDS.len());
    kinds.find(|(_, form)| is_whole(form)).map_or("text", |(kind, _)| kind)
}

/// A text with the kind of what is found in place of it.
pub(super) fn masked(text: &str) -> String {
    FORMS.iter().fold(text.to_owned(), |text, (kind, form)| {
        let told = |found: &Captures<'_>| format!("{}<{kind}>", found.get(1).map_or("", |stays| stays.as_str()));
        form.replace_all(&text, told).into_owned()
    })
}
