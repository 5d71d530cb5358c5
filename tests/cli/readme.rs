//! The README is short, says what it needs, and names the walkthrough where it links it; `docs/uninstall.md` names all that is left.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use super::{page, simulated::Federation};

const README: &str = include_str!("../../README.md");
const UNINSTALL: &str = include_str!("../../docs/uninstall.md");
const GUIDE: &str = "https://docs.substra.org/en/stable/how-to/deploying-substra/walkthrough/60-mtls-setup.html";

#[test]
fn the_readme_is_short() {
    assert!(README.lines().count() < 140, "{} lines: what is not for everybody has a page", README.lines().count());
}

#[test]
fn the_walkthrough_is_linked_where_it_is_first_named() {
    let (before, rest) = README.split_once(GUIDE).unwrap();
    assert!(!before.contains("walkthrough"), "{before}");
    assert!(rest.starts_with(") (\"the walkthrough\" on these pages)"), "{rest}");
    // Pages that are read without the README name it too.
    for page in [include_str!("../../docs/coming-from-the-guide.md"), include_str!("../../docs/glossary.md")] {
        assert!(page.contains(GUIDE), "{page}");
    }
}

#[test]
fn what_has_to_be_there_is_said_in_the_versions_that_are_needed() {
    let manifest = include_str!("../../Cargo.toml");
    let rust = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")).unwrap().trim_end_matches('"');
    assert!(README.contains(&format!("Rust {rust} or later and a C compiler")), "{rust}");
    let built = [include_str!("../../testbed/go/helm3/go.mod"), include_str!("../../testbed/go/helm4/go.mod")];
    let [three, four] = built.map(|module| {
        let line = module
            .lines()
            .find(|line| line.trim_start_matches("require ").trim().starts_with("helm.sh/helm/v"))
            .unwrap();
        line.split(" v").nth(1).unwrap().split(' ').next().unwrap()
    });
    assert!(README.contains(&format!("the tests run {three} and {four}.")), "{three} {four}");
    let lines: Vec<String> = page::blocks(README).iter().flat_map(|block| page::commands(&block.text)).collect();
    for line in
        ["cargo run --release -- rehearse", "testbed/test", "helm repo add substra https://substra.github.io/charts/"]
    {
        assert!(lines.iter().any(|command| command == line), "{line}");
    }
}

#[test]
fn the_fingerprints_of_a_ca_and_of_a_request_do_not_look_the_same() {
    let all: Vec<&str> = README.split("SHA256:").skip(1).map(|rest| &rest[..64]).collect();
    assert_eq!(all.len(), 2);
    assert_ne!(all[0], all[1]);
}

/// Words of the page in code marks.
fn in_code_marks(page: &str) -> BTreeSet<&str> {
    page.split('`').skip(1).step_by(2).collect()
}

/// All keys of ours in labels and annotations, wherever they stand.
fn marks<'a>(json: &'a Value, found: &mut BTreeSet<&'a str>) {
    match json {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            found.extend(key.starts_with("substra-mtls/").then_some(key.as_str()));
            marks(value, found);
        }),
        Value::Array(all) => all.iter().for_each(|one| marks(one, found)),
        _ => {}
    }
}

#[test]
fn all_that_an_exchange_leaves_is_on_the_page_for_uninstalling() {
    let mut federation = Federation::new();
    for end in ["crt", "key"] {
        let path = |name| federation.world.path(&format!("{name}.{end}"));
        fs::rename(path("ca"), path("orchestrator-ca")).unwrap();
    }
    federation.enroll("").unwrap();
    let waiting = federation.orc.stored();
    let at_the_orchestrator = |federation: &Federation, line: &str| {
        let line = format!("{line} -f @orchestrator-values.yaml --release orchestrator --yes");
        federation.run(&federation.orc, &line).unwrap();
    };
    let ca = "--ca-cert @orchestrator-ca.crt --ca-key @orchestrator-ca.key --unverified-mail";
    at_the_orchestrator(&federation, &format!("approve @MyOrg1MSP.csr {ca}"));
    federation.install().unwrap();
    at_the_orchestrator(&federation, "gate close --installed MyOrg1MSP");
    federation.now += time::Duration::days(300);
    at_the_orchestrator(&federation, "ca init --out-dir @");
    let page = in_code_marks(UNINSTALL);
    let after = federation.orc.stored();
    for object in [&waiting, &after].iter().flat_map(|world| world["objects"].as_array().unwrap()) {
        let name = object["object"]["metadata"]["name"].as_str().unwrap();
        assert!(page.contains(name), "{name}");
    }
    let mut found = BTreeSet::new();
    marks(&waiting, &mut found);
    marks(&after, &mut found);
    assert!(found.len() > 2, "{found:?}");
    found.iter().for_each(|mark| assert!(page.contains(mark), "{mark}"));
    for path in federation.world.snapshot().keys() {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.ends_with("-values.yaml") || page.contains(name), "{name}");
    }
}
