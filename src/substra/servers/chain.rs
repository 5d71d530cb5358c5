//! What Go's and grpcio's judgement of a chain have in common: the words for a fault, and what a certificate allows.

use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

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
    /// A usage or key usage does not allow it.
    Usage,
    /// A path length is exceeded, or a critical extension is not understood.
    Constraint,
    /// It does not cover the name.
    Name,
}

/// keyUsage's bit for digitalSignature.
pub(super) const DIGITAL_SIGNATURE: u16 = 1;

/// The most issuers of a chain that are looked for; the real parties take more, federations have one or two.
pub(super) const LONGEST: usize = 4;

const KEY_CERT_SIGN: u16 = 1 << 5;

const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const SUBJECT_ALT_NAME: &str = "2.5.29.17";

/// Extensions that both parties understand when they are critical: key usage, alternative names, basic and name
/// constraints, policies, extended key usage.
const UNDERSTOOD: [&str; 6] = ["2.5.29.15", SUBJECT_ALT_NAME, BASIC_CONSTRAINTS, "2.5.29.30", "2.5.29.32", "2.5.29.37"];

/// Whether keyUsage, where there is one, has keyCertSign.
pub(super) fn may_sign_certificates(certificate: &Certificate) -> bool {
    certificate.key_usage.is_none_or(|usage| usage & KEY_CERT_SIGN != 0)
}

/// Whether it has a subjectAltName of any kind.
pub(super) fn has_alternative_names(certificate: &Certificate) -> bool {
    certificate.extensions.iter().any(|id| id == SUBJECT_ALT_NAME)
}

/// Whether a critical extension stands in it that is not understood.
pub(super) fn has_unknown_critical(certificate: &Certificate) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(&certificate.der) else { return true };
    let mut critical = parsed.extensions().iter().filter(|extension| extension.critical);
    critical.any(|extension| !UNDERSTOOD.contains(&extension.oid.to_id_string().as_str()))
}

/// Whether so many further CAs may stand between it and the leaf (RFC 5280, 4.2.1.9).
pub(super) fn allows_depth(certificate: &Certificate, between: usize) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(&certificate.der) else { return false };
    let mut limits = parsed.extensions().iter().filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::BasicConstraints(constraints) => constraints.path_len_constraint,
        _ => None,
    });
    limits.next().is_none_or(|limit| usize::try_from(limit).is_ok_and(|limit| between <= limit))
}
