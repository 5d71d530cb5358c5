//! No value and no comment of others is in any output: both charts' settings in two files, each value a marker of its own.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use serde_json::{Value, json};
use substra_mtls::{
    cluster::{ChartVersion, Kubernetes, Object, simulated::SimulatedCluster},
    failure::Result,
    report::{Outcome, failure_json},
    values::{self, Setting},
};

use crate::{check::world::Scene, simulated::Federation, world::World};

const BACKEND: &str = include_str!("hidden/backend.yaml");
const ORCHESTRATOR: &str = include_str!("hidden/orchestrator.yaml");

/// A file with its placeholders filled in: `%s` a text, `%n` a number, `%c` a comment, `%k` a key.
pub(crate) fn filled(template: &str, series: u8) -> String {
    let mut count = 0;
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('%') {
        count += 1;
        text.push_str(before);
        text.push_str(&match &after[..1] {
            "s" | "c" => format!("mkr{series}v{count:03}"),
            "n" => format!("77{series}00100{count:03}"),
            _ => format!("KEY_{count}"),
        });
        rest = &after[1..];
    }
    text + rest
}

/// The first marker of a text, in any of the forms that programs write. Fingerprints, serial numbers and their groups are
/// left out: they are drawn by chance, and hold every short number now and then.
pub(crate) fn leaked(text: &str) -> Option<String> {
    let is_drawn = |word: &str| {
        let is_hex = word.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        is_hex && word.len() >= 8 && (word.len() >= 32 || !word.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let word = |word: &&str| !is_drawn(word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()));
    let text: String = words.filter(word).collect();
    let beginnings =
        ["mkr", "MKR", "bWty", "770010", "771001", "7710010", "7720010", "7.71", "7.72", "0456", "rustc-secret"];
    let at = beginnings.iter().find_map(|beginning| text.find(beginning))?;
    Some(text[text.floor_char_boundary(at.saturating_sub(60))..text.ceil_char_boundary(at + 20)].to_owned())
}

#[test]
fn a_marker_is_found_and_a_number_that_is_drawn_by_chance_is_none() {
    let fingerprint = format!("SHA256:{}0456", "ab".repeat(30));
    assert_eq!(leaked(&format!("{fingerprint}, read out 0456abcd abcd0456, serial 01d0456e77001012")), None);
    for text in ["maxTasksKept: 0456}", "n: 770010", "n: 77001042", "7.710012e+06", "a mkr-1 b"] {
        assert!(leaked(&format!("{fingerprint} é {text}")).is_some(), "{text}");
    }
}

#[track_caller]
fn clean(what: &str, text: &str) {
    if let Some(found) = leaked(text) {
        panic!("{what} shows ...{found}...");
    }
}

/// All that a result holds for people and for scripts.
fn told(result: &Result<Outcome>) -> String {
    match result {
        Ok(outcome) => outcome.json().to_string(),
        Err(failure) => format!("{failure}{}", failure_json(failure)),
    }
}

fn install(cluster: &SimulatedCluster, release: &str, name: &str, version: &str, text: &str) {
    let chart = ChartVersion { name: name.into(), version: version.into() };
    cluster.install(release, chart, values::read(text.as_bytes()).unwrap()).unwrap();
}

/// Deployed is one series, the files have another one; a series 0 is what the tool needs and no more.
fn federation(deployed: u8, files: u8) -> Federation {
    let federation = Federation::new();
    let ca = federation.world.read("ca.crt");
    federation.orc.create(&Object::secret("ours-ca", "Opaque", &[], &[("ca.crt", ca.as_bytes())])).unwrap();
    for end in ["crt", "key"] {
        fs::copy(federation.world.path(&format!("ca.{end}")), federation.world.path(&format!("orchestrator-ca.{end}")))
            .unwrap();
    }
    let write = |name: &str, template: &str, series| {
        federation.world.write(name, &filled(template, series));
    };
    if deployed > 0 {
        install(&federation.org, "backend", "substra-backend", "26.15.3", &filled(BACKEND, deployed));
        install(&federation.orc, "orchestrator", "orchestrator", "8.8.0", &filled(ORCHESTRATOR, deployed));
    }
    if files > 0 {
        write("backend-values.yaml", BACKEND, files);
        write("orchestrator-values.yaml", ORCHESTRATOR, files);
    }
    federation
}

const ORC: &str = "-f @orchestrator-values.yaml --release orchestrator";
const ORG: &str = "-f @backend-values.yaml --release backend";

/// Every verb on the simulated cluster, first as it is refused, then as it is done; gives what was refused.
fn every_verb(federation: &Federation) -> Vec<String> {
    let mut codes = Vec::new();
    let mut run = |cluster: &SimulatedCluster, line: &str| {
        let result = federation.run(cluster, line);
        clean(line, &told(&result));
        codes.extend(result.err().map(|failure| format!("{} {}", line.split(" -").next().unwrap(), failure.code.id())));
    };
    let (org, orc) = (&federation.org, &federation.orc);
    let approve = format!("approve @MyOrg1MSP.csr {ORC} --ca-cert @ca.crt --ca-key @ca.key --unverified-mail --yes");
    let close = format!("gate close {ORC} --yes --installed MyOrg1MSP --ca-cert @ca.crt");
    for line in [format!("check {ORG}"), format!("ca show {ORG}"), format!("enroll {ORG} --out-dir @ --yes")] {
        run(org, &line);
    }
    for more in ["--dry-run", ""] {
        run(orc, &format!("{approve} {more}"));
    }
    for more in ["", "--dry-run --accept-drift", "--no-upgrade --dry-run", "--accept-drift", "--accept-drift"] {
        run(org, &format!("enroll {ORG} --out-dir @ --yes --certificate @MyOrg1MSP.crt {more}"));
    }
    for more in ["", "--dry-run --accept-drift", "--accept-drift", ""] {
        run(orc, &format!("{close} {more}"));
    }
    for line in [format!("check {ORC} --ca-cert @ca.crt"), format!("ca show {ORC}")] {
        run(orc, &line);
    }
    run(org, &format!("check {ORG}"));
    for verb in ["gate open", "ca init --out-dir @", "ca trust @ca.crt --for MyOrg1MSP"] {
        run(orc, &format!("{verb} {ORC} --yes --dry-run"));
        run(orc, &format!("{verb} {ORC} --yes --accept-drift"));
    }
    run(org, &format!("ca trust @ca.crt --backend --enable-tls {ORG} --yes --dry-run --accept-drift"));
    codes
}

#[test]
fn no_value_and_no_comment_of_others_is_in_any_result() {
    for (deployed, files) in [(1, 2), (1, 1), (0, 2), (1, 0)] {
        let codes = every_verb(&federation(deployed, files));
        let refused: &[&str] = if deployed == files { &[] } else { &["enroll drift", "gate close drift"] };
        assert_eq!(codes, refused, "{deployed} {files}");
    }
}

#[test]
fn what_differs_is_said_by_its_path_and_its_kind() {
    let federation = federation(1, 2);
    federation.world.write("backend-values.yaml", &filled(BACKEND, 2).replace("migrations:", "more:"));
    let outcome = federation.run(&federation.org, &format!("check {ORG} --only drift")).unwrap();
    let seen = outcome.get("sites").unwrap()[0]["checks"][0]["seen"].as_str().unwrap().to_owned();
    for line in
        ["addAccountOperator.users: differs", "migrations.timeout: deployed only", "more.timeout: in the files only"]
    {
        assert!(seen.split("; ").any(|one| one == line), "{line}: {seen}");
    }
    clean("check", &seen);
}

/// Runs the binary; a text for people, for scripts, and as much as it tells.
fn ran(world: &World, path: &str, line: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_substra-mtls"));
    command.args(line.split_whitespace()).current_dir(world.path("")).env_clear().env("PATH", path);
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    clean(line, &text);
    (output.status.code().unwrap(), text)
}

const FORMATS: [&str; 3] = ["", "-o json", "-v"];

#[test]
fn no_value_of_others_is_in_what_is_said_without_a_cluster() {
    let world = World::new();
    world.write("backend-values.yaml", &filled(BACKEND, 1));
    world.write("orchestrator-values.yaml", &filled(ORCHESTRATOR, 1));
    let enroll = "enroll -f backend-values.yaml --key-file MyOrg1MSP.key";
    let approve = "approve MyOrg1MSP.csr -f orchestrator-values.yaml --ca-cert ca.crt --ca-key ca.key --offline --yes --unverified-mail";
    let rehearse = "rehearse --backend backend-values.yaml --orchestrator orchestrator-values.yaml";
    for format in FORMATS {
        assert_eq!(ran(&world, "", &format!("{enroll} {format}")).0, 0);
        let (status, text) = ran(&world, "", &format!("{approve} --dry-run {format}"));
        assert!(status == 0 && text.contains("ours-ca") && text.contains("(hidden)"), "{text}");
        let (status, text) = ran(&world, "", &format!("{rehearse} {format}"));
        assert!(status == 0 && text.contains("TheirMSP: [ours-ca]") && text.contains("(hidden)"), "{text}");
        let (status, text) = ran(&world, "", &format!("check -f backend-values.yaml {format}"));
        assert!(status == 3 && text.contains("mtls-without-pair"), "{text}");
    }
    ran(&world, "", "check -f backend-values.yaml -o prometheus");
    for (broken, code) in [
        ("a: [mkr1v1", "yaml"),
        ("mkr1v1", "top"),
        ("a: !<mkr1v1> 1\n", "tag"),
        ("a: *mkr1v1\n", "yaml"),
        ("a: \u{7}mkr1v1\n", "control-character"),
        ("orchestrator: {mspID: [mkr1v1]}\n", "value"),
        ("orchestrator: {mspID: mkr1v1 x}\n", "value"),
        ("orchestrator: {tls: mkr1v1}\n", ""),
    ] {
        world.write("backend-values.yaml", broken);
        for format in FORMATS {
            let (status, text) = ran(&world, "", &format!("{enroll} {format}"));
            assert!(status != 0 && text.contains(code), "{broken}: {text}");
        }
    }
}

fn scalars(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => map.values().flat_map(scalars).collect(),
        Value::Array(items) => items.iter().flat_map(scalars).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// A helm that knows one release and cannot render it, and says why as Helm does: with the values.
const HELM: &str = "#!/bin/sh
case \"$1 $2\" in
'template reader') if [ -e broken ]; then cat refusal >&2; exit 1; fi; cat reading ;;
'status '*) cat status ;;
'get metadata') cat metadata ;;
'show chart') echo 'name: orchestrator
version: 8.8.0' ;;
*) cat refusal >&2; exit 1 ;;
esac
";

