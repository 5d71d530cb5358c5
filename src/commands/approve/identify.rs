//! Whose a request is: by a compared fingerprint, by the key of the certificate before, or by the operator's word.

use super::{
    Batch,
    sign::foreign_hosts,
    verify::{Readable, VerifiedRequest, hosts},
};
use crate::{
    exchange::NOT_SIGNED,
    failure::{Code, Failure, Result},
    names::MspId,
    pki::{
        authority::Authority,
        fingerprint::{BadFingerprint, Fingerprint},
        log::IssueLog,
        policy::{self, Claim, Identification, proof::Predecessor},
    },
};

/// What the proof of a request is worth; `None` where it has none.
type Vouching = Option<Result<Predecessor>>;

impl Batch<'_> {
    /// `request-fingerprint`, or why a proof does not do: nothing else shows whose a request is.
    pub(super) fn identified(
        &self,
        authority: &Authority,
        log: &IssueLog,
        passed: Vec<Readable>,
    ) -> Result<Vec<VerifiedRequest>> {
        let vouching = |one: &Readable| self.approval.vouching(authority, log, &one.request);
        let each: Vec<(Readable, Vouching)> = passed
            .into_iter()
            .map(|one| {
                let vouching = vouching(&one);
                (one, vouching)
            })
            .collect();
        let claim = self.claim(&each)?;
        let mut second = Vec::new();
        let identified = self.approval.all_or_none(each.into_iter().map(|(one, vouching)| {
            let identified = self.identify(&one, &claim, vouching).map_err(|failure| {
                if failure.code != Code::ProofSecondSuccessor || self.approval.session.dry_run {
                    return failure;
                }
                second.push(one.request.clone());
                failure.unchanged(ALARM_RAISED)
            })?;
            Ok(VerifiedRequest { path: one.path, request: one.request, identified })
        }));
        self.approval.raise(log, &second)?;
        identified
    }

    fn identify(&self, one: &Readable, claim: &Claim, vouching: Vouching) -> Result<Identification> {
        let (file, request) = (one.path.display().to_string(), &one.request);
        if claim.speaks_of(request) {
            let identified = policy::identify(&file, request, claim)?;
            return Ok(match vouching {
                Some(Ok(predecessor)) => Identification::Renewal { predecessor, compared: true },
                _ => identified,
            });
        }
        match vouching {
            Some(Ok(predecessor)) if !self.args.require_fingerprint => {
                Ok(Identification::Renewal { predecessor, compared: false })
            }
            Some(Err(failure)) if is_alarm(&failure) || *claim != Claim::UnverifiedMail => Err(of_file(&file, failure)),
            _ => policy::identify(&file, request, claim),
        }
    }

    /// What the operator says, on the command line or at the terminal: there of requests that nothing vouches for.
    fn claim(&self, each: &[(Readable, Vouching)]) -> Result<Claim> {
        let Self { args, approval, .. } = self;
        let session = approval.session;
        if args.unverified_mail {
            return Ok(Claim::UnverifiedMail);
        }
        if !args.fingerprint.is_empty() || !session.console.interactive || session.dry_run {
            return Ok(Claim::Fingerprints(args.fingerprint.clone()));
        }
        let asked = each.iter().filter(|(_, vouching)| match vouching {
            None => true,
            Some(Ok(_)) => args.require_fingerprint,
            Some(Err(failure)) => !is_alarm(failure),
        });
        Ok(Claim::Fingerprints(asked.map(|(one, vouching)| self.typed(one, vouching.as_ref())).collect::<Result<_>>()?))
    }

    /// At a terminal the operator types what was read out to them; it is not shown before, so that it is not copied.
    fn typed(&self, one: &Readable, vouching: Option<&Result<Predecessor>>) -> Result<(MspId, Fingerprint)> {
        let org = &one.request.msp_id;
        let console = &self.approval.session.console;
        console.say(format!("{}: a request of {org} for {}", one.path.display(), hosts(&one.request)));
        foreign_hosts(&one.request).into_iter().for_each(|foreign| console.say(format!("  {foreign}")));
        if let Some(Err(failure)) = vouching {
            console.say(format!("  {}: {}", failure.what, failure.why));
        }
        let question = format!("Fingerprint that {org}'s operator read out to you (8 groups): ");
        let fingerprint = console.ask_for(&question)?.map_err(|bad: BadFingerprint| {
            let what = format!("{} is not signed", one.path.display());
            bad.typed(what).unchanged(NOT_SIGNED)
        })?;
        Ok((org.clone(), fingerprint))
    }
}

/// What is so where a run ends with an alarm.
const ALARM_RAISED: &str = "nothing was signed; the alarm is in the issue log";

/// Whether a proof is not only worth nothing, but shows that a key may be in two hands: the mail's word is no answer.
pub(super) fn is_alarm(failure: &Failure) -> bool {
    matches!(failure.code, Code::ProofSecondSuccessor | Code::ProofAlarm)
}

/// The same of a file.
pub(super) fn of_file(file: &str, failure: Failure) -> Failure {
    Failure { what: format!("{file}: {}", failure.what), ..failure }
}
