//! `check` on the simulated cluster: every check is silent on a good world and fires on a broken one.

mod broken;
mod world;

use std::collections::BTreeSet;

use broken::CASES;
use substra_mtls::failure::Exit;
use world::{Scene, findings};

/// What cannot be looked at in a good world, and why.
const SKIPPED: [(&str, &str); 3] =
    [("live-own", "only with --live"), ("live-without", "only with --live"), ("live-other", "only with --live")];

#[test]
fn a_good_world_is_silent() {
    let scene = Scene::new();
    for side in ["backend", "orchestrator"] {
        let outcome = scene.outcome(side).unwrap();
        assert_eq!(
            (outcome.stage(), outcome.exit()),
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
