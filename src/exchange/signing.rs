//! Signatures and the issue log: what is signed stands in the log before it leaves.

use super::{approval::Approval, ca::CaSource};
use crate::{
    failure::Result,
    names::MspId,
    pki::{
        authority::Authority,
        issue::{self, IssuedCertificate, ValidityPeriod},
        log::{self, Entry, IssueLog, Record},
        policy::Identification,
        request::Request,
    },
    plan::{Action, Step, StepId},
    release::issue_log::{beside, object, of_cluster, of_file},
    text::count,
};

impl Approval<'_> {
    /// What signing would find, and from when to when the certificate would be valid.
    pub(crate) fn fits(&self, authority: &Authority, request: &Request) -> Result<ValidityPeriod> {
        issue::preflight(authority, request, self.validity, self.session.now)
    }

    /// The certificate is the one of the entry: nothing leaves that the log does not hold.
    pub(crate) fn sign(
        &self,
        authority: &Authority,
        request: &Request,
        identified: &Identification,
    ) -> Result<(IssuedCertificate, Entry)> {
        let issued = issue::issue(authority, request, self.validity, self.session.now)?;
        let entry = Entry::new(request, &issued, authority, identified, self.session.now);
        Ok((log::reissue(&entry, authority, self.session.now)?, entry))
    }

    /// What was issued before under this CA.
    pub(crate) fn ledger(&self) -> Result<IssueLog> {
        match &self.source {
            CaSource::Files { certificate, .. } => of_file(certificate),
            CaSource::Secret(secret) => of_cluster(self.session.cluster()?, Some(secret.as_str())),
        }
    }

    /// The log before any certificate: one write and one sync for the whole batch in a file, an object for each request
    /// in a cluster. What they write is [`Approval::log_actions`]'s, `is_first` where the log knows nothing of the CA.
    pub(crate) fn log_steps(&self, due: &[&MspId], is_first: bool) -> Vec<Step> {
        let new = if is_first { "; no certificate recorded under this CA before" } else { "" };
        let step = |title: String, later| Step::to_do(StepId::Log, title + new, Action::AfterConsent(later));
        match &self.source {
            _ if due.is_empty() => Vec::new(),
            CaSource::Files { certificate, .. } => {
                let path = beside(certificate);
                let title = format!("issue log {}: {}", path.display(), count(due.len(), "certificate"));
                vec![step(title, Some(Box::new(Action::AppendLog { path, lines: String::new() })))]
            }
            CaSource::Secret(secret) => {
                // Not by its name, which in a dry run of bootstrap is that of a request that is thrown away.
                let title =
                    |org: &&MspId| format!("ConfigMap of the issue log of Secret {secret}: the certificate of {org}");
                due.iter().map(|org| step(title(org), None)).collect()
            }
        }
    }

    /// What the steps of the log do, in their order.
    pub(crate) fn log_actions(&self, new: &[Entry]) -> Vec<Action> {
        match &self.source {
            _ if new.is_empty() => Vec::new(),
            CaSource::Files { certificate, .. } => {
                let lines = new.iter().map(Entry::line).collect();
                vec![Action::AppendLog { path: beside(certificate), lines }]
            }
            CaSource::Secret(secret) => {
                new.iter().map(|entry| Action::Create(object(secret, &entry.clone().into()))).collect()
            }
        }
    }

    /// A record that is known before anybody is asked.
    pub(crate) fn record_step(&self, record: &Record, title: &str) -> Step {
        let (place, action) = match &self.source {
            CaSource::Files { certificate, .. } => {
                let path = beside(certificate);
                let lines = record.line();
                (format!("issue log {}", path.display()), Action::AppendLog { path, lines })
            }
            CaSource::Secret(secret) => {
                let place = format!("ConfigMap of the issue log of Secret {secret}");
                (place, Action::Create(object(secret, record)))
            }
        };
        Step::to_do(StepId::Log, format!("{place}: {title}"), action)
    }
}
