//! Every step leads on: each command that `check` prints in a broken world is run there, and so is what is printed after it.
//!
//! `golden/check-leads-on.txt` has what each came to: `UPDATE_EXPECTED=1 cargo test --test cli leads_on`.

use clap::Parser;
use serde_json::json;
use substra_mtls::{
    cli::Cli,
    cluster::{Helm, Kubernetes, Object, ObjectRef, simulated::SimulatedCluster},
    dispatch::dispatch,
    pki::{inspect::certificates, key::KeyType, key::PrivateKey, request},
    report::{Console, Outcome},
    session::Session,
};

use super::{
    broken::{CASES, Case},
    world::{Scene, at, findings},
};
use crate::golden::kept_as;

/// What is to be done by hand before a command, as it says.
const BY_HAND: [(&str, &str, &str); 3] = [
    ("take key orchestrator out", "        orchestrator: [orchestrator-tls-cacert]\n", ""),
    ("take their-ca out", "          - their-ca\n", ""),
    (
        "set ingress.annotations",
        "ingress:\n",
        "ingress:\n  annotations: {nginx.ingress.kubernetes.io/ssl-passthrough: \"true\"}\n",
    ),
];

#[test]
fn each_command_in_each_broken_world_leads_on() {
    let mut told = Vec::new();
    for case in CASES.iter().filter(|(_, _, status, ..)| matches!(*status, "failed" | "warning")) {
        let (id, side, status, seen, _) = case;
        told.push(format!("==== {id} {status}, {side}: {seen}"));
        told.extend(followed(case));
        told.extend(others(case));
    }
    kept_as("check-leads-on.txt", &format!("{}\n", told.join("\n")));
}

/// The next step of a world, then the next of that, until nothing is left or a person has to decide.
fn followed((_, side, _, _, break_it): &Case) -> Vec<String> {
    let mut scene = broken(*break_it);
    let mut told: Vec<String> = Vec::new();
    for _ in 0..6 {
        let outcome = scene.outcome(side).unwrap();
        let next = next(&outcome);
        let line = format!("next: {}", shown(&scene, &next));
        if next.is_empty() {
            told.push("nothing is left".to_owned());
            return told;
        }
        if told.contains(&line) {
            told.push("and the same again".to_owned());
            return told;
        }
        told.push(line);
        let done = ran(&mut scene, &next);
        let goes_on = done.last().is_some_and(|last| !["refused", "looked"].iter().any(|stop| last.contains(stop)));
        told.extend(done);
        if !goes_on {
            return told;
        }
    }
    panic!("this leads nowhere: {told:#?}");
}

/// What helps against the other findings of a world, each by itself.
fn others((_, side, _, _, break_it): &Case) -> Vec<String> {
    let outcome = broken(*break_it).outcome(side).unwrap();
    let first = next(&outcome);
    let all = findings(&outcome).into_iter().filter(|(_, found)| !found.next.is_empty() && found.next != first);
    let mut told = Vec::new();
    for (id, _) in all {
        let mut scene = broken(*break_it);
        // Its own folder stands in it.
        let found = scene.check(side).remove(&id).unwrap();
        told.push(format!("fix of {id}: {}", shown(&scene, &found.next)));
        told.extend(ran(&mut scene, &found.next));
    }
    told
}

/// The one command that people are shown first.
fn next(outcome: &Outcome) -> String {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let (site, rows) = (&outcome.get("sites").unwrap()[0], outcome.get("organizations").unwrap());
    let row = rows.as_array().unwrap().iter().map(|row| text(&row["next"])).find(|next| !next.is_empty());
    match row {
        Some(row) if outcome.stage().id() != "failed" => row,
        _ => text(&site["next"]),
    }
}

