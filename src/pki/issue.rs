//! Issues certificates: encoded, signed, and verified by other libraries before they are handed out.

use der::asn1::{Ia5String, OctetString};
use time::{Duration, OffsetDateTime};
use x509_cert::ext::{
    Extension,
    pkix::{
        AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
        name::GeneralName,
    },
};

use super::{
    authority::{self, Authority, serial},
    encode::{self, extension, not_built},
    fingerprint::hex,
    inspect::{self, Certificate},
    oid, pem,
    request::Request,
    verify_issued,
};
use crate::{
    failure::Failure,
    names::{Hostname, MspId, Validity},
};

/// A certificate that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// The certificate.
    pub der: Vec<u8>,
    /// The certificate as one PEM block: 64 columns, LF, no text.
    pub pem: String,
    /// Its serial number, lower-case hexadecimal digits.
    pub serial: String,
    /// Valid from.
    pub not_before: OffsetDateTime,
    /// Valid to.
    pub not_after: OffsetDateTime,
    /// Whether it expires earlier than asked, since the CA does.
    pub cut_to_ca_end: bool,
}

/// From when to when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidityPeriod {
    /// Valid from.
    pub not_before: OffsetDateTime,
    /// Valid to.
    pub not_after: OffsetDateTime,
    /// Whether it expires earlier than asked, since the CA does.
    pub cut_to_ca_end: bool,
}

impl IssuedCertificate {
    /// From when to when it is valid.
    #[must_use]
    pub fn window(&self) -> ValidityPeriod {
        let Self { not_before, not_after, cut_to_ca_end, .. } = *self;
        ValidityPeriod { not_before, not_after, cut_to_ca_end }
    }
}

/// Who gets the certificate: a client or, without an organization, the orchestrator's server.
#[derive(Clone, Copy)]
pub(super) struct CertificateHolder<'a> {
    /// The client's O; the server has none, since an MSP ID of that name would be the server's.
    pub(super) organization: Option<&'a MspId>,
    pub(super) hosts: &'a [Hostname],
    pub(super) spki: &'a [u8],
}

impl<'a> CertificateHolder<'a> {
    fn of(request: &'a Request) -> Self {
        Self { organization: Some(&request.msp_id), hosts: &request.hosts, spki: &request.spki }
    }
}

/// What a certificate shall say; `verify_issued` compares the outcome with it.
pub(super) struct CertificateSpec<'a> {
    pub(super) holder: CertificateHolder<'a>,
    pub(super) serial: [u8; 17],
    pub(super) subject: Vec<u8>,
    pub(super) not_before: OffsetDateTime,
    pub(super) not_after: OffsetDateTime,
    pub(super) extensions: Vec<Extension>,
}

/// Issues the client certificate for an accepted request: clientAuth alone, its hosts as alternative names, valid from
/// an hour ago (clocks differ) for `validity`, but never beyond the CA's end.
///
/// # Errors
/// `authority-ends` when less than a day is left, `authority-does-not-fit` when a server would refuse the certificate,
/// `certificate-check` when it does not come out as meant.
pub fn issue(
    authority: &Authority,
    request: &Request,
    validity: Validity,
    now: OffsetDateTime,
) -> Result<IssuedCertificate, Failure> {
    certify(authority, CertificateHolder::of(request), validity.duration(), now)
}

/// Whether [`issue`] would succeed, asked before anybody agrees, and when the certificate would be valid. A throw-away key
/// signs in the CA's place, under the CA's name and constraints: the CA itself signs nothing.
///
/// # Errors
/// `authority-ends` and `authority-does-not-fit`, as for [`issue`].
pub fn preflight(
    authority: &Authority,
    request: &Request,
    validity: Validity,
    now: OffsetDateTime,
) -> Result<ValidityPeriod, Failure> {
    let now = whole_seconds(now);
    let window = window(authority.certificate(), validity.duration(), now)?;
    let stand_in = authority.stand_in()?;
    let spec = spec(&stand_in, CertificateHolder::of(request), window)?;
    verify_issued::fits(&sign(&stand_in, &spec)?, &stand_in, &spec, now)?;
    Ok(window)
}

