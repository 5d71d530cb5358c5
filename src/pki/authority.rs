//! The CA that signs: an existing one is accepted after checks, a new root is made by the profile.

use aws_lc_rs::rand;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyIdMethod, KeyUsagePurpose, SerialNumber,
};
use time::{Duration, OffsetDateTime};

use super::{
    fingerprint::{Fingerprint, hex},
    inspect::{self, Certificate},
    key::{KeyType, PrivateKey},
    pem,
};
use crate::{
    failure::{Code, Exit, Failure},
    times,
};

/// Below this the operator is warned: a CA's end cuts everybody off at once.
const SOON: Duration = Duration::days(90);
/// The chart's own example for the root: 1,825 days.
const ROOT_LIFE: Duration = Duration::days(1825);

/// A CA certificate with its key, fit to sign clients.
#[derive(Debug)]
pub struct Authority {
    certificate: Certificate,
    key: PrivateKey,
}

impl Authority {
    /// Accepts an existing CA: the first certificate of `cert_pem`, as the orchestrator reads such a file, and its key.
    /// The second part of the result are warnings for people.
    ///
    /// # Errors
    /// All findings: the codes of [`inspect::certificates`] and `authority-...`.
    pub fn load(cert_pem: &[u8], key: PrivateKey, now: OffsetDateTime) -> Result<(Self, Vec<String>), Vec<Failure>> {
        let (certificate, warnings) = examined(cert_pem, Some(&key), now)?;
        Ok((Self { certificate, key }, warnings))
    }

    /// Its certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The fingerprint of its key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint()
    }

    /// The same name and constraints with a throw-away key: what it signs is worth nothing.
    pub(super) fn stand_in(&self) -> Result<Self, Failure> {
        Ok(Self { certificate: self.certificate.clone(), key: PrivateKey::generate(KeyType::EcdsaP256)? })
    }

    pub(super) fn key(&self) -> &PrivateKey {
        &self.key
    }
}

/// The checks of [`Authority::load`] for a CA whose key is not at hand: nothing is signed with it.
///
/// # Errors
/// As [`Authority::load`].
pub fn examine(cert_pem: &[u8], now: OffsetDateTime) -> Result<(Certificate, Vec<String>), Vec<Failure>> {
    examined(cert_pem, None, now)
}

/// What the checks of [`Authority::load`] have to say of a CA that only others will sign with.
#[must_use]
pub fn faults(ca: &Certificate, now: OffsetDateTime) -> Vec<Failure> {
    findings(ca, None, now)
}

fn examined(
    cert_pem: &[u8],
    key: Option<&PrivateKey>,
    now: OffsetDateTime,
) -> Result<(Certificate, Vec<String>), Vec<Failure>> {
    let certificates = inspect::certificates(cert_pem).map_err(|failure| vec![failure])?;
    let mut warnings = Vec::new();
    if certificates.len() > 1 {
        warnings.push(format!("of {} certificates in the CA's file the first one signs", certificates.len()));
    }
    let certificate = certificates.into_iter().next().ok_or_else(Vec::new)?;
    let findings = findings(&certificate, key, now);
    if !findings.is_empty() {
        return Err(findings);
    }
    if certificate.not_after - now < SOON {
        let days = (certificate.not_after - now).whole_days();
        warnings.push(format!("the CA ends in {days} days, on {}: plan its rotation", certificate.not_after.date()));
    }
    Ok((certificate, warnings))
}

fn bad(code: Code, what: &str, why: &str, next: &str) -> Failure {
    Failure::new(Exit::Refused, code, what).why(why).next(next)
}

/// A key that was not made together with the certificate.
fn mismatch(ca: &Certificate, key: &PrivateKey) -> Option<Failure> {
    let why = format!("the certificate has the key {}, the key file {}", ca.fingerprint(), key.fingerprint());
    let what = "the CA's key does not belong to the CA's certificate";
    let next = "give the key that was made together with this CA certificate";
    (ca.spki != key.spki()).then(|| bad(Code::AuthorityKeyMismatch, what, &why, next))
}

