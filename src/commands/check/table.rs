//! Who stands where: a line for each organization.

use serde::Serialize;
use time::OffsetDateTime;

use super::observe::{ObservedRelease, SideValues};
use crate::{
    cluster::ObjectRef,
    failure::Next,
    ids::ids,
    pki::{
        inspect::{self, Certificate},
        log::{Entry, IssueLog},
    },
    report::{Told, table},
    substra::Side,
    substra::orchestrator::{Orchestrator, WALKTHROUGH_KEY},
    times,
};

ids! {
    /// How far an organization is in the exchange.
    pub(super) enum ExchangeStage {
        /// Nothing is there.
        None = "none",
        /// A key waits for its certificate.
        Requested = "requested",
        /// The backend has its pair and presents it.
        Installed = "installed",
        /// The orchestrator has a key of its name.
        Admitted = "admitted",
        /// And asks for the certificate: mutual TLS and the identity check are on.
        Enforced = "enforced",
    }
}

/// Where one organization stands.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Standing {
    /// Its MSP ID.
    pub(super) organization: String,
    /// How far it is, as far as the sites that were looked at can tell.
    pub(super) stage: ExchangeStage,
    /// Its certificate: the live one, or the newest of the issue log.
    pub(super) certificate: Option<ClientCertificate>,
    #[serde(flatten)]
    pub(super) next: Next,
    /// The next command closes the gate for all.
    #[serde(skip)]
    closes: bool,
    /// Whose command it is.
    #[serde(skip)]
    pub(super) next_of: Side,
    #[serde(skip)]
    side: Side,
}

/// The certificate of an organization.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientCertificate {
    #[cfg_attr(test, schemars(with = "crate::schemas::Serial"))]
    pub(super) serial: String,
    /// Its issuer's name.
    pub(super) issuer: String,
    #[serde(serialize_with = "times::as_rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schemas::Time"))]
    not_before: OffsetDateTime,
    #[serde(serialize_with = "times::as_rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schemas::Time"))]
    pub(super) not_after: OffsetDateTime,
    days_left: i64,
}

impl ClientCertificate {
    fn of(certificate: Certificate, now: OffsetDateTime) -> Self {
        let Certificate { serial, issuer, not_before, not_after, .. } = certificate;
        Self { serial, issuer, not_before, not_after, days_left: (not_after - now).whole_days() }
    }
}

/// The organizations of some releases. Where both sides of one were seen, it is no further than its backend is; once that has
/// its pair, it is as far as the orchestrator says.
pub(super) fn rows(all: &[&ObservedRelease]) -> Vec<Standing> {
    let mut rows: Vec<Standing> = Vec::new();
    for row in all.iter().flat_map(|observed| of_one(observed)) {
        match rows.iter().position(|other| other.organization == row.organization && other.side != row.side) {
            None => rows.push(row),
            Some(at) => {
                let other = rows.swap_remove(at);
                let (backend, orchestrator) = match row.side {
                    Side::Backend => (row, other),
                    Side::Orchestrator => (other, row),
                };
                rows.push(joined(backend, orchestrator));
            }
        }
    }
    rows.sort_by(|one, other| one.organization.cmp(&other.organization));
    // One that is seen not to have its pair would be cut off.
    if rows.iter().any(|row| row.side == Side::Backend && row.stage < ExchangeStage::Installed) {
        rows.iter_mut().filter(|row| row.closes).for_each(|row| row.next = Next::default());
    }
    rows
}

fn joined(backend: Standing, orchestrator: Standing) -> Standing {
    let certificate = backend.certificate.clone().or(orchestrator.certificate);
    if backend.stage < ExchangeStage::Installed {
        return Standing { certificate, ..backend };
    }
    let Standing { next, closes, next_of, .. } = orchestrator;
    Standing { stage: backend.stage.max(orchestrator.stage), next, closes, next_of, certificate, ..backend }
}

fn of_one(observed: &ObservedRelease) -> Vec<Standing> {
    match observed.side {
        Side::Backend => of_backend(observed).into_iter().collect(),
        Side::Orchestrator => of_orchestrator(observed),
    }
}

fn of_backend(observed: &ObservedRelease) -> Option<Standing> {
    let backend = observed.backend()?;
    let name = backend.client_certificate.as_str();
    let pair = observed.object(&ObjectRef::secret(name));
    let certificate = pair.and_then(|pair| inspect::certificates(&pair.data("tls.crt")?).ok()?.into_iter().next());
    let pending = observed.waits_for_certificate();
    let presents = observed.deployed.as_ref().is_some_and(SideValues::mtls);
    let organization = backend.msp_id.to_string();
    let answer = observed.request("");
    let first = observed.first_step();
    let (stage, next) = match (&certificate, pending) {
        _ if observed.objects.is_err() => (ExchangeStage::None, Next::default()),
        // A renewal that is under way.
        (Some(_), true) if presents => (ExchangeStage::Installed, answer.into()),
        (Some(_), false) if presents => (ExchangeStage::Installed, Next::default()),
        (None, false) => (ExchangeStage::None, first.unwrap_or_else(|| observed.ours("enroll", "")).into()),
        // The pair is in place, and the release does not mount it yet.
        (Some(_), false) => (ExchangeStage::Requested, first.unwrap_or_else(|| observed.ours("enroll", "")).into()),
        (_, true) => (ExchangeStage::Requested, first.unwrap_or(answer).into()),
    };
    let certificate = certificate.map(|one| ClientCertificate::of(one, observed.now));
    let (closes, side) = (false, Side::Backend);
    Some(Standing { organization, stage, certificate, next, closes, next_of: side, side })
}

