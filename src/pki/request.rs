//! Certificate signing requests (PKCS#10, RFC 2986): made for a backend, and what an accepted one says.

use std::{fmt, str::FromStr};

use der::{Decode, SliceReader};
use rcgen::{CertificateParams, DistinguishedName, DnType, PublicKeyData, SignatureAlgorithm, SigningKey};
use serde::{Deserialize, Serialize};

use super::{
    fingerprint::{Fingerprint, from_hex, hex, sha256},
    inspect::Certificate,
    key::{KeyType, PrivateKey},
    pem,
    proof::{self, Proof},
};
use crate::{
    failure::{Code, Exit, Failure},
    names::{Hostname, MspId},
};

/// The PEM labels of a request (RFC 7468, section 7).
pub(super) const LABELS: [&str; 2] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/// SHA-256 of what a request asks (its DER `CertificationRequestInfo`), without the signature: ECDSA signatures differ
/// at each making, so that the same key and names are the same request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestDigest([u8; 32]);

/// The text is no digest of a request: not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the digest of a request is 64 hexadecimal digits")]
pub struct BadDigest;

impl RequestDigest {
    /// The digest of a DER `CertificationRequestInfo`.
    pub(super) fn of(info: &[u8]) -> Self {
        Self(sha256(info))
    }
}

impl fmt::Display for RequestDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for RequestDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RequestDigest {
    type Err = BadDigest;
    fn from_str(given: &str) -> Result<Self, BadDigest> {
        from_hex(given.as_bytes()).map(Self).ok_or(BadDigest)
    }
}

impl TryFrom<String> for RequestDigest {
    type Error = BadDigest;
    fn try_from(given: String) -> Result<Self, BadDigest> {
        given.parse()
    }
}

impl From<RequestDigest> for String {
    fn from(digest: RequestDigest) -> String {
        digest.to_string()
    }
}

/// A request that passed the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its O.
    pub msp_id: MspId,
    /// Its host names in lower case, CN first, then the subject alternative names, each once; never empty.
    pub hosts: Vec<Hostname>,
    /// Its public key, the raw DER `SubjectPublicKeyInfo`.
    pub spki: Vec<u8>,
    /// The kind of its key.
    pub key_type: KeyType,
    /// The fingerprint of its key.
    pub fingerprint: Fingerprint,
    /// What it asks, in one number.
    pub digest: RequestDigest,
    /// What it asks, in lines for people.
    pub asked: Vec<String>,
    /// What people should know although it passed.
    pub notes: Vec<String>,
    /// The proof that came with it; the policy has not yet said whether its signer may vouch.
    pub proof: Option<Proof>,
}

impl Request {
    /// Its names outside of the domain of the first one.
    #[must_use]
    pub fn foreign_hosts(&self) -> Vec<&Hostname> {
        let first = self.hosts.first().map_or("", Hostname::as_str);
        // The rest of a name of two labels is no domain of anybody's.
        let domain = first.split_once('.').map(|(_, domain)| domain).filter(|domain| domain.contains('.'));
        let domain = domain.unwrap_or(first);
        let within = |host: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        self.hosts.iter().filter(|host| !within(host.as_str())).collect()
    }
}

/// The DER of the one request in `pem`, which a proof may follow; checks nothing of either.
#[must_use]
pub fn der(pem: &[u8]) -> Option<Vec<u8>> {
    let scan = pem::scan(pem).ok()?;
    let block = match scan.blocks.as_slice() {
        [block] => block,
        [block, proof] if proof.label == proof::LABEL => block,
        _ => return None,
    };
    LABELS.contains(&block.label.as_str()).then(|| block.der.to_vec())
}

/// The file of a renewal: the one request in `pem`, and behind it the proof by the key of `certificate`.
///
/// # Errors
/// There is not one request; those of [`proof::create`].
pub fn vouched(pem: &[u8], key: &PrivateKey, certificate: &Certificate) -> Result<String, Failure> {
    let der = der(pem).ok_or_else(|| Failure::bug("a proof was to be made where no request is"))?;
    let proof = proof::create(&der, key, certificate)?;
    pem::write(LABELS[0], &der).map(|request| request + &proof)
}