#[test]
fn no_value_of_others_is_in_what_a_child_says() {
    let federation = federation(0, 1);
    let world = &federation.world;
    let bin = world.path("bin");
    fs::create_dir(&bin).unwrap();
    for (name, script) in [("helm", HELM), ("kubectl", "#!/bin/sh\necho '{\"items\": []}'\n")] {
        fs::write(bin.join(name), script).unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let text = filled(ORCHESTRATOR, 1);
    let deployed = values::read(filled(ORCHESTRATOR, 2).as_bytes()).unwrap();
    let path = ["orchestrator", "tls", "mtls", "enabled"];
    let settings = [Setting::set(&path, true), Setting::set(&["orchestrator", "verifyClientMSPID"], true)];
    let meant = values::apply(&values::read(text.as_bytes()).unwrap(), &settings);
    let status = json!({"namespace": "orchestrator", "version": 1, "config": deployed, "manifest": "", "info": {"status": "deployed"}});
    world.write("status", &status.to_string());
    world.write("metadata", &json!({"chart": "orchestrator", "version": "8.8.0"}).to_string());
    world.write("reading", &format!("values: {}\n", Value::from(json!({"read/0.yaml": meant}).to_string())));
    let all: Vec<String> = scalars(&meant).iter().map(|one| format!("got {one:?} or {one}")).collect();
    let all = all.join("\n");
    world.write("refusal", &format!("Error: execution error at (orchestrator/templates/x.yaml:3:4): {all}"));
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let close = "gate close -f orchestrator-values.yaml --release orchestrator --yes --installed MyOrg1MSP";
    for format in FORMATS {
        let (status, text) = ran(world, &path, &format!("{close} {format}"));
        assert!(status == 3 && text.contains("drift"), "{text}");
        let (status, text) = ran(world, &path, &format!("{close} --accept-drift {format}"));
        assert!(status == 3 && text.contains("execution error at (orchestrator/templates/x.yaml:3:4): got"), "{text}");
        ran(world, &path, &format!("check -f orchestrator-values.yaml --release orchestrator {format}"));
    }
    ran(world, &path, "check -f orchestrator-values.yaml --release orchestrator -o prometheus");
    world.write(
        "reading",
        &format!(
            "values: {}\n",
            Value::from(
                json!({"read/0.yaml": {"Error": "cannot unmarshal !!str `mkr1v0...` into mkr1v002"}}).to_string()
            )
        ),
    );
    let (status, text) = ran(world, &path, &format!("{close} --accept-drift"));
    assert!(status == 5 && text.contains("values-reading"), "{text}");
    world.write("broken", "");
    let (status, text) = ran(world, &path, &format!("{close} --accept-drift"));
    assert!(status == 6 && text.contains("helm could not read the values files"), "{text}");
}

#[test]
fn no_value_of_others_is_in_what_the_kubelet_says() {
    let mut scene = Scene::new();
    let federation = &scene.federation;
    federation.world.write("backend-values.yaml", &filled(BACKEND, 1));
    install(&federation.org, "backend", "substra-backend", "26.15.3", &filled(BACKEND, 1));
    let values = values::read(filled(BACKEND, 1).as_bytes()).unwrap();
    let said = format!("Back-off pulling image \"{}\"", scalars(&values["image"]).join("/"));
    scene.view.pods = Box::new(move |all| {
        all[0]["status"]["containerStatuses"] =
            json!([{"state": {"waiting": {"reason": "ImagePullBackOff", "message": said}}}]);
    });
    let outcome = scene.outcome("backend").unwrap();
    let text = outcome.json().to_string();
    assert!(text.contains("Back-off pulling image"), "{text}");
    clean("check", &text);
}

mod others;