fn broken(break_it: fn(&mut Scene)) -> Scene {
    let mut scene = Scene::new();
    let world = &scene.federation.world;
    world.write("orchestrator-ca.crt", &world.read("ca.crt"));
    world.write("orchestrator-ca.key", &world.read("ca.key"));
    world.write("orchestrator-ca.issued.jsonl", &world.read("ca.issued.jsonl"));
    world.chmod("orchestrator-ca.key", 0o600);
    break_it(&mut scene);
    // What a verb changes is seen.
    if let Some(status) = scene.view.status.take() {
        scene.federation.org.set_status("backend", status);
        scene.federation.orc.set_status("orchestrator", status);
    }
    scene
}

/// Without the folder and without dates.
fn shown(scene: &Scene, text: &str) -> String {
    let is_date = |word: &str| word.len() == 10 && word.split('-').all(|part| part.parse::<u16>().is_ok());
    let here = scene.federation.world.here(text);
    here.split(' ').map(|word| if is_date(word) { "<date>" } else { word }).collect::<Vec<_>>().join(" ")
}

/// Runs every command of a text, and says what each came to.
fn ran(scene: &mut Scene, text: &str) -> Vec<String> {
    let by_hand: Vec<_> = BY_HAND.iter().filter(|(said, ..)| text.contains(said)).collect();
    for (_, from, to) in by_hand {
        let values = scene.federation.world.read("orchestrator-values.yaml");
        assert!(values.contains(from), "{values}");
        scene.federation.world.write("orchestrator-values.yaml", &values.replace(from, to));
    }
    let commands = crate::pasted::all_commands(text);
    if commands.is_empty() {
        return vec!["  looked: no command helps".to_owned()];
    }
    let mut done = Vec::new();
    for command in commands {
        let words = shlex::split(command).unwrap();
        let came = if words[1] == "substra-mtls" { ours(scene, &words[1..]) } else { tool(scene, &words) };
        done.push(format!("  {came}"));
    }
    done
}

/// Tries every command of a text and changes nothing but what kubectl restarts.
#[track_caller]
pub(crate) fn tried(scene: &mut Scene, text: &str) {
    for command in crate::pasted::all_commands(text) {
        let mut words = shlex::split(command).unwrap();
        let is_ours = words[1] == "substra-mtls";
        let came = if is_ours {
            words.push("--dry-run".to_owned());
            ours(scene, &words[1..])
        } else {
            tool(scene, &words)
        };
        assert!(!came.starts_with("refused"), "{command}: {came}");
    }
}

/// A command of ours, its questions answered.
fn ours(scene: &mut Scene, words: &[String]) -> String {
    if words[1] == "role" {
        // The administrator's kubectl, which reads it, gives these rights.
        let words: Vec<&str> = words[1..].iter().map(String::as_str).filter(|word| *word != "--dry-run").collect();
        let printed = scene.federation.world.run_words(&words).ok().stdout;
        assert_eq!(printed.matches("\n  namespace: ").count(), 2, "{printed}");
        (scene.view.rules, scene.view.forbidden) = (None, Vec::new());
        return "printed and applied".to_owned();
    }
    let fed = &scene.federation;
    let folder = fed.world.path("").display().to_string();
    let mut words = words.to_vec();
    let mut more = vec!["--yes".to_owned()];
    match (words[1].as_str(), words[2].as_str()) {
        ("enroll", _) => {
            more.extend(["--out-dir".into(), folder]);
            let answers = words.contains(&"--certificate".to_owned());
            if let Some(failure) = answers.then(|| fed.approve().err()).flatten() {
                return format!("refused by the orchestrator: {}", failure.code);
            }
        }
        ("approve", request) => {
            let org = request.strip_suffix(".csr").unwrap();
            if !fed.world.path(request).is_file() {
                let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
                let host = "substra.org-2.example.org".parse().unwrap();
                fed.world.write(request, &request::create(&key, &org.parse().unwrap(), &host).unwrap());
            }
            more.push("--unverified-mail".into());
        }
        ("gate", "close") => more.extend(["--installed".into(), "MyOrg1MSP".into()]),
        ("ca", "trust") => {
            let print = certificates(fed.world.read("ca.crt").as_bytes()).unwrap()[0].fingerprint().to_string();
            more.extend(["--fingerprint".into(), print]);
        }
        ("ca", "init") => more.extend(["--out-dir".into(), folder]),
        _ => {}
    }
    // It is typed in the folder.
    for word in &mut words {
        if fed.world.path(word).is_file() {
            *word = fed.world.path(word).display().to_string();
        }
    }
    let cluster = cluster(scene, &words);
    let cli = Cli::try_parse_from(words.iter().chain(&more)).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    let session = Session::new(Some(cluster), Console::silent(), &scene.federation.clock());
    match crate::schemas::seen(dispatch(&cli.command, &session)) {
        Ok(outcome) => outcome.stage().to_string(),
        Err(failure) => format!("refused: {}", failure.code),
    }
}

