//! `docs/federation.schema.json`, and the few of JSON Schema's rules that it uses.

use regex_lite::Regex;
use serde_json::{Map, Value};

pub(crate) fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/federation.schema.json")).unwrap()
}

/// Whether the schema accepts `value`.
pub(crate) fn accepts(value: &Value) -> bool {
    let root = schema();
    valid(&root, &root, value)
}

/// What `$ref` names.
pub(crate) fn target<'a>(root: &'a Value, reference: &Value) -> &'a Value {
    root.pointer(reference.as_str().unwrap().strip_prefix('#').unwrap()).unwrap()
}

fn valid(root: &Value, schema: &Value, value: &Value) -> bool {
    match schema {
        Value::Bool(verdict) => *verdict,
        Value::Object(rules) => rules.iter().all(|(rule, wanted)| holds(root, rules, rule, wanted, value)),
        _ => panic!("{schema} is no schema"),
    }
}

/// Keywords that say nothing here: of a value of another type, or read with another keyword.
const ELSEWHERE: [&str; 17] = [
    "$schema",
    "$defs",
    "title",
    "description",
    "default",
    "else",
    "pattern",
    "maxLength",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "propertyNames",
    "required",
    "properties",
    "additionalProperties",
];

/// One keyword.
fn holds(root: &Value, rules: &Map<String, Value>, rule: &str, wanted: &Value, value: &Value) -> bool {
    let valid = |schema: &Value, value: &Value| valid(root, schema, value);
    let size = || usize::try_from(wanted.as_u64().unwrap()).unwrap();
    match (rule, value) {
        ("$ref", _) => valid(target(root, wanted), value),
        ("type", _) => wanted == kind(value),
        ("const", _) => wanted == value,
        ("enum", _) => wanted.as_array().unwrap().contains(value),
        ("not", _) => !valid(wanted, value),
        ("oneOf", _) => wanted.as_array().unwrap().iter().filter(|one| valid(one, value)).count() == 1,
        ("if", _) => valid(wanted, value) || valid(&rules["else"], value),
        ("pattern", Value::String(text)) => Regex::new(wanted.as_str().unwrap()).unwrap().is_match(text),
        ("maxLength", Value::String(text)) => text.chars().count() <= size(),
        ("items", Value::Array(items)) => items.iter().all(|item| valid(wanted, item)),
        ("minItems", Value::Array(items)) => items.len() >= size(),
        ("maxItems", Value::Array(items)) => items.len() <= size(),
        ("uniqueItems", Value::Array(items)) => items.iter().enumerate().all(|(at, item)| !items[..at].contains(item)),
        ("minProperties", Value::Object(map)) => map.len() >= size(),
        ("propertyNames", Value::Object(map)) => map.keys().all(|key| valid(wanted, &Value::from(key.as_str()))),
        ("required", Value::Object(map)) => {
            wanted.as_array().unwrap().iter().all(|key| map.contains_key(key.as_str().unwrap()))
        }
        ("properties", Value::Object(map)) => {
            map.iter().all(|(key, value)| wanted.get(key).is_none_or(|one| valid(one, value)))
        }
        ("additionalProperties", Value::Object(map)) => {
            let named = |key: &String| rules.get("properties").is_some_and(|all| all.get(key).is_some());
            map.iter().filter(|(key, _)| !named(key)).all(|(_, value)| valid(wanted, value))
        }
        _ => ELSEWHERE.contains(&rule) || panic!("this test does not know {rule}"),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
