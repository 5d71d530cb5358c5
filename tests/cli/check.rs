//! `check` on the simulated cluster: every check is silent on a good world and fires on a broken one.

pub(crate) mod broken;
mod live;
mod next;
mod pinned;
mod run;
pub(crate) mod world;

use std::collections::BTreeSet;

use broken::CASES;
use substra_mtls::{cluster::ObjectRef, failure::Exit};
use world::{Scene, findings};

use crate::world::World;

/// What cannot be looked at in a good world, and why.
const SKIPPED: [(&str, &str); 3] =
    [("live-own", "only with --live"), ("live-without", "only with --live"), ("live-other", "only with --live")];

#[test]
fn a_good_world_is_silent() {
    let scene = Scene::new();
    for side in ["backend", "orchestrator"] {
        let outcome = scene.outcome(side).unwrap();
        assert_eq!(
            (outcome.stage().id(), outcome.exit()),
            ("ok", Exit::Done),
            "{side}: {:#}",
            outcome.get("sites").unwrap()
        );
        for (id, found) in findings(&outcome) {
            let skipped = SKIPPED.iter().find(|(skipped, _)| *skipped == id);
            let expected = skipped.map_or("ok", |_| "skipped");
            assert_eq!(found.status, expected, "{side} {id}: {}", found.seen);
            assert!(skipped.is_none_or(|(_, because)| found.seen == *because), "{id}: {}", found.seen);
            assert_eq!(found.next, "", "{id}");
        }
    }
}

