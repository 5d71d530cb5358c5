//! Certificates as they are: read by another library than the one that made them.

use ::time::OffsetDateTime;
use x509_parser::prelude::{AttributeTypeAndValue, FromDer, GeneralName, ParsedExtension, X509Certificate};

use super::{
    fingerprint::{Fingerprint, hex},
    pem,
};
use crate::failure::{Exit, Failure, Result};

/// What a certificate says.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// Its bytes.
    pub der: Vec<u8>,
    /// 1 or 3.
    pub version: u32,
    /// Serial number in hexadecimal.
    pub serial: String,
    /// Every O of its subject.
    pub organizations: Vec<String>,
    /// Every CN of its subject.
    pub common_names: Vec<String>,
    /// Every dNSName of its SAN.
    pub dns_names: Vec<String>,
    /// Its issuer, for people.
    pub issuer: String,
    /// Its issuer's DER.
    pub issuer_der: Vec<u8>,
    /// Its subject, for people.
    pub subject: String,
    /// Its subject's DER.
    pub subject_der: Vec<u8>,
    /// From when it is valid.
    pub not_before: OffsetDateTime,
    /// Until when it is valid.
    pub not_after: OffsetDateTime,
    /// basicConstraints CA:TRUE.
    pub is_ca: bool,
    /// keyUsage's bits, digitalSignature lowest; `None` without the extension.
    pub key_usage: Option<u16>,
    /// extendedKeyUsage as dotted object identifiers; `None` without the extension.
    pub extended_key_usage: Option<Vec<String>>,
    /// subjectKeyIdentifier.
    pub subject_key_id: Option<Vec<u8>>,
    /// The keyid of authorityKeyIdentifier.
    pub authority_key_id: Option<Vec<u8>>,
    /// The object identifiers of all its extensions, dotted, in order.
    pub extensions: Vec<String>,
    /// The object identifier of its signature algorithm, dotted.
    pub signature_algorithm: String,
    /// The DER of its SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// The fingerprint of its key.
    pub fingerprint: Fingerprint,
}

const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
const ANY_USAGE: &str = "2.5.29.37.0";

impl Certificate {
    /// Reads a certificate; `None` where it is none, has bytes after it, or an extension twice.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (rest, parsed) = X509Certificate::from_der(der).ok()?;
        if !rest.is_empty() || parsed.extensions_map().is_err() {
            return None;
        }
        let names = |attributes: Vec<&AttributeTypeAndValue<'_>>| {
            attributes.into_iter().map(|a| a.as_str().map(str::to_owned).unwrap_or_default()).collect()
        };
        let subject = parsed.subject();
        let spki = parsed.public_key().raw.to_vec();
        Some(Self {
            version: parsed.version().0 + 1,
            serial: hex(parsed.raw_serial()),
            organizations: names(subject.iter_organization().collect()),
            common_names: names(subject.iter_common_name().collect()),
            dns_names: dns_names(&parsed),
            issuer: printable(&parsed.issuer().to_string()),
            issuer_der: parsed.issuer().as_raw().to_vec(),
            subject: printable(&subject.to_string()),
            subject_der: subject.as_raw().to_vec(),
            not_before: parsed.validity().not_before.to_datetime(),
            not_after: parsed.validity().not_after.to_datetime(),
            is_ca: parsed.is_ca(),
            key_usage: parsed.key_usage().ok()?.map(|usage| usage.value.flags),
            extended_key_usage: extended_key_usage(&parsed),
            subject_key_id: subject_key_id(&parsed),
            authority_key_id: authority_key_id(&parsed),
            extensions: parsed.extensions().iter().map(|e| e.oid.to_id_string()).collect(),
            signature_algorithm: parsed.signature_algorithm.algorithm.to_id_string(),
            fingerprint: Fingerprint::of_spki(&spki),
            spki,
            der: der.to_vec(),
        })
    }

    /// Whether it may be used by a client: clientAuth, any usage, or no extendedKeyUsage at all.
    #[must_use]
    pub fn client_auth(&self) -> bool {
        self.allows(CLIENT_AUTH)
    }

    /// Whether it may be used by a server; BoringSSL takes a certificate without extendedKeyUsage for one.
    #[must_use]
    pub fn server_auth(&self) -> bool {
        self.allows(SERVER_AUTH)
    }

    fn allows(&self, usage: &str) -> bool {
        self.extended_key_usage.as_ref().is_none_or(|all| all.iter().any(|one| one == usage || one == ANY_USAGE))
    }

    /// Whether `ca` is its issuer by name and its signature is `ca`'s.
    #[must_use]
    pub fn is_signed_by(&self, ca: &Self) -> bool {
        let (Ok((_, own)), Ok((_, ca_parsed))) =
            (X509Certificate::from_der(&self.der), X509Certificate::from_der(&ca.der))
        else {
            return false;
        };
        self.issuer_der == ca.subject_der && own.verify_signature(Some(ca_parsed.public_key())).is_ok()
    }

    /// One PEM block.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der).to_string()
    }
}

