//! What people are told of each hostile proof: code, what, why and next, kept in `golden/proofs.txt`.

use std::{env, fs};

use regex_lite::Regex;

use crate::{
    cases_proof, cases_vouching,
    policy::{Case, Cases},
};

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pki/golden/proofs.txt");

/// What differs at each run: serial numbers, fingerprints, and the name of a new CA.
fn masked(text: &str) -> String {
    let masks = [
        ("\\b01[0-9a-f]{32}\\b", "01.."),
        ("SHA256:[0-9a-f]{64}", "SHA256:.."),
        ("(Root CA [0-9]{8})-[0-9a-f]{4}", "$1-.."),
    ];
    masks
        .iter()
        .fold(text.to_owned(), |text, (from, to)| Regex::new(from).unwrap().replace_all(&text, *to).into_owned())
}

#[test]
fn each_hostile_proof_is_told_in_three_lines() {
    let mut cases = Cases::default();
    cases_proof::all(&mut cases);
    cases_vouching::all(&mut cases);
    let refused: Vec<&Case> = cases.0.iter().filter(|case| case.refused).collect();
    assert!(refused.len() >= 30, "{}", refused.len());
    let told = refused.iter().flat_map(|case| {
        let findings = case.verdict.as_ref().unwrap_err();
        findings.iter().map(|finding| masked(&format!("# {}\n{finding}\n", case.name)))
    });
    let told: Vec<String> = told.collect();
    let seen = told.join("\n");
    if env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(KEPT, &seen).unwrap();
    }
    assert!(
        fs::read_to_string(KEPT).unwrap_or_default() == seen,
        "{KEPT}: UPDATE_EXPECTED=1 cargo test --test pki told"
    );
    for one in told {
        assert!(one.contains("\n  why: ") && one.contains("\n  next: ") && one.lines().count() == 4, "{one}");
    }
}
