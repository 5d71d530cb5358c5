//! What a plain scalar is for Helm: go-yaml version 2, YAML 1.1 (`resolve.go` of go.yaml.in/yaml/v2).

use serde_json::{Number, Value, json};

/// A plain scalar's value, or why Helm cannot hold it.
pub(super) fn resolve(text: &str) -> Result<Value, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => return Ok(json!(true)),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => {
            return Ok(json!(false));
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf"
        | "-.INF" => {
            return Err("Helm cannot hold infinity or not-a-number");
        }
        _ => {}
    }
    let number = match text.as_bytes().first() {
        Some(b'.') if separates_digits(text) => float(&text.replace('_', "")),
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let plain = text.replace('_', "");
            integer(&plain).or_else(|| float(&plain))
        }
        _ => None,
    };
    Ok(number.map_or_else(|| json!(text), Value::Number))
}

/// A value as it is after Helm's detour over JSON, where every number is a 64-bit float.
pub(super) fn settle(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or(Value::Null, settled),
        other => other,
    }
}

/// Whole numbers as integers where these are exact, so that `1` and `1.0` are equal as they are for Helm.
#[allow(clippy::cast_possible_truncation, reason = "whole and in range")]
fn settled(float: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if float.fract() == 0.0 && float.abs() <= EXACT { json!(float as i64) } else { json!(float) }
}

fn float(plain: &str) -> Option<Number> {
    if is_float(plain) { plain.parse().ok().and_then(Number::from_f64) } else { None }
}

/// Go's `ParseFloat` takes `_` between two digits only; before a dotless number go-yaml drops every `_` itself.
fn separates_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    text.match_indices('_').all(|(at, _)| at > 0 && is_digit(at - 1) && is_digit(at + 1))
}

/// Go's `ParseInt(s, 0, 64)`: `0x`, `0o`, `0b` and a leading zero choose the base.
fn integer(plain: &str) -> Option<Number> {
    let (negative, digits) = match plain.as_bytes().first()? {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, plain),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if digits.is_empty() || digits.starts_with(['+', '-']) {
        return None;
    }
    let size = u64::from_str_radix(digits, base).ok()?;
    if negative {
        return i64::try_from(-i128::from(size)).ok().map(Number::from);
    }
    Some(Number::from(size))
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_float(plain: &str) -> bool {
    let unsigned = plain.strip_prefix(['-', '+']).unwrap_or(plain);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let good_mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    good_mantissa && exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)))
}

/// A key as text: Helm's values have text keys only (`sigs.k8s.io/yaml`, `convertToJSONableObject`).
pub(super) fn key(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => number_key(number),
        _ => None,
    }
}

/// Floats are rounded to 32 bits and written in Go's shortest form; those that Go writes with an exponent, and
/// integers beyond 64 bits with a sign (for Helm an error), are left to refusal.
#[allow(clippy::cast_possible_truncation, reason = "Go rounds these keys to 32 bits")]
fn number_key(number: &Number) -> Option<String> {
    if !number.is_f64() {
        return number.as_i64().map(|whole| whole.to_string());
    }
    let float = number.as_f64()? as f32;
    let plain = float == 0.0 || (1e-4..1e6).contains(&float.abs());
    plain.then(|| float.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_what_helm_takes_them_for() {
        let numbers = [
            ("0123", 83.0),
            ("0o17", 15.0),
            ("0b11", 3.0),
            ("0x1F", 31.0),
            ("1_0", 10.0),
            ("08", 8.0),
            ("1e3", 1000.0),
            (".5", 0.5),
            (".5_0", 0.5),
            ("-7", -7.0),
            ("1.", 1.0),
        ];
        for (text, value) in numbers {
            assert_eq!(resolve(text).unwrap().as_f64(), Some(value), "{text}");
        }
        for text in "tRue yEs 190:20:30 2001-12-14 = 1.2.3 - + 0x 1e abc -a .5_ ._5 .5__0".split(' ') {
            assert_eq!(resolve(text).unwrap(), json!(text), "{text}");
        }
        assert_eq!(
            (resolve("y").unwrap(), resolve("Off").unwrap(), resolve("~").unwrap()),
            (json!(true), json!(false), Value::Null)
        );
        assert!(resolve("-.inf").is_err());
    }
}
