//! The issue log: one line of JSON a certificate, written before the certificate leaves.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::{
    authority::Authority,
    fingerprint::Fingerprint,
    inspect::Certificate,
    issue::Issued,
    request::{Request, RequestDigest},
};
use crate::failure::{Exit, Failure, Result};

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When it was signed.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// The MSP ID.
    pub organization: String,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// The fingerprint of its key.
    pub fingerprint: Fingerprint,
    /// The request that it answers.
    pub request: RequestDigest,
    /// Its hosts.
    pub hosts: Vec<String>,
    /// From when it is valid.
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: OffsetDateTime,
    /// Until when it is valid.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
    /// The fingerprint of the CA's key.
    pub authority: Fingerprint,
    /// Whether nobody compared the fingerprint of its key.
    pub unverified_mail: bool,
    /// Its DER in base64.
    certificate: String,
}

impl Entry {
    /// The line of a certificate that is about to leave.
    #[must_use]
    pub fn new(
        now: OffsetDateTime,
        request: &Request,
        issued: &Issued,
        authority: &Authority,
        unverified_mail: bool,
    ) -> Self {
        Self {
            time: now.replace_nanosecond(0).unwrap_or(now),
            organization: request.msp_id.to_string(),
            serial: issued.serial.clone(),
            fingerprint: request.fingerprint,
            request: request.digest.clone(),
            hosts: request.hosts.iter().map(ToString::to_string).collect(),
            not_before: issued.not_before,
            not_after: issued.not_after,
            authority: authority.fingerprint(),
            unverified_mail,
            certificate: STANDARD.encode(&issued.der),
        }
    }

    /// The certificate itself; `None` where the line was spoilt.
    #[must_use]
    pub fn certificate(&self) -> Option<Certificate> {
        Certificate::from_der(&STANDARD.decode(&self.certificate).ok()?)
    }
}

/// All that was issued under one CA.
#[derive(Debug, Clone, Default)]
pub struct IssueLog(Vec<Entry>);

impl IssueLog {
    /// Reads the lines of a log.
    ///
    /// # Errors
    /// A line cannot be read. Nothing is signed over a spoilt log: it could hide a certificate.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let text = String::from_utf8_lossy(bytes);
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let entry = |(number, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| {
                let torn = number + 1 == text.lines().count() && !text.ends_with('\n');
                let next = if torn {
                    "its last line was cut off by a crash before that certificate left: take that line out, then run the command again"
                } else {
                    "put that line back from a backup, then run the command again"
                };
                Failure::new(Exit::Refused, "issue-log", format!("line {} of the issue log cannot be read", number + 1))
                    .why(error.to_string())
                    .next(next)
                    .unchanged("nothing was signed and nothing was written")
            })
        };
        lines.map(entry).collect::<Result<_>>().map(Self)
    }

    /// Every entry, the oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The latest certificate of a request.
    #[must_use]
    pub fn find(&self, request: &RequestDigest) -> Option<&Entry> {
        self.0.iter().rev().find(|entry| entry.request == *request)
    }

    /// An entry as a line with its end.
    #[must_use]
    pub fn line(entry: &Entry) -> String {
        // An entry is plain data: it cannot fail to become JSON.
        serde_json::to_string(entry).map(|line| line + "\n").unwrap_or_default()
    }
}

/// The certificate of a request that was signed before: the same bytes, while they are of use.
///
/// # Errors
/// It ends within a day, or came from another CA: a new request is needed.
pub fn again(entry: &Entry, authority: &Authority, now: OffsetDateTime) -> Result<Issued> {
    let refuse = |why: String| {
        Failure::new(
            Exit::Refused,
            "already-issued",
            format!("the request of {} was signed before", entry.organization),
        )
        .why(why)
        .next("one request gets one certificate: ask for a new request, made with enroll --renew or --new-request")
        .unchanged("nothing was signed and nothing was written")
    };
    let certificate =
        entry.certificate().ok_or_else(|| refuse("its certificate in the issue log cannot be read".to_owned()))?;
    if entry.authority != authority.fingerprint() || !certificate.is_signed_by(authority.certificate()) {
        return Err(refuse(format!("its certificate {} came from another CA", entry.serial)));
    }
    if entry.not_after < now + Duration::DAY {
        return Err(refuse(format!("its certificate {} ends on {}", entry.serial, entry.not_after.date())));
    }
    Ok(Issued {
        pem: certificate.to_pem(),
        serial: certificate.serial.clone(),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        cut_to_ca_end: false,
        der: certificate.der,
    })
}
