//! Makes proofs that no honest tool would make: each part of the CMS as raw DER.

use substra_mtls::pki::{fingerprint::Fingerprint, inspect::Certificate, key::PrivateKey};

use crate::forge::{ecdsa_sha256, oid, seq, set, tlv};

pub(crate) const DATA: &str = "1.2.840.113549.1.7.1";
pub(crate) const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
pub(crate) const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
pub(crate) const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
pub(crate) const SHA256: &str = "2.16.840.1.101.3.4.2.1";

/// A proof in parts; good until a part is changed.
pub(crate) struct Cms<'a> {
    pub(crate) kind: Vec<u8>,
    pub(crate) version: u8,
    pub(crate) digests: Vec<u8>,
    pub(crate) content: Vec<u8>,
    pub(crate) certificates: Vec<u8>,
    pub(crate) crls: Vec<u8>,
    pub(crate) signer_version: u8,
    pub(crate) id: Vec<u8>,
    pub(crate) digest: Vec<u8>,
    /// In the order in which they shall stand; without any there is no field either.
    pub(crate) attributes: Vec<Vec<u8>>,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) unsigned: Vec<u8>,
    pub(crate) more_signers: Vec<u8>,
    pub(crate) key: &'a PrivateKey,
}

/// A signed attribute.
pub(crate) fn signed(id: &str, values: &[&[u8]]) -> Vec<u8> {
    seq(&[&oid(id), &set(values)])
}

pub(crate) fn content_type() -> Vec<u8> {
    signed(CONTENT_TYPE, &[&oid(DATA)])
}

pub(crate) fn message_digest(over: &[u8]) -> Vec<u8> {
    signed(MESSAGE_DIGEST, &[&tlv(4, &sha256(over))])
}

/// SHA-256; the library shows it as the fingerprint of whatever bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    let digits = Fingerprint::of_spki(bytes).to_string();
    let digits = digits.trim_start_matches("SHA256:");
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// The issuer and serial number that name a certificate.
pub(crate) fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    let digits = &certificate.serial;
    let serial: Vec<u8> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    seq(&[&certificate.issuer_der, &tlv(2, &serial)])
}

/// The good proof over a request by a key on P-256.
pub(crate) fn proof<'a>(request: &[u8], key: &'a PrivateKey, certificate: &Certificate) -> Cms<'a> {
    let sha256 = seq(&[&oid(SHA256)]);
    Cms {
        kind: oid(SIGNED_DATA),
        version: 1,
        digests: set(&[&sha256]),
        content: seq(&[&oid(DATA)]),
        certificates: tlv(0xa0, &certificate.der),
        crls: Vec::new(),
        signer_version: 1,
        id: issuer_and_serial(certificate),
        digest: sha256,
        attributes: vec![content_type(), message_digest(request)],
        algorithm: ecdsa_sha256(),
        unsigned: Vec::new(),
        more_signers: Vec::new(),
        key,
    }
}

impl Cms<'_> {
    pub(crate) fn signer(&self) -> Vec<u8> {
        let attributes = self.attributes.concat();
        let signature = self.key.sign(&tlv(0x31, &attributes)).unwrap();
        let field = if attributes.is_empty() { Vec::new() } else { tlv(0xa0, &attributes) };
        let version = [2, 1, self.signer_version];
        seq(&[&version, &self.id, &self.digest, &field, &self.algorithm, &tlv(4, &signature), &self.unsigned])
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let signers = tlv(0x31, &[self.signer(), self.more_signers.clone()].concat());
        let version = [2, 1, self.version];
        let data = seq(&[&version, &self.digests, &self.content, &self.certificates, &self.crls, &signers]);
        seq(&[&self.kind, &tlv(0xa0, &data)])
    }
}
