//! Several values files: Helm's merge of them, and the file where a setting belongs.

use serde_json::{Value, json};
use substra_mtls::values::{Setting, apply, edit, merge, place, read};

use super::backend;

fn enabled() -> Vec<Setting> {
    vec![Setting::set(&["orchestrator", "tls", "enabled"], true)]
}

/// In which file of these the settings end.
fn files_of(files: &[Value], settings: &[Setting]) -> Vec<usize> {
    place(files, settings).iter().map(Vec::len).collect()
}

#[test]
fn maps_are_merged_deeply_and_all_else_is_replaced() {
    let files = [json!({"a": {"b": 1, "l": [1, 2]}, "c": 1}), json!({"a": {"l": [3], "d": null}, "c": {"e": 2}})];
    assert_eq!(merge(&files), json!({"a": {"b": 1, "l": [3], "d": null}, "c": {"e": 2}}));
    assert_eq!(merge(&[]), json!({}));
}

#[test]
fn a_setting_goes_into_the_last_file_that_has_it() {
    let has = json!({"orchestrator": {"tls": {"enabled": false}}});
    assert_eq!(files_of(&[has.clone(), json!({})], &enabled()), [1, 0]);
    assert_eq!(files_of(&[has.clone(), has, json!({})], &enabled()), [0, 1, 0]);
}

#[test]
fn a_setting_that_no_file_has_goes_into_the_last() {
    let beside = json!({"orchestrator": {"tls": {"cacert": "x"}}});
    assert_eq!(files_of(&[beside, json!({"orchestrator": {"tls": {}}})], &enabled()), [0, 1]);
    assert_eq!(files_of(&[json!({})], &enabled()), [1]);
    assert_eq!(files_of(&[], &enabled()), [0; 0]);
}

#[test]
fn a_later_null_or_text_on_the_way_would_win_so_the_setting_goes_there() {
    let has = json!({"orchestrator": {"tls": {"enabled": false}}});
    for later in [json!({"orchestrator": null}), json!({"orchestrator": {"tls": "x"}}), json!({"orchestrator": []})] {
        assert_eq!(files_of(&[has.clone(), later], &enabled()), [0, 1]);
    }
}

#[test]
fn a_key_is_taken_out_of_every_file_that_has_it() {
    let has = json!({"orchestrator": {"tls": {"enabled": false}}});
    let remove = [Setting::remove(&["orchestrator", "tls", "enabled"])];
    assert_eq!(files_of(&[has.clone(), json!({}), has], &remove), [1, 0, 1]);
}

#[test]
fn the_merge_of_edited_files_has_every_setting() {
    let texts = [
        "orchestrator:\n  tls:\n    enabled: false\n    mtls:\n      enabled: false\n",
        "orchestrator:\n  tls:\n    port: 1\n",
        "orchestrator:\n  tls:\n    cacert: other\n",
    ];
    let trees: Vec<Value> = texts.iter().map(|text| read(text.as_bytes()).unwrap()).collect();
    let places = place(&trees, &backend());
    assert_eq!(places.iter().map(Vec::len).sum::<usize>(), 4);
    let edited = texts.iter().zip(places).map(|(text, here)| edit(text.as_bytes(), &here).unwrap());
    let merged = merge(&edited.map(|text| read(&text).unwrap()).collect::<Vec<_>>());
    assert_eq!(merged, apply(&merge(&trees), &backend()));
}
