//! The issue log: one request, one certificate. JSON lines beside the CA.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::{
    authority::Authority,
    fingerprint::Fingerprint,
    inspect::Certificate,
    issue::{IssuedCertificate, whole_seconds},
    pem,
    policy::Claim,
    request::{Request, RequestDigest},
};
use crate::{
    failure::{Code, Exit, Failure},
    names::{Hostname, MspId},
    plain::excerpt,
    times,
};

/// The kind of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EntryKind {
    /// A certificate was issued; so is a line without a kind, of a version that knew no other.
    #[default]
    Certificate,
}

/// One issued certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// Its kind.
    #[serde(default)]
    pub kind: EntryKind,
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
}

/// All entries, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueLog {
    entries: Vec<Entry>,
}

impl IssueLog {
    /// Reads JSON lines.
    ///
    /// # Errors
    /// Code `issue-log-damaged`, with the number of the first line that cannot be read.
    pub fn parse(jsonl: &str) -> Result<Self, Failure> {
        let mut log = Self::default();
        jsonl.split_inclusive('\n').enumerate().try_for_each(|(i, line)| log.take(i + 1, line.as_bytes()))?;
        Ok(log)
    }

    /// Takes one line, which is the one of that number, with its line feed: so a log of any size is read.
    ///
    /// # Errors
    /// As [`IssueLog::parse`]; code `issue-log-newer` for an entry of a kind that this version does not know.
    pub fn take(&mut self, number: usize, line: &[u8]) -> Result<(), Failure> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        // A whole entry ends in a line feed: without one, the next entry would be written onto it.
        let ended = line.ends_with(b"\n");
        match serde_json::from_slice(line) {
            Ok(entry) if ended => {
                self.entries.push(entry);
                Ok(())
            }
            read => Err(newer(number, line).unwrap_or_else(|| damaged(number, ended, read.is_ok()))),
        }
    }

    /// All entries, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The newest entry that answers the request with this digest.
    #[must_use]
    pub fn find(&self, request: &RequestDigest) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.request == *request)
    }

    /// Whether anything was issued under the CA with this key.
    #[must_use]
    pub fn knows(&self, authority: Fingerprint) -> bool {
        self.entries.iter().any(|entry| entry.authority == authority)
    }

    /// The entries whose certificates have not expired.
    pub fn unexpired(&self, now: OffsetDateTime) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.not_after >= now)
    }

    /// The line to append for `entry`, with its line feed.
    #[must_use]
    pub fn line(entry: &Entry) -> String {
        // An entry is plain text all through, so that writing it cannot fail.
        serde_json::to_string(entry).map(|json| json + "\n").unwrap_or_default()
    }
}

/// An entry of another kind was written on purpose: passed over, it could be one that takes a certificate back.
fn newer(number: usize, line: &[u8]) -> Option<Failure> {
    #[derive(Deserialize)]
    struct Kinded {
        kind: String,
    }
    let Kinded { kind } = serde_json::from_slice(line).ok()?;
    if serde_json::from_value::<EntryKind>(kind.as_str().into()).is_ok() {
        return None;
    }
    Some(
        Failure::new(
            Exit::CheckFailed,
            Code::IssueLogNewer,
            format!("line {number} of the issue log was written by a newer version of this tool"),
        )
        .why(format!("it is an entry of the kind {:?}, of which this version knows nothing", excerpt(&kind)))
        .next("run the version that wrote it, or a newer one"),
    )
}

fn damaged(line: usize, ended: bool, whole: bool) -> Failure {
    let failure =
        Failure::new(Exit::CheckFailed, Code::IssueLogDamaged, format!("line {line} of the issue log cannot be read"));
    match (ended, whole) {
        (false, false) => failure
            .why("it is cut off: the machine stopped while it was written, before its certificate left")
            .next(format!("keep a copy of the log, delete its last line ({line}), and run the command again")),
        (false, true) => failure
            .why("the entry is whole, but its line has no end, so that the next one would be written onto it")
            .next("add a line end to the log, for example with an editor, and run the command again"),
        (true, _) => failure
            .why("it is not an entry of this tool's log, or was edited")
            .next("put the log back from a copy: without it a request could be answered twice"),
    }
}

impl Entry {
    /// The entry for a certificate that was just issued at `time`.
    #[must_use]
    pub fn new(
        request: &Request,
        issued: &IssuedCertificate,
        authority: &Authority,
        claim: &Claim,
        time: OffsetDateTime,
    ) -> Self {
        Self {
            kind: EntryKind::Certificate,
            time: whole_seconds(time),
            organization: request.msp_id.clone(),
            serial: issued.serial.clone(),
            fingerprint: request.fingerprint,
            request: request.digest,
            not_before: issued.not_before,
            not_after: issued.not_after,
            authority: authority.fingerprint(),
            hosts: request.hosts.clone(),
            unverified_mail: *claim == Claim::UnverifiedMail,
            certificate: STANDARD.encode(&issued.der),
        }
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
            .next(format!("ask {organization} for a new key and request: `helm substra-mtls enroll --new-request -f backend-values.yaml`"))
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
        return Err(answered(format!("its certificate {} ends on {}", entry.serial, times::rfc3339(entry.not_after))));
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

mod rfc3339 {
    //! RFC 3339 for serde, without the feature `serde` of `time`.

    use serde::{Deserialize, Deserializer, Serializer, de, ser};
    use time::{OffsetDateTime, format_description::well_known::Rfc3339};

    pub(super) fn serialize<S: Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time.format(&Rfc3339).map_err(ser::Error::custom)?)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
        OffsetDateTime::parse(&String::deserialize(deserializer)?, &Rfc3339).map_err(de::Error::custom)
    }
}
