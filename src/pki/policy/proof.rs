//! `proof-signer` to `proof-unverified`: whether the certificate that signed a proof may vouch for a renewal.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use time::OffsetDateTime;

use super::{PolicyContext, by_fingerprint, finding};
use crate::{
    failure::{Code, Failure},
    names::{Hostname, MspId},
    pki::{fingerprint::Fingerprint, inspect::Certificate, log::Entry, proof::Proof, request::Request},
    plain::excerpt,
    times,
};

/// The certificate that vouches for a renewal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predecessor {
    /// Its serial number, lower-case hexadecimal digits.
    pub serial: String,
    /// The fingerprint of its key.
    pub fingerprint: Fingerprint,
    /// Valid to.
    pub not_after: OffsetDateTime,
}

/// Judges whether the signer of `proof` may vouch for `request`, whose proof it is. `pool` holds the CAs that the
/// orchestrator accepts. A certificate vouches for one successor; where it is known to have one with another key, that is
/// told before anything else of it: the key may be in two hands.
///
/// # Errors
/// Codes `proof-signer`, `proof-organization`, `proof-second-successor`, `proof-alarm`, `proof-ended`, `proof-hosts`,
/// `proof-unverified`.
pub fn vouches(
    request: &Request,
    proof: &Proof,
    context: &PolicyContext<'_>,
    pool: &[Certificate],
) -> Result<Predecessor, Failure> {
    let signer = &proof.signer;
    let entry = logged(signer, &request.msp_id, context)?;
    of_the_organization(request, entry, signer)?;
    first_successor(request, entry, context)?;
    no_alarm(request, context)?;
    in_pool(signer, entry, pool)?;
    valid(signer, entry, context)?;
    newest(request, entry, context)?;
    same_hosts(request, signer)?;
    verified_beginning(entry, context)?;
    Ok(Predecessor { serial: signer.serial.clone(), fingerprint: signer.fingerprint(), not_after: signer.not_after })
}

/// `proof-signer`: the signer is an entry of the issue log, byte for byte.
fn logged<'a>(signer: &Certificate, own: &MspId, context: &PolicyContext<'a>) -> Result<&'a Entry, Failure> {
    let whole = STANDARD.encode(&signer.der);
    let mut entries = context.log.entries().iter();
    entries.clone().find(|entry| entry.certificate == whole).ok_or_else(|| {
        let why = if signer.is_ca {
            "it is the certificate of a CA".to_owned()
        } else if entries.any(|entry| entry.serial == signer.serial) {
            format!("the log has another certificate with its serial number {}", signer.serial)
        } else {
            format!("the issue log knows no certificate {} of {}", excerpt(&signer.serial), excerpt(&signer.subject))
        };
        finding(Code::ProofSigner, "its proof was made with a certificate that was not issued here")
            .why(why)
            .next(by_fingerprint(own))
    })
}

/// `proof-organization`: a certificate vouches for its own organization.
fn of_the_organization(request: &Request, entry: &Entry, signer: &Certificate) -> Result<(), Failure> {
    let own = &request.msp_id;
    if entry.organization == *own && signer.organizations == [own.as_str()] {
        return Ok(());
    }
    // The certificate tells; the log only where somebody has edited it.
    let mut named = signer.organizations.iter().map(String::as_str).chain([entry.organization.as_str()]);
    let other = excerpt(named.find(|named| *named != own.as_str()).unwrap_or_default());
    Err(finding(Code::ProofOrganization, format!("it names {own}, but its proof was made by {other}"))
        .why(format!("who has the key of {other}'s certificate {} asks to be {own}", entry.serial))
        .next(format!("ask {other} why its key signs a request of {own}; do not approve it")))
}

/// `proof-second-successor`: no entry with another key names the signer as what vouched for it. One that was given up when
/// the signer was kept does not count.
fn first_successor(request: &Request, entry: &Entry, context: &PolicyContext<'_>) -> Result<(), Failure> {
    let (own, serial) = (&request.msp_id, &entry.serial);
    let kept = context.log.current(own) == Some(entry);
    let mut vouched = context.log.entries().iter().filter(|next| next.predecessor.as_ref() == Some(serial));
    let Some(first) = vouched.find(|next| !kept && next.fingerprint != request.fingerprint) else { return Ok(()) };
    Err(finding(
        Code::ProofSecondSuccessor,
        format!("certificate {serial} of {own} vouched for another request already: its key may be stolen"),
    )
    .why(format!(
        "on {} it vouched for the key {}, which has the certificate {}; now, on {}, it signs a request with the key {}",
        times::rfc3339(first.time),
        first.fingerprint,
        first.serial,
        times::rfc3339(context.now),
        request.fingerprint
    ))
    .next(format!(
        "call {own}'s operator: if the first request was theirs and was lost, approve this one by the fingerprint that they read out; if not, somebody else has their key and the certificate {}: approve nothing of {own}; settle it with --settle {own} --keep SERIAL",
        first.serial
    )))
}

