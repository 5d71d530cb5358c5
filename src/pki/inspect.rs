//! Certificates as they are: the facts that the servers and the checks look at, read by x509-parser.

use aws_lc_rs::digest;
use der::asn1::ObjectIdentifier;
use time::OffsetDateTime;
use x509_cert::der::{Decode as _, Encode as _};
use x509_parser::{
    certificate::X509Certificate,
    der_parser::asn1_rs::FromDer,
    extensions::{GeneralName, ParsedExtension},
    x509::SubjectPublicKeyInfo,
};

use self::name::{readable, text};
use super::{
    fingerprint::{Fingerprint, hex, sha256},
    oid, pem,
};
use crate::{
    failure::{Code, Exit, Failure},
    plain::excerpt,
};

mod name;

/// One extension of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extension {
    /// None where it is longer than any that is known.
    pub(super) oid: Option<ObjectIdentifier>,
    pub(super) critical: bool,
    pub(super) value: Vec<u8>,
}

/// What a certificate says. Its texts are untrusted; show them through [`Certificate::subject`] and the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The whole certificate.
    pub der: Vec<u8>,
    /// 1 or 3 (RFC 5280, section 4.1.2.1, counts from 0).
    pub version: u32,
    /// Each O of the subject, in its order.
    pub organizations: Vec<String>,
    /// Each CN of the subject, in its order.
    pub common_names: Vec<String>,
    /// Each dNSName of the subject alternative name.
    pub dns_names: Vec<String>,
    /// The key id that names the issuer's key (RFC 5280, section 4.2.1.1).
    pub authority_key_id: Option<Vec<u8>>,
    /// The key id of its own key (RFC 5280, section 4.2.1.2).
    pub subject_key_id: Option<Vec<u8>>,
    /// Whether basic constraints say that it is a CA.
    pub is_ca: bool,
    /// Valid from.
    pub not_before: OffsetDateTime,
    /// Valid to, inclusive.
    pub not_after: OffsetDateTime,
    /// The serial number in lower-case hexadecimal digits, without leading zero bytes.
    pub serial: String,
    /// The issuer's name, DER.
    pub issuer_der: Vec<u8>,
    /// The subject's name, DER.
    pub subject_der: Vec<u8>,
    /// The issuer's name for people, for example `CN=Orchestrator Root CA`.
    pub issuer: String,
    /// The subject's name for people, for example `O=MyOrg1MSP, CN=backend.org-1.com`.
    pub subject: String,
    /// The public key, DER `SubjectPublicKeyInfo`.
    pub spki: Vec<u8>,
    pub(super) usages: Option<Usages>,
    /// Whether keyUsage has keyCertSign; `None` without the extension.
    pub key_cert_sign: Option<bool>,
    signature_oid: Option<ObjectIdentifier>,
    pub(super) extensions: Vec<Extension>,
}

/// Extended key usages, as far as they matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usages {
    client: bool,
    server: bool,
    /// "Any" counts for Go, and for OpenSSL and BoringSSL not.
    named_client: bool,
}

/// Extensions that both servers' libraries understand when they are critical: key usage, alternative names, basic and
/// name constraints, policies, extended key usage. OpenSSL knows more, Go before 1.22 no policy constraints.
const UNDERSTOOD: [ObjectIdentifier; 6] = [
    oid::KEY_USAGE,
    oid::SUBJECT_ALT_NAME,
    oid::BASIC_CONSTRAINTS,
    oid::NAME_CONSTRAINTS,
    oid::CERTIFICATE_POLICIES,
    oid::EXT_KEY_USAGE,
];

