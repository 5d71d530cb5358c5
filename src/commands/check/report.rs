//! The findings as people and scripts read them.

use serde::Serialize;

use super::{
    catalogue::Check,
    finding::{self, Finding, Status},
    observe::ObservedRelease,
    table::{self, Standing},
};
use crate::{failure::Next, report::Told, substra::Side, text::Line};

/// A release with what was found there.
pub(in crate::commands) struct CheckedRelease {
    pub(in crate::commands) observed: ObservedRelease,
    pub(in crate::commands) findings: Vec<Finding>,
}

/// How much people are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// What failed or warned.
    Problems,
    /// What is ok by its id alone.
    Grouped,
    /// Of what is ok too what was seen.
    Each,
}

impl Detail {
    /// Whoever names checks wants to know what they saw.
    pub(super) fn of(is_quiet: bool, only: &[String]) -> Self {
        match (is_quiet, only) {
            (true, _) => Self::Problems,
            (false, []) => Self::Grouped,
            (false, _) => Self::Each,
        }
    }
}

/// What `check` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(super) enum CheckResult {
    Checked(Checked),
    Explained(Explained),
}

/// Who stands where, and what is wrong.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Checked {
    /// Who stands where.
    pub(super) organizations: Vec<Standing>,
    /// One for each release.
    sites: Vec<SiteReport>,
}

/// Of `--explain`: what a check looks at, why, and what helps.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Explained {
    #[cfg_attr(test, schemars(with = "crate::schemas::Id"))]
    pub(super) id: Check,
    /// The group that it stands in, for people.
    pub(super) group: String,
    /// On which side it looks, for people.
    pub(super) side: String,
    /// What it looks at.
    pub(super) what: &'static str,
    /// Why that matters.
    pub(super) why: &'static str,
    /// What helps when it fails.
    pub(super) helps: &'static str,
}

/// A release, and how each check of its side came out.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SiteReport {
    side: Side,
    namespace: Option<String>,
    context: Option<String>,
    /// Its name; null where it was not read.
    release: Option<String>,
    /// The name of its chart.
    chart: Option<String>,
    /// The version of its chart.
    version: Option<String>,
    /// What helps against the problem that comes first.
    #[serde(flatten)]
    next: Next,
    /// Whether that has failed, and not only warns.
    #[serde(skip)]
    has_failed: bool,
    /// The organization of a backend.
    #[serde(skip)]
    organization: Option<String>,
    checks: Vec<CheckReport>,
}

/// How a check came out.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CheckReport {
    #[cfg_attr(test, schemars(with = "crate::schemas::Id"))]
    id: Check,
    /// The group that it stands in, for people.
    group: String,
    status: Status,
    /// What is looked at.
    what: &'static str,
    /// What was seen; of a skipped check, why it was skipped.
    seen: String,
    #[serde(flatten)]
    next: Next,
}

impl Checked {
    pub(super) fn of(organizations: Vec<Standing>, judged: &[CheckedRelease]) -> Self {
        Self { organizations, sites: judged.iter().map(SiteReport::of).collect() }
    }

    /// The table and what comes next, then each site, what is wrong before what is not.
    pub(super) fn lines(&self, detail: Detail) -> Vec<Told> {
        let mut lines = Vec::new();
        if detail != Detail::Problems {
            lines.push(table::shown(&self.organizations));
            lines.extend(self.ahead().into_iter().map(Told::from));
        }
        for site in &self.sites {
            let rows = site.rows(detail);
            if detail != Detail::Problems || !rows.is_empty() {
                lines.extend(apart(&lines));
                lines.push(Line::heading(&site.title()).into());
                lines.extend(rows.into_iter().map(Told::from));
            }
        }
        let all = || self.sites.iter().flat_map(|site| &site.checks);
        let count = |status: Status| all().filter(|check| check.status == status).count();
        let [ok, warned, failed, skipped] = [Status::Ok, Status::Warning, Status::Failed, Status::Skipped].map(count);
        lines.extend(apart(&lines));
        lines.push(format!("{ok} ok, {warned} warned, {failed} failed, {skipped} skipped").into());
        lines
    }

    /// One command for each operator: what failed comes before the next step of an organization, and what only warns
    /// after it.
    fn ahead(&self) -> Vec<Line> {
        let waits = |row: &&Standing| !row.next.is_empty();
        let is_told = |site: &SiteReport| self.organizations.iter().any(|row| row.next == site.next);
        let holds_up = |site: &&SiteReport| {
            let waiting = self.organizations.iter().filter(waits).any(|row| site.is_before(row));
            !site.next.is_empty() && !is_told(site) && (site.has_failed || !waiting)
        };
        let problems: Vec<&SiteReport> = self.sites.iter().filter(holds_up).collect();
        let mut steps: Vec<(&str, &Next, Vec<&str>)> = Vec::new();
        for row in self.organizations.iter().filter(waits) {
            let word = if problems.iter().any(|site| site.is_before(row)) { "then" } else { "next" };
            // One command for several is one.
            match steps.iter_mut().find(|(_, next, _)| **next == row.next) {
                Some((.., whose)) => whose.push(&row.organization),
                None => steps.push((word, &row.next, vec![&row.organization])),
            }
        }
        let first = problems.iter().map(|site| match self.sites.as_slice() {
            [_] => Line::next("next", &site.next),
            _ => Line::next(&format!("next for {}", site.place()), &site.next),
        });
        let steps =
            steps.iter().map(|(word, next, whose)| Line::next(&format!("{word} for {}", whose.join(", ")), next));
        first.chain(steps).collect()
    }
}

