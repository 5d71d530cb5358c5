//! The fingerprint that two people compare over another channel: SHA-256 of a public key.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::failure::{Code, Exit, Failure};

/// SHA-256 of a DER `SubjectPublicKeyInfo`: the same for a key, its request and its certificate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 32]);

/// The text is no fingerprint: not 64 hexadecimal digits, with or without `SHA256:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is \"SHA256:\" and 64 hexadecimal digits; spaces, colons and dashes between them are ignored")]
pub struct BadFingerprint;

impl BadFingerprint {
    /// The failure of somebody who typed it where it is asked for; `what` is not done for that.
    #[must_use]
    pub fn typed(self, what: String) -> Failure {
        Failure::new(Exit::Refused, Code::Fingerprint, what)
            .why("what was typed is not a fingerprint: 8 groups of 8 hexadecimal digits")
            .next("run the command again and type the groups as they are read out to you")
    }
}

impl Fingerprint {
    /// The fingerprint of a DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn of_spki(spki: &[u8]) -> Self {
        Self(sha256(spki))
    }

    /// Eight groups of eight digits, to be read out aloud.
    #[must_use]
    pub fn groups(&self) -> [String; 8] {
        std::array::from_fn(|i| hex(&self.0[i * 4..i * 4 + 4]))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", hex(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = BadFingerprint;
    fn from_str(given: &str) -> Result<Self, BadFingerprint> {
        let given = given.trim();
        let prefixed = given.get(..7).is_some_and(|prefix| prefix.eq_ignore_ascii_case("sha256:"));
        let digits = if prefixed { &given[7..] } else { given };
        let digits: Vec<u8> = digits.bytes().filter(|b| !b" :-\t".contains(b)).collect();
        from_hex(&digits).map(Self).ok_or(BadFingerprint)
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = BadFingerprint;
    fn try_from(given: String) -> Result<Self, BadFingerprint> {
        given.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> String {
        fingerprint.to_string()
    }
}

/// SHA-256 of any bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// 32 bytes from 64 hexadecimal digits of any case.
pub(super) fn from_hex(digits: &[u8]) -> Option<[u8; 32]> {
    let nibble = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let bytes: Option<Vec<u8>> =
        digits.chunks(2).map(|pair| Some((nibble(pair[0])? << 4) | nibble(*pair.get(1)?)?)).collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_prints_in_any_dress() {
        let print = Fingerprint::of_spki(b"key");
        let text = print.to_string();
        assert!(text.starts_with("SHA256:") && text.len() == 71);
        for dressed in [
            text.clone(),
            text.to_uppercase(),
            text[7..].to_owned(),
            print.groups().join(" "),
            print.groups().join(":"),
            format!(" sha256:{}\n", print.groups().join("-")),
        ] {
            assert_eq!(dressed.parse::<Fingerprint>(), Ok(print), "{dressed}");
        }
        assert_eq!(serde_json::to_string(&print).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Fingerprint>(&format!("\"{text}\"")).unwrap(), print);
    }

    #[test]
    fn refuses_short_long_and_foreign_texts() {
        let text = Fingerprint::of_spki(b"key").to_string();
        for bad in ["", "SHA256:", &text[..70], &format!("{text}0"), &text.replace("SHA256", "SHA1"), "é", "ßßßßßßß"]
        {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }
}
