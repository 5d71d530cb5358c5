//! `docs/coming-from-the-guide.md` with the guide's own commands and files: each step is run as the page has it, `check` says
//! what the page says, and every organization is connected after each.

mod world;

use std::collections::BTreeSet;

use substra_mtls::substra::servers::CallOutcome;

use self::world::{Guide, ORGANIZATIONS};
use crate::page;

const PAGE: &str = include_str!("../../docs/coming-from-the-guide.md");

/// What the page's table says of a step: each check that is not well, as `id status`, for a backend and the orchestrator.
fn said(step: usize) -> [BTreeSet<String>; 2] {
    let row = PAGE.lines().find_map(|line| line.strip_prefix(&format!("| {step} | "))).unwrap();
    let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
    let set = |cell: &str| -> BTreeSet<String> {
        let all = cell.split(", ").filter(|finding| *finding != "all is well");
        all.map(|finding| finding.replace('`', "")).collect()
    };
    assert_eq!(cells.len(), 2, "{row}");
    [set(cells[0]), set(cells[1])]
}

/// The same of `check`.
fn found(guide: &Guide, line: &str) -> BTreeSet<String> {
    let ran = guide.reader.runs(&format!("{line} -o json"));
    let answer: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
    let checks =
        answer["result"]["sites"].as_array().unwrap().iter().flat_map(|site| site["checks"].as_array().unwrap());
    let bad = checks.filter(|check| !["ok", "skipped"].contains(&check["status"].as_str().unwrap()));
    bad.map(|check| format!("{} {}", check["id"].as_str().unwrap(), check["status"].as_str().unwrap())).collect()
}

#[test]
fn each_step_of_the_page_is_run_says_what_the_page_says_and_cuts_nobody_off() {
    let guide = Guide::new();
    let looks = page::commands_of(PAGE, "What check says on the way");
    let steps: Vec<&str> = PAGE.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let steps: Vec<&str> = steps.into_iter().filter(|step| step.starts_with(|c: char| c.is_ascii_digit())).collect();
    assert_eq!(looks.len(), 2);
    assert_eq!(steps.len(), 6);
    for (number, step) in steps.into_iter().enumerate() {
        assert!(step.starts_with(&format!("{number}. ")), "{step}");
        let files = page::blocks(PAGE).into_iter().filter(|block| block.heading == step && block.language == "yaml");
        for lines in files.map(|block| block.text) {
            let before = guide.reader.read("orchestrator-values.yaml");
            assert_eq!(before.matches(&lines).count(), 1, "{before}");
            guide.reader.write("orchestrator-values.yaml", &before.replace(&lines, ""));
        }
        for line in page::commands_of(PAGE, step) {
            guide.reader.does(&line);
            guide.all_are_connected(step);
        }
        assert_eq!([found(&guide, &looks[0]), found(&guide, &looks[1])], said(number), "{step}");
        let as_another = guide.first_as_second();
        assert_eq!(as_another == CallOutcome::Accepted, number < 4, "{step}: {as_another}");
        // To the letter of the guide: accepted until the identity check goes on.
        let old = guide.with_the_guide_s_pair();
        assert_eq!(old == CallOutcome::Accepted, number < 4, "{step}: {old}");
        assert!(number < 4 || old.to_string().contains("invalid issuer for MSPID"), "{old}");
    }
    // One upgrade each for the keys, the check, and the key that went.
    assert_eq!(guide.revision("orchestrator", "orchestrator"), 4);
    ORGANIZATIONS.iter().for_each(|org| assert_eq!(guide.revision(org, "backend"), 1, "{org} was not restarted"));
}

#[test]
fn without_every_organization_the_identity_check_stays_off() {
    let guide = Guide::new();
    let line = "helm substra-mtls gate close -n orchestrator -f orchestrator-values.yaml --installed ingen --yes";
    guide.reader.runs(line).refused(3, "not-admitted");
    guide.all_are_connected("refused");
}

#[test]
fn with_access_to_all_clusters_one_bootstrap_does_the_steps_up_to_the_identity_check() {
    let guide = Guide::new();
    guide.reader.write(
        "federation.yaml",
        "\
apiVersion: substra-mtls/v1
kind: Federation
orchestrator: {namespace: orchestrator, release: orchestrator, values: [orchestrator-values.yaml], ca: {cert: orchestrator-ca.crt, key: orchestrator-ca.key}, gate: close}
organizations:
  ingen: {namespace: ingen, release: backend, values: [backend-ingen-values.yaml]}
  biotechnica: {namespace: biotechnica, release: backend, values: [backend-biotechnica-values.yaml]}
",
    );
    guide.reader.runs("helm substra-mtls bootstrap federation.yaml --yes").ok();
    guide.all_are_connected("after bootstrap");
    let looks = page::commands_of(PAGE, "What check says on the way");
    assert_eq!([found(&guide, &looks[0]), found(&guide, &looks[1])], said(4));
    assert!(guide.with_the_guide_s_pair().to_string().contains("invalid issuer for MSPID"));
    ORGANIZATIONS.iter().for_each(|org| assert_eq!(guide.revision(org, "backend"), 1, "{org} was not restarted"));
}

#[test]
fn the_guide_s_key_is_no_organization_and_its_pair_is_replaced_by_the_command_that_enroll_names() {
    let guide = Guide::new();
    let looks = page::commands_of(PAGE, "What check says on the way");
    let checked = guide.reader.runs(&format!("{} -o json", looks[1]));
    let answer: serde_json::Value = serde_json::from_str(&checked.stdout).unwrap();
    let rows = answer["result"]["organizations"].as_array().unwrap().iter();
    let names: BTreeSet<&str> = rows.map(|row| row["organization"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(ORGANIZATIONS));
    let checks = answer["result"]["sites"][0]["checks"].as_array().unwrap();
    let key = checks.iter().find(|check| check["id"] == "key-admits-nobody").unwrap();
    let told = "orchestrator is the walkthrough's key for everybody, and no organization: under the identity check it admits nobody";
    assert_eq!(key["seen"], told);

    let enroll = "helm substra-mtls enroll -n ingen -f backend-ingen-values.yaml --yes -o json";
    let refused = guide.reader.runs(enroll);
    assert_eq!(refused.status, 5, "{}", refused.stdout);
    let answer: serde_json::Value = serde_json::from_str(&refused.stdout).unwrap();
    let error = &answer["error"];
    let all: Vec<&serde_json::Value> = std::iter::once(error).chain(error["also"].as_array().unwrap()).collect();
    let codes: BTreeSet<&str> = all.iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert_eq!(codes, BTreeSet::from(["certificate-authority-key-id", "certificate-usage"]));
    let renew = "helm substra-mtls enroll -n ingen -f backend-ingen-values.yaml --renew";
    assert!(all.iter().all(|one| one["commands"] == serde_json::json!([renew])), "{error:#}");
    guide.reader.does(renew);
    guide.all_are_connected("renewed");
    assert!(guide.reader.read("ingen.csr").starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
}
