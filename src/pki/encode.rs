//! Certificates in DER (RFC 5280): put together from raw bytes, and signed.

use der::{
    AnyRef, Decode, Encode, ErrorKind, Sequence,
    asn1::{
        Any, BitString, GeneralizedTime, Null, ObjectIdentifier, OctetString, SetOfVec, UintRef, UtcTime, Utf8StringRef,
    },
};
use time::OffsetDateTime;
use x509_cert::{
    attr::AttributeTypeAndValue,
    ext::Extension,
    name::{RdnSequence, RelativeDistinguishedName},
    spki::AlgorithmIdentifierOwned,
    time::{Time, Validity},
};

use super::{
    key::{KeyType, PrivateKey},
    oid,
};
use crate::failure::{Code, Exit, Failure};

/// What a certificate is to say. Names and the key are the raw bytes that they came in: Go looks for a certificate's CA
/// by the raw bytes of its name.
pub(crate) struct Contents<'a> {
    pub(crate) serial: &'a [u8],
    pub(crate) issuer: &'a [u8],
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
    pub(crate) subject: &'a [u8],
    pub(crate) spki: &'a [u8],
    /// Without any it is a certificate of X.509 v1.
    pub(crate) extensions: &'a [Extension],
}

/// `TBSCertificate` (section 4.1).
#[derive(Sequence)]
struct TbsCertificate<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    version: Option<u8>,
    serial: UintRef<'a>,
    signature: AlgorithmIdentifierOwned,
    issuer: AnyRef<'a>,
    validity: Validity,
    subject: AnyRef<'a>,
    spki: AnyRef<'a>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Vec<Extension>>,
}

/// `Certificate` (section 4.1) around signed bytes.
#[derive(Sequence)]
struct SignedCertificate<'a> {
    tbs: AnyRef<'a>,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

impl Contents<'_> {
    /// The whole certificate, signed with this key.
    ///
    /// # Errors
    /// `certificate-not-built` where a part is not DER or cannot be written as DER; the crypto library fails.
    pub(crate) fn sign(&self, key: &PrivateKey) -> Result<Vec<u8>, Failure> {
        let algorithm = signature_algorithm(key.key_type()).map_err(not_built)?;
        let tbs = self.tbs(algorithm.clone()).map_err(not_built)?;
        let signature = key.sign(&tbs)?;
        let whole = || -> der::Result<Vec<u8>> {
            let (tbs, signature) = (AnyRef::from_der(&tbs)?, BitString::from_bytes(&signature)?);
            SignedCertificate { tbs, algorithm, signature }.to_der()
        };
        whole().map_err(not_built)
    }

    fn tbs(&self, signature: AlgorithmIdentifierOwned) -> der::Result<Vec<u8>> {
        let is_v3 = !self.extensions.is_empty();
        TbsCertificate {
            version: is_v3.then_some(2),
            serial: UintRef::new(self.serial)?,
            signature,
            issuer: AnyRef::from_der(self.issuer)?,
            validity: Validity::new(time(self.not_before)?, time(self.not_after)?),
            subject: AnyRef::from_der(self.subject)?,
            spki: AnyRef::from_der(self.spki)?,
            extensions: is_v3.then(|| self.extensions.to_vec()),
        }
        .to_der()
    }
}

pub(crate) fn not_built(error: der::Error) -> Failure {
    Failure::new(Exit::Failed, Code::CertificateNotBuilt, "the certificate could not be built")
        .why(format!("encoding failed: {error}"))
        .next("report this as a bug, with the kind of the CA; nothing was issued")
}

/// The algorithm of a key's signatures.
pub(crate) fn signature_algorithm(key_type: KeyType) -> der::Result<AlgorithmIdentifierOwned> {
    let oid = match key_type {
        KeyType::EcdsaP256 => oid::SHA256_ECDSA,
        KeyType::EcdsaP384 => oid::SHA384_ECDSA,
        KeyType::Rsa2048 | KeyType::Rsa3072 | KeyType::Rsa4096 => oid::SHA256_RSA,
    };
    let parameters = key_type.is_rsa().then(|| Any::encode_from(&Null)).transpose()?;
    Ok(AlgorithmIdentifierOwned { oid, parameters })
}

/// A name with each attribute as an RDN of its own, UTF8String.
pub(crate) fn name<'t>(attributes: impl IntoIterator<Item = (ObjectIdentifier, &'t str)>) -> der::Result<Vec<u8>> {
    let mut rdns = RdnSequence::default();
    for (oid, text) in attributes {
        let value = Any::encode_from(&Utf8StringRef::new(text)?)?;
        let only = SetOfVec::try_from(vec![AttributeTypeAndValue { oid, value }])?;
        rdns.push(RelativeDistinguishedName::from(only));
    }
    rdns.to_der()
}

pub(crate) fn extension(extn_id: ObjectIdentifier, critical: bool, value: &impl Encode) -> der::Result<Extension> {
    Ok(Extension { extn_id, critical, extn_value: OctetString::new(value.to_der()?)? })
}

/// `UTCTime` to 2049, `GeneralizedTime` from 2050 (RFC 5280, section 4.1.2.5).
fn time(at: OffsetDateTime) -> der::Result<Time> {
    let seconds = u64::try_from(at.unix_timestamp()).map_err(|_| ErrorKind::DateTime)?;
    let since_1970 = std::time::Duration::from_secs(seconds);
    if at.year() < 2050 {
        UtcTime::from_unix_duration(since_1970).map(Time::UtcTime)
    } else {
        GeneralizedTime::from_unix_duration(since_1970).map(Time::GeneralTime)
    }
}
