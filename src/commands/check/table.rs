//! Who stands where: a line for each organization.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{finding::Status, observe::Site};
use crate::{
    cli::Side,
    cluster::ObjectRef,
    commands::rfc3339,
    pki::inspect::{self, Certificate},
};

/// How far an organization is in the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::commands) enum Stage {
    /// Nothing is there.
    None,
    /// A key waits for its certificate.
    Requested,
    /// The backend has its pair and presents it.
    Installed,
    /// The orchestrator has a key of its name.
    Admitted,
    /// And asks for the certificate: mutual TLS and the identity check are on.
    Enforced,
}

impl Stage {
    /// The word for people and scripts.
    #[must_use]
    pub(in crate::commands) fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Requested => "requested",
            Self::Installed => "installed",
            Self::Admitted => "admitted",
            Self::Enforced => "enforced",
        }
    }
}

/// One organization.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Row {
    /// Its MSP ID.
    pub organization: String,
    /// How far it is, as far as the sites that were looked at can tell.
    pub stage: Stage,
    /// Its certificate: the live one, or the newest of the issue log.
    pub certificate: Option<Certificate>,
}

/// The organizations of some sites. Where both sides of one were seen, it is no further than the backend is, and
/// beyond that as far as the orchestrator says.
pub(in crate::commands) fn rows(sites: &[&Site]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for row in sites.iter().flat_map(|site| of_site(site)) {
        match rows.iter_mut().find(|other| other.organization == row.organization) {
            None => rows.push(row),
            Some(other) => {
                let (low, high) = (other.stage.min(row.stage), other.stage.max(row.stage));
                // The lower of the two is the backend's, unless the orchestrator knows nothing of it.
                other.stage = if low == Stage::Installed || high <= Stage::Installed { high } else { low };
                other.certificate =
                    if row.stage <= Stage::Installed { row.certificate } else { other.certificate.take() };
            }
        }
    }
    rows.sort_by(|one, other| one.organization.cmp(&other.organization));
    rows
}

fn of_site(site: &Site) -> Vec<Row> {
    match site.side {
        Side::Backend => of_backend(site).into_iter().collect(),
        Side::Orchestrator => of_orchestrator(site),
    }
}

fn of_backend(site: &Site) -> Option<Row> {
    let backend = site.backend()?;
    let name = backend.client_certificate.as_str();
    let pair = site.object(&ObjectRef::secret(name));
    let certificate = pair.and_then(|pair| inspect::certificates(&pair.data("tls.crt")?).ok()?.into_iter().next());
    let pending = site.object(&ObjectRef::secret(format!("{name}-pending"))).is_some();
    let presents = site.deployed.as_ref().is_some_and(super::observe::Party::mtls);
    let stage = match (&certificate, pending) {
        (Some(_), _) if presents => Stage::Installed,
        (None, false) => Stage::None,
        _ => Stage::Requested,
    };
    Some(Row { organization: backend.msp_id.to_string(), stage, certificate })
}

fn of_orchestrator(site: &Site) -> Vec<Row> {
    let Some(orchestrator) = site.orchestrator() else { return Vec::new() };
    let keys = orchestrator.client_cas.keys().filter(|key| !orchestrator.members.contains(key));
    let log = site.log.as_ref().and_then(|log| log.as_ref().ok());
    let row = |organization: &String| {
        let has_key = |o: &crate::substra::orchestrator::Orchestrator| {
            o.client_cas.get(organization).is_some_and(|objects| !objects.is_empty())
        };
        let enforced = site.running().is_some_and(|o| o.tls_enabled && o.mtls_enabled && o.verify_msp_id && has_key(o));
        let stage = match (enforced, has_key(orchestrator)) {
            (true, _) => Stage::Enforced,
            (false, true) => Stage::Admitted,
            (false, false) => Stage::None,
        };
        let entries = log.map(crate::pki::log::IssueLog::entries).unwrap_or_default();
        let newest = entries.iter().rev().find(|entry| entry.organization.as_str() == organization);
        Row { organization: organization.clone(), stage, certificate: newest.and_then(crate::pki::log::Entry::decoded) }
    };
    orchestrator.members.iter().chain(keys).map(row).collect()
}

impl Row {
    fn days(&self, now: OffsetDateTime) -> Option<i64> {
        self.certificate.as_ref().map(|certificate| (certificate.not_after - now).whole_days())
    }

    /// The cells for people.
    #[must_use]
    pub(in crate::commands) fn cells(&self, now: OffsetDateTime) -> [String; 5] {
        let none = || "-".to_owned();
        let of = |read: fn(&Certificate) -> &String| self.certificate.as_ref().map_or_else(none, |c| read(c).clone());
        [
            super::report::plain(&self.organization),
            self.stage.word().to_owned(),
            of(|certificate| &certificate.serial),
            of(|certificate| &certificate.issuer),
            self.days(now).map_or_else(none, |days| days.to_string()),
        ]
    }

    /// The fields for scripts.
    #[must_use]
    pub(in crate::commands) fn json(&self, now: OffsetDateTime) -> Value {
        let mut row = json!({"organization": self.organization, "stage": self.stage.word(), "certificate": null});
        if let Some(certificate) = &self.certificate {
            row["certificate"] = json!({"serial": certificate.serial, "issuer": certificate.issuer,
                "notBefore": rfc3339(certificate.not_before), "notAfter": rfc3339(certificate.not_after), "daysLeft": self.days(now)});
        }
        row
    }
}

/// The worst of some findings.
pub(super) fn worst(statuses: impl Iterator<Item = Status>) -> Status {
    statuses.max().unwrap_or(Status::Skipped)
}
