//! The few rules of JSON Schema (2020-12) that the schemas under `docs/` use. A keyword that is unknown here fails.

use regex_lite::Regex;
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Judges `value` by a schema; the error says where it does not fit, and why.
pub(crate) fn judge(schema: &Value, value: &Value) -> Result<(), String> {
    Judge { root: schema }.fits(schema, value)
}

/// What `$ref` names, within `root`.
pub(crate) fn target<'a>(root: &'a Value, reference: &str) -> &'a Value {
    root.pointer(reference.strip_prefix('#').unwrap()).unwrap()
}

#[derive(Clone, Copy)]
struct Judge<'a> {
    root: &'a Value,
}

/// Keywords that say nothing here: of a value of another type, or read with another keyword.
const ELSEWHERE: [&str; 19] = [
    "$schema",
    "$id",
    "$defs",
    "title",
    "description",
    "default",
    "else",
    "format",
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

impl Judge<'_> {
    fn fits(self, schema: &Value, value: &Value) -> Result<(), String> {
        match schema {
            Value::Bool(true) => Ok(()),
            Value::Bool(false) => Err("must not be there".to_owned()),
            Value::Object(rules) => rules.iter().try_for_each(|(rule, wanted)| self.holds(rules, rule, wanted, value)),
            _ => panic!("{schema} is no schema"),
        }
    }

    /// One keyword.
    fn holds(self, rules: &Map<String, Value>, rule: &str, wanted: &Value, value: &Value) -> Result<(), String> {
        let fits = |schema: &Value, value: &Value| self.fits(schema, value).is_ok();
        let size = || usize::try_from(wanted.as_u64().unwrap()).unwrap();
        let named = |key: &String| rules.get("properties").is_some_and(|all| all.get(key).is_some());
        let good = match (rule, value) {
            ("$ref", _) => return self.fits(target(self.root, wanted.as_str().unwrap()), value),
            ("oneOf", _) => return self.one_of(wanted.as_array().unwrap(), value),
            ("items", Value::Array(items)) => {
                return items.iter().enumerate().try_for_each(|(at, item)| self.inside(&at.to_string(), wanted, item));
            }
            ("properties", Value::Object(map)) => {
                let known = map.iter().filter_map(|(key, value)| Some((key, wanted.get(key)?, value)));
                return known.into_iter().try_for_each(|(key, one, value)| self.inside(key, one, value));
            }
            ("additionalProperties", Value::Object(map)) => {
                let mut others = map.iter().filter(|(key, _)| !named(key));
                return others.try_for_each(|(key, value)| self.inside(key, wanted, value));
            }
            ("type", _) => match wanted {
                Value::Array(kinds) => kinds.iter().any(|wanted| is(wanted, value)),
                wanted => is(wanted, value),
            },
            ("const", _) => wanted == value,
            ("enum", _) => wanted.as_array().unwrap().contains(value),
            ("not", _) => !fits(wanted, value),
            ("if", _) => fits(wanted, value) || fits(&rules["else"], value),
            ("pattern", Value::String(text)) => Regex::new(wanted.as_str().unwrap()).unwrap().is_match(text),
            ("format", Value::String(text)) if wanted == "date-time" => OffsetDateTime::parse(text, &Rfc3339).is_ok(),
            ("maxLength", Value::String(text)) => text.chars().count() <= size(),
            ("minItems", Value::Array(items)) => items.len() >= size(),
            ("maxItems", Value::Array(items)) => items.len() <= size(),
            ("uniqueItems", Value::Array(items)) => {
                items.iter().enumerate().all(|(at, one)| !items[..at].contains(one))
            }
            ("minProperties", Value::Object(map)) => map.len() >= size(),
            ("propertyNames", Value::Object(map)) => map.keys().all(|key| fits(wanted, &Value::from(key.as_str()))),
            ("required", Value::Object(map)) => {
                wanted.as_array().unwrap().iter().all(|key| map.contains_key(key.as_str().unwrap()))
            }
            _ => {
                assert!(ELSEWHERE.contains(&rule), "this test does not know {rule}");
                true
            }
        };
        if good { Ok(()) } else { Err(format!(" does not hold {rule} {wanted}: {value}")) }
    }

    fn inside(self, key: &str, schema: &Value, value: &Value) -> Result<(), String> {
        self.fits(schema, value).map_err(|why| format!("/{key}{why}"))
    }

    fn one_of(self, all: &[Value], value: &Value) -> Result<(), String> {
        let whys: Vec<String> = all.iter().filter_map(|one| self.fits(one, value).err()).collect();
        if whys.len() + 1 == all.len() {
            return Ok(());
        }
        Err(format!(" fits {} of {} forms: {}", all.len() - whys.len(), all.len(), whys.join("; ")))
    }
}

fn is(kind: &Value, value: &Value) -> bool {
    kind == match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) if kind == "integer" && value.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
