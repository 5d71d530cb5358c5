//! The findings as people, scripts and Prometheus read them.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    finding::{Finding, Status},
    observe::Site,
    table::Row,
};
use crate::{cli::Side, plain, report::text::table};

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
            self.site.pointed.namespace.as_deref().map(|name| format!(", namespace {name}")).unwrap_or_default();
        let context = self.site.pointed.context.as_deref().map(|name| format!(", context {name}")).unwrap_or_default();
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
        for group in one.findings.chunk_by(|one, next| one.check.group == next.check.group) {
            out.push_str(&group.first().map(|first| format!("{}\n", first.check.group)).unwrap_or_default());
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
    let ids: Vec<&str> = findings.iter().map(|finding| finding.check.id).collect();
    let because = if first.status == Status::Skipped { "because " } else { "" };
    let (seen, next) = (plain::line(&first.seen), plain::line(&first.next));
    let line = format!("  {:<8} {:<24} {because}{seen}\n", first.status.to_string(), ids.join(", "));
    let next = if next.is_empty() { String::new() } else { format!("           next: {next}\n") };
    line + &next
}

/// The sites for scripts.
pub(super) fn json(judged: &[Judged]) -> Value {
    let finding = |f: &Finding| {
        json!({"id": f.check.id, "group": f.check.group.to_string(), "status": f.status.to_string(),
               "what": f.check.what, "seen": f.seen, "next": f.next})
    };
    let site = |one: &Judged| {
        let found = one.site.found.as_ref().ok();
        json!({"side": one.site.side.to_string(), "namespace": one.site.pointed.namespace, "context": one.site.pointed.context,
               "release": found.map(|f| f.name.to_string()), "chart": found.map(|f| f.chart.name.clone()),
               "version": found.map(|f| f.chart.version.clone()),
               "checks": one.findings.iter().map(finding).collect::<Vec<_>>()})
    };
    Value::Array(judged.iter().map(site).collect())
}

/// Gauges in the text exposition format 0.0.4: times in seconds, statuses as one series for each status that could be.
pub(super) fn prometheus(rows: &[Row], judged: &[Judged], now: OffsetDateTime) -> String {
    let mut out = String::new();
    let mut gauge = |name: &str, help: &str, series: Vec<(Vec<(&str, String)>, i64)>| {
        out.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
        for (labels, value) in series {
            let labels: Vec<String> =
                labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
            out.push_str(&format!("{name}{{{}}} {value}\n", labels.join(",")));
        }
    };
    let certificate = |row: &Row| {
        let end = row.certificate.as_ref()?.not_after.unix_timestamp();
        Some((vec![("organization", row.organization.clone()), ("kind", "client".to_owned())], end))
    };
    let mut ends: Vec<_> = rows.iter().filter_map(certificate).collect();
    ends.extend(judged.iter().flat_map(|one| others(&one.site)));
    gauge("substra_mtls_certificate_not_after_seconds", "When a certificate ends, in seconds since 1970.", ends);
    let stage =
        |row: &Row| (vec![("organization", row.organization.clone()), ("stage", row.stage.word().to_owned())], 1);
    gauge("substra_mtls_stage", "How far an organization is in the exchange.", rows.iter().map(stage).collect());
    let mut series = Vec::new();
    for one in judged {
        let release = one.site.found.as_ref().map(|found| found.name.to_string()).unwrap_or_default();
        let namespace = one.site.pointed.namespace.clone().unwrap_or_default();
        for finding in &one.findings {
            for status in [Status::Ok, Status::Warning, Status::Failed, Status::Skipped] {
                let labels = vec![
                    ("namespace", namespace.clone()),
                    ("release", release.clone()),
                    ("side", one.site.side.to_string()),
                    ("check", finding.check.id.to_owned()),
                    ("status", status.to_string()),
                ];
                series.push((labels, i64::from(status == finding.status)));
            }
        }
    }
    gauge("substra_mtls_check_status", "How a check came out: 1 for the status that it has.", series);
    gauge("substra_mtls_checked_at_seconds", "When it was checked.", vec![(Vec::new(), now.unix_timestamp())]);
    out.replace("{} ", " ")
}

/// The ends of CAs, and of the server's pair.
fn others(site: &Site) -> Vec<(Vec<(&'static str, String)>, i64)> {
    let namespace = site.pointed.namespace.clone().unwrap_or_default();
    let one = |(name, certificate): (String, crate::pki::inspect::Certificate), kind: &str| {
        let labels = vec![
            ("namespace", namespace.clone()),
            ("object", name),
            ("serial", certificate.serial.clone()),
            ("kind", kind.to_owned()),
        ];
        (labels, certificate.not_after.unix_timestamp())
    };
    let cas = super::groups::authorities(site).into_iter().map(|ca| one(ca, "ca"));
    let server = (site.side == Side::Orchestrator).then(|| super::groups::server(site)).flatten();
    cas.chain(server.map(|server| one(server, "server"))).collect()
}

/// A label's value (exposition formats: backslash, double quote and line feed are escaped), without what steers a
/// terminal.
fn escaped(text: &str) -> String {
    plain::block(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_break_out_of_its_line() {
        assert_eq!(escaped("a\"} 1\nb\\"), "a\\\"} 1\\nb\\\\");
        assert_eq!(escaped("a\u{1b}[2J"), "a\\\\u{1b}[2J");
    }
}