fn findings(ca: &Certificate, key: Option<&PrivateKey>, now: OffsetDateTime) -> Vec<Failure> {
    const ANOTHER: &str = "sign with another CA; if this is the federation's, it has to be replaced first";
    let mut findings: Vec<Failure> = key.and_then(|key| mismatch(ca, key)).into_iter().collect();
    let mut check = |holds: bool, code, what: &str, why: &str, next: &str| {
        if !holds {
            findings.push(bad(code, what, why, next));
        }
    };
    let unlike = "the orchestrator and the backends would refuse every certificate under it";
    check(ca.version == 3, Code::AuthorityVersion, "the CA certificate is not of version 3", unlike, ANOTHER);
    check(
        ca.is_ca,
        Code::AuthorityNotACa,
        "the certificate is not that of a CA",
        unlike,
        "give the CA's own certificate",
    );
    check(
        ca.key_cert_sign != Some(false),
        Code::AuthorityKeyUsage,
        "the CA must not sign certificates",
        unlike,
        ANOTHER,
    );
    let key_id = ca.subject_key_id.as_ref().is_some_and(|id| !id.is_empty());
    let no_key_id = "the orchestrator finds the organization's CA only by this identifier";
    check(key_id, Code::AuthorityNoKeyId, "the CA has no subject key identifier", no_key_id, ANOTHER);
    check(ca.signs_clients(), Code::AuthorityUsage, "the CA is not meant for client certificates", unlike, ANOTHER);
    let known = !ca.has_unknown_critical();
    let extension = "the CA has a critical extension that the servers do not understand";
    check(known, Code::AuthorityExtension, extension, unlike, ANOTHER);
    check(ca.subject_der != EMPTY_NAME, Code::AuthorityNoName, "the CA has no name", unlike, ANOTHER);
    check(
        !ca.has_weak_signature(),
        Code::AuthorityWeakSignature,
        "the CA is signed over SHA-1 or MD5",
        unlike,
        ANOTHER,
    );
    let self_signed = ca.has_weak_signature() || ca.is_signed_by(ca);
    check(
        self_signed,
        Code::AuthorityNotSelfSigned,
        "the CA certificate does not verify with its own key",
        "it is altered, or belongs to an intermediate CA, which the orchestrator cannot tell apart",
        "give the root CA's certificate and key",
    );
    check(
        ca.not_before <= now,
        Code::AuthorityNotYetValid,
        "the CA is not valid yet",
        &span(ca, now),
        "check this machine's clock",
    );
    if ca.not_after - now < Duration::DAY {
        findings.push(ends(ca, now));
    }
    findings
}

fn span(ca: &Certificate, now: OffsetDateTime) -> String {
    let at = times::rfc3339;
    format!("it is valid from {} to {}, now is {}", at(ca.not_before), at(ca.not_after), at(now))
}

/// Nothing can be issued under a CA that ends within a day.
pub(super) fn ends(ca: &Certificate, now: OffsetDateTime) -> Failure {
    let next = "make a new CA and roll it out first";
    bad(Code::AuthorityEnds, "the CA has less than a day left", &span(ca, now), next)
}

/// DER of a name without any part.
const EMPTY_NAME: [u8; 2] = [0x30, 0];

/// A serial number by the profile: 0x01 and 128 random bits, so that it is positive and of one length.
pub(crate) fn serial() -> Result<[u8; 17], Failure> {
    let mut serial = [1; 17];
    rand::fill(&mut serial[1..]).map_err(|_| {
        Failure::new(Exit::Failed, Code::NoRandomness, "no serial number could be made")
            .why("the system gave no randomness")
            .next("try again; if it persists, look at the machine's random source")
    })?;
    Ok(serial)
}

/// Makes a root CA: five years, path length 0, and a name of its own, so that people can tell overlapping CAs apart.
///
/// # Errors
/// When the system gives no randomness, or the result does not pass the checks of [`Authority::load`].
pub fn create_root(key_type: KeyType, now: OffsetDateTime) -> Result<(PrivateKey, String), Failure> {
    let key = PrivateKey::generate(key_type)?;
    let certificate = root_for(&key, now)?;
    Ok((key, certificate))
}

