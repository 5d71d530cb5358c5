//! Every request is checked before it is asked whose it is.

use std::path::{Path, PathBuf};

use super::Batch;
use crate::{
    exchange::NOT_SIGNED,
    failure::{Code, Exit, Failure, Result},
    files,
    parallel::parallel,
    pki::{
        authority::Authority,
        log::IssueLog,
        policy::{self, BatchRequest, Identification},
        request::Request,
    },
};

/// A request that passed, and its file.
pub(super) struct VerifiedRequest {
    pub(super) path: PathBuf,
    pub(super) request: Request,
    pub(super) identified: Identification,
}

/// A request that passed the policy; whose it is is not settled yet.
pub(super) struct Readable {
    pub(super) path: PathBuf,
    pub(super) request: Request,
}

impl Readable {
    fn party(&self) -> BatchRequest<'_> {
        let Request { msp_id, hosts, fingerprint, .. } = &self.request;
        BatchRequest { name: self.path.display().to_string(), msp_id, hosts, key: Some(*fingerprint) }
    }
}

impl Batch<'_> {
    /// All requests, or all findings of all of them.
    pub(super) fn judged(&self, authority: &Authority, log: &IssueLog) -> Result<Vec<VerifiedRequest>> {
        let requests = &self.args.requests;
        let verdicts = self.approval.with_circumstances(authority, log, |policy_context| {
            parallel(requests, |path| -> std::result::Result<Readable, Vec<Failure>> {
                let bytes = files::read(path).map_err(|failure| vec![failure])?;
                let request = policy::check_request(&path.display().to_string(), &bytes, policy_context)?;
                Ok(Readable { path: path.clone(), request })
            })
        });
        let (mut passed, mut findings) = (Vec::new(), Vec::new());
        for verdict in verdicts {
            match verdict {
                Ok(one) => passed.push(one),
                Err(found) => findings.extend(found),
            }
        }
        findings.extend(twice(&passed));
        findings.extend(policy::batch_conflicts(&passed.iter().map(Readable::party).collect::<Vec<_>>()));
        // Nobody is asked about a batch that is refused already.
        self.approval.session.refuse(findings, NOT_SIGNED)?;
        self.identified(authority, log, passed)
    }
}

pub(super) fn hosts(request: &Request) -> String {
    request.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Two requests of one organization in one batch: which one is meant cannot be known.
fn twice(passed: &[Readable]) -> Vec<Failure> {
    let mut seen = std::collections::BTreeMap::new();
    let mut findings = Vec::new();
    for one in passed {
        if let Some(first) = seen.insert(one.request.msp_id.clone(), &one.path) {
            findings.push(second_of(one, first));
        }
    }
    findings
}

/// The later one of two requests of one organization.
pub(super) fn second_of(one: &Readable, first: &Path) -> Failure {
    let what = format!("{} is not signed: {} is of {} too", one.path.display(), first.display(), one.request.msp_id);
    Failure::new(Exit::Refused, Code::OrganizationTwice, what)
        .why("one organization gets one certificate in a batch")
        .next("ask that organization which request is meant, and approve that one")
}
