//! The few shapes of DER that a certificate is put together from (X.690).

use time::OffsetDateTime;

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const OCTET_STRING: u8 = 0x04;

/// Tag, length, content.
pub(super) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
            out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(8));
            out.extend_from_slice(bytes);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// A bit string of whole bytes.
pub(super) fn bits(bytes: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], bytes])
}

/// UTCTime to 2049, GeneralizedTime after it (RFC 5280 section 4.1.2.5).
pub(super) fn time(at: OffsetDateTime) -> Vec<u8> {
    let (date, clock) = (at.date(), at.time());
    let tail = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        u8::from(date.month()),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second()
    );
    if date.year() < 2050 {
        tlv(0x17, &[format!("{:02}{tail}", date.year().rem_euclid(100)).as_bytes()])
    } else {
        tlv(0x18, &[format!("{:04}{tail}", date.year()).as_bytes()])
    }
}

/// An extension; `oid` and `value` are DER.
pub(super) fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[0x01, 0x01, 0xff] } else { &[] };
    tlv(SEQUENCE, &[oid, critical, &tlv(OCTET_STRING, &[value])])
}

/// One attribute of a name as an RDN of its own, UTF8String.
pub(super) fn rdn(oid: &[u8], text: &str) -> Vec<u8> {
    tlv(SET, &[&tlv(SEQUENCE, &[oid, &tlv(0x0c, &[text.as_bytes()])])])
}

/// Object identifiers as DER.
pub(super) mod oid {
    pub(in crate::substra) const COMMON_NAME: &[u8] = &[0x06, 3, 0x55, 4, 3];
    pub(in crate::substra) const ORGANIZATION: &[u8] = &[0x06, 3, 0x55, 4, 10];
    pub(in crate::substra) const SUBJECT_KEY_ID: &[u8] = &[0x06, 3, 0x55, 0x1d, 14];
    pub(in crate::substra) const SUBJECT_ALT_NAME: &[u8] = &[0x06, 3, 0x55, 0x1d, 17];
    pub(in crate::substra) const AUTHORITY_KEY_ID: &[u8] = &[0x06, 3, 0x55, 0x1d, 35];
    pub(in crate::substra) const EXTENDED_KEY_USAGE: &[u8] = &[0x06, 3, 0x55, 0x1d, 37];
    pub(in crate::substra) const CLIENT_AUTH: &[u8] = &[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2];
}