/// Reads every certificate of a PEM file, in its order. Text around the blocks is passed over.
///
/// # Errors
/// Codes: `certificate-file-damaged`, `certificate-file-holds-key`, `certificate-file-other-block`,
/// `certificate-file-empty`, `certificate-damaged`.
pub fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, Failure> {
    if pem::shows_private_key(pem) {
        return Err(bad(Code::CertificateFileHoldsKey, "a private key stands where only certificates may")
            .why("a certificate file is handed around, a private key must not be")
            .next(
                "give a file with only the certificate; if this file was ever sent, that key is compromised: make a new one",
            ));
    }
    let scan = pem::scan(pem).map_err(|_| {
        bad(Code::CertificateFileDamaged, "the certificate file cannot be read")
            .why(if pem.starts_with(b"\xef\xbb\xbf") {
                "it starts with a byte order mark, over which grpcio stumbles too"
            } else {
                "a PEM block is cut off or is not base64"
            })
            .next("fetch the file again, as an attachment rather than as text in a mail")
    })?;
    let mut certificates = Vec::new();
    for block in &scan.blocks {
        // Go passes over other labels and over blocks with headers (`x509.AppendCertsFromPEM`).
        if block.headers || block.label != "CERTIFICATE" {
            return Err(bad(Code::CertificateFileOtherBlock, "something other than a certificate stands in the file")
                .why(format!("it holds a block of {}", excerpt(&block.label)))
                .next(match block.label.as_str() {
                    "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                        "this is a request (.csr): give the certificate (.crt)"
                    }
                    _ => "give a file with only CERTIFICATE blocks",
                }));
        }
        certificates.push(Certificate::from_der(&block.der)?);
    }
    if certificates.is_empty() {
        return Err(none());
    }
    Ok(certificates)
}

/// A file without any certificate.
pub(super) fn none() -> Failure {
    bad(Code::CertificateFileEmpty, "there is no certificate in the file")
        .why("no block `-----BEGIN CERTIFICATE-----` was found")
        .next("give the certificate in PEM form; `openssl x509 -inform DER` converts a binary one")
}

fn bad(code: Code, what: &str) -> Failure {
    Failure::new(Exit::CheckFailed, code, what)
}

impl Certificate {
    /// Reads one DER certificate.
    ///
    /// # Errors
    /// Code `certificate-damaged` when it is no X.509 certificate, has bytes after its end, or an extension twice.
    pub fn from_der(der: &[u8]) -> Result<Self, Failure> {
        let damaged = |why: &str| {
            bad(Code::CertificateDamaged, "a certificate cannot be read")
                .why(why)
                .next("get the certificate again from its issuer")
        };
        let (rest, x509) =
            X509Certificate::from_der(der).map_err(|_| damaged("its content is not that of an X.509 certificate"))?;
        if !rest.is_empty() {
            return Err(damaged("bytes follow after its end"));
        }
        // The reader passes over wrong tags around the signed part; OpenSSL and Go do not, and could not load it.
        let strict = x509_cert::Certificate::from_der(der).and_then(|certificate| certificate.to_der());
        if strict.ok().as_deref() != Some(der) {
            return Err(damaged("it is not in strict DER"));
        }
        // The readers take one of 444 bits as well; a verifier would refuse it, or pass over the bits that are left.
        if x509.signature_value.unused_bits != 0 {
            return Err(damaged("its signature is not a whole number of bytes"));
        }
        // Go refuses it, and which of the two counts would differ from program to program.
        if x509.extensions_map().is_err() {
            return Err(damaged("an extension stands in it twice"));
        }
        Ok(Self::of(der, &x509))
    }

    fn of(der: &[u8], x509: &X509Certificate<'_>) -> Self {
        let mut certificate = Self {
            der: der.to_vec(),
            version: x509.version().0 + 1,
            organizations: x509.subject().iter_organization().map(text).collect(),
            common_names: x509.subject().iter_common_name().map(text).collect(),
            dns_names: Vec::new(),
            authority_key_id: None,
            subject_key_id: None,
            is_ca: false,
            not_before: x509.validity().not_before.to_datetime(),
            not_after: x509.validity().not_after.to_datetime(),
            serial: hex(trimmed(x509.raw_serial())),
            issuer_der: x509.issuer().as_raw().to_vec(),
            subject_der: x509.subject().as_raw().to_vec(),
            issuer: readable(x509.issuer()),
            subject: readable(x509.subject()),
            spki: x509.public_key().raw.to_vec(),
            usages: None,
            key_cert_sign: None,
            signature_oid: oid::of(&x509.signature_algorithm.algorithm),
            extensions: Vec::new(),
        };
        for extension in x509.extensions() {
            certificate.extensions.push(Extension {
                oid: oid::of(&extension.oid),
                critical: extension.critical,
                value: extension.value.to_vec(),
            });
            certificate.take(extension.parsed_extension());
        }
        certificate
    }

