//! Certificates of an issue log that are alive and can do harm: `check` and `gate close` judge them alike.

use time::OffsetDateTime;

use super::ReleaseState;
use crate::{
    pki::{
        inspect::Certificate,
        log::{Entry, IssueLog},
    },
    substra::orchestrator::Orchestrator,
};

/// What is wrong with a certificate that was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IssuedProblemKind {
    /// It carries a name of the orchestrator.
    Poses,
    /// It may be a server, under names of its own.
    Serves,
    /// The identity check refuses it, or lets it in as another organization.
    Refused,
}

/// The same in words.
pub(crate) struct IssuedProblem {
    pub(crate) kind: IssuedProblemKind,
    /// "ORG's certificate 01ab.. carries orchestrator.example.org, a name of the orchestrator: its holder can pose as it".
    pub(crate) said: String,
}

/// Every name under which the orchestrator is known: its own, its probe's, and those of its pair.
pub(crate) fn names(orchestrator: &Orchestrator, release: &ReleaseState, pair: Option<&Certificate>) -> Vec<String> {
    let mut names = orchestrator.own_names(release.name.as_str(), &release.record.namespace);
    names.extend(release.manifest.probe_name());
    names.extend(pair.into_iter().flat_map(|leaf| leaf.dns_names.iter().cloned()));
    names
}

/// A name of the orchestrator that a certificate covers: by its SAN, or by its CN, to which gRPC falls back.
pub(crate) fn poses<'a>(leaf: &Certificate, names: &'a [String]) -> Option<&'a String> {
    let said = |name: &String| leaf.common_names.iter().any(|cn| cn.eq_ignore_ascii_case(name));
    names.iter().find(|name| leaf.covers(name) || said(name))
}

/// What is wrong with those that are alive.
pub(crate) fn troubles<'a>(
    log: &'a IssueLog,
    names: &[String],
    now: OffsetDateTime,
) -> Vec<(&'a Entry, IssuedProblem)> {
    let of = |entry: &'a Entry| {
        let found = entry.decoded().map(|leaf| judge(entry, &leaf, names)).unwrap_or_default();
        found.into_iter().map(move |trouble| (entry, trouble))
    };
    log.unexpired(now).flat_map(of).collect()
}

fn judge(entry: &Entry, leaf: &Certificate, names: &[String]) -> Vec<IssuedProblem> {
    let trouble = |kind, what: &str| {
        let said = format!("{}'s certificate {} {what}", entry.organization, entry.serial);
        IssuedProblem { kind, said }
    };
    let mut found = Vec::new();
    if let Some(name) = poses(leaf, names) {
        // Measured: who dials refuses a certificate for clients alone, whatever its names.
        let what = if leaf.server_auth() {
            "its holder can pose as it"
        } else {
            "only its usage keeps its holder from posing as it"
        };
        found.push(trouble(IssuedProblemKind::Poses, &format!("carries {name}, a name of the orchestrator: {what}")));
    } else if leaf.server_auth() {
        found.push(trouble(IssuedProblemKind::Serves, "may be a server"));
    }
    if leaf.authority_key_id.is_none() || leaf.organizations != [entry.organization.as_str()] {
        found.push(trouble(
            IssuedProblemKind::Refused,
            "would be refused by the identity check, or accepted as another",
        ));
    }
    found
}
