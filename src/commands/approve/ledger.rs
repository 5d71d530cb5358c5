//! The issue log: beside the CA's certificate, or as `ConfigMap`s where the CA is in a Secret.

use std::path::{Path, PathBuf};

use super::Approval;
use crate::{
    cluster::Object,
    commands::ca::authority::Source,
    failure::{Failure, Result},
    files,
    names::{MspId, ObjectName},
    pki::{
        inspect,
        log::{Entry, IssueLog},
        request::RequestDigest,
    },
    plan::{Action, Step, StepId},
    report::text::count,
};

/// The label that every `ConfigMap` of a log carries; its value is the CA's Secret.
const LOG_LABEL: &str = "substra-mtls/issue-log";

/// The item of such a `ConfigMap`.
const LOG_ITEM: &str = "issued.jsonl";

/// The log beside a CA's certificate: `orchestrator-ca.issued.jsonl` beside `orchestrator-ca.crt`. Beside the file itself:
/// a link in another folder must not begin a log of its own there.
pub(in crate::commands) fn beside(certificate: &Path) -> PathBuf {
    files::followed(certificate).with_extension("issued.jsonl")
}

/// The log of a file; empty where there is none yet.
pub(in crate::commands) fn of_file(certificate: &Path) -> Result<IssueLog> {
    let mut log = IssueLog::default();
    files::each_line(&beside(certificate), &mut |number, line| log.take(number, line))?;
    Ok(log)
}

/// The log of a CA that somebody names: a name that is mistyped is no CA without a log.
pub(in crate::commands) fn of_named(certificate: &Path) -> Result<IssueLog> {
    inspect::certificates(&files::read(certificate)?)?;
    of_file(certificate)
}

/// The log in the namespace, of one CA's Secret or of all.
pub(in crate::commands) fn of_cluster(cluster: &dyn crate::cluster::Cluster, secret: Option<&str>) -> Result<IssueLog> {
    let selector = secret.map_or_else(|| LOG_LABEL.to_owned(), |name| format!("{LOG_LABEL}={name}"));
    let mut log = IssueLog::default();
    // One a request; those of the first versions hold a batch each.
    for object in cluster.list("configmaps", &selector)? {
        let lines = object.data(LOG_ITEM).unwrap_or_default();
        let mut lines = lines.split_inclusive(|byte| *byte == b'\n').enumerate();
        lines.try_for_each(|(i, line)| log.take(i + 1, line)).map_err(|failure| {
            let what = format!("{}, in ConfigMap {}", failure.what, object.name());
            Failure { what, ..failure }
        })?;
    }
    Ok(log)
}

impl Approval<'_> {
    /// What was issued before under this CA.
    pub(in crate::commands) fn ledger(&self) -> Result<IssueLog> {
        match &self.source {
            Source::Files { certificate, .. } => of_file(certificate),
            Source::Secret(secret) => of_cluster(self.desk.cluster()?, Some(secret.as_str())),
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

/// Named after its request: whoever signs the same one at the same time finds the name taken, and nothing of theirs leaves.
fn object_name(secret: &ObjectName, request: RequestDigest) -> String {
    let digits: String = request.to_string().chars().take(32).collect();
    format!("{secret}-issued-{digits}")
}

fn object(secret: &ObjectName, entry: &Entry) -> Object {
    let name = object_name(secret, entry.request);
    Object::config_map(&name, &[(LOG_LABEL, secret.as_str())], &[(LOG_ITEM, &IssueLog::line(entry))])
}
