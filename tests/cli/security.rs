//! `SECURITY.md` names tests that are there.

use std::{collections::BTreeSet, fs};

use regex_lite::Regex;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let page = include_str!("../../SECURITY.md");
    let pattern = Regex::new(r"`([a-z_0-9]+_[a-z_0-9]+)` \(`([a-z_/]+\.rs)`\)").unwrap();
    let mut named = BTreeSet::new();
    for found in pattern.captures_iter(page) {
        let (test, file) = (&found[1], &found[2]);
        let text = fs::read_to_string(format!("{ROOT}/{file}")).unwrap_or_default();
        assert!(text.contains(&format!("fn {test}(")), "{test} is not in {file}");
        named.insert(test.to_owned());
    }
    assert!(named.len() > 20, "{named:?}");
    // Whatever looks like a test's name says where it stands.
    let words = page.split('`').skip(1).step_by(2).filter(|word| word.contains('_') && !word.contains('/'));
    words.for_each(|word| assert!(named.contains(word), "{word} says no file"));
}
