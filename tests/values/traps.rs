//! The traps that were found when editors and readers were tried, one test each.

use serde_json::json;
use substra_mtls::values::{Setting, read};

use super::{edited, orchestrator};

pub(crate) fn mtls() -> Vec<Setting> {
    vec![Setting::set(&["orchestrator", "tls", "enabled"], true)]
}

#[track_caller]
pub(crate) fn gives(text: &str, settings: &[Setting], new: &str) {
    assert_eq!(edited(text, settings).unwrap(), new, "\nfrom: {text:?}");
}

#[track_caller]
pub(crate) fn refuses(text: &str, settings: &[Setting], code: &str) {
    let refusal = edited(text, settings).unwrap_err();
    assert_eq!(refusal.code.id(), code, "{refusal}");
    assert!(!refusal.why.is_empty());
}

#[test]
fn an_anchor_that_is_used_elsewhere_is_not_edited() {
    refuses("orchestrator: &o\n  host: x\nother: *o\n", &mtls(), "anchor");
    gives("orchestrator: &o\n  host: x\n", &mtls(), "orchestrator: &o\n  host: x\n  tls:\n    enabled: true\n");
}

#[test]
fn an_alias_on_the_path_is_refused() {
    refuses("a: &a {}\norchestrator: *a\n", &mtls(), "alias");
    refuses("a: &a {}\norchestrator:\n  tls: *a\n", &mtls(), "alias");
    refuses("a: &a false\norchestrator:\n  tls:\n    enabled: *a\n", &mtls(), "alias");
}

#[test]
fn a_merge_key_on_the_path_is_refused() {
    refuses("a: &a {tls: {enabled: false}}\norchestrator:\n  <<: *a\n  tls:\n    enabled: false\n", &mtls(), "merge");
    let text = "a: &a {tls: {enabled: false}}\norchestrator:\n  tls:\n    enabled: true\n  <<: *a\n";
    assert_eq!(read(text.as_bytes()).unwrap()["orchestrator"]["tls"]["enabled"], json!(false));
}

#[test]
fn a_block_text_without_a_line_end_at_the_end_of_the_file_is_not_lengthened() {
    refuses("cert: |\n  a", &mtls(), "block-text-end");
    gives("cert: |-\n  a", &mtls(), "cert: |-\n  a\norchestrator:\n  tls:\n    enabled: true");
}

#[test]
fn null_and_empty_maps_are_filled() {
    gives("orchestrator:\n  tls:\n", &mtls(), "orchestrator:\n  tls:\n    enabled: true\n");
    gives("orchestrator:\n  tls: ~\n", &mtls(), "orchestrator:\n  tls:\n    enabled: true\n");
    gives("orchestrator:\n  tls: {}  # c\n", &mtls(), "orchestrator:\n  tls:   # c\n    enabled: true\n");
    gives("orchestrator:\n  tls:\n    {}\n", &mtls(), "orchestrator:\n  tls:\n    enabled: true\n");
    refuses("orchestrator:\n  tls: !!null\n", &mtls(), "tag");
}

#[test]
fn a_scalar_or_list_where_a_map_must_be_is_refused() {
    refuses("orchestrator:\n  tls: false\n", &mtls(), "not-a-map");
    refuses("orchestrator:\n  tls: [a]\n", &mtls(), "not-a-map");
    refuses("orchestrator: \"\"\n", &mtls(), "not-a-map");
}

#[test]
fn a_key_that_stands_twice_on_the_path_is_refused() {
    refuses("orchestrator:\n  a: 1\norchestrator:\n  b: 2\n", &mtls(), "key-twice");
    refuses("orchestrator:\n  tls: {}\n  \"tls\": {}\n", &mtls(), "key-twice");
}

#[test]
fn a_key_with_escapes_is_the_key() {
    gives(
        "\"orche\\x73trator\":\n  tls:\n    enabled: false\n",
        &mtls(),
        "\"orche\\x73trator\":\n  tls:\n    enabled: true\n",
    );
}

#[test]
fn line_ends_and_byte_order_mark_stay() {
    gives(
        "\u{feff}orchestrator:\r\n  tls:\r\n    a: 1\r\n",
        &mtls(),
        "\u{feff}orchestrator:\r\n  tls:\r\n    a: 1\r\n    enabled: true\r\n",
    );
    gives("orchestrator:\n  host: x", &mtls(), "orchestrator:\n  host: x\n  tls:\n    enabled: true");
    refuses("a: 1\rb: 2\n", &mtls(), "control-character");
    refuses("a: 1\n# c\r", &mtls(), "control-character");
}

#[test]
fn a_comma_goes_before_the_comment() {
    gives("orchestrator: {host: x  # c\n}\n", &mtls(), "orchestrator: {host: x,  # c\n  tls: {enabled: true}\n}\n");
}

#[test]
fn a_last_comma_is_used() {
    gives("orchestrator: {host: x,}\n", &mtls(), "orchestrator: {host: x, tls: {enabled: true},}\n");
}

#[test]
fn a_comment_in_an_empty_map_stays() {
    gives("orchestrator: { # c\n}\n", &mtls(), "orchestrator: { # c\n  tls: {enabled: true}\n}\n");
}

#[test]
fn a_comment_between_key_and_value_stays() {
    gives(
        "orchestrator:\n  tls:\n    enabled:\n      # why\n      false\n",
        &mtls(),
        "orchestrator:\n  tls:\n    enabled:\n      # why\n      true\n",
    );
}

#[test]
fn a_colon_glued_to_a_flow_key_is_refused() {
    refuses("orchestrator: {tls:}\n", &mtls(), "flow-colon");
}

