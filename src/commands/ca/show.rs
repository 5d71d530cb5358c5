//! `ca show`: what is trusted where, by whom it is issued, until when, and how many certificates are alive.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    cluster::{Object, ObjectRef},
    commands::ca::ShowArgs,
    failure::{Code, Result},
    pki::{
        fingerprint::Fingerprint,
        inspect::{self, Certificate},
        log::IssueLog,
    },
    release::{
        ValuesFiles,
        find::{self, ReleaseQuery},
        issue_log, read,
        without_helm::Hints,
    },
    report::{Outcome, Stage, Told, table},
    session::Session,
    substra::{Side, backend::Backend, orchestrator::Orchestrator},
    text::Line,
    times,
};

/// How long a child may take; nothing is awaited.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// An object that holds certificates, and whose they are.
struct TrustObject {
    name: String,
    item: &'static str,
    /// For whom it counts: `server`, `clients of MyOrg1MSP`, ...
    purpose: Vec<String>,
}

/// What `ca show` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Shown {
    /// The release.
    release: String,
    certificates: Vec<Row>,
    /// The issue log, where one was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    issued: Option<Issued>,
}

/// How many certificates an issue log has.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Issued {
    /// Those that are valid.
    alive: usize,
    /// All of them.
    total: usize,
}

/// One certificate of an object; without subject where none can be read.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Row {
    /// Kind and name of the object.
    object: String,
    /// Whose it is, for people.
    #[serde(rename = "for")]
    purpose: String,
    #[serde(flatten)]
    certificate: Option<Read>,
    /// Of a CA: certificates of the issue log that are valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    alive: Option<usize>,
}

/// What is told of a certificate.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct Read {
    /// Its subject.
    subject: String,
    /// Its issuer's name.
    issuer: String,
    #[cfg_attr(test, schemars(with = "crate::schemas::Serial"))]
    serial: String,
    #[cfg_attr(test, schemars(with = "crate::schemas::KeyFingerprint"))]
    fingerprint: Fingerprint,
    /// DNS names.
    names: Vec<String>,
    #[serde(serialize_with = "times::as_rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schemas::Time"))]
    not_after: OffsetDateTime,
    days_left: i64,
    #[serde(skip)]
    is_ca: bool,
    #[serde(skip)]
    is_over: bool,
    #[serde(skip)]
    is_its_own_issuer: bool,
}

impl Read {
    fn of(certificate: Certificate, now: OffsetDateTime) -> Self {
        Self {
            fingerprint: certificate.fingerprint(),
            is_its_own_issuer: certificate.issuer_der == certificate.subject_der,
            is_ca: certificate.is_ca,
            is_over: certificate.not_after < now,
            days_left: (certificate.not_after - now).whole_days(),
            not_after: certificate.not_after,
            subject: certificate.subject,
            issuer: certificate.issuer,
            serial: certificate.serial,
            names: certificate.dns_names,
        }
    }
}

/// Looks and tells; the values say whose release it is.
///
/// # Errors
/// The release cannot be found, or the log cannot be read.
pub(super) fn run(args: &ShowArgs, session: &Session<'_>) -> Result<Outcome> {
    let files = ValuesFiles::read(&args.values, &args.values_key.clone().unwrap_or_default(), &session.sops)?;
    let side = side(args, &files, session)?;
    let shelves = match side {
        Side::Backend => of_backend(&read::backend(&files, None)?),
        Side::Orchestrator => of_orchestrator(&read::orchestrator(&files)?),
    };
    let cluster = session.cluster()?;
    let hints = Some(Hints { whole: files.whole(), chart: None, version: None, can_name_chart: false });
    let sought = ReleaseQuery { side, release: args.release.as_ref(), key: files.key().clone(), hints };
    let release = find::find(cluster, &sought)?;
    let reference = |trust_object: &TrustObject| match trust_object.item {
        "ca.crt" => ObjectRef::of_kind(release.kind_of(&trust_object.name), &trust_object.name),
        _ => ObjectRef::secret(&trust_object.name),
    };
    let wanted: Vec<ObjectRef> = shelves.iter().map(reference).collect();
    let objects = cluster.get(&wanted)?;
    let (log, warning) = log(args, session, side)?;
    let rows: Vec<Row> = shelves
        .iter()
        .zip(&wanted)
        .flat_map(|(trust_object, wanted)| rows(trust_object, wanted, wanted.find_in(&objects), session.now))
        .map(|row| counted(row, log.as_ref(), session.now))
        .collect();
    let issued = log.map(|log| Issued { alive: log.unexpired(session.now).count(), total: log.entries().len() });
    let shown = Shown { release: release.name.to_string(), certificates: rows, issued };
    Ok(Outcome::new("ca show", Stage::Shown).warnings(warning).result(&shown, shown.lines()))
}

fn side(args: &ShowArgs, files: &ValuesFiles, session: &Session<'_>) -> Result<Side> {
    let values = files.merged();
    read::side(&values, args.release.as_ref(), session.cluster).or_else(|failure| {
        read::is_no_umbrella(files, &values)?;
        Err(failure.next("name all -f files of the release, and the release with --release"))
    })
}

