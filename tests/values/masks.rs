//! What is shown of a values file holds no value, whatever the file looks like.

use serde_json::Value;
use substra_mtls::values::{HIDDEN, masked, read};

use super::files;

fn collect(value: &Value, keys: &mut Vec<String>, values: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            keys.push(key.clone());
            collect(value, keys, values);
        }),
        Value::Array(items) => items.iter().for_each(|item| collect(item, keys, values)),
        Value::String(text) => values.extend(text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned)),
        Value::Number(number) => values.push(number.to_string()),
        Value::Bool(_) | Value::Null => {}
    }
}

/// How many values of a file were looked for.
fn shows_none(name: &str, text: &[u8]) -> usize {
    let Ok(tree) = read(text) else { return 0 };
    let shown = masked(text, &|_| false).unwrap();
    let whole = String::from_utf8_lossy(text).into_owned();
    let named = format!("{name}:\n{whole}\n-- is shown as\n{shown}");
    assert_eq!(shown.lines().count(), whole.trim_start_matches('\u{feff}').lines().count(), "{named}");
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    collect(&tree, &mut keys, &mut values);
    // What a key or a switch says too is shown there.
    values.retain(|value| {
        value.len() > 4
            && value != "false"
            && !HIDDEN.contains(value.as_str())
            && !keys.iter().any(|key| key.contains(value.as_str()))
    });
    for value in &values {
        assert!(!shown.contains(value.as_str()), "{value:?} in {named}");
    }
    for line in shown.lines().map(str::trim).filter(|line| line.starts_with('#')) {
        assert!(["#", "# (hidden)"].contains(&line), "{line} in {named}");
    }
    values.len()
}

#[test]
fn of_no_file_a_value_is_shown() {
    let corpus: usize = files::corpus().iter().map(|(name, text)| shows_none(name, text)).sum();
    let mutants: usize = files::mutants(11, 10_000).map(|text| shows_none("mutant", &text)).sum();
    assert!(corpus > 150 && mutants > 2_000, "{corpus} {mutants}");
}
