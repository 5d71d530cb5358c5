//! The findings as Prometheus reads them: gauges in the text exposition format 0.0.4.

use time::OffsetDateTime;

use super::{
    finding::Status,
    groups::{self, Renewal},
    observe::ObservedRelease,
    report::CheckedRelease,
    table::Standing,
};
use crate::{pki::inspect::Certificate, plain, substra::Side};

/// One line of a gauge: its labels and its value.
type Sample = (Vec<(&'static str, String)>, i64);

/// All gauges: times in seconds, statuses as one sample for each status that could be.
pub(super) fn gauges(rows: &[Standing], judged: &[CheckedRelease], now: OffsetDateTime) -> Vec<String> {
    let clients = rows.iter().filter_map(client_end);
    let ends = clients.chain(judged.iter().flat_map(|one| other_ends(&one.observed))).collect();
    let stage =
        |row: &Standing| (vec![("organization", row.organization.clone()), ("stage", row.stage.to_string())], 1);
    [
        gauge("substra_mtls_certificate_not_after_seconds", "When a certificate ends, in seconds since 1970.", ends),
        gauge(
            "substra_mtls_renewal_requested_seconds",
            "When the request was made that waits for its certificate, in seconds since 1970.",
            judged.iter().filter_map(|one| requested(&one.observed)).collect(),
        ),
        gauge(
            "substra_mtls_renewal_overdue",
            "Whether a renewal is late: 1 from 7 days without an answer on, in the last sixth of a life, and after it.",
            judged.iter().filter_map(|one| overdue(&one.observed)).collect(),
        ),
        gauge("substra_mtls_stage", "How far an organization is in the exchange.", rows.iter().map(stage).collect()),
        gauge(
            "substra_mtls_check_status",
            "How a check came out: 1 for the status that it has.",
            judged.iter().flat_map(statuses).collect(),
        ),
        gauge("substra_mtls_checked_at_seconds", "When it was checked.", vec![(Vec::new(), now.unix_timestamp())]),
    ]
    .concat()
}

/// The end of an organization's certificate.
fn client_end(row: &Standing) -> Option<Sample> {
    let end = row.certificate.as_ref()?.not_after.unix_timestamp();
    Some((vec![("organization", row.organization.clone()), ("kind", "client".to_owned())], end))
}

/// When a backend made the request that waits.
fn requested(site: &ObservedRelease) -> Option<Sample> {
    let Renewal { waiting, .. } = groups::renewal(site)?;
    Some((organization(site)?, waiting?.since?.unix_timestamp()))
}

/// Whether a backend's renewal is late.
fn overdue(site: &ObservedRelease) -> Option<Sample> {
    Some((organization(site)?, i64::from(groups::renewal(site)?.schedule.is_late())))
}

fn organization(site: &ObservedRelease) -> Option<Vec<(&'static str, String)>> {
    Some(vec![("organization", site.backend()?.msp_id.to_string())])
}

/// The ends of CAs, and of the server's pair.
fn other_ends(observed: &ObservedRelease) -> Vec<Sample> {
    let namespace = observed.target.namespace.clone().unwrap_or_default();
    let one = |(name, certificate): (String, Certificate), kind: &str| {
        let labels = vec![
            ("namespace", namespace.clone()),
            ("object", name),
            ("serial", certificate.serial.clone()),
            ("kind", kind.to_owned()),
        ];
        (labels, certificate.not_after.unix_timestamp())
    };
    let cas = groups::authorities(observed).into_iter().map(|ca| one(ca, "ca"));
    let server = match observed.side {
        Side::Orchestrator => groups::server(observed),
        Side::Backend => None,
    };
    cas.chain(server.map(|server| one(server, "server"))).collect()
}

/// How the checks of one release came out.
fn statuses(one: &CheckedRelease) -> Vec<Sample> {
    let release = one.observed.release.as_ref().map(|release| release.name.to_string()).unwrap_or_default();
    let namespace = one.observed.target.namespace.clone().unwrap_or_default();
    let mut samples = Vec::new();
    for finding in &one.findings {
        for status in [Status::Ok, Status::Warning, Status::Failed, Status::Skipped] {
            let labels = vec![
                ("namespace", namespace.clone()),
                ("release", release.clone()),
                ("side", one.observed.side.to_string()),
                ("check", finding.check.id().to_owned()),
                ("status", status.to_string()),
            ];
            samples.push((labels, i64::from(status == finding.status)));
        }
    }
    samples
}

fn gauge(name: &str, help: &str, samples: Vec<Sample>) -> Vec<String> {
    let lines = samples.into_iter().map(|(labels, value)| format!("{name}{} {value}", braced(&labels)));
    [format!("# HELP {name} {help}"), format!("# TYPE {name} gauge")].into_iter().chain(lines).collect()
}

/// `{key="value",...}`; nothing where there is no label.
fn braced(labels: &[(&str, String)]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", labels.join(","))
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
