//! What a check found, and the sheet on which a site's findings are gathered: one for each check, none left out.

use std::{collections::BTreeMap, fmt};

use super::catalogue::{ALL, Check};
use crate::cli::Side;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::commands) enum Status {
    /// It could not be looked at, or there is nothing to look at.
    Skipped,
    /// Nothing is wrong.
    Ok,
    /// Nothing is broken yet.
    Warning,
    /// Something is broken, or open to others.
    Failed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Skipped => "skipped",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        })
    }
}

/// What one check found. Texts have no control characters, so they can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) struct Finding {
    /// Which check.
    pub check: &'static Check,
    /// How it came out.
    pub status: Status,
    /// What was seen; of a skipped check, why it was skipped.
    pub seen: String,
    /// The exact next command, or what else helps; empty where nothing is to be done.
    pub next: String,
}

/// The findings of a site, while they are gathered.
#[derive(Default)]
pub(super) struct Sheet {
    lines: BTreeMap<&'static str, Line>,
    because: Option<String>,
}

struct Line {
    status: Status,
    seen: Vec<String>,
    next: Vec<String>,
}

impl Sheet {
    pub(super) fn failed(&mut self, check: &'static Check, seen: impl Into<String>, next: impl Into<String>) {
        self.note(check, Status::Failed, seen.into(), next.into());
    }

    pub(super) fn warn(&mut self, check: &'static Check, seen: impl Into<String>, next: impl Into<String>) {
        self.note(check, Status::Warning, seen.into(), next.into());
    }

    /// Good, unless something else was found.
    pub(super) fn ok(&mut self, check: &'static Check, seen: impl Into<String>) {
        self.note(check, Status::Ok, seen.into(), String::new());
    }

    /// Not looked at, unless something else was found.
    pub(super) fn skip(&mut self, check: &'static Check, because: impl Into<String>) {
        self.note(check, Status::Skipped, because.into(), String::new());
    }

    /// From now on, checks of which nothing is said are skipped for this reason; the first reason counts.
    pub(super) fn blind(&mut self, because: impl Into<String>) {
        self.because.get_or_insert_with(|| because.into());
    }

    /// The worse status wins; texts of the same status are joined.
    fn note(&mut self, check: &'static Check, status: Status, seen: String, next: String) {
        let line = self.lines.entry(check.id).or_insert(Line { status, seen: Vec::new(), next: Vec::new() });
        if status > line.status {
            *line = Line { status, seen: Vec::new(), next: Vec::new() };
        }
        if status == line.status {
            for (text, texts) in [(seen, &mut line.seen), (next, &mut line.next)] {
                if !text.is_empty() && !texts.contains(&text) {
                    texts.push(text);
                }
            }
        }
    }

    /// One finding for each check of this side, in the order of the catalogue.
    pub(super) fn findings(mut self, side: Side) -> Vec<Finding> {
        let because = self.because.unwrap_or_else(|| "there is nothing of the kind here".to_owned());
        let here = ALL.iter().filter(|check| check.side.is_none_or(|of| of == side));
        here.map(|check| match self.lines.remove(check.id) {
            Some(line) => {
                Finding { check, status: line.status, seen: line.seen.join("; "), next: line.next.join("; then ") }
            }
            None => Finding { check, status: Status::Skipped, seen: because.clone(), next: String::new() },
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::check::catalogue::{PODS, ROLLOUT, TOOLS};

    #[test]
    fn the_worse_status_wins_equal_ones_are_joined_and_the_rest_is_skipped_with_a_reason() {
        let mut sheet = Sheet::default();
        sheet.ok(&PODS, "good");
        sheet.failed(&PODS, "bad\u{1b}[2J", "x");
        sheet.warn(&PODS, "soon", "y");
        sheet.failed(&PODS, "worse", "x");
        sheet.skip(&ROLLOUT, "unknown");
        sheet.blind("no cluster");
        let found = sheet.findings(Side::Backend);
        let of = |check: &Check| found.iter().find(|finding| finding.check == check).unwrap();
        assert_eq!(
            (of(&PODS).status, of(&PODS).seen.as_str(), of(&PODS).next.as_str()),
            (Status::Failed, "bad\u{1b}[2J; worse", "x")
        );
        assert_eq!((of(&ROLLOUT).status, of(&ROLLOUT).seen.as_str()), (Status::Skipped, "unknown"));
        assert_eq!((of(&TOOLS).status, of(&TOOLS).seen.as_str()), (Status::Skipped, "no cluster"));
        assert!(found.iter().all(|finding| finding.check.side != Some(Side::Orchestrator)));
    }
}
