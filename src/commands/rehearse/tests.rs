//! Rehearsals against servers that are not what they should be, and of the files that a rehearsal itself has made.

use std::path::{Path, PathBuf};

use serde_json::Value;
use time::macros::datetime;

use super::{exchanged, federation::SimulatedFederation, rehearsal::Rehearsal};
use crate::{
    cluster::{ChartVersion, Helm},
    commands::rehearse::RehearseArgs,
    dispatch::VERBS,
    failure::{Exit, Result},
    files,
    report::{Console, Format, Outcome},
    session::Session,
    times::Clock,
};

const FINAL_ORCHESTRATOR: &str = "\
ingress:
  hostname: orchestrator.cluster-1.example.org
channels:
  - name: our-channel
    organizations: [ingen, biotechnica]
orchestrator:
  tls:
    enabled: true
    mtls:
      enabled: true
      clientCACerts:
        orchestrator:
          - orchestrator-tls-cacert
";

/// A backend's file as it stands at the walkthrough's end.
fn final_backend(org: &str) -> String {
    format!(
        "server:\n  ingress:\n    hostname: api.{org}.example.org\norchestrator:\n  host: orchestrator.cluster-1.example.org\n  mspID: {org}\n  tls:\n    enabled: true\n    cacert: orchestrator-cacert\n    mtls:\n      enabled: true\n      clientCertificate: orchestrator-client-cert\n"
    )
}

fn session() -> Session<'static> {
    Session::new(None, Console::silent(), &Clock::simulated(datetime!(2026-11-24 12:00 UTC)))
}

fn built_in() -> RehearseArgs {
    RehearseArgs { federation: None, backend: Vec::new(), orchestrator: None, output: Format::Text }
}

/// Files of a folder, the orchestrator's first.
fn own(folder: &Path, texts: &[(&str, &str)]) -> RehearseArgs {
    let mut paths: Vec<PathBuf> = texts
        .iter()
        .map(|(name, text)| {
            files::publish(&folder.join(name), text.as_bytes()).unwrap();
            folder.join(name)
        })
        .collect();
    RehearseArgs { orchestrator: Some(paths.remove(0)), backend: paths, ..built_in() }
}

fn the_walkthroughs_end(folder: &Path) -> RehearseArgs {
    let (ingen, biotechnica) = (final_backend("ingen"), final_backend("biotechnica"));
    own(folder, &[("orc.yaml", FINAL_ORCHESTRATOR), ("ingen.yaml", &ingen), ("biotechnica.yaml", &biotechnica)])
}

fn played(federation: &SimulatedFederation) -> Outcome {
    exchanged(federation, &session(), VERBS, &"next".into()).unwrap()
}

/// The orchestrator with other values, or none, behind a table of verdicts.
fn judged_behind(change: impl FnOnce(&SimulatedFederation, Value)) -> Result<Outcome> {
    let (session, federation) = (session(), SimulatedFederation::of(&built_in(), &session()).unwrap());
    played(&federation);
    let release = federation.release.parse().unwrap();
    change(&federation, federation.orchestrator.release(&release).unwrap().unwrap().config);
    Rehearsal::new(&federation, &session, VERBS).unwrap().judged(&federation.ca, &"next".into())
}

fn deploy(federation: &SimulatedFederation, values: Value) {
    let chart = ChartVersion { name: "orchestrator".to_owned(), version: "8.8.0".to_owned() };
    federation.orchestrator.install(&federation.release, chart, values).unwrap();
}

fn wrong(outcome: &Outcome) -> Vec<String> {
    let all = outcome.get("verdicts").unwrap().as_array().unwrap();
    all.iter().filter(|one| one["right"] == false).map(|one| one["who"].as_str().unwrap().to_owned()).collect()
}

/// It fails, and says nothing of going on.
#[track_caller]
fn assert_fails(outcome: &Outcome) {
    assert_eq!((outcome.exit(), outcome.stage().id()), (Exit::CheckFailed, "failed"));
    assert_eq!(outcome.failure().unwrap().code.id(), "verdict");
    assert_eq!(outcome.json()["next"], serde_json::json!([]));
}

const OTHER_NAMES: [&str; 3] = [
    "MyOrg1MSP under the name of MyOrg2MSP",
    "MyOrg2MSP under the name of MyOrg3MSP",
    "MyOrg3MSP under the name of MyOrg1MSP",
];
const RECIPE: &str = "for comparison: the walkthrough's recipe, to the letter";

#[test]
fn a_server_without_the_identity_check_turns_verdicts_wrong() {
    let outcome = judged_behind(|federation, mut values| {
        values["orchestrator"]["verifyClientMSPID"] = false.into();
        deploy(federation, values);
    })
    .unwrap();
    assert_eq!(wrong(&outcome), [&OTHER_NAMES[..], &[RECIPE]].concat());
    assert_fails(&outcome);
}

#[test]
fn a_server_with_an_open_gate_turns_verdicts_wrong() {
    let outcome = judged_behind(|federation, mut values| {
        values["orchestrator"]["tls"]["mtls"]["enabled"] = false.into();
        deploy(federation, values);
    })
    .unwrap();
    let strangers = [
        "MyOrg1MSP without a certificate",
        "MyOrg1MSP with another CA's certificate",
        "MyOrg1MSP with an expired certificate",
    ];
    assert_eq!(wrong(&outcome), [&OTHER_NAMES[..], &strangers, &[RECIPE]].concat());
    assert_fails(&outcome);
}

