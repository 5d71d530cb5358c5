//! The steps of an approval that write into the issue log.

use super::Approval;
use crate::{
    commands::ca::authority::Source,
    failure::Result,
    names::MspId,
    pki::log::{Entry, IssueLog},
    plan::{Action, Step, StepId},
    release::issue_log::{beside, object, of_cluster, of_file},
    report::text::count,
};

impl Approval<'_> {
    /// What was issued before under this CA.
    pub(in crate::commands) fn ledger(&self) -> Result<IssueLog> {
        match &self.source {
            Source::Files { certificate, .. } => of_file(certificate),
            Source::Secret(secret) => of_cluster(self.session.cluster()?, Some(secret.as_str())),
        }
    }

    /// The log before any certificate: one write and one sync for the whole batch in a file, an object for each request
    /// in a cluster. What they write is [`Approval::log_actions`]'s, `is_first` where the log knows nothing of the CA.
    pub(in crate::commands) fn log_steps(&self, due: &[&MspId], is_first: bool) -> Vec<Step> {
        let new = if is_first { "; no certificate recorded under this CA before" } else { "" };
        let step = |title: String, later| Step::to_do(StepId::Log, title + new, Action::AfterConsent(later));
        match &self.source {
            _ if due.is_empty() => Vec::new(),
            Source::Files { certificate, .. } => {
                let path = beside(certificate);
                let title = format!("issue log {}: {}", path.display(), count(due.len(), "certificate"));
                vec![step(title, Some(Box::new(Action::AppendLog { path, lines: String::new() })))]
            }
            Source::Secret(secret) => {
                // Not by its name, which in a dry run of bootstrap is that of a request that is thrown away.
                let title =
                    |org: &&MspId| format!("ConfigMap of the issue log of Secret {secret}: the certificate of {org}");
                due.iter().map(|org| step(title(org), None)).collect()
            }
        }
    }

    /// What the steps of the log do, in their order.
    pub(in crate::commands) fn log_actions(&self, new: &[Entry]) -> Vec<Action> {
        match &self.source {
            _ if new.is_empty() => Vec::new(),
            Source::Files { certificate, .. } => {
                let lines = new.iter().map(IssueLog::line).collect();
                vec![Action::AppendLog { path: beside(certificate), lines }]
            }
            Source::Secret(secret) => new.iter().map(|entry| Action::Create(object(secret, entry))).collect(),
        }
    }
}
