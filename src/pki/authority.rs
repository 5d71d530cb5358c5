//! The certificate authority: judged before it signs, and made anew for rehearsals.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, IsCa, KeyIdMethod, KeyUsagePurpose,
    SerialNumber,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, TrustAnchor};
use time::{Duration, OffsetDateTime};

use super::{
    fingerprint::{Fingerprint, sha256},
    inspect::{self, Certificate},
    issue,
    key::{KeyType, PrivateKey},
};
use crate::failure::{Exit, Failure, Result};

/// A CA whose end is nearer than this is warned of.
const WARN_BEFORE: Duration = Duration::days(90);

/// keyUsage's bit for keyCertSign.
const KEY_CERT_SIGN: u16 = 1 << 5;

/// A CA that may sign.
#[derive(Debug)]
pub struct Authority {
    certificate: Certificate,
    key: PrivateKey,
    anchor: TrustAnchor<'static>,
}

impl Authority {
    /// The first certificate of a PEM text, with its key, if both may sign; and what the operator should be warned of.
    ///
    /// # Errors
    /// All findings: no CA, another key, expired, no key identifier, ...
    pub fn load(
        pem: &[u8],
        key: PrivateKey,
        now: OffsetDateTime,
    ) -> std::result::Result<(Self, Vec<String>), Vec<Failure>> {
        let mut certificates = inspect::certificates(pem).map_err(|failure| vec![failure])?;
        let certificate = certificates.swap_remove(0);
        let findings = findings(&certificate, &key, now);
        if !findings.is_empty() {
            return Err(findings);
        }
        let der = CertificateDer::from(certificate.der.as_slice());
        let Ok(anchor) = webpki::anchor_from_trusted_cert(&der) else {
            return Err(vec![refuse("ca-unreadable", "its certificate cannot be used to verify others")]);
        };
        let anchor = anchor.to_owned();
        Ok((Self { anchor, key, certificate: certificate.clone() }, warnings(&certificate, now)))
    }

    /// Its certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The fingerprint of its key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint
    }

    pub(super) fn key(&self) -> &PrivateKey {
        &self.key
    }

    pub(super) fn anchor(&self) -> &TrustAnchor<'static> {
        &self.anchor
    }
}

fn refuse(code: &'static str, why: impl Into<String>) -> Failure {
    Failure::new(Exit::Refused, code, "this CA must not sign")
        .why(why)
        .next("use the federation's CA with its own key; if this is it, it has to be replaced first")
        .unchanged("nothing was signed and nothing was written")
}

fn findings(ca: &Certificate, key: &PrivateKey, now: OffsetDateTime) -> Vec<Failure> {
    let mut found = Vec::new();
    let mut unless = |good: bool, code, why: String| {
        if !good {
            found.push(refuse(code, why));
        }
    };
    unless(ca.spki == key.spki(), "ca-key-other", "the private key is not that of the certificate".to_owned());
    unless(ca.is_ca && ca.version == 3, "ca-not-a-ca", "its certificate has no basicConstraints CA:TRUE".to_owned());
    unless(
        ca.key_usage.is_none_or(|usage| usage & KEY_CERT_SIGN != 0),
        "ca-key-usage",
        "its keyUsage lacks keyCertSign".to_owned(),
    );
    unless(
        ca.client_auth(),
        "ca-usage",
        "its extended key usage lacks clientAuth, and Go counts that of the root too".to_owned(),
    );
    let has_ski = ca.subject_key_id.as_ref().is_some_and(|id| !id.is_empty());
    unless(has_ski, "ca-no-ski", "it has no subjectKeyIdentifier: the server's identity check would take any certificate without authorityKeyIdentifier for its own".to_owned());
    unless(!ca.subject_der.is_empty() && ca.subject_der != [0x30, 0], "ca-subject", "its subject is empty".to_owned());
    let sha2 = [
        "1.2.840.113549.1.1.11",
        "1.2.840.113549.1.1.12",
        "1.2.840.113549.1.1.13",
        "1.2.840.10045.4.3.2",
        "1.2.840.10045.4.3.3",
        "1.2.840.10045.4.3.4",
    ];
    unless(
        sha2.contains(&ca.signature_algorithm.as_str()),
        "ca-signature",
        "its certificate is not signed with SHA-2, which Go refuses".to_owned(),
    );
    unless(now >= ca.not_before, "ca-not-yet", format!("it is valid from {} on", ca.not_before.date()));
    unless(
        now < ca.not_after,
        "ca-expired",
        format!("it ended on {}: everybody is refused already", ca.not_after.date()),
    );
    let self_signed = ca.subject_der != ca.issuer_der || ca.is_signed_by(ca);
    unless(self_signed, "ca-spoilt", "its own signature is wrong: the file was changed".to_owned());
    found
}

fn warnings(ca: &Certificate, now: OffsetDateTime) -> Vec<String> {
    let left = ca.not_after - now;
    let text = || {
        format!(
            "the CA ends on {}, in {} days: an expired CA ends everything at once",
            ca.not_after.date(),
            left.whole_days()
        )
    };
    if left < WARN_BEFORE { vec![text()] } else { Vec::new() }
}

/// A new root: its own name, path length 0, five years.
///
/// # Errors
/// The crypto library fails.
pub fn create_root(key_type: KeyType, now: OffsetDateTime) -> Result<(PrivateKey, String)> {
    let failed = |e: rcgen::Error| Failure::new(Exit::Failed, "root", "no CA could be made").why(e.to_string());
    let key = PrivateKey::generate(key_type)?;
    let algorithm = match key_type {
        KeyType::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
        KeyType::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
        _ => &rcgen::PKCS_RSA_SHA256,
    };
    let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(key.pkcs8()), algorithm)
        .map_err(failed)?;
    let serial = issue::random_serial()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let date = now.date();
    let name = format!(
        "Orchestrator Root CA {:04}{:02}{:02}-{:02x}{:02x}",
        date.year(),
        u8::from(date.month()),
        date.day(),
        serial[1],
        serial[2]
    );
    params.distinguished_name.push(DnType::CommonName, DnValue::Utf8String(name));
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = issue::whole_second(now - Duration::HOUR);
    params.not_after = params.not_before + Duration::days(5 * 365);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.key_identifier_method = KeyIdMethod::PreSpecified(sha256(key.spki())[..20].to_vec());
    params.use_authority_key_identifier_extension = true;
    let certificate = params.self_signed(&pair).map_err(failed)?;
    Ok((key, super::pem::encode("CERTIFICATE", certificate.der()).to_string()))
}
