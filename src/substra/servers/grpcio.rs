//! How grpcio verifies a server's chain and name: BoringSSL and gRPC's own check, as measured with grpcio 1.66.2.

use time::OffsetDateTime;

use super::chain::{CertificateDetails, ChainFault, MAX_ISSUERS};
use crate::pki::inspect::Certificate;

/// Goes from the leaf to a trusted certificate, without ever going back. Of a trusted one only the name, the key and the
/// dates count.
pub(super) fn verify(sent: &[Certificate], roots: &[Certificate], now: OffsetDateTime) -> Result<(), ChainFault> {
    let (leaf, others) = sent.split_first().ok_or(ChainFault::UnknownIssuer)?;
    // The handshake itself asks for this bit (KEY_USAGE_BIT_INCORRECT).
    if CertificateDetails::of(leaf).no_signatures {
        return Err(ChainFault::Usage);
    }
    let mut end = leaf;
    for between in 0..MAX_ISSUERS {
        check_sent(end, now)?;
        if roots.iter().any(|root| root.der == end.der) {
            return Ok(());
        }
        let trusted: Vec<&Certificate> = roots.iter().filter(|root| may_be_issuer(end, root)).collect();
        if !trusted.is_empty() {
            return ends_in(end, &trusted, now);
        }
        end = sent_issuer(end, others, between)?;
    }
    Err(ChainFault::UnknownIssuer)
}

/// The first of the sent certificates that fits, and no other.
fn sent_issuer<'a>(
    end: &Certificate,
    others: &'a [Certificate],
    between: usize,
) -> Result<&'a Certificate, ChainFault> {
    let issuer = others.iter().find(|other| other.der != end.der && may_be_issuer(end, other));
    let issuer = issuer.filter(|issuer| issuer.is_ca && end.is_signed_by(issuer)).ok_or(ChainFault::UnknownIssuer)?;
    if CertificateDetails::of(issuer).allow_depth(between) { Ok(issuer) } else { Err(ChainFault::Constraint) }
}

/// Which of several matching roots BoringSSL takes depends on their order in the bundle, unpredictably (a heap sort,
/// measured over all orders of two to four roots), and it tries no second one: so all of them must verify.
fn ends_in(end: &Certificate, trusted: &[&Certificate], now: OffsetDateTime) -> Result<(), ChainFault> {
    if !trusted.iter().all(|root| end.is_signed_by(root)) {
        return Err(ChainFault::UnknownIssuer);
    }
    if trusted.iter().all(|root| is_valid(root, now)) { Ok(()) } else { Err(ChainFault::Expired) }
}

/// Whether it may be the issuer: by name, by key identifiers where both have them, and by keyUsage.
fn may_be_issuer(certificate: &Certificate, issuer: &Certificate) -> bool {
    let ids = (&certificate.authority_key_id, &issuer.subject_key_id);
    let same_key = if let (Some(asked), Some(has)) = ids { asked == has } else { true };
    certificate.issuer_der == issuer.subject_der && same_key && issuer.key_cert_sign != Some(false)
}

/// The checks of certificates that were sent: the leaf and intermediates.
fn check_sent(certificate: &Certificate, now: OffsetDateTime) -> Result<(), ChainFault> {
    let details = CertificateDetails::of(certificate);
    if details.unknown_critical {
        return Err(ChainFault::Constraint);
    }
    if details.not_for_servers {
        return Err(ChainFault::Usage);
    }
    if is_valid(certificate, now) { Ok(()) } else { Err(ChainFault::Expired) }
}

fn is_valid(certificate: &Certificate, now: OffsetDateTime) -> bool {
    certificate.not_before <= now && now <= certificate.not_after
}

/// gRPC's `ssl_host_matches_name`: the dNSNames, or the first CN where there is no SAN of any kind. A wildcard is one whole
/// label before at least two others; a final dot does not count.
pub(super) fn covers(leaf: &Certificate, name: &str) -> Result<(), ChainFault> {
    let common_name = leaf.common_names.get(..1).unwrap_or_default();
    let names = if CertificateDetails::of(leaf).alternative_names { leaf.dns_names.as_slice() } else { common_name };
    let name = name.trim_end_matches('.');
    let fits = |pattern: &String| {
        let pattern = pattern.trim_end_matches('.');
        match pattern.strip_prefix("*.") {
            Some(rest) => {
                let parent = name.split_once('.').map(|(_, parent)| parent);
                rest.contains('.') && parent.is_some_and(|parent| parent.eq_ignore_ascii_case(rest))
            }
            None => pattern.eq_ignore_ascii_case(name),
        }
    };
    if names.iter().any(fits) { Ok(()) } else { Err(ChainFault::Name) }
}
