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

const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const SUBJECT_ALT_NAME: &str = "2.5.29.17";

/// The most issuers of a chain that are looked for; the real parties take more, federations have one or two.
const LONGEST: usize = 4;

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
    // Go looks at the leaf's dates before it looks for an issuer (`Certificate.Verify`).
    if rules == Rules::Go && !is_valid(leaf) {
        return Err(Fault::Expired);
    }
    let chains = issuers(leaf, others, roots, rules, LONGEST);
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

/// Every way from a certificate to a trusted one, issuers only. Issuers are found by the bytes of their name and by their
/// signature; key identifiers only order the candidates. A certificate that is itself trusted needs no issuer (both).
fn issuers<'a>(
    of: &Certificate,
    others: &'a [Certificate],
    roots: &'a [Certificate],
    rules: Rules,
    longest: usize,
) -> Vec<Vec<&'a Certificate>> {
    let mut chains: Vec<Vec<&Certificate>> =
        roots.iter().filter(|root| root.der == of.der).map(|_| Vec::new()).collect();
    let of_root = roots.iter().filter(|root| may_issue(root, true, rules) && of.is_signed_by(root));
    chains.extend(of_root.map(|root| vec![root]));
    if longest > 1 {
        let between = others.iter().filter(|one| one.der != of.der && may_issue(one, false, rules));
        for one in between.filter(|one| of.is_signed_by(one)) {
            let longer = issuers(one, others, roots, rules, longest - 1);
            chains.extend(longer.into_iter().map(|rest| [vec![one], rest].concat()));
        }
    }
    chains
}

/// A v3 issuer needs CA:TRUE; BoringSSL takes a trusted root without basicConstraints all the same (measured).
fn may_issue(certificate: &Certificate, trusted: bool, rules: Rules) -> bool {
    let signs = certificate.key_cert_sign != Some(false);
    let silent = !certificate.has_extension(BASIC_CONSTRAINTS);
    let ca = match (trusted, rules) {
        (true, Rules::Grpcio) => certificate.is_ca || silent,
        (true, Rules::Go) => certificate.is_ca || certificate.version < 3,
        (false, _) => certificate.is_ca,
    };
    signs && ca
}

/// Whether a server's certificate covers a name. Where there is no SAN of any kind, gRPC falls back to the CN, the first
/// one where there are several (measured); Go does not.
pub(super) fn covers(leaf: &Certificate, name: &str, rules: Rules) -> Result<(), Fault> {
    let has_alternative_names = leaf.has_extension(SUBJECT_ALT_NAME);
    let names = match rules {
        Rules::Grpcio if !has_alternative_names => leaf.common_names.get(..1).unwrap_or_default(),
        _ => leaf.dns_names.as_slice(),
    };
    let covers = |pattern: &String| match pattern.strip_prefix("*.") {
        Some(rest) => name.split_once('.').is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(rest)),
        None => pattern.eq_ignore_ascii_case(name),
    };
    if names.iter().any(covers) { Ok(()) } else { Err(Fault::Name) }
}
