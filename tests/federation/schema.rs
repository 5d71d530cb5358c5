//! `docs/federation.schema.json`.

use serde_json::Value;

use crate::json_schema::{self, Files};

pub(crate) fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/federation.schema.json")).unwrap()
}

/// Whether the schema accepts `value`.
pub(crate) fn accepts(value: &Value) -> bool {
    let files = Files::from([("federation.schema.json".to_owned(), schema())]);
    json_schema::judge(&files, "federation.schema.json", value).is_ok()
}