#[test]
fn every_broken_world_fires_its_check_and_names_the_next_command() {
    let mut wrong = Vec::new();
    for (id, side, status, words, break_it) in CASES {
        let mut scene = Scene::new();
        break_it(&mut scene);
        let found = scene.check(side).remove(*id).unwrap();
        if found.status != *status
            || !found.seen.contains(words)
            || (found.next.is_empty() && matches!(*status, "failed" | "warning"))
        {
            wrong.push(format!("{id} ({words}): {found:?}"));
        }
        // Times stand as everywhere, and not in the form of a library.
        if found.seen.contains("+00:00") {
            wrong.push(format!("{id}: {}", found.seen));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_check_is_shown_to_fire() {
    let scene = Scene::new();
    let all: BTreeSet<String> =
        ["backend", "orchestrator"].iter().flat_map(|side| scene.check(side).into_keys()).collect();
    let elsewhere = ["tools", "live-own", "live-without", "live-other"];
    for id in all.iter().filter(|id| !elsewhere.contains(&id.as_str())) {
        assert!(
            CASES.iter().any(|(case, _, status, ..)| case == id && matches!(*status, "failed" | "warning")),
            "{id}"
        );
    }
}

#[test]
fn the_exit_status_says_whether_something_failed_or_warned() {
    let mut scene = Scene::new();
    scene.federation.now += time::Duration::days(61);
    for (more, stage, exit) in [
        ("", "warned", Exit::Done),
        ("--fail-on warning", "warned", Exit::CheckFailed),
        ("--fail-on warning --skip pair-ends", "ok", Exit::Done),
        ("--fail-on warning --only pair --only pair-halves", "ok", Exit::Done),
        ("--fail-on warning --warn-before 20d", "ok", Exit::Done),
        ("--warn-before 30d", "warned", Exit::Done),
        ("--fail-on warning --warn-before 30%", "ok", Exit::Done),
    ] {
        scene.more = more.into();
        let outcome = scene.outcome("backend").unwrap();
        assert_eq!((outcome.stage().id(), outcome.exit()), (stage, exit), "{more}");
    }
    scene.view.status = Some("failed");
    scene.more = String::new();
    assert_eq!(scene.outcome("backend").unwrap().exit(), Exit::CheckFailed);
    scene.more = "--only pair".into();
    assert_eq!(scene.check("backend").into_keys().collect::<Vec<_>>(), ["pair"]);
}

#[test]
fn the_table_says_who_stands_where() {
    let scene = Scene::new();
    let row = |scene: &Scene, side: &str| scene.outcome(side).unwrap().get("organizations").unwrap()[0].clone();
    let backend = row(&scene, "backend");
    assert_eq!((&backend["organization"], &backend["stage"]), (&"MyOrg1MSP".into(), &"installed".into()));
    assert_eq!(backend["certificate"]["daysLeft"], 89);
    let orchestrator = row(&scene, "orchestrator");
    assert_eq!(orchestrator["stage"], "enforced");
    assert_eq!(orchestrator["certificate"]["serial"], backend["certificate"]["serial"], "the issue log knows it");
    scene.federation.org.remove_object(&ObjectRef::secret("orchestrator-client-cert"));
    assert_eq!(row(&scene, "backend")["stage"], "none");
    scene.deploy("orchestrator", "tls-cacert\n      enabled: true", "tls-cacert\n      enabled: false");
    assert_eq!(row(&scene, "orchestrator")["stage"], "admitted");
    let text = |side: &str| scene.federation.world.here(row(&scene, side)["next"].as_str().unwrap());
    assert_eq!(text("backend"), "helm substra-mtls enroll -n org-1 -f backend-values.yaml --release backend");
    let close = "helm substra-mtls gate close -n orchestrator -f orchestrator-values.yaml --release orchestrator";
    assert_eq!(text("orchestrator"), close);
}

#[test]
fn a_check_is_explained_without_a_cluster_and_an_unknown_one_lists_all() {
    let world = World::new();
    let ran = world.run("check --explain passthrough").ok();
    assert_eq!(ran.fact("side"), "orchestrator");
    assert!(ran.fact("why").contains("ends in the orchestrator's own process"));
    for line in ["check --explain nothing", "check -f backend-values.yaml --only nothing"] {
        let ran = world.run(line).refused(2, "no-such-check");
        for (id, ..) in CASES {
            assert!(ran.stderr.contains(&format!("\n  {id} ")), "{id}: {}", ran.stderr);
        }
    }
}

#[test]
fn without_helm_the_files_are_checked_all_the_same() {
    let world = World::new();
    world.write("backend-values.yaml", &crate::world::BACKEND.replace("mspID: MyOrg1MSP", "mspID: no"));
    let ran = world.run("check -f backend-values.yaml");
    assert_eq!(ran.status, 3, "{}{}", ran.stdout, ran.stderr);
    for line in ["  failed   tools ", "  failed   values ", "  warning  values-odd-words ", "  skipped  release, "] {
        assert!(ran.stdout.contains(line), "{line}: {}", ran.stdout);
    }
    assert_eq!(ran.stderr, "");
}

#[test]
fn values_of_neither_side_or_of_none_are_refused() {
    let world = World::new();
    world.write("odd.yaml", "a: 1\n");
    world.run("check -f odd.yaml").refused(2, "which-side");
    world.write("spoilt.yaml", "a: {\n");
    world.run("check -f spoilt.yaml").refused(5, "yaml");
    assert_eq!(world.run("check").status, 2);
    assert_eq!(world.run("check -f odd.yaml --warn-before x").status, 2);
}

#[test]
fn prometheus_gets_gauges_with_stable_names_and_one_status_each() {
    let world = World::new();
    let ran = world.run("check -f backend-values.yaml -o prometheus");
    assert_eq!(ran.status, 3);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines.contains(&"# TYPE substra_mtls_check_status gauge"), "{}", ran.stdout);
    assert!(lines.contains(&r#"substra_mtls_stage{organization="MyOrg1MSP",stage="none"} 1"#), "{}", ran.stdout);
    let status = |status| {
        format!(
            r#"substra_mtls_check_status{{namespace="",release="",side="backend",check="tools",status="{status}"}}"#
        )
    };
    assert!(
        lines.contains(&format!("{} 1", status("failed")).as_str())
            && lines.contains(&format!("{} 0", status("ok")).as_str()),
        "{}",
        ran.stdout
    );
    for line in lines.iter().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(
            value.parse::<i64>().is_ok() && series.starts_with("substra_mtls_") && series.ends_with(['}', 's']),
            "{line}"
        );
    }
}

#[test]
fn what_a_label_holds_is_in_the_gauges_as_it_is() {
    let world = World::new();
    let values = world.read("orchestrator-values.yaml").replace("MyOrg2MSP", r#""of {} and {a} x""#);
    world.write("odd.yaml", &values);
    let gauges = world.run("check -f odd.yaml -o prometheus").stdout;
    let line = r#"substra_mtls_stage{organization="of {} and {a} x",stage="none"} 1"#;
    assert!(gauges.lines().any(|one| one == line), "{gauges}");
    let (_, checked_at) = gauges.lines().last().unwrap().split_once("substra_mtls_checked_at_seconds ").unwrap();
    assert!(checked_at.parse::<i64>().is_ok(), "what has no label has no braces: {gauges}");
}

#[test]
fn the_text_has_the_table_then_what_is_wrong_then_what_is_not_then_a_sum() {
    let world = World::new();
    let text = world.run("check -f backend-values.yaml").stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..2],
        ["organization  stage  certificate  issuer  days left", "MyOrg1MSP     none   -            -       -"]
    );
    let places =
        ["backend: release (not read)", "  failed   tools ", "           fix: ", "  ok       values ", "  skipped  "];
    let begins = |place: &&str| lines.iter().position(|line| line.starts_with(*place)).unwrap();
    assert!(places.iter().map(begins).is_sorted(), "{text}");
    let good: Vec<&&str> = lines.iter().filter(|line| line.starts_with("  ok ")).collect();
    assert_eq!(good, [&"  ok       values                   values, values-odd-words, tls"], "a line for a group");
    let skipped = lines.iter().filter(|line| line.starts_with("  skipped "));
    let reasons: Vec<&str> = skipped.map(|line| line.split_once(" because ").unwrap().1).collect();
    assert!(
        reasons.len() > 1 && reasons.len() == reasons.iter().collect::<BTreeSet<_>>().len(),
        "one for a reason: {text}"
    );
    assert!(lines.last().unwrap().ends_with(" skipped"), "{text}");
}
