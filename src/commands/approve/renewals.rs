//! `approve --renewals`: what the key of the certificate before vouches for is signed, and nothing else; fit for cron.

use std::path::Path;

use serde::Serialize;
use time::OffsetDateTime;

use super::{
    Batch, VERB,
    identify::{is_alarm, of_file},
    mailbox::Mailbox,
    report::{ApproveResult, CertificateReport},
    sign::SigningPlan,
    verify::{Readable, VerifiedRequest, second_of},
};
use crate::{
    commands, exchange,
    failure::{Code, Exit, Failure, Result},
    files,
    names::MspId,
    pki::{
        authority::Authority,
        log::IssueLog,
        policy::{self, Identification},
        request::Request,
    },
    plan::Plan,
    report::{Outcome, Stage},
    substra::orchestrator::Orchestrator,
    text::count,
    times,
};

/// What became of the renewals of a mailbox.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Renewals {
    pub(super) certificates: Vec<CertificateReport>,
    /// Each request that is not signed, the worst first.
    refused: Vec<Failure>,
    /// Members whose certificate expires soon, and that have sent no request.
    overdue: Vec<Overdue>,
    /// Files that were not read.
    ignored: Vec<String>,
}

/// A member whose certificate expires soon, and that has sent no request.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct Overdue {
    /// MSP ID.
    organization: MspId,
    #[serde(serialize_with = "times::as_rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schemas::Time"))]
    not_after: OffsetDateTime,
}

/// What became of the requests of a mailbox.
#[derive(Default)]
struct Sorted {
    ready: Vec<SigningPlan>,
    refused: Vec<Failure>,
    /// The requests that came second, for the log.
    second: Vec<Request>,
}