fn dns_names(parsed: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = parsed.subject_alternative_name() else { return Vec::new() };
    let dns =
        |name: &GeneralName<'_>| if let GeneralName::DNSName(name) = name { Some((*name).to_owned()) } else { None };
    names.value.general_names.iter().filter_map(dns).collect()
}

fn extended_key_usage(parsed: &X509Certificate<'_>) -> Option<Vec<String>> {
    let usage = parsed.extended_key_usage().ok()??.value;
    let known = [
        (usage.any, ANY_USAGE),
        (usage.server_auth, SERVER_AUTH),
        (usage.client_auth, CLIENT_AUTH),
        (usage.code_signing, "1.3.6.1.5.5.7.3.3"),
        (usage.email_protection, "1.3.6.1.5.5.7.3.4"),
        (usage.time_stamping, "1.3.6.1.5.5.7.3.8"),
        (usage.ocsp_signing, "1.3.6.1.5.5.7.3.9"),
    ];
    let named = known.into_iter().filter(|(set, _)| *set).map(|(_, oid)| oid.to_owned());
    Some(named.chain(usage.other.iter().map(x509_parser::asn1_rs::Oid::to_id_string)).collect())
}

fn subject_key_id(parsed: &X509Certificate<'_>) -> Option<Vec<u8>> {
    parsed.extensions().iter().find_map(|e| match e.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
        _ => None,
    })
}

fn authority_key_id(parsed: &X509Certificate<'_>) -> Option<Vec<u8>> {
    parsed.extensions().iter().find_map(|e| match e.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0.to_vec()),
        _ => None,
    })
}

/// Names come from others: what could move a terminal's cursor is shown as a space.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// All certificates of a PEM text, at least one, in order.
///
/// # Errors
/// There is none, one cannot be read, or something else stands among them: a private key above all.
pub fn certificates(text: &[u8]) -> Result<Vec<Certificate>> {
    let refuse = |code, what: &str| Failure::new(Exit::Refused, code, what);
    let found = pem::blocks(text);
    if found.blocks.iter().any(|block| block.label.ends_with("PRIVATE KEY")) {
        return Err(refuse("private-key", "a private key stands where only certificates belong")
            .why("whoever sent or stored it so may have shown it to others")
            .next("treat that key as burnt: make a new one, and have its certificate signed anew"));
    }
    if let Some(other) = found.blocks.iter().find(|block| block.label != "CERTIFICATE") {
        return Err(refuse("not-a-certificate", "something else than a certificate stands in the file")
            .why(format!("a PEM block {} is in it", printable(&other.label)))
            .next("name the file with the certificate"));
    }
    if found.blocks.is_empty() || found.torn {
        return Err(refuse("not-a-certificate", "there is no whole certificate in the file")
            .why(if found.torn {
                "a PEM block begins and does not end"
            } else {
                "no line -----BEGIN CERTIFICATE----- is in it"
            })
            .next("check that the right file is named and that it came through whole"));
    }
    let read = |block: &pem::Block| block.der.as_ref().and_then(|der| Certificate::from_der(der));
    let certificates: Option<Vec<Certificate>> = found.blocks.iter().map(read).collect();
    certificates.ok_or_else(|| {
        refuse("not-a-certificate", "a certificate in the file cannot be read")
            .why("what its PEM block holds is not an X.509 certificate")
            .next("ask for the file again")
    })
}