fn of_orchestrator(observed: &ObservedRelease) -> Vec<Standing> {
    let Some(orchestrator) = observed.orchestrator() else { return Vec::new() };
    let is_member = |key: &&String| orchestrator.members.contains(key);
    // The walkthrough's key is of no organization: the check of the keys says what it is.
    let keys = orchestrator.client_cas.keys().filter(|key| !is_member(key) && *key != WALKTHROUGH_KEY);
    let log = observed.log.as_ref().and_then(|log| log.as_ref().ok());
    let admits = |o: &Orchestrator, organization: &String| {
        o.client_cas.get(organization).is_some_and(|objects| !objects.is_empty())
    };
    // The gate closes for all at once: whoever has a key of its own waits for the others.
    let all_have_keys = orchestrator.members.iter().all(|member| admits(orchestrator, member));
    let row = |organization: &String| {
        let has_key = |o: &Orchestrator| admits(o, organization);
        let mut closes = false;
        let enforced =
            observed.running().is_some_and(|o| o.tls_enabled && o.mtls_enabled && o.verify_msp_id && has_key(o));
        let (stage, next) = match (enforced, has_key(orchestrator)) {
            (true, _) => (ExchangeStage::Enforced, Next::default()),
            // A key that is no member's: nothing is to be done for it.
            (false, has_key) if !is_member(&organization) => {
                (if has_key { ExchangeStage::Admitted } else { ExchangeStage::None }, Next::default())
            }
            // Before TLS there is nothing to admit to, nor a CA of ours that could sign.
            (false, has_key) if !orchestrator.tls_enabled => (
                if has_key { ExchangeStage::Admitted } else { ExchangeStage::None },
                observed.ours("ca init", "").into(),
            ),
            // It asks for each member whether its pair is installed.
            (false, true) if all_have_keys => {
                closes = true;
                (ExchangeStage::Admitted, observed.ours("gate close", "").into())
            }
            (false, true) => (ExchangeStage::Admitted, Next::default()),
            (false, false) => (ExchangeStage::None, observed.approve(&format!("{organization}.csr")).into()),
        };
        let entries = log.map(IssueLog::entries).unwrap_or_default();
        let newest = entries.iter().rev().find(|entry| entry.organization.as_str() == organization);
        let certificate = newest.and_then(Entry::decoded).map(|one| ClientCertificate::of(one, observed.now));
        let (organization, side) = (organization.clone(), Side::Orchestrator);
        Standing { organization, stage, certificate, next, closes, next_of: side, side }
    };
    orchestrator.members.iter().chain(keys).map(row).collect()
}

/// How much of a serial number is shown where there is no room for all of it.
const SHORT: usize = 8;

/// The table for people; where it is too wide, serial numbers are cut, and then the issuers go.
pub(super) fn shown(rows: &[Standing]) -> Told {
    let head = ["organization", "stage", "certificate", "issuer", "days left"].map(str::to_owned);
    let full: Vec<[String; 5]> = std::iter::once(head).chain(rows.iter().map(Standing::cells)).collect();
    let mut short = full.clone();
    for [_, _, serial, ..] in short.iter_mut().skip(1) {
        if serial.chars().count() > SHORT + 3 {
            *serial = format!("{}...", serial.chars().take(SHORT).collect::<String>());
        }
    }
    let without_issuer =
        |[organization, stage, serial, _, days]: &[String; 5]| [organization, stage, serial, days].map(Clone::clone);
    let shortest: Vec<[String; 4]> = short.iter().map(without_issuer).collect();
    Told::Fitting(vec![table(&full), table(&short), table(&shortest)])
}

impl Standing {
    /// The cells for people.
    pub(super) fn cells(&self) -> [String; 5] {
        let of =
            |read: fn(&ClientCertificate) -> String| self.certificate.as_ref().map_or_else(|| "-".to_owned(), read);
        [
            self.organization.clone(),
            self.stage.to_string(),
            of(|certificate| certificate.serial.clone()),
            of(|certificate| certificate.issuer.clone()),
            of(|certificate| certificate.days_left.to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(side: Side, stage: ExchangeStage) -> Standing {
        Standing {
            organization: "A".into(),
            stage,
            certificate: None,
            next: side.to_string().into(),
            closes: false,
            next_of: side,
            side,
        }
    }

    #[test]
    fn an_organization_is_no_further_than_its_backend_and_then_as_far_as_the_orchestrator_says() {
        for (backend, orchestrator, stage, next) in [
            (ExchangeStage::None, ExchangeStage::Enforced, ExchangeStage::None, Side::Backend),
            (ExchangeStage::Requested, ExchangeStage::Admitted, ExchangeStage::Requested, Side::Backend),
            (ExchangeStage::Installed, ExchangeStage::None, ExchangeStage::Installed, Side::Orchestrator),
            (ExchangeStage::Installed, ExchangeStage::Admitted, ExchangeStage::Admitted, Side::Orchestrator),
            (ExchangeStage::Installed, ExchangeStage::Enforced, ExchangeStage::Enforced, Side::Orchestrator),
        ] {
            let both = joined(row(Side::Backend, backend), row(Side::Orchestrator, orchestrator));
            assert_eq!((both.stage, both.next.to_string()), (stage, next.to_string()), "{backend:?} {orchestrator:?}");
        }
    }
}
