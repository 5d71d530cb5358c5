//! Certificate signing requests (RFC 2986): made, and told apart.

use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, SanType};
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde::{Deserialize, Serialize};
use x509_cert::{
    der::{Decode, Encode},
    request::CertReq,
};

use super::{
    fingerprint::{Fingerprint, hex, sha256},
    key::{KeyType, PrivateKey},
    pem,
};
use crate::{
    failure::{Exit, Failure, Result},
    names::{Hostname, MspId},
};

/// SHA-256 of a CertificationRequestInfo (DER), in hexadecimal. The signature is left out: ECDSA's differs at each
/// making, and the same key with the same names is the same request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestDigest(String);

impl RequestDigest {
    pub(super) fn of_info(info: &[u8]) -> Self {
        Self(hex(&sha256(info)))
    }
}

/// A request that passed the policy.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its one O.
    pub msp_id: MspId,
    /// CN first, then the SANs, each once, in lower case.
    pub hosts: Vec<Hostname>,
    /// The DER of its SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// The kind of its key.
    pub key_type: KeyType,
    /// The fingerprint of its key.
    pub fingerprint: Fingerprint,
    /// Which request it is.
    pub digest: RequestDigest,
    /// What it asks for besides its names, one line each.
    pub asked: Vec<String>,
    /// What the operator should know.
    pub notes: Vec<String>,
}

/// A request as PEM: O is the MSP ID and CN the host (left out where it is longer than the 64 characters that RFC 5280
/// allows), both UTF8String, and the host as SAN.
///
/// # Errors
/// The crypto library fails.
pub fn create(key: &PrivateKey, msp_id: &MspId, host: &Hostname) -> Result<String> {
    let failed = |e: rcgen::Error| Failure::new(Exit::Failed, "request", "no request could be made").why(e.to_string());
    let algorithm = match key.key_type() {
        KeyType::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
        KeyType::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
        _ => &rcgen::PKCS_RSA_SHA256,
    };
    let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(key.pkcs8()), algorithm)
        .map_err(failed)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, DnValue::Utf8String(msp_id.to_string()));
    if host.as_str().len() <= 64 {
        params.distinguished_name.push(DnType::CommonName, DnValue::Utf8String(host.to_string()));
    }
    params.subject_alt_names = vec![SanType::DnsName(host.as_str().try_into().map_err(failed)?)];
    let request = params.serialize_request(&pair).map_err(failed)?;
    Ok(pem::encode("CERTIFICATE REQUEST", request.der()).to_string())
}

/// Which request a PEM text holds; `None` where it holds none.
#[must_use]
pub fn digest(text: &[u8]) -> Option<RequestDigest> {
    let found = pem::blocks(text);
    let block = found.blocks.iter().find(|block| block.label.ends_with("CERTIFICATE REQUEST"))?;
    let request = CertReq::from_der(block.der.as_ref()?).ok()?;
    Some(RequestDigest::of_info(&request.info.to_der().ok()?))
}
