//! How Go verifies a chain and a name (crypto/x509 `verify.go`): every chain from the leaf to a root is tried.

use time::OffsetDateTime;

use super::chain::{CertificateDetails, ChainFault, MAX_ISSUERS, PeerRole};
use crate::pki::inspect::Certificate;

/// What chains are built of.
struct ChainBuilder<'a> {
    others: &'a [Certificate],
    roots: &'a [Certificate],
    now: OffsetDateTime,
}

/// `Certificate.Verify`: the leaf is checked before its issuer is looked for, one good chain is enough, and the usages of
/// every certificate of a chain count, a root's included (`checkChainForKeyUsage`).
pub(super) fn verify(
    sent: &[Certificate],
    roots: &[Certificate],
    usage: PeerRole,
    now: OffsetDateTime,
) -> Result<(), ChainFault> {
    let (leaf, others) = sent.split_first().ok_or(ChainFault::UnknownIssuer)?;
    let search = ChainBuilder { others, roots, now };
    search.is_valid(leaf, 0)?;
    let chains = search.chains(&[leaf])?;
    let allowed = |chain: &Vec<&Certificate>| chain.iter().all(|one| allows(one, usage));
    if chains.iter().any(allowed) { Ok(()) } else { Err(ChainFault::Usage) }
}

/// A certificate without extended key usage allows everything: X.509 v1 leaves too.
fn allows(certificate: &Certificate, usage: PeerRole) -> bool {
    match usage {
        PeerRole::Client => certificate.client_auth(),
        PeerRole::Server => certificate.server_auth(),
    }
}

impl<'a> ChainBuilder<'a> {
    /// Every chain that begins with `chain` and ends in a root. Issuers are found by the bytes of their name; key
    /// identifiers only order them (`findPotentialParents`).
    fn chains<'c>(&self, chain: &[&'c Certificate]) -> Result<Vec<Vec<&'c Certificate>>, ChainFault>
    where
        'a: 'c,
    {
        let Some(end) = chain.last() else { return Err(ChainFault::UnknownIssuer) };
        if self.roots.iter().any(|root| root.der == end.der) {
            return Ok(vec![chain.to_vec()]);
        }
        let mut found = Vec::new();
        let mut fault = ChainFault::UnknownIssuer;
        let roots = self.roots.iter().map(|one| (one, true));
        for (issuer, trusted) in roots.chain(self.others.iter().map(|one| (one, false))) {
            let met = chain.iter().any(|one| one.der == issuer.der);
            if met || chain.len() > MAX_ISSUERS || !may_issue(issuer, trusted) || !end.is_signed_by(issuer) {
                continue;
            }
            let longer = [chain, &[issuer]].concat();
            let state = self.is_valid(issuer, chain.len() - 1);
            match state.and_then(|()| if trusted { Ok(vec![longer]) } else { self.chains(&longer) }) {
                Ok(more) => found.extend(more),
                Err(why) => fault = why,
            }
        }
        if found.is_empty() { Err(fault) } else { Ok(found) }
    }

    /// `isValid`: critical extensions, dates, path length, a root's too.
    fn is_valid(&self, certificate: &Certificate, between: usize) -> Result<(), ChainFault> {
        let details = CertificateDetails::of(certificate);
        if details.unknown_critical {
            return Err(ChainFault::Constraint);
        }
        if self.now < certificate.not_before || certificate.not_after < self.now {
            return Err(ChainFault::Expired);
        }
        if details.allow_depth(between) { Ok(()) } else { Err(ChainFault::Constraint) }
    }
}

/// `CheckSignatureFrom`: v3 needs CA:TRUE, and so does every issuer that is not itself trusted.
fn may_issue(certificate: &Certificate, trusted: bool) -> bool {
    certificate.key_cert_sign != Some(false) && (certificate.is_ca || trusted && certificate.version < 3)
}

/// `VerifyHostname`: dNSNames alone, never the CN; a wildcard is one whole label.
pub(super) fn covers(leaf: &Certificate, name: &str) -> Result<(), ChainFault> {
    let fits = |pattern: &String| match pattern.strip_prefix("*.") {
        Some(rest) => name.split_once('.').is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(rest)),
        None => pattern.eq_ignore_ascii_case(name),
    };
    if leaf.dns_names.iter().any(fits) { Ok(()) } else { Err(ChainFault::Name) }
}