#[test]
fn a_tag_in_a_flow_map_is_refused() {
    refuses("orchestrator: {a: !1, }\n", &mtls(), "tag");
}

#[test]
fn kept_blank_lines_stay_a_part_of_the_text() {
    gives(
        "orchestrator:\n  cert: |+\n    a\n\n\nother: 1\n",
        &mtls(),
        "orchestrator:\n  cert: |+\n    a\n\n\n  tls:\n    enabled: true\nother: 1\n",
    );
    gives(
        "orchestrator:\n  cert: |\n    a\n\nother: 1\n",
        &mtls(),
        "orchestrator:\n  cert: |\n    a\n  tls:\n    enabled: true\n\nother: 1\n",
    );
}

#[test]
fn dashes_inside_a_block_text_are_no_document() {
    gives("cert: |\n  ---\n  a\n", &mtls(), "cert: |\n  ---\n  a\norchestrator:\n  tls:\n    enabled: true\n");
    refuses("a: 1\n---\nb: 2\n", &mtls(), "documents");
}

#[test]
fn content_that_helm_drops_in_silence_is_refused() {
    let refusal = read(b"    orchestrator:\n  host: x\nserver: 1\n").unwrap_err();
    assert_eq!((refusal.code.id(), refusal.line), ("yaml", 2));
}

#[test]
fn names_that_helm_reads_otherwise_are_quoted() {
    for name in ["y", "n", "no", "1e3", "0x1f", "1_000", "123", "null", "on", "~"] {
        let settings = [Setting::include(&["orchestrator", name], "no")];
        let new = edited("orchestrator:\n  a: 1\n", &settings).unwrap();
        assert_eq!(new, format!("orchestrator:\n  a: 1\n  \"{name}\":\n    - \"no\"\n"));
    }
}

#[test]
fn dashes_stand_as_the_file_has_them() {
    gives(
        "channels:\n- a\norchestrator:\n  b: 1\n",
        &orchestrator(),
        "channels:\n- a\norchestrator:\n  b: 1\n  tls:\n    mtls:\n      clientCACerts:\n        MyOrg1MSP:\n        - orchestrator-tls-cacert\n",
    );
    gives(
        "channels:\n    - a\norchestrator:\n    b: 1\n",
        &[Setting::include(&["channels"], "x")],
        "channels:\n    - a\n    - x\norchestrator:\n    b: 1\n",
    );
}

#[test]
fn an_explicit_key_on_the_path_is_refused() {
    refuses("orchestrator:\n  ? tls\n  : {enabled: false}\n", &mtls(), "key-form");
    refuses("? orchestrator\n: {a: 1}\n", &mtls(), "key-form");
    gives("? a\n: b\norchestrator: {}\n", &mtls(), "? a\n: b\norchestrator:\n  tls:\n    enabled: true\n");
}

#[test]
fn a_blank_line_with_a_tab_is_refused() {
    refuses("a: 1\n\t\nb: 2\n", &mtls(), "tab");
}

#[test]
fn a_bare_template_is_refused_as_helm_does() {
    let refusal = read(b"a: {{ .x }}\n").unwrap_err();
    assert_eq!((refusal.code.id(), refusal.line), ("key", 1));
}

#[test]
fn references_of_other_programs_are_left_alone() {
    gives(
        "db:\n  password: ref+vault://x#y\n  key: !vault x\norchestrator:\n  a: 1\n",
        &mtls(),
        "db:\n  password: ref+vault://x#y\n  key: !vault x\norchestrator:\n  a: 1\n  tls:\n    enabled: true\n",
    );
}

#[test]
fn a_comment_at_column_0_between_keys_stays() {
    gives(
        "orchestrator:\n  a: 1\n# top\n  b: 2\nx: 1\n",
        &mtls(),
        "orchestrator:\n  a: 1\n# top\n  b: 2\n  tls:\n    enabled: true\nx: 1\n",
    );
}

#[test]
fn the_files_own_indentation_is_used() {
    gives(
        "orchestrator:\n   a:\n      b: 1\n",
        &mtls(),
        "orchestrator:\n   a:\n      b: 1\n   tls:\n      enabled: true\n",
    );
    gives(
        "orchestrator:\n    a:\n        b: 1\n",
        &mtls(),
        "orchestrator:\n    a:\n        b: 1\n    tls:\n        enabled: true\n",
    );
}

#[test]
fn a_key_of_the_same_name_elsewhere_is_not_ours() {
    gives(
        "server:\n  orchestrator:\n    tls: 1\n",
        &mtls(),
        "server:\n  orchestrator:\n    tls: 1\norchestrator:\n  tls:\n    enabled: true\n",
    );
}

#[test]
fn a_hundred_thousand_lines_are_edited() {
    let text = "key: value\n".repeat(100_000) + "orchestrator:\n  tls:\n    enabled: false\n";
    assert!(edited(&text, &mtls()).unwrap().ends_with("    enabled: true\n"));
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..9 {
        let aliases = vec![format!("*a{}", i - 1); 10].join(", ");
        text = format!("{text}a{i}: &a{i} [{aliases}]\n");
    }
    assert_eq!(read(text.as_bytes()).unwrap_err().code.id(), "alias-bomb");
}

#[test]
fn nulls_and_block_texts_have_their_own_ends() {
    gives(
        "orchestrator:\n  tls:\n    enabled:\n    cacert: x\n",
        &mtls(),
        "orchestrator:\n  tls:\n    enabled: true\n    cacert: x\n",
    );
    gives(
        "orchestrator:\n  tls:\n    ca: |\n      x\n  # deeper\n  next: 1\n",
        &mtls(),
        "orchestrator:\n  tls:\n    ca: |\n      x\n    enabled: true\n  # deeper\n  next: 1\n",
    );
}