/// The root CA's certificate for a key that is there: as [`create_root`] makes it.
///
/// # Errors
/// As [`create_root`].
pub fn root_for(key: &PrivateKey, now: OffsetDateTime) -> Result<String, Failure> {
    let not_made = || {
        Failure::new(Exit::Failed, Code::AuthorityNotMade, "the new CA could not be made")
            .why("its certificate did not come out as the profile asks")
            .next("try again; if it persists, report this as a bug")
    };
    let serial = serial()?;
    let now = now.to_offset(time::UtcOffset::UTC).replace_nanosecond(0).map_err(|_| not_made())?;
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = now - Duration::HOUR;
    params.not_after = now + ROOT_LIFE;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, root_name(now, &serial));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.key_identifier_method = KeyIdMethod::PreSpecified(inspect::key_id(key.spki()).ok_or_else(not_made)?);
    params.use_authority_key_identifier_extension = true;
    let made = params.self_signed(key).map_err(|_| not_made())?;
    let certificate = Certificate::from_der(made.der())?;
    if !findings(&certificate, Some(key), now).is_empty() {
        return Err(not_made());
    }
    pem::write("CERTIFICATE", made.der())
}

fn root_name(now: OffsetDateTime, serial: &[u8]) -> String {
    let (year, month, day) = now.to_calendar_date();
    format!("Orchestrator Root CA {year:04}{:02}{day:02}-{}", u8::from(month), hex(&serial[1..3]))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::pki::oid;

    const NOW: OffsetDateTime = datetime!(2026-03-04 05:06:07.8 UTC);

    #[test]
    fn a_new_root_follows_the_profile_and_is_accepted() {
        let (key, pem) = create_root(KeyType::EcdsaP256, NOW).unwrap();
        let (authority, warnings) = Authority::load(pem.as_bytes(), key, NOW).unwrap();
        let ca = authority.certificate();
        assert!(warnings.is_empty());
        assert!(ca.subject.starts_with("CN=Orchestrator Root CA 20260304-"), "{}", ca.subject);
        assert_eq!(
            (ca.not_before, ca.not_after),
            (datetime!(2026-03-04 04:06:07 UTC), datetime!(2031-03-03 05:06:07 UTC))
        );
        assert!(ca.serial.starts_with("01") && ca.serial.len() == 34);
        assert_eq!(ca.authority_key_id, ca.subject_key_id);
        let oids: Vec<_> = ca.extensions.iter().map(|extension| (extension.oid.unwrap(), extension.critical)).collect();
        assert_eq!(oids.len(), 4, "{oids:?}");
        assert!(oids.contains(&(oid::BASIC_CONSTRAINTS, true)) && oids.contains(&(oid::KEY_USAGE, true)));
    }

    #[test]
    fn refuses_a_foreign_key_a_leaf_and_the_end_of_life() {
        let codes = |pem: &str, key, now| -> Vec<_> {
            let findings = Authority::load(pem.as_bytes(), key, now).unwrap_err();
            findings.iter().map(|finding| finding.code.id()).collect()
        };
        let (_, pem) = create_root(KeyType::EcdsaP256, NOW).unwrap();
        let (other, _) = create_root(KeyType::EcdsaP256, NOW).unwrap();
        assert_eq!(codes(&pem, other, NOW), ["authority-key-mismatch"]);
        let (key, pem) = create_root(KeyType::Rsa2048, NOW).unwrap();
        let again = || PrivateKey::from_pem(key.to_pem().as_bytes(), None).unwrap();
        assert_eq!(codes(&pem, again(), NOW + ROOT_LIFE - Duration::HOUR), ["authority-ends"]);
        assert_eq!(codes(&pem, again(), NOW - Duration::DAY), ["authority-not-yet-valid"]);
        let (_, warnings) = Authority::load(pem.as_bytes(), again(), NOW + ROOT_LIFE - Duration::days(30)).unwrap();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
    }
}