/// The certificate whose key vouches for the request in `pem`; `None` without a proof that verifies.
#[must_use]
pub fn voucher(pem: &[u8]) -> Option<Certificate> {
    let request = der(pem)?;
    let scan = pem::scan(pem).ok()?;
    let block = scan.blocks.iter().find(|block| block.label == proof::LABEL)?;
    proof::read(&request, &block.der).ok().map(|proof| proof.signer)
}

/// The O of the one request in `pem`, of which nothing else is checked.
#[must_use]
pub fn organization(pem: &[u8]) -> Option<String> {
    let request = x509_cert::request::CertReq::from_der(&der(pem)?).ok()?;
    let organization = request.info.subject.iter().find(|attribute| attribute.oid == super::oid::ORGANIZATION)?;
    String::from_utf8(organization.value.value().to_vec()).ok()
}

/// The digest of the one request in `pem`; `None` where there is none that can be taken apart. Checks nothing else.
#[must_use]
pub fn digest(pem: &[u8]) -> Option<RequestDigest> {
    let scan = pem::scan(pem).ok()?;
    let mut requests = scan.blocks.iter().filter(|block| LABELS.contains(&block.label.as_str()));
    let block = requests.next().filter(|_| requests.next().is_none())?;
    info(&block.der).map(RequestDigest::of)
}

/// The raw bytes of the `CertificationRequestInfo`.
pub(super) fn info(der: &[u8]) -> Option<&[u8]> {
    let content = der::asn1::AnyRef::from_der(der).ok().filter(|any| der::Tagged::tag(any) == der::Tag::Sequence)?;
    let mut reader = SliceReader::new(content.value()).ok()?;
    let first = der::Reader::tlv_bytes(&mut reader).ok()?;
    Some(first)
}

/// Makes the request of a backend: O is the MSP ID, CN and subject alternative name are its host. A host of more than
/// 64 characters does not fit into a CN (RFC 5280, appendix A: `ub-common-name`): it is in the latter alone.
///
/// # Errors
/// When signing fails.
pub fn create(key: &PrivateKey, msp_id: &MspId, host: &Hostname) -> Result<String, Failure> {
    let not_made = || {
        Failure::new(Exit::Failed, Code::RequestNotMade, "the certificate signing request could not be made")
            .why(format!("signing for {msp_id} at {host} with the {} key failed", key.key_type()))
            .next("try again; if it persists, report this as a bug")
    };
    let mut params = CertificateParams::new([host.to_string()]).map_err(|_| not_made())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, msp_id.as_str());
    if host.as_str().len() <= 64 {
        params.distinguished_name.push(DnType::CommonName, host.as_str());
    }
    let request = params.serialize_request(key).map_err(|_| not_made())?;
    pem::write(LABELS[0], request.der())
}

impl PublicKeyData for PrivateKey {
    fn der_bytes(&self) -> &[u8] {
        self.public_bits()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.key_type() {
            KeyType::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            KeyType::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            KeyType::Rsa2048 | KeyType::Rsa3072 | KeyType::Rsa4096 => &rcgen::PKCS_RSA_SHA256,
        }
    }
}

impl SigningKey for PrivateKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        PrivateKey::sign(self, message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_and_names_are_the_same_request() {
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let (org, host) = ("MyOrg1MSP".parse().unwrap(), "backend.org-1.com".parse().unwrap());
        let (one, two) = (create(&key, &org, &host).unwrap(), create(&key, &org, &host).unwrap());
        assert_ne!(one, two);
        assert_eq!(digest(one.as_bytes()).unwrap(), digest(two.as_bytes()).unwrap());
        let other = create(&key, &"MyOrg2MSP".parse().unwrap(), &host).unwrap();
        assert_ne!(digest(one.as_bytes()), digest(other.as_bytes()));
        assert_eq!(digest(format!("{one}{one}").as_bytes()), None);
    }

    #[test]
    fn a_digest_reads_back() {
        let digest = RequestDigest::of(b"x");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("00".parse::<RequestDigest>().is_err());
    }
}
