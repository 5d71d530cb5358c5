//! Times as they are written everywhere, for people and for scripts.

use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// RFC 3339, in UTC, whole seconds: `2026-11-24T16:30:00Z`.
#[must_use]
pub fn rfc3339(time: OffsetDateTime) -> String {
    let whole = time.to_offset(UtcOffset::UTC).replace_nanosecond(0).unwrap_or(time);
    // Years beyond 9999 have no such form; a certificate cannot carry them (RFC 5280, 4.1.2.5).
    whole.format(&Rfc3339).unwrap_or_else(|_| whole.unix_timestamp().to_string())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn times_are_in_utc_and_without_fractions() {
        assert_eq!(rfc3339(datetime!(2026-11-24 17:30:05.123 +1)), "2026-11-24T16:30:05Z");
    }
}
