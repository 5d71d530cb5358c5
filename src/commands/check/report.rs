//! The findings as people and scripts read them.

use serde::Serialize;

use super::{
    catalogue::Check,
    finding::{self, Finding, Status},
    observe::ObservedRelease,
    table::Standing,
};
use crate::{
    substra::Side,
    text::{Line, Tone, table},
};

/// A site with what was found there.
pub(in crate::commands) struct CheckedRelease {
    pub(in crate::commands) site: ObservedRelease,
    pub(in crate::commands) findings: Vec<Finding>,
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
    /// What helps against the problem that comes first; empty where there is none.
    next: String,
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
    /// The exact next command, or what else helps; empty where nothing is to be done.
    next: String,
}

impl Checked {
    pub(super) fn of(organizations: Vec<Standing>, judged: &[CheckedRelease]) -> Self {
        Self { organizations, sites: judged.iter().map(SiteReport::of).collect() }
    }

    /// The table, then the groups of each site.
    pub(super) fn lines(&self) -> Vec<Line> {
        let head = ["organization", "stage", "certificate", "issuer", "days left"].map(str::to_owned);
        let rows = std::iter::once(head).chain(self.organizations.iter().map(Standing::cells));
        let mut lines: Vec<Line> = table(&rows.collect::<Vec<_>>()).lines().map(Line::from).collect();
        lines.extend(self.ahead());
        for site in &self.sites {
            lines.extend([Line::from(""), site.title().into()]);
            for group in site.checks.chunk_by(|one, next| one.group == next.group) {
                lines.extend(group.first().map(|first| Line::from(&*first.group)));
                // What is skipped for one reason takes one line.
                let alike = |one: &CheckReport, next: &CheckReport| {
                    one.status == Status::Skipped && next.status == one.status && next.seen == one.seen
                };
                lines.extend(group.chunk_by(alike).flat_map(told));
            }
        }
        let all = || self.sites.iter().flat_map(|site| &site.checks);
        let count = |status: Status| all().filter(|check| check.status == status).count();
        let [ok, warned, failed, skipped] = [Status::Ok, Status::Warning, Status::Failed, Status::Skipped].map(count);
        lines.extend([
            Line::from(""),
            Line::from(format!("{ok} ok, {warned} warned, {failed} failed, {skipped} skipped")),
        ]);
        lines
    }
}

impl Checked {
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
        let mut steps: Vec<(&str, &str, Vec<&str>)> = Vec::new();
        for row in self.organizations.iter().filter(waits) {
            let word = if problems.iter().any(|site| site.is_before(row)) { "then" } else { "next" };
            // One command for several is one.
            match steps.iter_mut().find(|(_, next, _)| *next == row.next) {
                Some((.., whose)) => whose.push(&row.organization),
                None => steps.push((word, &row.next, vec![&row.organization])),
            }
        }
        let first = problems.iter().map(|site| match self.sites.as_slice() {
            [_] => Line::label(Tone::Next, "next", &site.next),
            _ => Line::label(Tone::Next, &format!("next for {}", site.place()), &site.next),
        });
        let steps = steps
            .iter()
            .map(|(word, next, whose)| Line::label(Tone::Next, &format!("{word} for {}", whose.join(", ")), next));
        first.chain(steps).collect()
    }
}

impl SiteReport {
    fn of(judged: &CheckedRelease) -> Self {
        let CheckedRelease { site, findings } = judged;
        let found = site.found.as_ref().ok();
        let first = finding::first(findings);
        Self {
            side: site.side,
            namespace: site.target.namespace.clone(),
            context: site.target.context.clone(),
            release: found.map(|found| found.name.to_string()),
            chart: found.map(|found| found.chart.name.clone()),
            version: found.map(|found| found.chart.version.clone()),
            next: first.map(|finding| finding.next.clone()).unwrap_or_default(),
            organization: site.backend().map(|backend| backend.msp_id.to_string()),
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
}

/// A finding, or several that are skipped for the same reason.
fn told(alike: &[CheckReport]) -> Vec<Line> {
    let Some(first) = alike.first() else { return Vec::new() };
    let ids: Vec<&str> = alike.iter().map(|check| check.id.id()).collect();
    let because = if first.status == Status::Skipped { "because " } else { "" };
    let line =
        Line::marked(first.status.tone(), first.status, format!("{:<24} {because}{}", ids.join(", "), first.seen));
    let fix = (!first.next.is_empty()).then(|| Line::label(Tone::Next, "fix", &first.next).indented(11));
    std::iter::once(line.indented(2)).chain(fix).collect()
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
