//! The fingerprint of a public key: what two people compare on the phone.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// SHA-256 of a SubjectPublicKeyInfo (DER), 32 bytes. Shown as `SHA256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 32]);

/// A text is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is SHA256: and 64 hexadecimal digits, in groups or not")]
pub struct NoFingerprint;

impl Fingerprint {
    /// Of the DER of a SubjectPublicKeyInfo.
    #[must_use]
    pub fn of_spki(spki: &[u8]) -> Self {
        Self(sha256(spki))
    }

    /// Eight groups of eight digits, to be read out.
    #[must_use]
    pub fn groups(&self) -> [String; 8] {
        std::array::from_fn(|group| hex(&self.0[group * 4..group * 4 + 4]))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", hex(&self.0))
    }
}

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    /// Any case, with or without the prefix; spaces, colons and dashes between groups.
    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let text = text.trim();
        let prefixed = text.get(..7).is_some_and(|prefix| prefix.eq_ignore_ascii_case("SHA256:"));
        let digits = if prefixed { &text[7..] } else { text };
        let digits: String = digits.chars().filter(|c| !" :-\t".contains(*c)).collect();
        if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NoFingerprint);
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).map_err(|_| NoFingerprint)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = NoFingerprint;
    fn try_from(text: String) -> Result<Self, NoFingerprint> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_out_is_what_was_meant() {
        let fingerprint = Fingerprint::of_spki(b"key");
        let spoken = fingerprint.groups().join(" ").to_uppercase();
        assert_eq!(spoken.parse(), Ok(fingerprint));
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert_eq!(fingerprint.groups().join("-").parse(), Ok(fingerprint));
        for bad in ["", "SHA256:", "SHA256:12", &spoken[1..], "é"] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }
}
