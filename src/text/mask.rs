//! Takes the values of others out of what a child says of them.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::values::HIDDEN;

/// Shorter words would be found everywhere.
const SHORTEST: usize = 4;

/// A child's text without the values that it was given. What the command line says already (`said`) is nobody's secret,
/// and is not looked for.
#[must_use]
pub fn without(text: &str, values: &Value, said: &[&str]) -> String {
    let mut forms = Vec::new();
    collect(values, &mut forms);
    forms.retain(|form| form.len() >= SHORTEST && !said.iter().any(|said| said.contains(form.as_str())));
    // Of two that begin at one place the longer one.
    forms.sort_unstable_by_key(|form| std::cmp::Reverse(form.len()));
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let found = forms.iter().find(|form| rest.starts_with(form.as_str()));
        match found {
            Some(_) => shown.push_str(HIDDEN),
            None => shown.push(first),
        }
        rest = &rest[found.map_or(first.len_utf8(), String::len)..];
    }
    shown
}

/// The ways in which Go programs print a value.
fn collect(value: &Value, forms: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.values().for_each(|value| collect(value, forms)),
        Value::Array(items) => items.iter().for_each(|value| collect(value, forms)),
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            forms.extend([number.to_string(), float.to_string(), with_exponent(float)]);
        }
        Value::String(text) => {
            forms.push(STANDARD.encode(text));
            for line in text.lines().map(str::trim) {
                let quoted = Value::from(line).to_string();
                forms.extend([line.to_owned(), quoted[1..quoted.len() - 1].to_owned()]);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// `7.70001e+06`, as Go's `%v` prints a large number.
fn with_exponent(float: f64) -> String {
    let text = format!("{float:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_child_s_words_come_without_the_values_in_any_form() {
        let values = json!({"a": "hunter2\"x", "b": [770_001, 7_700_010, 0.25], "c": {"d": "two\nlines here"}, "e": true, "f": "substra"});
        for (said, shown) in [
            ("got hunter2\"x", "got (hidden)"),
            (r#"got "hunter2\"x" in substra/x"#, r#"got "(hidden)" in substra/x"#),
            ("got aHVudGVyMiJ4 or 770001, 7.70001e+06 and 0.25", "got (hidden) or (hidden), (hidden) and (hidden)"),
            ("got lines here: true", "got (hidden): true"),
        ] {
            assert_eq!(without(said, &values, &["substra/backend"]), shown);
        }
        assert_eq!(without("é", &values, &[]), "é");
        assert_eq!(with_exponent(0.000_01), "1e-05");
    }
}
