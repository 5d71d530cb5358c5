//! CMS `SignedData` (RFC 5652) as a proof has it: the structures, and the one form of them that is read.

use aws_lc_rs::digest;
use der::{
    Any, Choice, Decode, Encode, Sequence, Tag, Tagged,
    asn1::{ObjectIdentifier, OctetString, OctetStringRef, SetOfVec},
};
use x509_cert::{attr::Attribute, name::Name, serial_number::SerialNumber, spki::AlgorithmIdentifierOwned};

use crate::pki::{inspect::Certificate, key::KeyType, oid};

/// `ContentInfo` (section 3).
#[derive(Sequence)]
pub(super) struct ContentInfo {
    pub(super) content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) content: SignedData,
}

/// `SignedData` (section 5.1). What its sets hold is read when it is known that there is one of it.
#[derive(Sequence)]
pub(super) struct SignedData {
    pub(super) version: u8,
    pub(super) digests: SetOfVec<AlgorithmIdentifierOwned>,
    pub(super) content: Content,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) certificates: Option<SetOfVec<Any>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) crls: Option<SetOfVec<Any>>,
    pub(super) signers: SetOfVec<Any>,
}

/// `EncapsulatedContentInfo` (section 5.2).
#[derive(Sequence)]
pub(super) struct Content {
    pub(super) content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) content: Option<Any>,
}

/// `SignerInfo` (section 5.3).
#[derive(Sequence)]
pub(super) struct Signer {
    pub(super) version: u8,
    pub(super) id: SignerId,
    pub(super) digest: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) signed: Option<SetOfVec<Attribute>>,
    pub(super) algorithm: AlgorithmIdentifierOwned,
    pub(super) signature: OctetString,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) unsigned: Option<SetOfVec<Attribute>>,
}

/// `SignerIdentifier` (section 5.3): whose certificate the signer's is.
#[derive(Choice)]
pub(super) enum SignerId {
    IssuerAndSerial(IssuerAndSerial),
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    SubjectKeyId(OctetString),
}

/// `IssuerAndSerialNumber` (section 10.2.4).
#[derive(Sequence, PartialEq)]
pub(super) struct IssuerAndSerial {
    pub(super) issuer: Name,
    pub(super) serial: SerialNumber,
}

impl IssuerAndSerial {
    /// What names this certificate.
    pub(super) fn of(certificate: &Certificate) -> der::Result<Self> {
        let certificate = x509_cert::Certificate::from_der(&certificate.der)?;
        let signed = certificate.tbs_certificate();
        Ok(Self { issuer: signed.issuer().clone(), serial: signed.serial_number().clone() })
    }
}

/// The digest over the request, which is the signature's too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Sha256,
    /// Of a key on P-384 alone: the crypto library signs with it over no other.
    Sha384,
}

impl Digest {
    /// The one that a key of this kind signs over.
    pub(super) fn of(key_type: KeyType) -> Self {
        match key_type {
            KeyType::EcdsaP384 => Self::Sha384,
            KeyType::EcdsaP256 | KeyType::Rsa2048 | KeyType::Rsa3072 | KeyType::Rsa4096 => Self::Sha256,
        }
    }

    pub(super) fn algorithm(self) -> AlgorithmIdentifierOwned {
        let oid = match self {
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
        };
        AlgorithmIdentifierOwned { oid, parameters: None }
    }

    pub(super) fn over(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
        };
        digest::digest(algorithm, bytes).as_ref().to_vec()
    }

    fn read(algorithm: &AlgorithmIdentifierOwned) -> Option<Self> {
        let known = [Self::Sha256, Self::Sha384].into_iter().find(|known| known.algorithm().oid == algorithm.oid);
        known.filter(|_| algorithm.parameters.as_ref().is_none_or(Any::is_null))
    }

    /// The algorithm of a signature over this digest; RSA may be named without its digest (RFC 3370, section 3.2).
    fn signature(self, algorithm: AlgorithmIdentifierOwned) -> Option<AlgorithmIdentifierOwned> {
        let oid = match (self, algorithm.oid) {
            (Self::Sha256, oid::RSA) => oid::SHA256_RSA,
            (Self::Sha256, oid::SHA256_RSA | oid::SHA256_ECDSA) | (Self::Sha384, oid::SHA384_ECDSA) => algorithm.oid,
            _ => return None,
        };
        Some(AlgorithmIdentifierOwned { oid, ..algorithm })
    }
}

/// What a proof says, in the one form; nothing of it is verified yet.
pub(super) struct Parts {
    pub(super) certificate: Certificate,
    pub(super) digest: Digest,
    /// The digest that it names of what it is over.
    pub(super) message_digest: Vec<u8>,
    /// The signed attributes, as the signature covers them (section 5.4).
    pub(super) signed: Vec<u8>,
    pub(super) algorithm: AlgorithmIdentifierOwned,
    pub(super) signature: Vec<u8>,
}