/// An empty line, where anything stands before it.
fn apart(lines: &[Told]) -> Option<Told> {
    (!lines.is_empty()).then(|| "".into())
}

impl SiteReport {
    fn of(judged: &CheckedRelease) -> Self {
        let CheckedRelease { observed, findings } = judged;
        let release = observed.release.as_ref().ok();
        let first = finding::first(findings);
        Self {
            side: observed.side,
            namespace: observed.target.namespace.clone(),
            context: observed.target.context.clone(),
            release: release.map(|release| release.name.to_string()),
            chart: release.map(|release| release.chart.name.clone()),
            version: release.map(|release| release.chart.version.clone()),
            next: first.map(|finding| finding.next.clone()).unwrap_or_default(),
            organization: observed.backend().map(|backend| backend.msp_id.to_string()),
            has_failed: first.is_some_and(|finding| finding.status == Status::Failed),
            checks: findings.iter().map(CheckReport::of).collect(),
        }
    }

    /// Whether its problems come before the next step of an organization.
    fn is_before(&self, row: &Standing) -> bool {
        match self.side {
            Side::Backend => self.organization.as_ref() == Some(&row.organization),
            Side::Orchestrator => row.next_of == Side::Orchestrator,
        }
    }

    /// Which one it is, of several.
    fn place(&self) -> String {
        let namespace = self.namespace.as_ref().map(|name| format!(" in namespace {name}")).unwrap_or_default();
        self.organization.clone().unwrap_or_else(|| format!("the {}{namespace}", self.side))
    }

    /// What failed, what warned, what is ok and what was skipped: each in its order.
    fn rows(&self, detail: Detail) -> Vec<Line> {
        let of = |status: Status| self.checks.iter().filter(move |check| check.status == status);
        let problems = of(Status::Failed).chain(of(Status::Warning)).flat_map(CheckReport::lines);
        match detail {
            Detail::Problems => problems.collect(),
            Detail::Each => problems.chain(of(Status::Ok).flat_map(CheckReport::lines)).chain(self.skipped()).collect(),
            Detail::Grouped => problems.chain(self.good()).chain(self.skipped()).collect(),
        }
    }

    /// The ids of what is ok, a line for each group.
    fn good(&self) -> impl Iterator<Item = Line> {
        let groups = self.checks.chunk_by(|one, next| one.group == next.group);
        groups.filter_map(|group| {
            let ids: Vec<&str> =
                group.iter().filter(|check| check.status == Status::Ok).map(|check| check.id.id()).collect();
            (!ids.is_empty()).then(|| row(Status::Ok, group.first().map_or("", |first| &first.group), &ids.join(", ")))
        })
    }

    /// What was skipped, a line for each reason.
    fn skipped(&self) -> Vec<Line> {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for check in self.checks.iter().filter(|check| check.status == Status::Skipped) {
            match reasons.iter_mut().find(|(reason, _)| *reason == check.seen) {
                Some((_, ids)) => ids.push(check.id.id()),
                None => reasons.push((&check.seen, vec![check.id.id()])),
            }
        }
        reasons
            .iter()
            .map(|(reason, ids)| row(Status::Skipped, &ids.join(", "), &format!("because {reason}")))
            .collect()
    }

    fn title(&self) -> String {
        let part = |label: &str, name: &Option<String>| {
            name.as_ref().map(|name| format!(", {label} {name}")).unwrap_or_default()
        };
        let release = self.release.as_deref().unwrap_or("(not read)");
        let (namespace, context) = (part("namespace", &self.namespace), part("context", &self.context));
        format!("{}: release {release}{namespace}{context}", self.side)
    }
}

impl CheckReport {
    fn of(finding: &Finding) -> Self {
        let Finding { check, status, seen, next } = finding;
        let (group, seen, next) = (check.group().to_string(), seen.clone(), next.clone());
        Self { id: *check, group, status: *status, what: check.what(), seen, next }
    }

    /// What was seen, and what helps.
    fn lines(&self) -> impl Iterator<Item = Line> {
        let next = (!self.next.is_empty()).then(|| Line::next("fix", &self.next).indented(11));
        std::iter::once(row(self.status, self.id.id(), &self.seen)).chain(next)
    }
}

/// How wide the column of ids is.
const IDS: usize = 24;

fn row(status: Status, ids: &str, said: &str) -> Line {
    Line::marked(status.tone(), status, format!("{ids:<IDS$} {said}")).hanging(9 + IDS + 1).indented(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::Stage, schemas};

    #[test]
    fn the_schema_of_check_is_kept() {
        schemas::is_kept::<CheckResult>(&["check"], &[Stage::Ok, Stage::Warned, Stage::Failed, Stage::Explained]);
    }
}