fn of_orchestrator(orchestrator: &Orchestrator) -> Vec<TrustObject> {
    let mut uses: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    uses.entry(orchestrator.cacert.as_str()).or_default().push("server, and all clients".to_owned());
    for (org, objects) in &orchestrator.client_cas {
        for object in objects {
            uses.entry(object).or_default().push(format!("clients of {org}"));
        }
    }
    let cas = uses.into_iter().map(|(name, purpose)| TrustObject { name: name.to_owned(), item: "ca.crt", purpose });
    let pair = TrustObject {
        name: orchestrator.server_pair.to_string(),
        item: "tls.crt",
        purpose: vec!["the server's pair".to_owned()],
    };
    cas.chain([pair]).collect()
}

fn of_backend(backend: &Backend) -> Vec<TrustObject> {
    let ca = backend.cacert.iter().map(|name| TrustObject {
        name: name.to_string(),
        item: "ca.crt",
        purpose: vec!["the orchestrator".to_owned()],
    });
    let pair = TrustObject {
        name: backend.client_certificate.to_string(),
        item: "tls.crt",
        purpose: vec![format!("the pair of {}", backend.msp_id)],
    };
    ca.chain([pair]).collect()
}

/// The log of the CA that is named, else what the namespace has; `None` where it cannot be looked at.
fn log(args: &ShowArgs, session: &Session<'_>, side: Side) -> Result<(Option<IssueLog>, Option<String>)> {
    match (&args.ca_cert, side) {
        (Some(certificate), _) => Ok((Some(issue_log::of_named(certificate)?), None)),
        (None, Side::Backend) => Ok((None, None)),
        (None, Side::Orchestrator) => match issue_log::of_cluster(session.cluster()?, None) {
            Ok(log) if log.entries().is_empty() => Ok((
                None,
                Some("no issue log is in the namespace: name the CA with --ca-cert, its log lies beside it".to_owned()),
            )),
            Ok(log) => Ok((Some(log), None)),
            Err(failure) if failure.code == Code::Forbidden => {
                Ok((None, Some("the issue log was not looked at: listing ConfigMaps is not allowed here".to_owned())))
            }
            Err(failure) => Err(failure),
        },
    }
}

fn rows(trust_object: &TrustObject, wanted: &ObjectRef, object: Option<&Object>, now: OffsetDateTime) -> Vec<Row> {
    let row = |certificate| Row {
        object: wanted.to_string(),
        purpose: trust_object.purpose.join(", "),
        certificate,
        alive: None,
    };
    let found = object.and_then(|object| inspect::certificates(&object.data(trust_object.item)?).ok());
    found.map_or_else(|| vec![row(None)], |found| found.into_iter().map(|one| row(Some(Read::of(one, now)))).collect())
}

fn counted(row: Row, log: Option<&IssueLog>, now: OffsetDateTime) -> Row {
    let ca = row.certificate.as_ref().filter(|certificate| certificate.is_ca).map(|ca| ca.fingerprint);
    let count = |log: &IssueLog| log.unexpired(now).filter(|entry| Some(entry.authority) == ca).count();
    let alive = ca.and(log).map(count);
    Row { alive, ..row }
}

impl Row {
    /// Below each other, for a terminal that is too narrow for a table.
    fn block(&self) -> Vec<Line> {
        let [object, use_, subject, issuer, until, alive] = self.cells();
        let mut lines = vec![format!("{object}: {use_}"), format!("  {subject}")];
        if !until.is_empty() {
            let alive = if alive.is_empty() { alive } else { format!("; {alive} of its certificates alive") };
            lines.extend([format!("  issued by {issuer}"), format!("  until {until}{alive}")]);
        }
        lines.into_iter().filter(|line| !line.trim().is_empty()).map(Line::from).collect()
    }

    fn cells(&self) -> [String; 6] {
        let Some(certificate) = &self.certificate else {
            let none = "none that can be read".to_owned();
            return [self.object.clone(), self.purpose.clone(), none, String::new(), String::new(), String::new()];
        };
        let date = certificate.not_after.date();
        let until = if certificate.is_over {
            format!("{date}, EXPIRED")
        } else {
            format!("{date}, {} days", certificate.days_left)
        };
        [
            self.object.clone(),
            self.purpose.clone(),
            certificate.subject.clone(),
            if certificate.is_its_own_issuer { "itself".to_owned() } else { certificate.issuer.clone() },
            until,
            self.alive.map(|alive| alive.to_string()).unwrap_or_default(),
        ]
    }
}

impl Shown {
    fn lines(&self) -> Vec<Told> {
        let head = ["OBJECT", "FOR", "CERTIFICATE", "ISSUED BY", "UNTIL", "ALIVE"].map(str::to_owned);
        let rows: Vec<[String; 6]> = std::iter::once(head).chain(self.certificates.iter().map(Row::cells)).collect();
        let without_issuer = |[object, use_, subject, _, until, alive]: &[String; 6]| {
            [object, use_, subject, until, alive].map(Clone::clone)
        };
        let narrow: Vec<[String; 5]> = rows.iter().map(without_issuer).collect();
        let blocks = self.certificates.iter().flat_map(Row::block).collect();
        let mut lines = vec![Told::Fitting(vec![table(&rows), table(&narrow), blocks])];
        if let Some(Issued { alive, total }) = self.issued {
            let count = format!("of {total} certificates in the issue log {alive} are alive");
            lines.extend([Told::from(""), count.into()]);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemas;

    #[test]
    fn the_schema_of_ca_show_is_kept() {
        schemas::is_kept::<Shown>(&["ca show"], &[Stage::Shown]);
    }
}
