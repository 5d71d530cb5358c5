//! `role`: what it prints is two documents that kubectl applies, and what the tests of the cluster run with.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::{Value, json};
use substra_mtls::values;

use super::{golden::Golden, world::World};

const ROLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testbed/roles");

/// What stdout gives at a terminal of this width, and with this environment.
fn printed(line: &str, environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    command.arg("role").args(line.split_whitespace()).env_clear().env("PATH", "/nonexistent");
    let output = command.envs(environment.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The documents of a text, as Helm and kubectl read them.
fn documents(text: &str) -> Vec<Value> {
    text.split("---\n").map(|document| values::read(document.as_bytes()).unwrap()).collect()
}

/// One right: verb, API group, resource, name.
fn rights(role: &Value) -> BTreeSet<[String; 4]> {
    let words = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let mut found = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        let names = if rule["resourceNames"].is_null() { vec![String::new()] } else { words(&rule["resourceNames"]) };
        for resource in words(&rule["resources"]) {
            for verb in words(&rule["verbs"]) {
                let group = words(&rule["apiGroups"]).concat();
                found.extend(names.iter().map(|name| [verb.clone(), group.clone(), resource.clone(), name.clone()]));
            }
        }
    }
    found
}

#[test]
fn two_documents_are_printed_at_every_width() {
    for side in ["backend", "orchestrator"] {
        let text = printed(side, &[]);
        for columns in (40..=200).step_by(20) {
            assert_eq!(printed(side, &[("COLUMNS", &columns.to_string())]), text, "{columns}");
        }
        let [role, binding] = &documents(&text)[..] else { panic!("{text}") };
        let name = format!("substra-mtls-{side}");
        let api = "rbac.authorization.k8s.io/v1";
        assert_eq!((&role["apiVersion"], &role["kind"]), (&json!(api), &json!("Role")));
        assert_eq!(role["metadata"], json!({"name": name}), "kubectl uses the namespace of its context");
        let wanted = json!({
            "apiVersion": api, "kind": "RoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "substra-mtls"}],
        });
        assert_eq!(*binding, wanted);
    }
}

#[test]
fn namespace_and_account_stand_in_both_whatever_they_are_called() {
    for (namespace, account) in [("org-1", "deployer"), ("on", "null"), ("0123", "1e3"), ("1.5-x", "7.2")] {
        let line = format!("backend -n {namespace} --service-account {account}");
        if namespace.contains('.') {
            assert_eq!(World::new().run(&format!("role {line}")).status, 2, "a namespace has no dot");
            continue;
        }
        let [role, binding] = &documents(&printed(&line, &[]))[..] else { panic!("{line}") };
        assert_eq!(role["metadata"], json!({"name": "substra-mtls-backend", "namespace": namespace}));
        assert_eq!(binding["metadata"], role["metadata"]);
        let wanted = json!([{"kind": "ServiceAccount", "name": account, "namespace": namespace}]);
        assert_eq!(binding["subjects"], wanted);
    }
    let by_helm = printed("backend --service-account deployer", &[("HELM_NAMESPACE", "org-1")]);
    assert_eq!(by_helm, printed("backend -n org-1 --service-account deployer", &[]));
}

#[test]
fn every_rule_says_what_it_is_for_in_lines_of_seventy_columns() {
    for side in ["backend", "orchestrator"] {
        let text = printed(side, &[]);
        let comments: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with('#')).collect();
        assert!(comments.len() > 8 && comments.iter().all(|line| line.len() <= 70), "{comments:#?}");
        let rules = text.split("rules:\n").nth(1).unwrap();
        assert!(rules.starts_with("  # "), "{rules}");
    }
}

#[test]
fn as_json_it_is_the_same_two_objects() {
    for line in ["backend", "orchestrator -n orchestrator --service-account deployer"] {
        let ran = World::new().run(&format!("role {line} -o json")).ok();
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
        let result = &answer["result"];
        let [role, binding] = &documents(&printed(line, &[]))[..] else { panic!("{line}") };
        assert_eq!((&result["role"], &result["roleBinding"]), (role, binding));
    }
}

#[test]
fn an_account_that_nobody_named_is_told_and_one_that_was_named_is_not() {
    let world = World::new();
    let ran = world.run("role backend -n org-1").ok();
    let told = "next: the rights are for the account substra-mtls; if it does not exist: kubectl -n org-1 create serviceaccount substra-mtls\n";
    assert_eq!(ran.stderr, told);
    assert_eq!(world.run("role backend -n org-1 --service-account deployer").ok().stderr, "");
}

#[test]
fn a_side_that_is_not_known_is_answered_with_the_two() {
    for line in ["role", "role backends", "role both"] {
        let ran = World::new().run(line);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{line}");
        assert!(ran.stderr.contains("backend") && ran.stderr.contains("orchestrator"), "{}", ran.stderr);
    }
}

/// What the rights of the tests' own Role were before the verb, and what a right with a name is part of.
#[test]
fn the_secret_of_the_ca_and_the_objects_of_older_charts_are_covered() {
    let has = |side: &str, verb: &str, resource: &str, name: &str| {
        let all = rights(&documents(&printed(side, &[]))[0]);
        [name, ""].iter().any(|name| all.contains(&[verb, "", resource, name].map(str::to_owned)))
    };
    for (side, verb, resource, name) in [
        ("orchestrator", "get", "secrets", "federation-ca"),
        ("orchestrator", "update", "configmaps", "orchestrator-tls-cacert"),
        ("orchestrator", "update", "configmaps", "orchestrator-client-ca-my-org1-msp"),
        ("orchestrator", "update", "secrets", "orchestrator-client-ca-my-org1-msp"),
        ("backend", "update", "configmaps", "orchestrator-cacert"),
        ("backend", "delete", "secrets", "orchestrator-client-cert-pending"),
    ] {
        assert!(has(side, verb, resource, name), "{side}: {verb} {resource}/{name}");
    }
    assert!(!has("backend", "get", "nodes", ""));
}

/// What `testbed/selftest` and the README point at. After a change that is meant: `UPDATE_EXPECTED=1 cargo test --test cli
/// role`.
#[test]
fn the_files_of_the_test_bed_are_what_it_prints() {
    for side in ["backend", "orchestrator"] {
        let (path, text) = (format!("{ROLES}/{side}.yaml"), printed(side, &[]));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&path, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text, "{path}");
    }
}

#[test]
fn answers_of_role_are_pinned() {
    let mut golden = Golden::of("role", answers_of_role_are_pinned);
    let world = World::new();
    for line in [
        "backend",
        "orchestrator -n orchestrator --service-account deployer",
        "nobody",
        "backend --service-account UPPER",
    ] {
        golden.ran(line, &world.run(&format!("role {line} -o json")));
    }
    golden.pinned();
}