#[test]
fn a_refusal_for_another_reason_is_wrong() {
    let outcome = judged_behind(|federation, mut values| {
        let cas = values["orchestrator"]["tls"]["mtls"]["clientCACerts"].as_object_mut().unwrap();
        let first = cas.remove("MyOrg1MSP").unwrap();
        cas.insert("orchestrator".to_owned(), first);
        deploy(federation, values);
    })
    .unwrap();
    // The recipe's certificate is refused as ever, but because its organization is not admitted at all.
    assert_eq!(wrong(&outcome), ["MyOrg1MSP as itself", RECIPE]);
    assert_fails(&outcome);
}

#[test]
fn a_server_that_is_dead_is_no_verdict() {
    let failure = judged_behind(|federation, _| federation.orchestrator.stop_server(&federation.release)).unwrap_err();
    assert_eq!((failure.exit, failure.code.id()), (Exit::CheckFailed, "no-answer"));
    assert!(failure.why.contains("connection refused"), "{failure}");
}

#[test]
fn whoever_is_cut_off_on_the_way_turns_the_rehearsal_wrong() {
    let (session, federation) = (session(), SimulatedFederation::of(&built_in(), &session()).unwrap());
    let mut rehearsal = Rehearsal::new(&federation, &session, VERBS).unwrap();
    rehearsal.connected("");
    // Closed before anybody is enrolled, and then all is done as it should be.
    let values = federation.orchestrator.release(&federation.release.parse().unwrap()).unwrap().unwrap().config;
    let mut closed = values.clone();
    closed["orchestrator"]["tls"]["mtls"] =
        serde_json::json!({"enabled": true, "clientCACerts": {"x": ["orchestrator-tls-cacert"]}});
    deploy(&federation, closed);
    rehearsal.connected("a premature close");
    deploy(&federation, values);
    federation.organizations.iter().for_each(|org| rehearsal.exchange(org).unwrap());
    rehearsal.close().unwrap();
    let outcome = rehearsal.judged(&federation.ca, &"next".into()).unwrap();
    let cut_off = ["MyOrg1MSP", "MyOrg2MSP", "MyOrg3MSP"].map(|org| format!("{org} after a premature close"));
    assert_eq!(wrong(&outcome), cut_off);
    assert_fails(&outcome);
}

#[test]
fn the_walkthroughs_own_end_is_migrated_and_nobody_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let federation = SimulatedFederation::of(&the_walkthroughs_end(folder.path()), &session()).unwrap();
    let outcome = played(&federation);
    assert_eq!(wrong(&outcome), [""; 0]);
    let before = outcome.get("before").unwrap().as_str().unwrap();
    assert_eq!(
        before,
        "Before: mutual TLS is on, the identity check is off. Any organization can act as any other. Assumed, since files cannot say it: the pairs of ingen, biotechnica were made by Substra's walkthrough (X.509 version 1, no authorityKeyId)."
    );
    let told = outcome.get("rehearsal").unwrap().as_array().unwrap();
    let connected: Vec<&Value> = told.iter().map(|one| &one["connected"]).filter(|one| !one.is_null()).collect();
    assert_eq!(connected.len(), 4, "before, after each organization, after the gate");
    for answers in connected {
        assert_eq!(*answers, serde_json::json!({"ingen": "accepted", "biotechnica": "accepted"}));
    }
    let stages: Vec<&str> = told.iter().filter_map(|one| one["stage"].as_str()).collect();
    assert_eq!(
        stages,
        ["requested", "approved", "installed", "requested", "approved", "installed", "closed"],
        "the walkthrough's pairs are replaced"
    );
}

#[test]
fn a_rehearsal_of_its_own_result_finds_nothing_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for args in [built_in(), the_walkthroughs_end(folder.path())] {
        let first = SimulatedFederation::of(&args, &session()).unwrap();
        played(&first);
        let results = tempfile::tempdir().unwrap();
        let text = |path: &str| String::from_utf8(files::read(Path::new(path)).unwrap().to_vec()).unwrap();
        let made: Vec<(String, String)> = std::iter::once(&first.orchestrator_file)
            .chain(first.organizations.iter().map(|org| &org.file))
            .enumerate()
            .map(|(n, path)| (format!("{n}.yaml"), text(path)))
            .collect();
        let made: Vec<(&str, &str)> = made.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let again = SimulatedFederation::of(&own(results.path(), &made), &session()).unwrap();
        let outcome = played(&again);
        assert_eq!(wrong(&outcome), [""; 0]);
        let told = outcome.get("rehearsal").unwrap().as_array().unwrap();
        let stages: Vec<&str> = told.iter().filter_map(|one| one["stage"].as_str()).collect();
        assert_eq!(stages, vec!["already"; again.organizations.len() + 1]);
        let before = outcome.get("before").unwrap().as_str().unwrap();
        assert!(before.starts_with("Before: mutual TLS and the identity check are on. Assumed"), "{before}");
        assert!(before.ends_with("were made by this tool."), "{before}");
    }
}