fn cluster<'a>(scene: &'a Scene, words: &[String]) -> &'a SimulatedCluster {
    let at = words.iter().position(|word| word == "-n").unwrap();
    if words[at + 1] == "org-1" { &scene.federation.org } else { &scene.federation.orc }
}

/// A command of kubectl or helm, on the simulated cluster.
fn tool(scene: &mut Scene, words: &[String]) -> String {
    if words[1..] == ["list", "--all-namespaces"] {
        return "looked".to_owned();
    }
    let cluster = cluster(scene, words).clone();
    let rest: Vec<&str> = words[3..].iter().map(String::as_str).collect();
    let there = |name: &str| {
        let all = cluster.releases().unwrap();
        assert!(all.iter().any(|(release, _)| release == name), "{words:?}");
    };
    match (words[0].as_str(), rest.as_slice()) {
        ("kubectl", ["describe", "pod", _]) => "looked".to_owned(),
        ("kubectl", ["describe", workload] | ["port-forward", workload, "9000"]) => {
            let (kind, name) = workload.split_once('/').unwrap();
            assert_eq!(cluster.get(&[ObjectRef::new(kind, name)]).unwrap().len(), 1, "{words:?}");
            "looked".to_owned()
        }
        ("kubectl", ["rollout", "restart", workload]) => {
            let (kind, name) = workload.split_once('/').unwrap();
            cluster.annotate_template(&ObjectRef::new(kind, name), "restarted", "now").unwrap();
            let now = at(scene.federation.now, 0);
            scene.view.pods = Box::new(move |all| {
                let pods = all.as_array_mut().unwrap().iter_mut().filter(|object| object["kind"] == "Pod");
                pods.for_each(|pod| pod["status"]["startTime"] = json!(now));
            });
            "restarted".to_owned()
        }
        ("kubectl", ["create", "secret", "generic", name, "--from-file=ca.crt=CA.crt"]) => {
            let ca = scene.federation.world.read("ca.crt");
            cluster.create(&Object::secret(name, "Opaque", &[], &[("ca.crt", ca.as_bytes())])).unwrap();
            "created".to_owned()
        }
        ("helm", ["history", name] | ["get", "values", name]) => {
            there(name);
            "looked".to_owned()
        }
        ("helm", ["rollback", name, "REVISION"]) => {
            there(name);
            cluster.set_status(name, "deployed");
            scene.view.status = None;
            "rolled back".to_owned()
        }
        ("helm", ["upgrade", name, chart, "--version", "8.8.0" | "26.15.3", "-f", file]) => {
            there(name);
            assert!(chart.starts_with("substra/") && std::path::Path::new(file).is_file(), "{words:?}");
            scene.reinstall(name);
            let passes = scene.federation.world.read("orchestrator-values.yaml").contains("ssl-passthrough");
            if passes {
                scene.view.ingress = json!({"nginx.ingress.kubernetes.io/ssl-passthrough": "true"});
            }
            "upgraded".to_owned()
        }
        _ => panic!("nobody runs this here: {words:?}"),
    }
}
