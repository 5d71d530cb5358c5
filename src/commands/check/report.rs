//! The findings as people and scripts read them.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    finding::{Finding, Status},
    observe::Site,
    table::Row,
};
use crate::{plain, report::text::table};

/// A site with what was found there.
pub(in crate::commands) struct Judged {
    pub(in crate::commands) site: Site,
    pub(in crate::commands) findings: Vec<Finding>,
}

impl Judged {
    fn name(&self) -> String {
        let release = self.site.found.as_ref().map(|found| found.name.to_string());
        let release = release.unwrap_or_else(|_| "(not read)".to_owned());
        let namespace =
            self.site.target.namespace.as_deref().map(|name| format!(", namespace {name}")).unwrap_or_default();
        let context = self.site.target.context.as_deref().map(|name| format!(", context {name}")).unwrap_or_default();
        plain::line(&format!("{}: release {release}{namespace}{context}", self.site.side)).into_owned()
    }
}

/// The table, then the groups of each site.
pub(super) fn text(rows: &[Row], judged: &[Judged], now: OffsetDateTime) -> String {
    let head = ["organization", "stage", "certificate", "issuer", "days left"].map(str::to_owned);
    let cells: Vec<[String; 5]> = std::iter::once(head).chain(rows.iter().map(|row| row.cells(now))).collect();
    let mut out = table(&cells);
    for row in rows.iter().filter(|row| !row.next.is_empty()) {
        out.push_str(&plain::line(&format!("next for {}: {}", row.organization, row.next)));
        out.push('\n');
    }
    for one in judged {
        out.push_str(&format!("\n{}\n", one.name()));
        for group in one.findings.chunk_by(|one, next| one.check.group() == next.check.group()) {
            out.push_str(&group.first().map(|first| format!("{}\n", first.check.group())).unwrap_or_default());
            // What is skipped for one reason takes one line.
            let alike = |one: &Finding, next: &Finding| {
                one.status == Status::Skipped && next.status == one.status && next.seen == one.seen
            };
            group.chunk_by(alike).for_each(|findings| out.push_str(&lines(findings)));
        }
    }
    let count = |status: Status| judged.iter().flat_map(|one| &one.findings).filter(|f| f.status == status).count();
    out + &format!(
        "\n{} ok, {} warned, {} failed, {} skipped\n",
        count(Status::Ok),
        count(Status::Warning),
        count(Status::Failed),
        count(Status::Skipped)
    )
}

/// A finding, or several that are skipped for the same reason.
fn lines(findings: &[Finding]) -> String {
    let Some(first) = findings.first() else { return String::new() };
    let ids: Vec<&str> = findings.iter().map(|finding| finding.check.id()).collect();
    let because = if first.status == Status::Skipped { "because " } else { "" };
    let (seen, next) = (plain::line(&first.seen), plain::line(&first.next));
    let line = format!("  {:<8} {:<24} {because}{seen}\n", first.status.to_string(), ids.join(", "));
    let next = if next.is_empty() { String::new() } else { format!("           next: {next}\n") };
    line + &next
}

/// The sites for scripts.
pub(super) fn json(judged: &[Judged]) -> Value {
    let finding = |f: &Finding| {
        json!({"id": f.check.id(), "group": f.check.group().to_string(), "status": f.status.to_string(),
               "what": f.check.what(), "seen": f.seen, "next": f.next})
    };
    let site = |one: &Judged| {
        let found = one.site.found.as_ref().ok();
        json!({"side": one.site.side.to_string(), "namespace": one.site.target.namespace, "context": one.site.target.context,
               "release": found.map(|f| f.name.to_string()), "chart": found.map(|f| f.chart.name.clone()),
               "version": found.map(|f| f.chart.version.clone()),
               "checks": one.findings.iter().map(finding).collect::<Vec<_>>()})
    };
    Value::Array(judged.iter().map(site).collect())
}
