//! Every request is checked, and which organization is meant is settled, before anything is signed.

use std::path::PathBuf;

use super::{Batch, sign::foreign_hosts};
use crate::{
    exchange::NOT_SIGNED,
    failure::{Code, Exit, Failure, Result},
    files,
    parallel::parallel,
    pki::{
        authority::Authority,
        fingerprint::{BadFingerprint, Fingerprint},
        log::IssueLog,
        policy::{self, BatchRequest, Claim, Identification},
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
struct Readable {
    path: PathBuf,
    request: Request,
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
        self.identified(passed)
    }

    /// `request-fingerprint`: somebody must have compared it over another channel.
    fn identified(&self, passed: Vec<Readable>) -> Result<Vec<VerifiedRequest>> {
        let claim = self.claim(&passed)?;
        self.approval.all_or_none(passed.into_iter().map(|Readable { path, request }| {
            let identified = policy::identify(&path.display().to_string(), &request, &claim)?;
            Ok(VerifiedRequest { path, request, identified })
        }))
    }

    /// What the operator says, on the command line or at the terminal.
    fn claim(&self, passed: &[Readable]) -> Result<Claim> {
        let Self { args, approval, .. } = self;
        let session = approval.session;
        let asks = args.fingerprint.is_empty() && session.console.interactive && !session.dry_run;
        match (args.unverified_mail, asks) {
            (true, _) => Ok(Claim::UnverifiedMail),
            (false, true) => Ok(Claim::Fingerprints(passed.iter().map(|one| self.typed(one)).collect::<Result<_>>()?)),
            (false, false) => Ok(Claim::Fingerprints(args.fingerprint.clone())),
        }
    }

    /// At a terminal the operator types what was read out to them; it is not shown before, so that it is not copied.
    fn typed(&self, passed: &Readable) -> Result<(crate::names::MspId, Fingerprint)> {
        let org = &passed.request.msp_id;
        let console = &self.approval.session.console;
        console.say(format!("{}: a request of {org} for {}", passed.path.display(), hosts(&passed.request)));
        foreign_hosts(&passed.request).into_iter().for_each(|foreign| console.say(format!("  {foreign}")));
        let question = format!("Fingerprint that {org}'s operator read out to you (8 groups): ");
        let fingerprint = console.ask_for(&question)?.map_err(|bad: BadFingerprint| {
            let what = format!("{} is not signed", passed.path.display());
            bad.typed(what).unchanged(NOT_SIGNED)
        })?;
        Ok((org.clone(), fingerprint))
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
            let what =
                format!("{} is not signed: {} is of {} too", one.path.display(), first.display(), one.request.msp_id);
            findings.push(
                Failure::new(Exit::Refused, Code::OrganizationTwice, what)
                    .why("one organization gets one certificate in a batch")
                    .next("ask that organization which request is meant, and approve that one"),
            );
        }
    }
    findings
}
