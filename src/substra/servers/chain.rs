//! Chains and names as Go's crypto/x509 and BoringSSL under grpcio judge them.

use time::OffsetDateTime;

use crate::pki::inspect::Certificate;

/// Whose rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// Go: crypto/x509 `Certificate.Verify`.
    Go,
    /// grpcio 1.66: BoringSSL and gRPC's own check of the name.
    Grpcio,
}

/// For what a certificate is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    Client,
    Server,
}

/// Why a chain is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// No trusted issuer.
    UnknownIssuer,
    /// A certificate of the chain, its root too, is not valid now (both look at the root's own dates).
    Expired,
    /// The extended key usage does not allow it.
    Usage,
    /// It does not cover the name.
    Name,
}

/// Judges what was sent, leaf first, against the trusted roots.
pub(super) fn judge(
    sent: &[Certificate],
    roots: &[Certificate],
    usage: Usage,
    rules: Rules,
    now: OffsetDateTime,
) -> Result<(), Fault> {
    let (leaf, others) = sent.split_first().ok_or(Fault::UnknownIssuer)?;
    let is_valid = |certificate: &Certificate| certificate.not_before <= now && now <= certificate.not_after;
    let chains = chains(leaf, others, roots);
    if chains.is_empty() {
        return Err(Fault::UnknownIssuer);
    }
    // Several roots of one name may stand in a bundle: one good chain is enough.
    let mut fault = Fault::Expired;
    for chain in chains {
        if !std::iter::once(leaf).chain(chain.iter().copied()).all(is_valid) {
            continue;
        }
        // Go counts the usages of the issuers too, a root's included (`checkChainForKeyUsage`); BoringSSL the leaf's.
        let issuers: &[&Certificate] = if rules == Rules::Go { &chain } else { &[] };
        if std::iter::once(leaf).chain(issuers.iter().copied()).all(|one| allows(one, usage)) {
            return Ok(());
        }
        fault = Fault::Usage;
    }
    Err(fault)
}

/// A certificate without extended key usage allows everything: X.509 v1 leaves too.
fn allows(certificate: &Certificate, usage: Usage) -> bool {
    match usage {
        Usage::Client => certificate.client_auth(),
        Usage::Server => certificate.server_auth(),
    }
}

/// Every way from the leaf to a root, issuers only. Issuers are found by the bytes of their name and by their signature;
/// key identifiers only order the candidates.
fn chains<'a>(leaf: &Certificate, others: &'a [Certificate], roots: &'a [Certificate]) -> Vec<Vec<&'a Certificate>> {
    let direct = roots.iter().filter(|root| may_issue(root) && leaf.is_signed_by(root)).map(|root| vec![root]);
    let longer = others.iter().filter(|mid| may_issue(mid) && leaf.is_signed_by(mid)).flat_map(|mid| {
        roots.iter().filter(move |root| may_issue(root) && mid.is_signed_by(root)).map(move |root| vec![mid, root])
    });
    // A certificate that is itself trusted needs no issuer.
    let trusted = roots.iter().filter(|root| root.der == leaf.der).map(|_| Vec::new());
    direct.chain(longer).chain(trusted).collect()
}

fn may_issue(certificate: &Certificate) -> bool {
    let signs = certificate.key_cert_sign != Some(false);
    signs && (certificate.is_ca || certificate.version < 3)
}

/// Whether a server's certificate covers a name. gRPC falls back to the CN where there is no SAN at all, Go does not.
pub(super) fn covers(leaf: &Certificate, name: &str, rules: Rules) -> Result<(), Fault> {
    let names = match rules {
        Rules::Grpcio if leaf.dns_names.is_empty() => &leaf.common_names,
        _ => &leaf.dns_names,
    };
    let covers = |pattern: &String| match pattern.strip_prefix("*.") {
        Some(rest) => name.split_once('.').is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(rest)),
        None => pattern.eq_ignore_ascii_case(name),
    };
    if names.iter().any(covers) { Ok(()) } else { Err(Fault::Name) }
}