/// From when to when a certificate that is issued now is valid: the end is cut to the CA's.
fn window(ca: &Certificate, life: std::time::Duration, now: OffsetDateTime) -> Result<ValidityPeriod, Failure> {
    let now = whole_seconds(now);
    let asked = now + life;
    let end = ca.not_after - Duration::SECOND;
    let not_after = asked.min(end);
    if not_after - now < Duration::DAY {
        return Err(authority::ends(ca, now));
    }
    let not_before = (now - Duration::HOUR).max(ca.not_before);
    Ok(ValidityPeriod { not_before, not_after, cut_to_ca_end: end < asked })
}

/// Signs for a client or the server.
pub(super) fn certify(
    authority: &Authority,
    holder: CertificateHolder<'_>,
    life: std::time::Duration,
    now: OffsetDateTime,
) -> Result<IssuedCertificate, Failure> {
    let now = whole_seconds(now);
    let window = window(authority.certificate(), life, now)?;
    let spec = spec(authority, holder, window)?;
    let der = sign(authority, &spec)?;
    verify_issued::verify(&der, authority, &spec, now)?;
    let pem = pem::write("CERTIFICATE", &der)?;
    let ValidityPeriod { not_before, not_after, cut_to_ca_end } = window;
    Ok(IssuedCertificate { der, pem, serial: hex(&spec.serial), not_before, not_after, cut_to_ca_end })
}

pub(crate) fn whole_seconds(now: OffsetDateTime) -> OffsetDateTime {
    let now = now.to_offset(time::UtcOffset::UTC);
    now - Duration::nanoseconds(i64::from(now.nanosecond()))
}

fn spec<'a>(
    authority: &Authority,
    holder: CertificateHolder<'a>,
    window: ValidityPeriod,
) -> Result<CertificateSpec<'a>, Failure> {
    Ok(CertificateSpec {
        holder,
        serial: serial()?,
        subject: subject(holder).map_err(not_built)?,
        not_before: window.not_before,
        not_after: window.not_after,
        extensions: extensions(authority, holder).map_err(not_built)?,
    })
}

/// O where there is one, then CN: the first host, unless it is longer than a CN may be (RFC 5280, appendix A: 64).
fn subject(holder: CertificateHolder<'_>) -> der::Result<Vec<u8>> {
    let common_name = holder.hosts.first().map(AsRef::as_ref).filter(|host: &&str| host.len() <= 64);
    let parts = [(oid::ORGANIZATION, holder.organization.map(MspId::as_str)), (oid::COMMON_NAME, common_name)];
    encode::name(parts.into_iter().filter_map(|(oid, text)| text.map(|text| (oid, text))))
}

fn extensions(authority: &Authority, holder: CertificateHolder<'_>) -> der::Result<Vec<Extension>> {
    let hosts = holder.hosts.iter().map(|host| Ia5String::new(host.as_str()).map(GeneralName::DnsName));
    let key_id = |id: Option<Vec<u8>>| OctetString::new(id.unwrap_or_default());
    let issuer = AuthorityKeyIdentifier {
        key_identifier: Some(key_id(authority.certificate().subject_key_id.clone())?),
        ..Default::default()
    };
    // The server's health probe dials with the server's own pair: that has to pass for a client's too.
    let usages =
        if holder.organization.is_some() { vec![oid::CLIENT_AUTH] } else { vec![oid::SERVER_AUTH, oid::CLIENT_AUTH] };
    Ok(vec![
        extension(oid::BASIC_CONSTRAINTS, true, &BasicConstraints { ca: false, path_len_constraint: None })?,
        extension(oid::KEY_USAGE, true, &KeyUsage(KeyUsages::DigitalSignature.into()))?,
        extension(oid::EXT_KEY_USAGE, false, &ExtendedKeyUsage(usages))?,
        extension(oid::SUBJECT_ALT_NAME, false, &SubjectAltName(hosts.collect::<der::Result<_>>()?))?,
        extension(oid::SUBJECT_KEY_ID, false, &key_id(inspect::key_id(holder.spki))?)?,
        extension(oid::AUTHORITY_KEY_ID, false, &issuer)?,
    ])
}

fn sign(authority: &Authority, spec: &CertificateSpec<'_>) -> Result<Vec<u8>, Failure> {
    let contents = encode::Contents {
        serial: &spec.serial,
        issuer: &authority.certificate().subject_der,
        not_before: spec.not_before,
        not_after: spec.not_after,
        subject: &spec.subject,
        spki: spec.holder.spki,
        extensions: &spec.extensions,
    };
    contents.sign(authority.key())
}
