//! The issue log: beside the CA's certificate, or as `ConfigMap`s where the CA is in a Secret.

use std::path::{Path, PathBuf};

use crate::{
    cluster::{Cluster, Object},
    failure::{Failure, Result},
    files,
    names::ObjectName,
    pki::{
        inspect,
        log::{Entry, IssueLog, Record},
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

/// Names that two operators would make for one thing at the same time: the second finds it taken, and nothing of theirs
/// leaves. A certificate is named after its request, a renewal after the certificate whose one successor it is.
fn object_name(secret: &ObjectName, record: &Record) -> String {
    match record {
        Record::Certificate(entry) => format!("{secret}-issued-{}", start_of(entry.request)),
        Record::Renewal(Entry { predecessor, request, .. }) => {
            let of = predecessor.clone().unwrap_or_else(|| start_of(*request));
            format!("{secret}-renewed-{of}")
        }
        Record::Alarm(alarm) => format!("{secret}-alarm-{}", start_of(alarm.request)),
        Record::Settlement(settled) => format!("{secret}-settled-{}", settled.time.unix_timestamp()),
    }
}

fn start_of(request: RequestDigest) -> String {
    request.to_string().chars().take(32).collect()
}

/// The `ConfigMap` of one record.
pub(crate) fn object(secret: &ObjectName, record: &Record) -> Object {
    let name = object_name(secret, record);
    Object::config_map(&name, &[(LOG_LABEL, secret.as_str())], &[(LOG_ITEM, &record.line())])
}
