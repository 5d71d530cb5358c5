//! The JSON Schemas of what scripts are answered: made of the types, and kept in `docs/schemas`. Tests alone need them.
//!
//! After a change that is meant: `UPDATE_EXPECTED=1 cargo test --lib schema`.

#![allow(clippy::disallowed_methods, reason = "what is kept is a file of the repository")]

use std::{borrow::Cow, env, fs};

use clap::ValueEnum;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Value, json};

use crate::{
    failure::Exit,
    report::{Answer, Nothing, Stage},
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemas");

/// Makes a type that stands for texts of one form.
macro_rules! texts {
    ($($name:ident $form:tt)*) => {
        $(pub(crate) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($form)
            }
        })*
    };
}

texts! {
    Id {
        "description": "A stable word; docs/schemas/ids.txt has all of them.",
        "type": "string",
        "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
    }
    Time {
        "description": "RFC 3339, in UTC.",
        "type": "string",
        "format": "date-time",
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
    }
    KeyFingerprint {
        "description": "SHA-256 of a public key (DER SubjectPublicKeyInfo).",
        "type": "string",
        "pattern": "^SHA256:[0-9a-f]{64}$"
    }
    Serial {
        "description": "Serial number of a certificate, lower-case hexadecimal digits.",
        "type": "string",
        "pattern": "^[0-9a-f]*$"
    }
}

impl JsonSchema for Exit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Exit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let all: Vec<Self> = Self::value_variants().iter().copied().filter(|exit| *exit != Self::Done).collect();
        json_schema!({"enum": all})
    }
}

/// The schema of what a verb answers is as it was kept: `result` by its type, `stage` one of these.
#[track_caller]
pub(crate) fn is_kept<R: JsonSchema>(verbs: &[&str], stages: &[Stage]) {
    let mut schema = schema_of::<Answer<R>>();
    schema["title"] = json!(format!("The answer of {} -o json", verbs.join(" and ")));
    schema["properties"]["verb"] = json!({"enum": verbs});
    schema["properties"]["stage"]["enum"] = json!(stages);
    let name = verbs.first().unwrap();
    // The two verbs of the gate share one.
    compared(
        &if verbs.len() == 1 { name.replace(' ', "-") } else { name.split(' ').next().unwrap().to_owned() },
        &schema,
    );
}

fn schema_of<T: JsonSchema>() -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    schema["properties"]["schemaVersion"]["const"] = json!(1);
    tidy(&mut schema);
    schema
}

/// Forms exclude each other, what may be missing is never null, and what a number looks like in Rust is nobody's business.
/// Objects stay open: a field that comes later breaks nobody who validates. What is answered today is judged by the closed
/// form (`tests/cli/schemas.rs`).
fn tidy(schema: &mut Value) {
    let rules = match schema {
        Value::Object(rules) => rules,
        Value::Array(all) => return all.iter_mut().for_each(tidy),
        _ => return,
    };
    let required = rules.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(fields) = rules.get_mut("properties").and_then(Value::as_object_mut) {
        let missing = fields.iter_mut().filter(|(name, _)| !required.contains(&json!(name)));
        missing.for_each(|(_, field)| never_null(field));
    }
    if let Some(forms) = rules.remove("anyOf") {
        rules.insert("oneOf".to_owned(), forms);
    }
    if rules.get("type") == Some(&json!("integer")) {
        rules.retain(|rule, _| rule != "format" && rule != "minimum");
    }
    rules.values_mut().for_each(tidy);
}

fn never_null(field: &mut Value) {
    if let Some([kind, null]) = field["type"].as_array().map(Vec::as_slice)
        && null == "null"
    {
        field["type"] = kind.clone();
    }
    if let Some([Value::Object(form), null]) = field["anyOf"].as_array().map(Vec::as_slice)
        && null["type"] == "null"
    {
        let form = form.clone();
        field.as_object_mut().unwrap().extend(form);
        field.as_object_mut().unwrap().remove("anyOf");
    }
}

#[track_caller]
fn compared(name: &str, schema: &Value) {
    let mut schema = schema.clone();
    schema["$id"] = json!(format!("urn:substra-mtls:schema:1:{name}"));
    let (path, seen) = (format!("{FOLDER}/{name}.schema.json"), format!("{schema:#}\n"));
    if env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, &seen).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap_or_default(),
        seen,
        "{path}: UPDATE_EXPECTED=1 cargo test --lib schema"
    );
}

#[test]
fn the_schema_of_a_failure_is_kept() {
    let mut schema = schema_of::<Nothing>();
    schema["title"] = json!("The answer of a run that came to nothing");
    compared("failure", &schema);
}
