//! A federation of ten against the walkthrough as a script, and against its bare `helm upgrade`s side by side.

use std::path::Path;

use crate::{exchange::run_script, timed};

const SETUP: &str = include_str!("federation-setup.sh");
const WALKTHROUGH: &str = include_str!("federation-walkthrough.sh");
const BARE: &str = include_str!("federation-bare.sh");
const OURS: &str = include_str!("federation-ours.sh");
const CHECK: &str = include_str!("federation-check.sh");
const AGAIN: &str = include_str!("federation-again.sh");

/// How many organizations.
const COUNT: usize = 10;

pub(crate) fn figures(bin: &str) {
    let run = |name: &str, script: &str, folder: &Path| timed(|| run_script(script, bin, name, folder)).as_secs_f64();
    let world = |name: &str, script: &str| {
        let folder = tempfile::tempdir().unwrap();
        run(name, SETUP, folder.path());
        (run(name, script, folder.path()), folder)
    };
    let id = std::process::id();
    let (walkthrough, _) = world(&format!("fw{id}"), WALKTHROUGH);
    let (_, bare) = world(&format!("fb{id}"), BARE);
    let bare = took(bare.path())[0];
    let name = format!("fo{id}");
    let (ours, folder) = world(&name, OURS);
    println!(
        "federation of {COUNT}: {ours:.1} s; the walkthrough as a script: {walkthrough:.1} s, {:.1} times as long; bare helm upgrades side by side: {bare:.1} s, ratio {:.2}",
        walkthrough / ours,
        ours / bare
    );
    let again = run(&name, AGAIN, folder.path());
    let text = std::fs::read_to_string(folder.path().join("children")).unwrap();
    let children = text.lines().filter(|line| line.starts_with("+ ")).count();
    println!(
        "unchanged second run: {again:.2} s, {children} child processes for {COUNT} organizations and the orchestrator"
    );
    run(&name, CHECK, folder.path());
    let (check, bare) = (took(folder.path())[0], took(folder.path())[1]);
    println!("check of {COUNT}: {check:.2} s, the same children bare: {bare:.2} s, ratio {:.2}", check / bare);
}

/// What a script measured of itself, its preparations left out: one time, or two.
fn took(folder: &Path) -> Vec<f64> {
    let text = std::fs::read_to_string(folder.join("took")).unwrap();
    let times: Vec<f64> = text.split_whitespace().map(|time| time.parse().unwrap()).collect();
    times.chunks(2).map(|pair| pair[1] - pair[0]).collect()
}
