//! The issue log: one request, one certificate, one successor. JSON lines beside the CA.

use serde::Deserialize;
use time::OffsetDateTime;

use self::incident::Incident;
pub use self::{
    entry::{Entry, reissue},
    incident::{Alarm, Settlement},
    record::Record,
};
use super::{fingerprint::Fingerprint, request::RequestDigest};
use crate::{
    failure::{Code, Exit, Failure},
    names::MspId,
    plain::excerpt,
};

mod entry;
mod incident;
mod record;
mod rfc3339;

/// All that was noted, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueLog {
    entries: Vec<Entry>,
    /// Alarms and how they were settled, each with the number of entries before it: several lines may be of one second.
    incidents: Vec<(usize, Incident)>,
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
        match Record::read(line) {
            Some(record) if ended => {
                self.add(record);
                Ok(())
            }
            read => Err(newer(number, line).unwrap_or_else(|| damaged(number, ended, read.is_some()))),
        }
    }

    fn add(&mut self, record: Record) {
        match record {
            Record::Certificate(entry) | Record::Renewal(entry) => self.entries.push(entry),
            Record::Alarm(alarm) => self.incidents.push((self.entries.len(), Incident::Alarm(alarm))),
            Record::Settlement(settled) => self.incidents.push((self.entries.len(), Incident::Settlement(settled))),
        }
    }

    /// Puts lines that were read in no order, as a cluster lists objects by name, into that of their times.
    pub fn sort(&mut self) {
        self.entries.sort_by_key(|entry| entry.time);
        self.incidents.sort_by_key(|(_, incident)| incident.time());
        for (before, incident) in &mut self.incidents {
            *before = self.entries.partition_point(|entry| entry.time <= incident.time());
        }
    }

    /// All certificates, oldest first.
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

    /// The certificate by which an organization is known: the newest, but for those that a settlement gave up.
    #[must_use]
    pub fn current(&self, organization: &MspId) -> Option<&Entry> {
        let settled = self.incidents_of(organization).rev().find_map(|(before, one)| Some((before, one.kept()?)));
        let given_up =
            |at: usize, entry: &Entry| settled.is_some_and(|(before, kept)| at < before && entry.serial != kept);
        let mut newest = self.entries.iter().enumerate().rev();
        newest.find(|(at, entry)| entry.organization == *organization && !given_up(*at, entry)).map(|(_, entry)| entry)
    }

    fn incidents_of(&self, organization: &MspId) -> impl DoubleEndedIterator<Item = (usize, &Incident)> {
        let of = move |(_, incident): &&(usize, Incident)| incident.organization() == organization;
        self.incidents.iter().filter(of).map(|(before, incident)| (*before, incident))
    }

    /// The certificate of an organization that has less than a sixth of its life left, and no newer one.
    #[must_use]
    pub fn overdue(&self, organization: &MspId, now: OffsetDateTime) -> Option<&Entry> {
        let is_due = |entry: &&Entry| entry.not_after - now < (entry.not_after - entry.not_before) / 6;
        self.current(organization).filter(is_due)
    }

    /// The certificate that was asked for by the key of the one with this serial number.
    #[must_use]
    pub fn successor(&self, serial: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.predecessor.as_deref() == Some(serial))
    }

    /// The alarm of an organization that nobody has settled: the first one.
    #[must_use]
    pub fn alarm(&self, organization: &MspId) -> Option<&Alarm> {
        let since = self.incidents_of(organization).rev().map_while(|(_, incident)| incident.alarm());
        since.last()
    }

    /// Every alarm that nobody has settled, oldest first.
    pub fn open_alarms(&self) -> impl Iterator<Item = &Alarm> {
        let is_settled = |at: usize, alarm: &Alarm| {
            let mut later = self.incidents[at..].iter().map(|(_, later)| later);
            later.any(|later| later.kept().is_some() && *later.organization() == alarm.organization)
        };
        let alarms = self.incidents.iter().enumerate().filter_map(|(at, (_, incident))| Some((at, incident.alarm()?)));
        alarms.filter(move |(at, alarm)| !is_settled(*at, alarm)).map(|(_, alarm)| alarm)
    }

    /// Whether a certificate goes back, by renewals alone, to one whose fingerprint nobody compared.
    #[must_use]
    pub fn began_unverified(&self, entry: &Entry) -> bool {
        let mut at = entry;
        // No longer than the log: an entry can be no predecessor of its own, unless somebody wrote it so.
        for _ in &self.entries {
            let Some(serial) = at.predecessor.as_ref().filter(|_| !at.compared) else { return at.unverified_mail };
            let before = self.entries.iter().find(|one| one.serial == *serial && one.organization == at.organization);
            let Some(before) = before else { break };
            at = before;
        }
        true
    }
}

/// An entry of another kind was written on purpose: passed over, it could be one that takes a certificate back.
fn newer(number: usize, line: &[u8]) -> Option<Failure> {
    #[derive(Deserialize)]
    struct Kinded {
        kind: String,
    }
    let Kinded { kind } = serde_json::from_slice(line).ok()?;
    if Record::KINDS.contains(&kind.as_str()) {
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
