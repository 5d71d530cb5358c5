//! (b) One organization end to end against the walkthrough as a script: openssl, kubectl, a YAML tool, helm.

use std::{path::Path, process::Command};

use crate::timed;

/// Both worlds are set up the same; only the part between TLS and the closed gate is timed.
const SETUP: &str = include_str!("setup.sh");
const WALKTHROUGH: &str = include_str!("walkthrough.sh");
const OURS: &str = include_str!("ours.sh");

pub(crate) fn figures(bin: &str) {
    let mut ratios = Vec::new();
    for round in 0..5 {
        let time = |name: &str, script: &str| {
            let folder = tempfile::tempdir().unwrap();
            run(SETUP, bin, &format!("{name}-{round}"), folder.path());
            let took = timed(|| run(script, bin, &format!("{name}-{round}"), folder.path())).as_secs_f64();
            (took, children(folder.path()))
        };
        let (walkthrough, _) = time("walk", WALKTHROUGH);
        let (ours, counted) = time("ours", OURS);
        println!(
            "one organization end to end: {ours:.2} s with {counted} child processes, the walkthrough as a script: {walkthrough:.2} s, ratio {:.2}",
            ours / walkthrough
        );
        ratios.push(ours / walkthrough);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[2]);
}

fn run(script: &str, bin: &str, id: &str, folder: &Path) {
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", script]).current_dir(folder);
    command
        .env("PATH", format!("{bin}:/usr/local/bin:/usr/bin:/bin"))
        .env("ID", id)
        .env("HELM_BIN", format!("{bin}/helm3"));
    command.env("SUBSTRA_MTLS", env!("CARGO_BIN_EXE_substra-mtls"));
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Child processes, counted by what `-v` shows.
fn children(folder: &Path) -> usize {
    let text = std::fs::read_to_string(folder.join("children")).unwrap_or_default();
    text.lines().filter(|line| line.starts_with("+ ")).count()
}