/// `proof-alarm`: nobody has yet said which of two keys is the organization's.
fn no_alarm(request: &Request, context: &PolicyContext<'_>) -> Result<(), Failure> {
    let own = &request.msp_id;
    let Some(alarm) = context.log.alarm(own) else { return Ok(()) };
    Err(finding(Code::ProofAlarm, format!("no certificate of {own} vouches for anything until an alarm is settled"))
        .why(format!(
            "on {} a second request, with the key {}, came signed by certificate {}, which had vouched for {}",
            times::rfc3339(alarm.time),
            alarm.fingerprint,
            excerpt(&alarm.predecessor),
            excerpt(&alarm.successor)
        ))
        .next(format!(
            "ask {own}'s operator which certificate is theirs, and settle the alarm: `approve --settle {own} --keep SERIAL`"
        )))
}

/// `proof-signer`: its CA is one that the orchestrator accepts.
fn in_pool(signer: &Certificate, entry: &Entry, pool: &[Certificate]) -> Result<(), Failure> {
    let issued = |ca: &Certificate| ca.fingerprint() == entry.authority && signer.is_signed_by(ca);
    if pool.iter().any(issued) {
        return Ok(());
    }
    Err(finding(Code::ProofSigner, "its proof was made with a certificate of a CA that is not accepted any more")
        .why(format!("certificate {} was issued by {}", entry.serial, excerpt(&signer.issuer)))
        .next(by_fingerprint(&entry.organization)))
}

/// `proof-ended`: the signer is valid now.
fn valid(signer: &Certificate, entry: &Entry, context: &PolicyContext<'_>) -> Result<(), Failure> {
    if (signer.not_before..=signer.not_after).contains(&context.now) {
        return Ok(());
    }
    let [from, to, now] = [signer.not_before, signer.not_after, context.now].map(times::rfc3339);
    Err(finding(Code::ProofEnded, "its proof was made with a certificate that is not valid now")
        .why(format!("certificate {} is valid from {from} to {to}, now is {now}", signer.serial))
        .next(by_fingerprint(&entry.organization)))
}

/// `proof-ended`: nothing newer was issued to the organization than the answer to this very request.
fn newest(request: &Request, entry: &Entry, context: &PolicyContext<'_>) -> Result<(), Failure> {
    let (own, serial) = (&request.msp_id, &entry.serial);
    let current = context.log.current(own);
    if current.is_some_and(|current| current == entry || current.fingerprint == request.fingerprint) {
        return Ok(());
    }
    let why = match current {
        Some(newer) if context.log.entries().iter().rev().find(|one| [newer, entry].contains(one)) == Some(newer) => {
            format!("certificate {serial} was replaced by {} on {}", newer.serial, times::rfc3339(newer.time))
        }
        Some(kept) => format!("certificate {serial} was given up when an alarm was settled: {} was kept", kept.serial),
        None => format!("certificate {serial} was given up when an alarm was settled"),
    };
    Err(finding(Code::ProofEnded, "its proof was made with a certificate that was replaced")
        .why(why)
        .next(by_fingerprint(own)))
}

/// `proof-hosts`: a certificate vouches for what it has, not for more and not for less.
fn same_hosts(request: &Request, signer: &Certificate) -> Result<(), Failure> {
    let asked: BTreeSet<&str> = request.hosts.iter().map(Hostname::as_str).collect();
    let had: BTreeSet<&str> = signer.dns_names.iter().map(String::as_str).collect();
    if asked == had {
        return Ok(());
    }
    let list = |hosts: &BTreeSet<&str>| hosts.iter().map(|host| excerpt(host)).collect::<Vec<_>>().join(", ");
    Err(finding(Code::ProofHosts, "its proof was made with a certificate that has other hosts")
        .why(format!("the request names {}; certificate {} has {}", list(&asked), signer.serial, list(&had)))
        .next(by_fingerprint(&request.msp_id)))
}

/// `proof-unverified`: the chain of renewals did not begin with a mail that nobody verified.
fn verified_beginning(entry: &Entry, context: &PolicyContext<'_>) -> Result<(), Failure> {
    if !context.log.began_unverified(entry) {
        return Ok(());
    }
    let serial = &entry.serial;
    let why = match &entry.predecessor {
        Some(before) => format!(
            "certificate {serial} is a renewal of {}; the first of these was issued without a compared fingerprint, or is not in the log",
            excerpt(before)
        ),
        None => {
            format!("certificate {serial} was issued on {} without a compared fingerprint", times::rfc3339(entry.time))
        }
    };
    Err(finding(Code::ProofUnverified, "its proof is worth no more than the mail that its first certificate came by")
        .why(why)
        .next(format!("this once, {}", by_fingerprint(&entry.organization))))
}