    fn take(&mut self, extension: &ParsedExtension<'_>) {
        match extension {
            ParsedExtension::SubjectAlternativeName(names) => {
                self.dns_names.extend(names.general_names.iter().filter_map(|name| match name {
                    GeneralName::DNSName(host) => Some((*host).to_owned()),
                    _ => None,
                }));
            }
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                self.authority_key_id = id.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            ParsedExtension::SubjectKeyIdentifier(id) => self.subject_key_id = Some(id.0.to_vec()),
            ParsedExtension::BasicConstraints(constraints) => self.is_ca = constraints.ca,
            ParsedExtension::KeyUsage(usage) => self.key_cert_sign = Some(usage.key_cert_sign()),
            ParsedExtension::ExtendedKeyUsage(usage) => {
                let (client, server) = (usage.any || usage.client_auth, usage.any || usage.server_auth);
                self.usages = Some(Usages { client, server, named_client: usage.client_auth });
            }
            _ => {}
        }
    }

    /// Whether the extended key usage allows it to be a client: named, "any", or no such extension at all.
    #[must_use]
    pub fn client_auth(&self) -> bool {
        self.usages.is_none_or(|usages| usages.client)
    }

    /// Whether the extended key usage allows it to be a server: named, "any", or no such extension at all. Then its
    /// holder can pose as the orchestrator.
    #[must_use]
    pub fn server_auth(&self) -> bool {
        self.usages.is_none_or(|usages| usages.server)
    }

    /// Whether whatever it signs may be a client for everybody, OpenSSL included: it names clients, or nothing.
    #[must_use]
    pub fn signs_clients(&self) -> bool {
        self.usages.is_none_or(|usages| usages.named_client)
    }

    /// Whether it has a critical extension that a server does not understand: it and all below it are refused.
    #[must_use]
    pub fn has_unknown_critical(&self) -> bool {
        let understood = |extension: &Extension| extension.oid.is_some_and(|oid| UNDERSTOOD.contains(&oid));
        self.extensions.iter().any(|extension| extension.critical && !understood(extension))
    }

    /// Whether it has an extended key usage at all.
    #[must_use]
    pub fn has_eku(&self) -> bool {
        self.usages.is_some()
    }

    /// Whether a name is among its alternative names, as Go's `VerifyHostname` looks: a wildcard stands for one whole
    /// label, and the CN does not count.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        self.dns_names.iter().any(|san| match san.strip_prefix("*.") {
            Some(rest) => name.split_once('.').is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(rest)),
            None => san.eq_ignore_ascii_case(name),
        })
    }

    /// Whether two thirds of its life are over: time to renew it.
    #[must_use]
    pub fn is_in_last_third(&self, now: OffsetDateTime) -> bool {
        now > self.not_before + (self.not_after - self.not_before) * 2 / 3
    }

    /// One PEM block; the PEM text of a DER that was read cannot be too long.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write("CERTIFICATE", &self.der).unwrap_or_default()
    }

    /// The fingerprint of its public key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_spki(&self.spki)
    }

    /// SHA-256 of the whole certificate.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.der)
    }

    /// Whether the key of `ca` made its signature, with SHA-2, and its issuer is the subject of `ca`, byte for byte.
    /// Says nothing of times, usages or constraints.
    #[must_use]
    pub fn is_signed_by(&self, ca: &Certificate) -> bool {
        let (Ok((_, leaf)), Ok((_, key))) =
            (X509Certificate::from_der(&self.der), SubjectPublicKeyInfo::from_der(&ca.spki))
        else {
            return false;
        };
        self.issuer_der == ca.subject_der && !self.has_weak_signature() && leaf.verify_signature(Some(&key)).is_ok()
    }

    /// Whether it is signed over SHA-1 or MD5, which Go and gRPC refuse.
    pub(super) fn has_weak_signature(&self) -> bool {
        let weak = [oid::MD2_RSA, oid::MD5_RSA, oid::SHA1_RSA, oid::SHA1_RSA_OF_OIW, oid::SHA1_ECDSA];
        self.signature_oid.is_some_and(|oid| weak.contains(&oid))
    }
}

/// The SHA-256 key identifier of RFC 7093, section 2, method 1: the first 160 bits over the key's bit string.
pub(super) fn key_id(spki: &[u8]) -> Option<Vec<u8>> {
    let (_, key) = SubjectPublicKeyInfo::from_der(spki).ok()?;
    Some(digest::digest(&digest::SHA256, &key.subject_public_key.data).as_ref()[..20].to_vec())
}

fn trimmed(serial: &[u8]) -> &[u8] {
    let zeros = serial.iter().take_while(|&&b| b == 0).count();
    &serial[zeros.min(serial.len().saturating_sub(1))..]
}
