//! An entry of the issue log: a certificate that was issued, and how it is given out again.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::{Record, rfc3339};
use crate::{
    command_line::CommandLine,
    failure::{Code, Exit, Failure, Next},
    names::{Hostname, MspId},
    pki::{
        authority::Authority,
        fingerprint::Fingerprint,
        inspect::Certificate,
        issue::{IssuedCertificate, whole_seconds},
        pem,
        policy::Identification,
        request::{Request, RequestDigest},
    },
    times,
};

/// One issued certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// When it was issued.
    #[serde(with = "rfc3339")]
    pub time: OffsetDateTime,
    /// To whom.
    pub organization: MspId,
    /// Its serial number, lower-case hexadecimal digits.
    pub serial: String,
    /// The fingerprint of its key.
    pub fingerprint: Fingerprint,
    /// The digest of its request.
    pub request: RequestDigest,
    /// Valid from.
    #[serde(with = "rfc3339")]
    pub not_before: OffsetDateTime,
    /// Valid to.
    #[serde(with = "rfc3339")]
    pub not_after: OffsetDateTime,
    /// The fingerprint of the CA's key.
    pub authority: Fingerprint,
    /// Its host names.
    pub hosts: Vec<Hostname>,
    /// Whether the operator said that the fingerprint was not compared.
    pub unverified_mail: bool,
    /// The certificate: base64 of its DER.
    pub certificate: String,
    /// The serial number of the certificate by whose key this one was asked for, where that was the proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predecessor: Option<String>,
    /// Of a renewal: whether somebody compared its fingerprint as well.
    #[serde(default, skip_serializing_if = "is_false")]
    pub compared: bool,
}

impl Entry {
    /// The entry for a certificate that was just issued at `time`.
    #[must_use]
    pub fn new(
        request: &Request,
        issued: &IssuedCertificate,
        authority: &Authority,
        identified: &Identification,
        time: OffsetDateTime,
    ) -> Self {
        Self {
            time: whole_seconds(time),
            organization: request.msp_id.clone(),
            serial: issued.serial.clone(),
            fingerprint: request.fingerprint,
            request: request.digest,
            not_before: issued.not_before,
            not_after: issued.not_after,
            authority: authority.fingerprint(),
            hosts: request.hosts.clone(),
            unverified_mail: *identified == Identification::UnverifiedMail,
            certificate: STANDARD.encode(&issued.der),
            predecessor: identified.predecessor().map(str::to_owned),
            compared: matches!(identified, Identification::Renewal { compared: true, .. }),
        }
    }

    /// Its line, with its line feed.
    #[must_use]
    pub fn line(&self) -> String {
        Record::from(self.clone()).line()
    }

    /// Its certificate; `None` where the line was spoilt.
    #[must_use]
    pub fn decoded(&self) -> Option<Certificate> {
        Certificate::from_der(&STANDARD.decode(&self.certificate).ok()?).ok()
    }
}

/// Gives the certificate of `entry` again, byte for byte: one request, one certificate.
///
/// # Errors
/// `request-answered` when it was issued under another CA or has less than a day left; `issue-log-damaged` when the
/// entry does not hold the certificate that it describes.
pub fn reissue(entry: &Entry, authority: &Authority, now: OffsetDateTime) -> Result<IssuedCertificate, Failure> {
    let organization = &entry.organization;
    let answered = |why: String| {
        Failure::new(Exit::Refused, Code::RequestAnswered, format!("the request of {organization} was answered before"))
            .why(why)
            .next(
                Next::from(format!("ask {organization} for a new key and request: "))
                    .command(CommandLine::enroll_anew()),
            )
    };
    if entry.authority != authority.fingerprint() {
        return Err(answered(format!("its certificate {} was issued under another CA", entry.serial)));
    }
    let certificate = certificate(entry, authority).ok_or_else(|| {
        Failure::new(
            Exit::CheckFailed,
            Code::IssueLogDamaged,
            format!("the entry {} of the issue log is damaged", entry.serial),
        )
        .why("its certificate is not the one that the entry describes, or not of this CA")
        .next("put the log back from a copy: without it a request could be answered twice")
    })?;
    if certificate.not_after - now < Duration::DAY {
        return Err(answered(format!(
            "its certificate {} expires on {}",
            entry.serial,
            times::rfc3339(entry.not_after)
        )));
    }
    Ok(IssuedCertificate {
        pem: pem::write("CERTIFICATE", &certificate.der)?,
        serial: certificate.serial,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        cut_to_ca_end: certificate.not_after == authority.certificate().not_after - Duration::SECOND,
        der: certificate.der,
    })
}

fn certificate(entry: &Entry, authority: &Authority) -> Option<Certificate> {
    let certificate = Certificate::from_der(&STANDARD.decode(&entry.certificate).ok()?).ok()?;
    let described = certificate.serial == entry.serial
        && certificate.fingerprint() == entry.fingerprint
        && (certificate.not_before, certificate.not_after) == (entry.not_before, entry.not_after)
        && certificate.dns_names.iter().eq(entry.hosts.iter().map(Hostname::as_str))
        && certificate.organizations == [entry.organization.as_str()];
    (described && certificate.is_signed_by(authority.certificate())).then_some(certificate)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_false(value: &bool) -> bool {
    !value
}
