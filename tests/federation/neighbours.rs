//! The JSON Schema and the reader agree: on the keys, and on every file that is one change away from a good one.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    json_schema::target,
    parse, refusal,
    schema::{accepts, schema},
    shown, with,
};

/// The shown file as JSON, which is YAML, too.
fn good() -> Value {
    serde_saphyr::from_str(shown()).unwrap()
}

/// Rules that look at two places at once, which a schema cannot state.
const BEYOND_A_SCHEMA: [&str; 1] = ["federation-clash"];

#[track_caller]
fn judged_alike(file: &Value) -> bool {
    let read = parse(serde_json::to_vec_pretty(file).unwrap());
    let accepted = read.as_ref().map_or_else(|failure| BEYOND_A_SCHEMA.contains(&failure.code.id()), |_| true);
    let said = read.map_or_else(|failure| failure.to_string(), |_| "read".to_owned());
    assert_eq!(accepts(file), accepted, "the reader says: {said}\n{file:#}");
    accepted
}

#[test]
fn both_know_the_same_keys() {
    let schema = schema();
    for (place, piece, marked) in [
        ("", "kind:", "zzzzzzzz: 1\nkind:"),
        ("/$defs/orchestrator", "  context: orc ", "  zzzzzzzz: 1\n  context: orc "),
        ("/$defs/organization", "    context: org1", "    zzzzzzzz: 1\n    context: org1"),
        ("/$defs/ca", "{cert:", "{zzzzzzzz: 1, cert:"),
    ] {
        let why = refusal(with(piece, marked)).why;
        let reader: BTreeSet<&str> = why.strip_prefix("known here: ").unwrap().split(", ").collect();
        let properties = schema.pointer(&format!("{place}/properties")).unwrap().as_object().unwrap();
        assert_eq!(properties.keys().map(String::as_str).collect::<BTreeSet<_>>(), reader, "{place}");
        for (key, property) in properties {
            let property = property
                .get("description")
                .or_else(|| target(&schema, property["$ref"].as_str().unwrap()).get("description"));
            assert!(
                property.is_some_and(|text| !text.as_str().unwrap().is_empty()),
                "{place}/{key} has no description"
            );
        }
    }
}

#[test]
fn both_accept_the_file_of_the_page() {
    assert!(judged_alike(&good()));
}

/// Everything that a value is replaced by.
fn substitutes() -> Vec<Value> {
    let texts = [
        "",
        " ",
        "a",
        "A",
        "a b",
        "-a",
        "a-",
        ".a",
        "a.",
        "a.b",
        "a..b",
        "A.b_c-d",
        "a/b",
        "./a",
        "../a",
        "/a",
        "~",
        "~/a",
        "a~",
        "a\nb",
        "a\tb",
        "\u{85}",
        "é",
        "10.0.0.1",
        "a.1",
        "1a",
        "1",
        "on",
        "true",
        "close",
        "leave",
        "substra-mtls/v1",
        "Federation",
    ];
    let long = [53, 54, 63, 64, 65, 253, 254].map(|length| "a".repeat(length));
    let labels = [62, 63, 64].map(|length| format!("{}.b", "a".repeat(length)));
    let values = json!([
        null, true, false, 1, 1.5, [], {}, [null], ["a"], ["a", "a"], ["a", "b"], ["A b"], [["a"]], [{}], {"a": "b"}, {"a": {}},
        {"cert": "a"}, {"key": "a"}, {"cert": "a", "key": "b"}, {"secret": "a"}, {"secret": "A"}, {"create": true}, {"create": false},
        {"cert": "a", "key": "b", "create": true}, {"cert": "a", "key": "b", "create": false}, {"cert": "a", "create": true},
        {"cert": "a", "key": "b", "secret": "c"}, {"secret": "a", "create": true}, {"secret": "a", "create": false},
        {"secret": "a", "cert": "a"}, {"create": "true"}, {"cert": "", "key": "b"},
    ]);
    let texts = texts.into_iter().map(str::to_owned).chain(long).chain(labels).map(Value::from);
    texts.chain(values.as_array().unwrap().clone()).collect()
}

/// JSON pointers of all values of the file.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| pointers(value, &format!("{at}/{key}"), all)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, value)| pointers(value, &format!("{at}/{i}"), all));
        }
        _ => {}
    }
}

#[test]
fn both_judge_alike_every_file_that_is_one_change_away() {
    let (mut pieces, mut accepted, mut refused) = (Vec::new(), 0, 0);
    pointers(&good(), "", &mut pieces);
    let mut judge = |file: &Value| if judged_alike(file) { accepted += 1 } else { refused += 1 };
    for at in &pieces {
        for value in substitutes() {
            let mut file = good();
            *file.pointer_mut(at).unwrap() = value;
            judge(&file);
        }
        let (map, key) = at.rsplit_once('/').unwrap_or_default();
        let mut file = good();
        if let Some(Value::Object(map)) = file.pointer_mut(map)
            && let Some(value) = map.remove(key)
        {
            judge(&file);
            let mut file = good();
            let map = file.pointer_mut(at.rsplit_once('/').unwrap().0).unwrap().as_object_mut().unwrap();
            map.remove(key);
            map.insert(format!("{key}x"), value);
            judge(&file);
        }
    }
    assert!(accepted > 200 && refused > 1500, "{accepted} accepted, {refused} refused: too one-sided to tell anything");
}

#[test]
fn both_refuse_a_cut_off_without_closing() {
    for (gate, cut_off, good_file) in
        [("close", json!(["A"]), true), ("leave", json!(["A"]), false), ("leave", json!([]), true)]
    {
        let mut file = good();
        (file["orchestrator"]["gate"], file["orchestrator"]["cutOff"]) = (gate.into(), cut_off);
        assert_eq!(judged_alike(&file), good_file);
    }
    let mut file = good();
    file["orchestrator"].as_object_mut().unwrap().remove("gate");
    file["orchestrator"]["cutOff"] = json!(["A"]);
    assert!(!judged_alike(&file));
}
