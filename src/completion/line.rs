//! An unfinished command line, read as far as a completion needs it.

use std::{ffi::OsString, path::PathBuf};

/// What was typed so far; the last word is the one that is being completed.
#[derive(Debug, Clone, Default)]
pub(super) struct TypedLine {
    words: Vec<String>,
}

impl TypedLine {
    pub(super) fn read(words: &[OsString]) -> Self {
        let finished = words.len().saturating_sub(1);
        Self { words: words.iter().take(finished).map(|word| word.to_string_lossy().into_owned()).collect() }
    }

    /// The values of an option by its names, `--values` and `-f`: as the next word, after `=`, or stuck to the letter.
    pub(super) fn all(&self, names: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        let mut words = self.words.iter();
        while let Some(word) = words.next() {
            if names.contains(&word.as_str()) {
                found.extend(words.next().cloned());
            } else {
                let stuck = |name: &&str| {
                    let rest = word.strip_prefix(*name)?;
                    rest.strip_prefix('=').or_else(|| Some(rest).filter(|_| !name.starts_with("--")))
                };
                found.extend(names.iter().find_map(stuck).map(str::to_owned));
            }
        }
        found
    }

    /// The last value of an option, else that of a variable.
    pub(super) fn one(&self, names: &[&str], variable: &str) -> Option<String> {
        let given = self.all(names).pop().or_else(|| std::env::var(variable).ok());
        given.filter(|value| !value.is_empty())
    }

    /// The values files.
    pub(super) fn values(&self) -> Vec<PathBuf> {
        self.all(&["--values", "-f"]).into_iter().map(PathBuf::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_found_in_each_way_of_writing_it() {
        let words: Vec<OsString> = "enroll -f a --values b --values=c -fd -f=e --value x -n o -f"
            .split(' ')
            .map(OsString::from)
            .chain(["".into()])
            .collect();
        let line = TypedLine::read(&words);
        assert_eq!(line.all(&["--values", "-f"]), ["a", "b", "c", "d", "e"]);
        assert_eq!(line.one(&["--namespace", "-n"], "NOT_SET_ANYWHERE"), Some("o".into()));
    }
}
