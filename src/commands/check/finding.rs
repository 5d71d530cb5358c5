//! What a check found, and the findings of a release while they are gathered: one for each check, none left out.

use std::{cmp::Reverse, collections::BTreeMap, ops::Deref};

use super::catalogue::Check;
use crate::{failure::Next, ids::ids, substra::Side, text::Tone};

ids! {
    /// How a check came out.
    pub(in crate::commands) enum Status {
        /// It could not be looked at, or there is nothing to look at.
        Skipped = "skipped",
        /// Nothing is wrong.
        Ok = "ok",
        /// Nothing is broken yet.
        Warning = "warning",
        /// Something is broken, or open to others.
        Failed = "failed",
    }
}

impl Status {
    pub(super) fn tone(self) -> Tone {
        match self {
            Self::Skipped => Tone::Quiet,
            Self::Ok => Tone::Good,
            Self::Warning => Tone::Doubtful,
            Self::Failed => Tone::Bad,
        }
    }
}

/// What one check found. Texts have no control characters, so they can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) struct Finding {
    /// Which check.
    pub check: Check,
    /// How it came out.
    pub status: Status,
    /// What was seen; of a skipped check, why it was skipped.
    pub seen: String,
    /// The exact next command, or what else helps; empty where nothing is to be done.
    pub next: Next,
}

/// The problem to solve first: what failed before what only warns, and of these the first in the order of the exchange.
pub(super) fn first(findings: &[Finding]) -> Option<&Finding> {
    let problems = findings.iter().filter(|finding| finding.status >= Status::Warning && !finding.next.is_empty());
    problems.min_by_key(|finding| (Reverse(finding.status), finding.check.turn()))
}

/// The findings of a release, while they are gathered.
#[derive(Default)]
pub(super) struct Findings {
    notes: BTreeMap<Check, Notes>,
    rest_because: Option<String>,
}

/// What was noted of one check so far.
struct Notes {
    status: Status,
    seen: Vec<String>,
    next: Vec<Next>,
}

impl Findings {
    pub(super) fn failed(&mut self, check: Check, seen: impl Into<String>, next: impl Into<Next>) {
        self.note(check, Status::Failed, seen.into(), next.into());
    }

    pub(super) fn warn(&mut self, check: Check, seen: impl Into<String>, next: impl Into<Next>) {
        self.note(check, Status::Warning, seen.into(), next.into());
    }

    /// Good, unless something else was found.
    pub(super) fn ok(&mut self, check: Check, seen: impl Into<String>) {
        self.note(check, Status::Ok, seen.into(), Next::default());
    }

    /// Not looked at, unless something else was found.
    pub(super) fn skip(&mut self, check: Check, because: impl Into<String>) {
        self.note(check, Status::Skipped, because.into(), Next::default());
    }

    /// From now on, checks of which nothing is said are skipped for this reason; the first reason counts.
    pub(super) fn skip_the_rest(&mut self, because: impl Into<String>) {
        self.rest_because.get_or_insert_with(|| because.into());
    }

    /// The worse status wins; texts of the same status are joined.
    fn note(&mut self, check: Check, status: Status, seen: String, next: Next) {
        let notes = self.notes.entry(check).or_insert(Notes { status, seen: Vec::new(), next: Vec::new() });
        if status > notes.status {
            *notes = Notes { status, seen: Vec::new(), next: Vec::new() };
        }
        if status == notes.status {
            added(&mut notes.seen, seen);
            added(&mut notes.next, next);
        }
    }

    /// One finding for each check of this side, in the order of the catalogue.
    pub(super) fn of_side(mut self, side: Side) -> Vec<Finding> {
        let because = self.rest_because.unwrap_or_else(|| "there is nothing of the kind here".to_owned());
        let here = Check::ALL.iter().copied().filter(|check| check.side().is_none_or(|of| of == side));
        here.map(|check| match self.notes.remove(&check) {
            Some(notes) => {
                // One at a time: what else was noted has its turn in the next run.
                let next = notes.next.into_iter().next().unwrap_or_default();
                Finding { check, status: notes.status, seen: notes.seen.join("; "), next }
            }
            None => Finding { check, status: Status::Skipped, seen: because.clone(), next: Next::default() },
        })
        .collect()
    }
}

/// One more text, unless it is there.
fn added<T: Deref<Target = str> + PartialEq>(texts: &mut Vec<T>, text: T) {
    if !text.is_empty() && !texts.contains(&text) {
        texts.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_comes_before_what_warns_and_then_the_order_of_the_exchange_counts() {
        let finding = |check, status, next: &str| Finding { check, status, seen: String::new(), next: next.into() };
        let mut findings = vec![
            finding(Check::Rights, Status::Warning, "a"),
            finding(Check::Drift, Status::Ok, ""),
            finding(Check::Rollout, Status::Failed, "b"),
            finding(Check::MountMissing, Status::Failed, "c"),
        ];
        assert_eq!(first(&findings).map(|finding| &*finding.next), Some("c"));
        findings.truncate(2);
        assert_eq!(first(&findings).map(|finding| &*finding.next), Some("a"));
        assert_eq!(first(&findings[1..]), None);
    }

    #[test]
    fn the_worse_status_wins_equal_ones_are_joined_and_the_rest_is_skipped_with_a_reason() {
        let mut findings = Findings::default();
        findings.ok(Check::PodsWaiting, "good");
        findings.failed(Check::PodsWaiting, "bad\u{1b}[2J", "x");
        findings.warn(Check::PodsWaiting, "soon", "y");
        findings.failed(Check::PodsWaiting, "worse", "z");
        findings.skip(Check::Rollout, "unknown");
        findings.skip_the_rest("no cluster");
        let found = findings.of_side(Side::Backend);
        let of = |check: Check| found.iter().find(|finding| finding.check == check).unwrap();
        assert_eq!(
            (of(Check::PodsWaiting).status, of(Check::PodsWaiting).seen.as_str(), &*of(Check::PodsWaiting).next),
            (Status::Failed, "bad\u{1b}[2J; worse", "x")
        );
        assert_eq!((of(Check::Rollout).status, of(Check::Rollout).seen.as_str()), (Status::Skipped, "unknown"));
        assert_eq!((of(Check::Tools).status, of(Check::Tools).seen.as_str()), (Status::Skipped, "no cluster"));
        assert!(found.iter().all(|finding| finding.check.side() != Some(Side::Orchestrator)));
    }
}
