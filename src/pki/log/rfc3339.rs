//! RFC 3339 for serde, without the feature `serde` of `time`.

use serde::{Deserialize, Deserializer, Serializer, de, ser};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

pub(super) fn serialize<S: Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.format(&Rfc3339).map_err(ser::Error::custom)?)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
    OffsetDateTime::parse(&String::deserialize(deserializer)?, &Rfc3339).map_err(de::Error::custom)
}
