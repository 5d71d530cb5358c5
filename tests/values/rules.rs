//! The rules of reading and editing beside the traps.

use serde_json::json;
use substra_mtls::values::{Setting, read};

use super::{
    backend, edited, orchestrator,
    traps::{gives, mtls, refuses},
};

#[test]
fn comments_below_a_map_that_belong_to_it_stay_above_the_new_key() {
    gives(
        "orchestrator:\n  tls:\n    a: 1\n    # b: 2\n\n# next part\nserver: 1\n",
        &mtls(),
        "orchestrator:\n  tls:\n    a: 1\n    # b: 2\n    enabled: true\n\n# next part\nserver: 1\n",
    );
}

#[test]
fn a_second_edit_changes_nothing() {
    let once = edited("# mine\nserver: 1\n", &backend()).unwrap();
    assert_eq!(edited(&once, &backend()).unwrap(), once);
}

#[test]
fn setting_and_removing_gives_the_old_bytes() {
    for text in [
        "orchestrator:\n  a: 1\nb: 2\n",
        "orchestrator: {a: 1}\n",
        "orchestrator:\r\n  a: 1",
        "orchestrator:\n  a:\n    b: 1 # c\n    # d\n\nx: 1\n",
    ] {
        let new = edited(text, &[Setting::set(&["orchestrator", "new"], "x")]).unwrap();
        assert_ne!(new, text);
        gives(&new, &[Setting::remove(&["orchestrator", "new"])], text);
    }
}

#[test]
fn the_last_key_taken_out_leaves_an_empty_map_and_never_null() {
    gives(
        "orchestrator:\n  tls:\n    enabled: true\n  x: 1\n",
        &[Setting::remove(&["orchestrator", "tls", "enabled"])],
        "orchestrator:\n  tls: {}\n  x: 1\n",
    );
}

#[test]
fn a_refusal_has_the_line_and_the_yaml_to_paste() {
    let refusal = edited("a: 1\norchestrator:\n  tls: false\n", &mtls()).unwrap_err();
    assert_eq!((refusal.line, refusal.column), (3, 8));
    assert_eq!(refusal.snippet.unwrap(), "orchestrator:\n  tls:\n    enabled: true\n");
    let settings = [backend(), orchestrator(), vec![Setting::remove(&["old", "key"])]].concat();
    assert_eq!(
        edited("a: [\n", &settings).unwrap_err().snippet.unwrap(),
        "orchestrator:\n  tls:\n    enabled: true\n    cacert: orchestrator-cacert\n    mtls:\n      enabled: true\n      \
         clientCertificate: orchestrator-client-cert\n      clientCACerts:\n        MyOrg1MSP:\n          - \
         orchestrator-tls-cacert\n# take out: old.key\n"
    );
}

#[test]
fn two_values_of_one_key_that_are_one_text_for_helm_are_refused() {
    assert_eq!(read(b"m:\n  1: a\n  \"1\": b\n").unwrap_err().code.id(), "key-twice");
    assert_eq!(read(b"m:\n  1: a\n  1: b\n").unwrap(), json!({"m": {"1": "b"}}));
    assert_eq!(read(b"m:\n  yes: a\n  on: b\n").unwrap(), json!({"m": {"true": "b"}}));
}

#[test]
fn numbers_take_the_way_over_64_bit_floats() {
    let tree = read(b"a: 12345678901234567890\nb: 1.0\nc: -0\nd: .5_0\ne: 0b11\nf: 9007199254740993\n").unwrap();
    assert_eq!(tree["a"].as_f64(), Some(12_345_678_901_234_567_890.0));
    assert_eq!((&tree["b"], &tree["c"]), (&json!(1), &json!(0)));
    assert_eq!((&tree["d"], &tree["e"]), (&json!(0.5), &json!(3)));
    assert_eq!(tree["f"], json!(9_007_199_254_740_992_u64));
    assert!(read(b"a: .inf\n").is_err());
}

#[test]
fn what_helm_3_and_helm_4_read_differently_is_refused() {
    let texts = ["a: 1\n---\nb: 2\n", "%YAML 1.1\n---\na: 1\n", "--- {a: 1}\n", "k: |\n  text", "k: >+\n  text\n "];
    let codes = texts.map(|text| read(text.as_bytes()).unwrap_err().code.id());
    assert_eq!(codes, ["documents", "directive", "text-after-dashes", "block-text-end", "block-text-end"]);
    assert_eq!(read(b"\xff\xfea\0:\0 \x001\0").unwrap_err().code.id(), "not-utf8");
    assert_eq!(read(b"k: |-\n  text").unwrap(), json!({"k": "text"}));
}

#[test]
fn several_members_come_into_a_flow_collection_in_one_edit() {
    let settings = [
        Setting::set(&["o", "x"], true),
        Setting::include(&["o", "l"], "1"),
        Setting::include(&["o", "l"], "b c"),
        Setting::set(&["o", "m", "k"], ""),
    ];
    gives("o: {a: 1}\n", &settings, "o: {a: 1, x: true, l: [\"1\", \"b c\"], m: {k: \"\"}}\n");
    gives("o: {\n  a: 1\n}\n", &settings, "o: {\n  a: 1,\n  x: true,\n  l: [\"1\", \"b c\"],\n  m: {k: \"\"}\n}\n");
    gives("o:\n  l: []\n  a: 1\n", &settings[..3], "o:\n  l: [\"1\", \"b c\"]\n  a: 1\n  x: true\n");
    gives("o:\n  l:\n  - a\n  x:", &settings[..3], "o:\n  l:\n  - a\n  - \"1\"\n  - \"b c\"\n  x: true");
}

#[test]
fn removals_and_settings_go_together() {
    let settings = [
        Setting::set(&["o", "new"], true),
        Setting::remove(&["o", "a"]),
        Setting::remove(&["o", "b"]),
        Setting::remove(&["x"]),
    ];
    gives("o:\n  # about a\n  a: 1\n  b: {c: 1}\n", &settings, "o:\n  # about a\n  new: true\n");
    gives("o: {a: 1, b: 2}\n", &settings[1..], "o: {}\n");
    gives("o:\n  a: 1\n", &settings[1..], "o: {}\n");
    gives("x: 1\no: 2\n", &settings[3..], "o: 2\n");
}

/// Held-out mutants showed these: only one Helm reads them so, or neither.
#[test]
fn what_mutants_showed_to_be_read_otherwise_is_refused() {
    for (text, code) in [
        ("{a: {tls :}}\n", "flow-colon"),
        ("cert: |+\n  ", "block-text-end"),
        ("a:\n  cert: >+\n\n    ", "block-text-end"),
        ("# c\n---\n...\n", "documents"),
        ("a: 1\n---#b: 2\n", "text-after-dashes"),
        ("a: 1\n---\u{a0}: 2\n", "text-after-dashes"),
    ] {
        assert_eq!(read(text.as_bytes()).unwrap_err().code.id(), code, "{text:?}");
    }
}

/// A new line below `host` would make the comment's tab unreadable for Helm.
#[test]
fn a_tab_before_a_comment_is_refused() {
    refuses("orchestrator:\n  host: x\n    \t# c\nserver: 1\n", &mtls(), "tab");
    let text = "script: |\n  a\n  \t# no comment\n";
    gives(text, &mtls(), &format!("{text}orchestrator:\n  tls:\n    enabled: true\n"));
}

#[test]
fn an_indented_empty_map_is_the_whole_file() {
    gives("  {}\n", &[Setting::set(&["a"], true), Setting::set(&["b"], true)], "  a: true\n  b: true\n");
}
