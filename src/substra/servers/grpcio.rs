//! How grpcio judges a server's chain and name: BoringSSL and gRPC's own check, as measured with grpcio 1.66.2.

use time::OffsetDateTime;

use super::chain::{self, DIGITAL_SIGNATURE, Fault, LONGEST};
use crate::pki::inspect::Certificate;

/// serverAuth; anyExtendedKeyUsage does not stand for it here.
const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";

/// Goes from the leaf to a trusted certificate, without ever going back. Of a trusted one only the name, the key and the
/// dates count.
pub(super) fn judge(sent: &[Certificate], roots: &[Certificate], now: OffsetDateTime) -> Result<(), Fault> {
    let (leaf, others) = sent.split_first().ok_or(Fault::UnknownIssuer)?;
    // The handshake itself asks for this bit (KEY_USAGE_BIT_INCORRECT).
    if leaf.key_usage.is_some_and(|usage| usage & DIGITAL_SIGNATURE == 0) {
        return Err(Fault::Usage);
    }
    let mut end = leaf;
    for between in 0..LONGEST {
        is_sound(end, now)?;
        if roots.iter().any(|root| root.der == end.der) {
            return Ok(());
        }
        let trusted: Vec<&Certificate> = roots.iter().filter(|root| fits(end, root)).collect();
        if !trusted.is_empty() {
            return ends_in(end, &trusted, now);
        }
        end =
            others.iter().find(|other| other.der != end.der && fits(end, other)).ok_or(Fault::UnknownIssuer).and_then(
                |issuer| {
                    let signed = issuer.is_ca && end.is_signed_by(issuer);
                    let deep = chain::allows_depth(issuer, between);
                    if !signed {
                        Err(Fault::UnknownIssuer)
                    } else if deep {
                        Ok(issuer)
                    } else {
                        Err(Fault::Constraint)
                    }
                },
            )?;
    }
    Err(Fault::UnknownIssuer)
}

/// Which of several roots that fit is taken depends on their order in the bundle in a way that nobody can foresee (a heap
/// sort, measured over all orders of two to four roots), and no second one is tried: so all of them have to do.
fn ends_in(end: &Certificate, trusted: &[&Certificate], now: OffsetDateTime) -> Result<(), Fault> {
    if !trusted.iter().all(|root| end.is_signed_by(root)) {
        return Err(Fault::UnknownIssuer);
    }
    if trusted.iter().all(|root| is_valid(root, now)) { Ok(()) } else { Err(Fault::Expired) }
}

/// By name, by key identifiers where both have them, and by keyUsage.
fn fits(certificate: &Certificate, issuer: &Certificate) -> bool {
    let ids = (&certificate.authority_key_id, &issuer.subject_key_id);
    let same_key = if let (Some(asked), Some(has)) = ids { asked == has } else { true };
    certificate.issuer_der == issuer.subject_der && same_key && chain::may_sign_certificates(issuer)
}

/// What counts of certificates that were sent, intermediate ones too.
fn is_sound(certificate: &Certificate, now: OffsetDateTime) -> Result<(), Fault> {
    let usage = certificate.extended_key_usage.as_ref();
    if chain::has_unknown_critical(certificate) {
        return Err(Fault::Constraint);
    }
    if usage.is_some_and(|all| !all.iter().any(|one| one == SERVER_AUTH)) {
        return Err(Fault::Usage);
    }
    if is_valid(certificate, now) { Ok(()) } else { Err(Fault::Expired) }
}

fn is_valid(certificate: &Certificate, now: OffsetDateTime) -> bool {
    certificate.not_before <= now && now <= certificate.not_after
}

/// gRPC's `ssl_host_matches_name`: the dNSNames, or the first CN where there is no SAN of any kind. A wildcard is one whole
/// label before at least two others; a final dot does not count.
pub(super) fn covers(leaf: &Certificate, name: &str) -> Result<(), Fault> {
    let common_name = leaf.common_names.get(..1).unwrap_or_default();
    let names = if chain::has_alternative_names(leaf) { leaf.dns_names.as_slice() } else { common_name };
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
    if names.iter().any(fits) { Ok(()) } else { Err(Fault::Name) }
}
