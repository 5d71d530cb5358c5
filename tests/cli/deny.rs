//! What is built in is what `deny.toml` allows: licences, sources, and no crate twice that is not named. `cargo deny` says
//! the same, for those who have it; this needs nothing but cargo.

use std::{collections::BTreeMap, env, process::Command};

use regex_lite::Regex;
use serde_json::Value;

/// The strings of a list in `deny.toml`.
fn listed(key: &str) -> Vec<String> {
    let text = include_str!("../../deny.toml");
    let list = text.split_once(&format!("\n{key} = [")).unwrap().1.split_once(']').unwrap().0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every crate in `Cargo.lock`, those of the tests and of other platforms included.
fn packages() -> Vec<Value> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--locked"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// Whether an SPDX expression can be met: AND binds more than OR, `/` is an old OR, an exception only adds rights.
fn met(expression: &str, allowed: &[String]) -> bool {
    let inner = Regex::new(r"\(([^()]*)\)").unwrap();
    let mut text = expression.replace('/', " OR ");
    while let Some(found) = inner.captures(&text) {
        let verdict = if met(&found[1], allowed) { "YES" } else { "NO" };
        text = text.replacen(&found[0], verdict, 1);
    }
    let one = |license: &str| {
        let license = license.split(" WITH ").next().unwrap_or_default().trim();
        license == "YES" || allowed.iter().any(|allowed| allowed == license)
    };
    text.split(" OR ").any(|all| all.split(" AND ").all(one))
}

#[test]
fn every_crate_has_a_licence_that_is_allowed_and_comes_from_the_registry() {
    let (licences, registries) = (listed("allow"), listed("allow-registry"));
    for package in packages().iter().filter(|package| package["name"] != env!("CARGO_PKG_NAME")) {
        let name = &package["name"];
        assert!(met(package["license"].as_str().unwrap_or_default(), &licences), "{name}: {}", package["license"]);
        let source = package["source"].as_str().unwrap_or_default();
        assert!(registries.iter().any(|one| source == format!("registry+{one}")), "{name}: {source}");
    }
}

#[test]
fn no_crate_is_there_twice_but_those_that_are_named_and_no_version_is_open() {
    let packages = packages();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in &packages {
        versions.entry(package["name"].as_str().unwrap()).or_default().push(package["version"].as_str().unwrap());
    }
    let mut skipped = listed("skip");
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        let before = skipped.len();
        skipped.retain(|one| {
            let (skipped, prefix) = one.split_once('@').unwrap();
            skipped != *name || !versions.iter().any(|version| version.starts_with(&format!("{prefix}.")))
        });
        assert_eq!(before - skipped.len(), versions.len() - 1, "{name}: {versions:?}");
    }
    assert_eq!(skipped, Vec::<String>::new(), "named and not there twice");
    let own = packages.iter().find(|package| package["name"] == env!("CARGO_PKG_NAME")).unwrap();
    assert!(own["dependencies"].as_array().unwrap().iter().all(|one| one["req"] != "*"));
}

#[test]
fn an_expression_is_met_by_what_is_allowed_alone() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned()];
    for (expression, wanted) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("MIT AND (GPL-3.0 OR ISC)", true),
        ("(MIT AND GPL-3.0) OR (ISC AND MIT)", true),
        ("MIT WITH LLVM-exception", true),
        ("", false),
    ] {
        assert_eq!(met(expression, &allowed), wanted, "{expression}");
    }
}
