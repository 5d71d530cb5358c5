//! What is wrong with the file and where, in the words that an operator reads.

use std::path::Path;

use serde_saphyr::{Error, Location, MessageFormatter, Spanned, UserMessageFormatter};

use crate::{
    failure::{Code, Exit, Failure, Result},
    plain::excerpt,
};

/// The file that is read.
pub(super) struct FederationFile<'a> {
    /// Its name in messages.
    pub(super) name: &'a str,
    /// What its paths are relative to.
    pub(super) folder: &'a Path,
}

impl FederationFile<'_> {
    /// A failure at `place`; `why` says what the rule is.
    pub(super) fn fault(&self, code: Code, place: Location, what: impl AsRef<str>, why: impl Into<String>) -> Failure {
        self.fault_at(code, (place.line(), place.column()), what.as_ref(), why)
    }

    /// As `fault`, for a line and column from 1; line 0 for the whole file.
    pub(super) fn fault_at(
        &self,
        code: Code,
        (line, column): (u64, u64),
        what: &str,
        why: impl Into<String>,
    ) -> Failure {
        let name = self.name;
        let place = if line == 0 { name.to_owned() } else { format!("{name}:{line}:{column}") };
        Failure::new(Exit::Refused, code, format!("{place}: {what}"))
            .why(why)
            .next("fix the file at that place, then run the same command again")
            .unchanged("nothing was written")
    }

    /// The file as text.
    pub(super) fn text<'a>(&self, bytes: &'a [u8]) -> Result<&'a str> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line = before.split(|byte| *byte == b'\n').count() as u64;
            let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let column = String::from_utf8_lossy(&before[start..]).chars().count() as u64 + 1;
            self.fault_at(Code::FederationYaml, (line, column), "a byte here is not UTF-8", "YAML files are UTF-8 text")
        })?;
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// The value of a key that must be there, in the map that begins at `map`.
    pub(super) fn need<'a, T>(
        &self,
        value: Option<&'a Spanned<T>>,
        key: &str,
        map: Location,
    ) -> Result<&'a Spanned<T>> {
        value.ok_or_else(|| {
            let why = format!("the map that begins here needs the key `{key}`");
            self.fault(Code::FederationMissing, map, format!("`{key}` is missing"), why)
        })
    }

    /// What the reader of YAML found.
    pub(super) fn yaml(&self, error: &Error) -> Failure {
        let place = error.location().unwrap_or(Location::UNKNOWN);
        match inner(error) {
            Error::SerdeUnknownField { field, expected, .. } => {
                self.unknown(Code::FederationKey, "key", field, expected, place)
            }
            Error::DuplicateMappingKey { key, .. } => {
                let key = key.as_deref().map_or_else(String::new, |key| format!(" `{}`", excerpt(key)));
                let what = format!("the key{key} is there already");
                self.fault(Code::FederationKey, place, what, "each key stands once in its map")
            }
            Error::QuotingRequired { value, .. } => {
                let value = excerpt(value);
                let why = "readers of YAML take it for a number, a boolean or null; if text is meant, write";
                self.fault(Code::FederationType, place, format!("`{value}` is not text"), format!("{why} \"{value}\""))
            }
            error => match wanted(error) {
                Some((what, why)) => self.fault(Code::FederationType, place, what, why),
                None => self.fault(Code::FederationYaml, place, "this cannot be read", reason(error)),
            },
        }
    }

    /// A word that is none of `known`.
    pub(super) fn unknown(&self, code: Code, kind: &str, given: &str, known: &[&str], place: Location) -> Failure {
        let near = nearest(given, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        let what = format!("unknown {kind} `{}`{near}", excerpt(given));
        self.fault(code, place, what, format!("known here: {}", known.join(", ")))
    }
}

/// What should stand where something of another type stands, and how it is written.
fn wanted(error: &Error) -> Option<(&'static str, &'static str)> {
    match error {
        Error::Unexpected { expected: "string scalar", .. } => {
            Some(("text is needed here", "this key takes one text, not a list or a map"))
        }
        Error::Unexpected { expected: "sequence start", .. } => {
            Some(("a list is needed here", "write [ONE, TWO], or below each other with - before each"))
        }
        Error::Unexpected { expected: "mapping start", .. } => {
            Some(("a map is needed here", "write KEY: VALUE lines below it, indented"))
        }
        Error::NullIntoString { .. } => {
            Some(("a value is missing", "a key that is there needs a value; leave the key out for its default"))
        }
        _ => None,
    }
}

/// The reader's own words.
fn reason(error: &Error) -> String {
    match error {
        Error::Budget { .. } => "the file is larger or more complex than any federation".to_owned(),
        Error::MultipleDocuments { .. } => {
            "a second document begins here, and one file describes one federation".to_owned()
        }
        other => excerpt(&UserMessageFormatter.format_message(other)),
    }
}

/// The error itself, without the alias that it was reached by.
fn inner(error: &Error) -> &Error {
    match error {
        Error::AliasError { error, .. } | Error::WithSnippet { error, .. } => inner(error),
        error => error,
    }
}

/// The known word that `given` is probably meant to be.
fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    const LONGEST: usize = 40;
    if given.len() > LONGEST {
        return None;
    }
    similar::get_close_matches(given, known, 1, 0.6).first().copied()
}
