//! `docs/federation.schema.json`.

use serde_json::Value;

use crate::json_schema;

pub(crate) fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/federation.schema.json")).unwrap()
}

/// Whether the schema accepts `value`.
pub(crate) fn accepts(value: &Value) -> bool {
    json_schema::judge(&schema(), value).is_ok()
}