/// Reads a proof.
///
/// # Errors
/// What is not as it must be, as the reason of a refusal.
pub(super) fn read(der: &[u8]) -> Result<Parts, String> {
    let SignedData { version, digests, content, certificates, crls, signers } = signed_data(der)?;
    if content.content_type != oid::DATA {
        return Err(format!("it is over content of another type ({})", content.content_type));
    }
    if content.content.is_some() {
        return Err("it holds content of its own: a proof is over the request beside it".to_owned());
    }
    if crls.is_some() {
        return Err("it holds revocation lists".to_owned());
    }
    let certificate = one(certificates.as_ref().map_or(&[], SetOfVec::as_ref), "certificate")?;
    if certificate.tag() != Tag::Sequence {
        return Err("it holds a certificate of another kind than X.509".to_owned());
    }
    let certificate = certificate.to_der().map_err(|error| error.to_string())?;
    let certificate = Certificate::from_der(&certificate)
        .map_err(|failure| format!("the certificate in it cannot be read: {}", failure.why))?;
    let signer = one(signers.as_ref(), "signer")?.to_der().map_err(|error| error.to_string())?;
    let signer: Signer = strict(&signer).ok_or("what it says of its signer is not in strict DER")?;
    let names_key = named(&signer.id, &certificate)?;
    // Section 5.1 and 5.3: 3 where the signer is named by its key identifier, else 1.
    let expected = if names_key { 3 } else { 1 };
    if (version, signer.version) != (expected, expected) {
        return Err(format!("its versions are {version} and {}: both have to be {expected}", signer.version));
    }
    let digest = one(digests.as_ref(), "digest algorithm")?;
    parts(certificate, digest, signer)
}

fn parts(certificate: Certificate, digest: &AlgorithmIdentifierOwned, signer: Signer) -> Result<Parts, String> {
    let Signer { digest: own, signed, algorithm, signature, unsigned, .. } = signer;
    let digest = Digest::read(digest)
        .filter(|digest| Digest::read(&own) == Some(*digest))
        .ok_or("its digest is neither SHA-256 nor, with a key on P-384, SHA-384")?;
    let algorithm = digest
        .signature(algorithm)
        .ok_or("its signature algorithm is neither ECDSA nor RSA (PKCS#1 v1.5) over the digest that it names")?;
    if unsigned.is_some() {
        return Err("it has attributes that its signature does not cover".to_owned());
    }
    let signed = signed.ok_or("it has no signed attributes")?;
    let content_type = value(&signed, oid::CONTENT_TYPE, "contentType")?;
    let message_digest = value(&signed, oid::MESSAGE_DIGEST, "messageDigest")?;
    if content_type.decode_as::<ObjectIdentifier>().ok() != Some(oid::DATA) {
        return Err("its signed attribute contentType is not that of data".to_owned());
    }
    let message_digest =
        message_digest.decode_as::<&OctetStringRef>().map_err(|_| "its signed attribute messageDigest is no digest")?;
    let message_digest = message_digest.as_bytes().to_vec();
    let signed = signed.to_der().map_err(|error| error.to_string())?;
    Ok(Parts { certificate, digest, message_digest, signed, algorithm, signature: signature.into_bytes().into_vec() })
}

fn signed_data(der: &[u8]) -> Result<SignedData, String> {
    let whole: ContentInfo = strict(der).ok_or("it is not SignedData of CMS in strict DER, or is damaged")?;
    if whole.content_type != oid::SIGNED_DATA {
        return Err(format!("it is CMS of another type ({})", whole.content_type));
    }
    Ok(whole.content)
}

/// Written again, it has to be the same bytes: then every program reads it in the same way.
fn strict<T: for<'a> Decode<'a> + Encode>(der: &[u8]) -> Option<T> {
    T::from_der(der).ok().filter(|read| read.to_der().ok().as_deref() == Some(der))
}

fn one<'a, T>(items: &'a [T], what: &str) -> Result<&'a T, String> {
    match items {
        [only] => Ok(only),
        several => Err(format!("it has {} {what}s instead of one", several.len())),
    }
}

/// Whether the signer is named by its key identifier; either way it has to be the certificate inside.
fn named(id: &SignerId, certificate: &Certificate) -> Result<bool, &'static str> {
    let (is_it, names_key) = match id {
        SignerId::IssuerAndSerial(named) => {
            (IssuerAndSerial::of(certificate).is_ok_and(|meant| meant == *named), false)
        }
        SignerId::SubjectKeyId(named) => (certificate.subject_key_id.as_deref() == Some(named.as_bytes()), true),
    };
    is_it.then_some(names_key).ok_or("it names another signer than the certificate that it holds")
}

/// The one value of an attribute that stands there once (sections 11.1 and 11.2).
fn value<'a>(attributes: &'a SetOfVec<Attribute>, oid: ObjectIdentifier, name: &str) -> Result<&'a Any, String> {
    let found: Vec<&Attribute> = attributes.iter().filter(|attribute| attribute.oid == oid).collect();
    match found.as_slice() {
        [only] if only.values.len() == 1 => only.values.get(0),
        _ => None,
    }
    .ok_or_else(|| format!("its signed attribute {name} is missing, or has not just one value"))
}
