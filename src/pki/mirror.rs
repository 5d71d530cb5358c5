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
    let mut found = Vec::new();
    let Some(leaf) = certificates.into_iter().next() else { return Err(found) };
    let mut unless = |good: bool, code, why: String, next: &str| {
        if !good {
            found.push(
                Failure::new(Exit::Refused, code, format!("{file} is not installed"))
                    .why(why)
                    .next(next)
                    .unchanged("nothing was written"),
            );
        }
    };
    let again = "ask the orchestrator's operator for the certificate of your request";
    let orgs = leaf.organizations.iter().map(|o| inspect::printable(o)).collect::<Vec<_>>().join(", ");
    unless(
        leaf.spki == expected.spki,
        "other-key",
        "it is for another key than the one that waits here".to_owned(),
        "ask for the certificate of the latest request, or run enroll without --certificate to see its fingerprint",
    );
    unless(
        leaf.organizations == [expected.msp_id.as_str()],
        "other-organization",
        format!("its O is {orgs}, and this backend is {}", expected.msp_id),
        again,
    );
    unless(!leaf.is_ca, "is-a-ca", "it is the certificate of a CA".to_owned(), again);
    unless(
        leaf.client_auth() && !leaf.server_auth(),
        "usage",
        "its extended key usage is not client authentication alone: it could pose as a server".to_owned(),
        "ask for one that is signed with approve",
    );
    unless(
        expected.now >= leaf.not_before,
        "not-yet-valid",
        format!("it is valid from {} on", leaf.not_before),
        "check this machine's clock, or wait",
    );
    unless(
        expected.now + Duration::DAY <= leaf.not_after,
        "ends",
        format!("it ends on {}: less than a day is left", leaf.not_after),
        "make a new request with enroll --new-request",
    );
    let issuer = expected.authorities.iter().find(|ca| leaf.is_signed_by(ca));
    unless(
        issuer.is_some(),
        "other-ca",
        format!("it comes from {}, and no CA that this backend trusts signed it", leaf.issuer),
        "if the federation has a CA of its own for clients, name its certificate with --client-ca",
    );
    if let Some(ca) = issuer {
        let fits = leaf.authority_key_id.is_some() && leaf.authority_key_id == ca.subject_key_id;
        unless(
            fits,
            "no-key-id",
            "its authorityKeyIdentifier is missing or another: the server's identity check would refuse it".to_owned(),
            "ask for one that is signed with approve",
        );
        unless(
            expected.now < ca.not_after,
            "ca-expired",
            format!("its CA ended on {}", ca.not_after),
            "the orchestrator's operator has to renew the CA first",
        );
    }
    if found.is_empty() { Ok(leaf) } else { Err(found) }
}
