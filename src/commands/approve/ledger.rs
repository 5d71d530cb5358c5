//! The issue log: beside the CA's certificate, or as `ConfigMap`s where the CA is in a Secret.

use std::path::PathBuf;

use super::Approval;
use crate::{
    cluster::Object,
    failure::Result,
    files,
    pki::log::{Entry, IssueLog},
    plan::{Action, Step},
};

/// The label that every `ConfigMap` of a log carries; its value is the CA's Secret.
const LOG_LABEL: &str = "substra-mtls/issue-log";

/// The item of such a `ConfigMap`.
const LOG_ITEM: &str = "issued.jsonl";

/// The log beside a CA's certificate: `orchestrator-ca.issued.jsonl` beside `orchestrator-ca.crt`.
pub(in crate::commands) fn beside(certificate: &std::path::Path) -> PathBuf {
    certificate.with_extension("issued.jsonl")
}

/// The log of a file; empty where there is none yet.
pub(in crate::commands) fn of_file(certificate: &std::path::Path) -> Result<IssueLog> {
    match files::read_if_there(&beside(certificate))? {
        Some(bytes) => IssueLog::parse(&String::from_utf8_lossy(&bytes)),
        None => Ok(IssueLog::default()),
    }
}

/// The log in the namespace, of one CA's Secret or of all.
pub(in crate::commands) fn of_cluster(cluster: &dyn crate::cluster::Cluster, secret: Option<&str>) -> Result<IssueLog> {
    let selector = secret.map_or_else(|| LOG_LABEL.to_owned(), |name| format!("{LOG_LABEL}={name}"));
    let batches = cluster.list("configmaps", &selector)?;
    let mut bytes = Vec::new();
    for batch in &batches {
        bytes.extend_from_slice(&batch.data(LOG_ITEM).unwrap_or_default());
    }
    IssueLog::parse(&String::from_utf8_lossy(&bytes))
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

    /// The log before any certificate: one write and one sync for the whole batch.
    pub(in crate::commands) fn log_step(&self, new: &[Entry]) -> Result<Option<Step>> {
        if new.is_empty() {
            return Ok(None);
        }
        let lines: String = new.iter().map(IssueLog::line).collect();
        let count = format!("{} certificate{}", new.len(), if new.len() == 1 { "" } else { "s" });
        if let Some(certificate) = &self.args.ca_cert {
            let path = beside(certificate);
            files::probe_folder(path.parent().unwrap_or(std::path::Path::new("")))?;
            let title = format!("issue log {}: {count}", path.display());
            return Ok(Some(Step::to_do("log", title, Action::AppendLog { path, lines })));
        }
        let secret = self.args.ca_secret.as_ref().map(ToString::to_string).unwrap_or_default();
        // Named after its first request: a second operator with the same one finds the name taken, and then the log.
        let request = new.first().map(|entry| entry.request.to_string().chars().take(16).collect::<String>());
        let name = format!("{secret}-issued-{}", request.unwrap_or_default());
        let title = format!("ConfigMap {name}: issue log, {count}");
        let object = Object::config_map(&name, &[(LOG_LABEL, &secret)], &[(LOG_ITEM, &lines)]);
        Ok(Some(Step::to_do("log", title, Action::Create(object))))
    }
}