impl Batch<'_> {
    /// Each request is judged alone: one that is refused keeps no other from its certificate.
    pub(super) fn renews(&self, authority: &Authority, log: &IssueLog, warnings: Vec<String>) -> Result<Outcome> {
        let session = self.approval.session;
        let mailbox = Mailbox::look(&self.args.requests, &self.target.values.members);
        let Sorted { mut ready, mut refused, second } = self.sorted(authority, log, &mailbox);
        let overdue = self.overdue(log, &mailbox);
        let due: Vec<&MspId> = ready.iter().filter(|one| !one.is_again).map(|one| &one.request.msp_id).collect();
        let mut plan = Plan::of(self.approval.log_steps(&due, false))
            .warn(warnings)
            .warn(overdue.iter().map(Overdue::warning))
            .warn(mailbox.ignored_line())
            .then(Plan::of(ready.iter().map(SigningPlan::step)));
        ready.iter().for_each(|one| self.show(one));
        self.approval.raise(log, &second)?;
        session.show(&plan)?;
        if session.goes_on(&plan, Some(&format!("sign the renewals of {}", names(&ready))))? {
            self.signs(authority, &mut ready, &mut plan)?;
            session.perform(&plan)?;
        }
        refused.sort_by_key(|failure| (failure.exit != Exit::Refused, !is_alarm(failure)));
        // The worst one ends the run.
        refused.iter().skip(1).for_each(|failure| session.console.say_failure("", failure));
        let failure = refused.first().map(|first| worst(first, refused.len()));
        let renewals = Renewals {
            certificates: ready.iter().map(CertificateReport::of).collect(),
            refused,
            overdue,
            ignored: mailbox.ignored,
        };
        let lines = renewals.lines();
        let outcome =
            commands::outcome(VERB, Stage::Approved, &plan, session).result(&ApproveResult::Renewals(renewals), lines);
        let outcome = ready.iter().filter(|one| !one.is_again).fold(outcome, |outcome, one| outcome.next(one.sent()));
        Ok(match failure {
            Some(failure) => outcome.failed(failure),
            None => outcome,
        })
    }

    fn sorted(&self, authority: &Authority, log: &IssueLog, mailbox: &Mailbox) -> Sorted {
        let mut sorted = Sorted::default();
        for (org, path) in &mailbox.requests {
            let one = self.readable(authority, log, org, path);
            let request = one.as_ref().ok().map(|one| one.request.clone());
            match one.and_then(|one| self.renewal(authority, log, &sorted.ready, one)) {
                Ok(ready) => sorted.ready.push(ready),
                Err(failure) => {
                    sorted.second.extend(request.filter(|_| failure.code == Code::ProofSecondSuccessor));
                    // The others go on: what is left as it was is this organization's part alone.
                    let failure = Failure { standing: None, ..failure };
                    sorted.refused.push(failure.unchanged(format!("nothing of {org} was signed")));
                }
            }
        }
        sorted
    }

    fn readable(&self, authority: &Authority, log: &IssueLog, org: &MspId, path: &Path) -> Result<Readable> {
        let file = path.display().to_string();
        let bytes = files::read(path)?;
        let judged =
            self.approval.with_circumstances(authority, log, |context| policy::check_request(&file, &bytes, context));
        let request = judged.map_err(|found| Failure::first_of(found, "the request is refused"))?;
        if request.msp_id == *org {
            return Ok(Readable { path: path.to_owned(), request });
        }
        Err(Failure::new(
            Exit::Refused,
            Code::RequestOrganization,
            format!("{file}: it is a request of {}", request.msp_id),
        )
        .why(format!("a file of that name is {org}'s"))
        .next(format!("ask {} and {org} who put it there", request.msp_id)))
    }

    /// What one request gets: the certificate that it got before, or a new one where the key before vouches for it.
    fn renewal(
        &self,
        authority: &Authority,
        log: &IssueLog,
        others: &[SigningPlan],
        one: Readable,
    ) -> Result<SigningPlan> {
        let file = one.path.display().to_string();
        let org = &one.request.msp_id;
        self.is_admitted(&file, org)?;
        if let Some(other) = others.iter().find(|other| other.request.msp_id == *org) {
            return Err(second_of(&one, &other.path));
        }
        let identified = match log.find(&one.request.digest) {
            Some(_) => Identification::Fingerprint,
            None => match self.approval.vouching(authority, log, &one.request) {
                Some(Ok(predecessor)) => Identification::Renewal { predecessor, compared: false },
                Some(Err(failure)) => return Err(of_file(&file, failure)),
                None => return Err(first_request(&file, org, log)),
            },
        };
        let Readable { path, request } = one;
        let ready = self.ready(authority, log, vec![VerifiedRequest { path, request, identified }])?;
        ready.into_iter().next().ok_or_else(|| Failure::bug("a request was ready and is gone"))
    }

    /// A release that is deployed without the organization's key would not accept it.
    fn is_admitted(&self, file: &str, org: &MspId) -> Result<()> {
        let Some(cluster) = &self.approval.cluster else { return Ok(()) };
        let deployed = Orchestrator::read(cluster.release.config())?;
        if !deployed.mtls_enabled || deployed.client_cas.contains_key(org.as_str()) {
            return Ok(());
        }
        Err(exchange::unsigned(Code::NotAdmitted, format!("{file}: {org} is not admitted"))
            .why(format!("the deployed release has no key {org} in orchestrator.tls.mtls.clientCACerts"))
            .next(format!("if {org} shall be accepted again: approve {file} without --renewals, which admits it")))
    }

    /// Members whose certificate has less than a sixth of its life left, and of which no request is here.
    fn overdue(&self, log: &IssueLog, mailbox: &Mailbox) -> Vec<Overdue> {
        let now = self.approval.session.now;
        let members = self.target.values.members.iter().filter_map(|member| member.parse::<MspId>().ok());
        let silent = members.filter(|org| !mailbox.requests.iter().any(|(of, _)| of == org));
        let entries = silent.filter_map(|org| log.overdue(&org, now));
        entries.map(|entry| Overdue { organization: entry.organization.clone(), not_after: entry.not_after }).collect()
    }
}

fn names(ready: &[SigningPlan]) -> String {
    let due = ready.iter().filter(|one| !one.is_again);
    due.map(|one| one.request.msp_id.to_string()).collect::<Vec<_>>().join(", ")
}

/// A member that sends a request without a proof: somebody has to call it.
fn first_request(file: &str, org: &MspId, log: &IssueLog) -> Failure {
    let why = match log.current(org) {
        None => format!("the issue log has no certificate of {org} that could vouch for it"),
        Some(entry) => format!("it comes without a proof by the key of its certificate {}", entry.serial),
    };
    exchange::unsigned(Code::RequestFingerprint, format!("{file}: {org} has to be called"))
        .why(why)
        .next(format!("have {org} read the fingerprint out, and approve {file} without --renewals"))
}

/// The failure that the run ends with: the worst one, with how many there are.
fn worst(first: &Failure, all: usize) -> Failure {
    match all {
        1 => first.clone(),
        _ => Failure {
            what: format!("{}; and {} not signed", first.what, count(all - 1, "other request")),
            ..first.clone()
        },
    }
}

impl Overdue {
    fn warning(&self) -> String {
        let until = times::rfc3339(self.not_after);
        format!("{} has sent no request, and its certificate expires on {until}", self.organization)
    }
}

impl Renewals {
    fn lines(&self) -> Vec<String> {
        self.certificates.iter().map(CertificateReport::line).collect()
    }
}
