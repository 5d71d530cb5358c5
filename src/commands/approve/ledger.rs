//! The issue log: beside the CA's certificate, or as `ConfigMap`s where the CA is in a Secret.

use std::path::{Path, PathBuf};

use super::Approval;
use crate::{
    cluster::Object,
    failure::{Failure, Result},
    files,
    pki::{
        inspect,
        log::{Entry, IssueLog},
    },
    plan::{Action, Step},
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
        match (&self.args.ca_cert, &self.args.ca_secret) {
            (Some(certificate), _) => of_file(certificate),
            (None, Some(secret)) => of_cluster(self.desk.cluster()?, Some(secret.as_str())),
            (None, None) => Ok(IssueLog::default()),
        }
    }

    /// The log before any certificate: one write and one sync for the whole batch in a file, an object for each request
    /// in a cluster.
    pub(in crate::commands) fn log_steps(&self, new: &[Entry]) -> Result<Vec<Step>> {
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let lines: String = new.iter().map(IssueLog::line).collect();
        let count = format!("{} certificate{}", new.len(), if new.len() == 1 { "" } else { "s" });
        if let Some(certificate) = &self.args.ca_cert {
            let path = beside(certificate);
            files::probe_folder(path.parent().unwrap_or(std::path::Path::new("")))?;
            let title = format!("issue log {}: {count}", path.display());
            return Ok(vec![Step::to_do("log", title, Action::AppendLog { path, lines })]);
        }
        let secret = self.args.ca_secret.as_ref().map(ToString::to_string).unwrap_or_default();
        Ok(new.iter().map(|entry| in_cluster(&secret, entry)).collect())
    }
}

/// Named after its request: whoever signs the same one at the same time finds the name taken, and nothing of theirs leaves.
fn in_cluster(secret: &str, entry: &Entry) -> Step {
    let digits: String = entry.request.to_string().chars().take(32).collect();
    let name = format!("{secret}-issued-{digits}");
    let title = format!("ConfigMap of the issue log of Secret {secret}: the certificate of {}", entry.organization);
    let object = Object::config_map(&name, &[(LOG_LABEL, secret)], &[(LOG_ITEM, &IssueLog::line(entry))]);
    Step::to_do("log", title, Action::Create(object))
}
