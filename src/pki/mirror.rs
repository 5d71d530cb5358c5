//! The backend's mirror of the policy: what a returned certificate must be before it goes live.

use time::{Duration, OffsetDateTime};

use super::inspect::{self, Certificate};
use crate::{
    failure::{Exit, Failure},
    names::MspId,
};

/// What the certificate is judged against.
pub struct Expected<'a> {
    /// The DER of the public key that waits for it.
    pub spki: &'a [u8],
    /// The organization.
    pub msp_id: &'a MspId,
    /// The CAs that the backend's cluster trusts.
    pub authorities: &'a [Certificate],
    /// The time.
    pub now: OffsetDateTime,
}

/// The leaf of the file, if it may be installed.
///
/// # Errors
/// All findings.
pub fn judge(file: &str, bytes: &[u8], expected: &Expected<'_>) -> Result<Certificate, Vec<Failure>> {
    let certificates = inspect::certificates(bytes)
        .map_err(|found| vec![Failure { what: format!("{file} is not installed: {}", found.what), ..found }])?;
    let Some(leaf) = certificates.into_iter().next() else { return Err(Vec::new()) };
    let mut judge = Judge { file, found: Vec::new() };
    judge.identity(&leaf, expected);
    judge.dates(&leaf, expected);
    judge.chain(&leaf, expected);
    if judge.found.is_empty() { Ok(leaf) } else { Err(judge.found) }
}

struct Judge<'a> {
    file: &'a str,
    found: Vec<Failure>,
}

impl Judge<'_> {
    fn unless(&mut self, good: bool, code: &'static str, why: impl Into<String>, next: &str) {
        if !good {
            let what = format!("{} is not installed", self.file);
            self.found
                .push(Failure::new(Exit::Refused, code, what).why(why).next(next).unchanged("nothing was written"));
        }
    }

    fn identity(&mut self, leaf: &Certificate, expected: &Expected<'_>) {
        let again = "ask the orchestrator's operator for the certificate of your request";
        let orgs = leaf.organizations.iter().map(|o| inspect::printable(o)).collect::<Vec<_>>().join(", ");
        self.unless(
            leaf.spki == expected.spki,
            "other-key",
            "it is for another key than the one that waits here",
            "ask for the certificate of the latest request; enroll without --certificate shows its fingerprint",
        );
        let why = format!("its O is {orgs}, and this backend is {}", expected.msp_id);
        self.unless(leaf.organizations == [expected.msp_id.as_str()], "other-organization", why, again);
        self.unless(!leaf.is_ca, "is-a-ca", "it is the certificate of a CA", again);
        self.unless(
            leaf.client_auth() && !leaf.server_auth(),
            "usage",
            "its extended key usage is not client authentication alone: it could pose as a server",
            "ask for one that is signed with approve",
        );
    }

    fn dates(&mut self, leaf: &Certificate, expected: &Expected<'_>) {
        let why = format!("it is valid from {} on", leaf.not_before);
        self.unless(expected.now >= leaf.not_before, "not-yet-valid", why, "check this machine's clock, or wait");
        let why = format!("it ends on {}: less than a day is left", leaf.not_after);
        let next = "make a new request with enroll --new-request";
        self.unless(expected.now + Duration::DAY <= leaf.not_after, "ends", why, next);
    }

    fn chain(&mut self, leaf: &Certificate, expected: &Expected<'_>) {
        let issuer = expected.authorities.iter().find(|ca| leaf.is_signed_by(ca));
        let why = format!("it comes from {}, and no CA that this backend trusts signed it", leaf.issuer);
        let next = "if the federation has a CA of its own for clients, name its certificate with --client-ca";
        self.unless(issuer.is_some(), "other-ca", why, next);
        let Some(ca) = issuer else { return };
        let fits = leaf.authority_key_id.is_some() && leaf.authority_key_id == ca.subject_key_id;
        let why = "its authorityKeyIdentifier is missing or another: the server's identity check would refuse it";
        self.unless(fits, "no-key-id", why, "ask for one that is signed with approve");
        let why = format!("its CA ended on {}", ca.not_after);
        self.unless(
            expected.now < ca.not_after,
            "ca-expired",
            why,
            "the orchestrator's operator has to renew the CA first",
        );
    }
}
