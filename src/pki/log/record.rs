//! A line of the issue log, of whatever kind.

use serde::{Deserialize, Serialize};

use super::{Alarm, Entry, Settlement};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Record {
    /// A certificate whose request somebody vouched for.
    Certificate(Entry),
    /// A certificate whose request the key of the one before it signed. A kind of its own, so that a version that does not
    /// know renewals stops instead of signing a second successor.
    Renewal(Entry),
    /// Two requests are signed by one key.
    Alarm(Alarm),
    /// An alarm was looked into.
    Settlement(Settlement),
}

impl Record {
    /// The kinds, as they are written.
    pub(super) const KINDS: [&'static str; 4] = ["certificate", "renewal", "alarm", "settlement"];

    /// Reads a line; the first versions knew certificates alone, and wrote no kind.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).or_else(|_| serde_json::from_slice(line).map(Self::Certificate)).ok()
    }

    /// The line, with its line feed.
    #[must_use]
    pub fn line(&self) -> String {
        // Plain text all through, so that writing it cannot fail.
        serde_json::to_string(self).map(|json| json + "\n").unwrap_or_default()
    }
}

impl From<Entry> for Record {
    fn from(entry: Entry) -> Self {
        if entry.predecessor.is_some() { Self::Renewal(entry) } else { Self::Certificate(entry) }
    }
}

impl From<Alarm> for Record {
    fn from(alarm: Alarm) -> Self {
        Self::Alarm(alarm)
    }
}

impl From<Settlement> for Record {
    fn from(settlement: Settlement) -> Self {
        Self::Settlement(settlement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_written_as_it_is_read() {
        let named = |line: &str| serde_json::from_str::<Record>(line).is_ok();
        for kind in Record::KINDS {
            let error =
                serde_json::from_str::<Record>(&format!("{{\"kind\":\"{kind}\"}}")).err().map(|e| e.to_string());
            assert!(error.is_some_and(|text| text.contains("missing field")), "{kind}");
        }
        assert!(!named("{\"kind\":\"other\"}"));
    }
}
