//! Every answer of every verb has the form that `docs/schemas/` says: whatever a test of this folder brings about is
//! judged here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::LazyLock,
};

use serde_json::{Map, Value, json};
use substra_mtls::{
    failure::{Code, Exit, Failure, Result},
    report::{self, Outcome, Stage},
};

use crate::json_schema;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemas");

/// By file name.
pub(crate) static FILES: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let schemas = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    let schemas = schemas.filter(|path| path.extension().is_some_and(|end| end == "json"));
    schemas
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap())
        })
        .collect()
});

/// The schema of a verb's answer, or of a failure.
fn schema_of(answer: &Value) -> String {
    answer["verb"].as_str().map_or_else(|| "failure.schema.json".to_owned(), file_of)
}

/// The schema of a verb's answer.
pub(crate) fn file_of(verb: &str) -> String {
    if verb.starts_with("gate ") {
        "gate.schema.json".to_owned()
    } else {
        format!("{}.schema.json", verb.replace(' ', "-"))
    }
}

fn judge(answer: &Value) -> std::result::Result<(), String> {
    let name = schema_of(answer);
    let schema = FILES.get(&name).ok_or_else(|| format!("there is no schema {name}"))?;
    json_schema::judge(&closed(schema), answer).map_err(|why| format!("by {name}: {why}"))
}

/// Whoever reads an answer may meet a field that is new. We may not: each field of an answer stands in its schema.
fn closed(schema: &Value) -> Value {
    match schema {
        Value::Object(rules) => {
            let mut rules: Map<String, Value> = rules.iter().map(|(rule, one)| (rule.clone(), closed(one))).collect();
            if rules.get("type") == Some(&json!("object")) {
                rules.entry("additionalProperties").or_insert(json!(false));
            }
            rules.into()
        }
        Value::Array(all) => all.iter().map(closed).collect(),
        other => other.clone(),
    }
}

/// Refuses an answer that has not the form of its schema.
#[track_caller]
pub(crate) fn judged(answer: &Value) {
    // Whoever reads a failure at night wants to know why, and what to do.
    for part in ["what", "why", "next"] {
        assert!(answer.get("error").is_none_or(|error| error[part] != ""), "no {part}: {answer:#}");
    }
    if let Err(why) = judge(answer) {
        panic!("{why}\n{answer:#}");
    }
    crate::pasted::judged_answer(answer);
}

/// A run with `-o json`: stdout is one document of that form, and says what the exit status says.
#[track_caller]
pub(crate) fn judged_run(stdout: &str, status: i32) {
    let answer: Value = serde_json::from_str(stdout).unwrap_or_else(|why| panic!("{why}: {stdout}"));
    judged(&answer);
    match answer.get("error") {
        Some(error) => assert_eq!(error["exit"], status),
        None => assert!(status == 0 || (status == 3 && answer["verb"] == "check"), "{status}: {answer:#}"),
    }
}

/// What a verb gave on the simulated cluster, as scripts would see it.
#[track_caller]
pub(crate) fn seen(result: Result<Outcome>) -> Result<Outcome> {
    let answer = match &result {
        Ok(outcome) => outcome.json(),
        Err(failure) => report::failure_json(failure),
    };
    judged(&answer);
    result
}

#[test]
fn a_field_without_a_schema_and_a_time_of_another_form_are_refused() {
    let answer = |more: Value| {
        let mut result = json!({
            "object": "x", "ca": "CN=x", "caFingerprint": format!("SHA256:{}", "0".repeat(64)), "caNotAfter": "2026-11-24T16:30:00Z"
        });
        result.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Outcome::new("ca trust", Stage::Trusted).result(&result, Vec::<String>::new())
    };
    let good = answer(json!({}));
    judged(&good.json());
    let mut odd = good.clone().failed(Failure::new(Exit::Failed, Code::Bug, "x")).json();
    odd["error"]["code"] = "Not kebab".into();
    for bad in [
        answer(json!({"more": 1})).json(),
        answer(json!({"caNotAfter": "2026-11-24 16:30:00.0 +00:00:00"})).json(),
        answer(json!({"caNotAfter": "2026-13-24T16:30:00Z"})).json(),
        Outcome::new("ca trust", Stage::Approved).json(),
        odd,
    ] {
        assert!(judge(&bad).is_err(), "{bad:#}");
    }
}

#[test]
fn every_schema_names_its_dialect_and_itself_and_lets_fields_be_added() {
    for (name, schema) in FILES.iter() {
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        let id = format!("urn:substra-mtls:schema:1:{}", name.strip_suffix(".schema.json").unwrap());
        assert_eq!(schema["$id"], id);
        let text = schema.to_string();
        assert!(!text.contains(r#""additionalProperties":false"#) && !text.contains("unevaluated"), "{name} is closed");
    }
    let mut answer = Outcome::new("ca trust", Stage::Trusted)
        .result(&json!({"object": "x", "ca": "CN=x", "caNotAfter": "2026-11-24T16:30:00Z"}), Vec::<String>::new())
        .json();
    answer["more"] = "a field of a later version".into();
    answer["result"]["more"] = 1.into();
    assert!(judge(&answer).is_err(), "we answer with no field that has no schema");
    assert_eq!(json_schema::judge(&FILES["ca-trust.schema.json"], &answer), Ok(()), "a consumer takes it");
}

#[test]
fn every_stage_stands_in_a_schema_and_every_word_of_a_schema_is_a_stage() {
    let of_schema = |schema: &Value| schema["properties"]["stage"]["enum"].as_array().cloned().unwrap_or_default();
    let words: BTreeSet<String> =
        FILES.values().flat_map(of_schema).map(|word| word.as_str().unwrap().to_owned()).collect();
    let stages: BTreeSet<String> = Stage::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(words, stages);
}
