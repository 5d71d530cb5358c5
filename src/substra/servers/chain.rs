//! What Go's and grpcio's verification of a chain have in common: roles, faults, and details of a certificate.

use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

use crate::pki::inspect::Certificate;

/// Whose rules a chain is verified by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// Go: crypto/x509 `Certificate.Verify`.
    Go,
    /// grpcio 1.66: BoringSSL and gRPC's own check of the name.
    Grpcio,
}

/// The role that a certificate is verified for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PeerRole {
    Client,
    Server,
}

/// Why a chain is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChainFault {
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

/// The most issuers in a chain; the real parties take more, federations have one or two.
pub(super) const MAX_ISSUERS: usize = 4;

/// What the parties look at and this tool's own checks do not.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CertificateDetails {
    /// It has a critical extension that is not understood.
    pub(super) unknown_critical: bool,
    /// It has a subjectAltName, of any kind.
    pub(super) alternative_names: bool,
    /// It has a keyUsage without digitalSignature.
    pub(super) no_signatures: bool,
    /// It has an extendedKeyUsage without serverAuth; anyExtendedKeyUsage is no serverAuth.
    pub(super) not_for_servers: bool,
    path_length: Option<u32>,
}

impl CertificateDetails {
    /// Reads them; what cannot be read is not understood.
    pub(super) fn of(certificate: &Certificate) -> Self {
        let Ok((_, parsed)) = X509Certificate::from_der(&certificate.der) else {
            return Self { unknown_critical: true, ..Self::default() };
        };
        let mut details = Self { unknown_critical: certificate.has_unknown_critical(), ..Self::default() };
        for extension in parsed.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(_) => details.alternative_names = true,
                ParsedExtension::KeyUsage(usage) => details.no_signatures = !usage.digital_signature(),
                ParsedExtension::ExtendedKeyUsage(usage) => details.not_for_servers = !usage.server_auth,
                ParsedExtension::BasicConstraints(limits) => details.path_length = limits.path_len_constraint,
                _ => {}
            }
        }
        details
    }

    /// Whether pathLenConstraint allows `between` intermediates below this CA (RFC 5280, 4.2.1.9).
    pub(super) fn allow_depth(self, between: usize) -> bool {
        self.path_length.is_none_or(|limit| usize::try_from(limit).is_ok_and(|limit| between <= limit))
    }
}
