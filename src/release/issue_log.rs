//! The issue log: beside the CA's certificate, or as `ConfigMap`s where the CA is in a Secret.

use std::path::{Path, PathBuf};

use crate::{
    cluster::{Cluster, Object},
    failure::{Failure, Result},
    files,
    names::ObjectName,
    pki::{
        inspect,
        log::{Entry, IssueLog},
        request::RequestDigest,
    },
};

/// The label that every `ConfigMap` of a log carries; its value is the CA's Secret.
const LOG_LABEL: &str = "substra-mtls/issue-log";

/// The item of such a `ConfigMap`.
const LOG_ITEM: &str = "issued.jsonl";

/// The log beside a CA's certificate: `orchestrator-ca.issued.jsonl` beside `orchestrator-ca.crt`. Beside the file itself:
/// a link in another folder must not begin a log of its own there.
pub(crate) fn beside(certificate: &Path) -> PathBuf {
    files::followed(certificate).with_extension("issued.jsonl")
}

/// The log of a file; empty where there is none yet.
pub(crate) fn of_file(certificate: &Path) -> Result<IssueLog> {
    let mut log = IssueLog::default();
    files::each_line(&beside(certificate), &mut |number, line| log.take(number, line))?;
    Ok(log)
}

/// The log of a CA that somebody names: a name that is mistyped is no CA without a log.
pub(crate) fn of_named(certificate: &Path) -> Result<IssueLog> {
    inspect::certificates(&files::read(certificate)?)?;
    of_file(certificate)
}

/// The log in the namespace, of one CA's Secret or of all.
pub(crate) fn of_cluster(cluster: &dyn Cluster, secret: Option<&str>) -> Result<IssueLog> {
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
    log.sort();
    Ok(log)
}

/// Named after its request: who signs the same one at the same time finds the name taken, and nothing of theirs leaves.
fn object_name(secret: &ObjectName, request: RequestDigest) -> String {
    let digits: String = request.to_string().chars().take(32).collect();
    format!("{secret}-issued-{digits}")
}

/// The `ConfigMap` of one entry.
pub(crate) fn object(secret: &ObjectName, entry: &Entry) -> Object {
    let name = object_name(secret, entry.request);
    Object::config_map(&name, &[(LOG_LABEL, secret.as_str())], &[(LOG_ITEM, &entry.line())])
}
