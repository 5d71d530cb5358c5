//! `rehearse`: the plans of the real verbs on a simulated cluster, with real TLS handshakes, offline.

mod federation;
mod from_file;
mod verdicts;

use std::path::Path;

use clap::Parser;
use serde_json::{Value, json};

use self::{
    federation::{Federation, Organization},
    from_file::FromFile,
};
use crate::{
    cli::{Cli, Command, RehearseArgs},
    cluster::Cluster,
    commands::{self, Desk, bootstrap},
    failure::{Exit, Failure, Result},
    federation::{Gate, Site},
    report::{Console, Format, Outcome},
    times::Clock,
};

/// Runs it all: the exchange of every organization, the gate, and what the servers make of good and bad clients.
///
/// # Errors
/// A file that the verbs would refuse is refused with their words; a verdict that is not the right one fails.
pub fn run(args: &RehearseArgs, desk: &Desk<'_>) -> Result<Outcome> {
    // Nobody waits for a rehearsal: its time goes on without passing.
    let desk = &Desk::new(None, desk.console, &Clock::simulated(desk.now));
    if let Some(file) = &args.federation {
        return of_file(file, desk);
    }
    let federation = Federation::of(args, &desk.clock)?;
    exchanged(&federation, desk).map_err(|failure| federation.only_rehearsed(&failure))
}

/// The verbs one after the other, each organization's and then the gate's.
fn exchanged(federation: &Federation, desk: &Desk<'_>) -> Result<Outcome> {
    let mut stage = Stage { federation, desk, told: Vec::new() };
    stage.say("Before: TLS is on, mutual TLS is off. Everybody who reaches the orchestrator is let in.");
    stage.connected();
    for org in &federation.organizations {
        stage.exchange(org)?;
    }
    let mut close = vec!["gate", "close", "-f", federation.orchestrator_file(), "--release", "orchestrator", "--yes"];
    let ca = federation.ca_file("crt");
    close.extend(["--ca-cert", &ca]);
    close.extend(federation.organizations.iter().flat_map(|org| ["--installed", org.msp_id.as_str()]));
    stage.verb(&federation.orchestrator, &close)?;
    stage.connected();
    let verdicts = verdicts::all(federation, desk.clock.now())?;
    let yours = "your own files: helm substra-mtls rehearse --backend FILE --orchestrator FILE";
    Ok(stage.finish(&verdicts).next(yours))
}

/// The plan of `bootstrap` on the same files, twice: the second run finds nothing to do.
fn of_file(path: &Path, desk: &Desk<'_>) -> Result<Outcome> {
    let mut from_file = FromFile::read(path, &desk.clock)?;
    let outcome = bootstrapped(path, &mut from_file, desk);
    outcome.map_err(|failure| from_file.federation.only_rehearsed(&failure))
}

fn bootstrapped(path: &Path, from_file: &mut FromFile, desk: &Desk<'_>) -> Result<Outcome> {
    let before = Stage { federation: &from_file.federation, desk, told: Vec::new() };
    before.say("Before: the releases as their values files have them.");
    let file = path.display().to_string();
    let words = ["substra-mtls", "bootstrap", &file, "--yes", "--output", "json"];
    let cli = Cli::try_parse_from(words).map_err(|e| bug(&e))?;
    let Command::Bootstrap(bootstrap_args) = &cli.command else { return Err(bug(&"another verb")) };
    let silent = Desk::new(None, Console { format: Format::Json, ..Console::silent() }, &desk.clock);
    let open = |site: &Site| Ok(from_file.open(site));
    let mut told = Vec::new();
    for _ in ["first", "second"] {
        let outcome = bootstrap::carry_out(&from_file.file, bootstrap_args, &silent, &open)?;
        before.say(&format!("\n$ helm substra-mtls bootstrap {file}"));
        before.steps(&outcome);
        told.push(json!({"command": format!("bootstrap {file}"), "stage": outcome.stage(), "steps": before.own_steps(&outcome)}));
        if let Some(failure) = outcome.failure() {
            return Err(failure.clone());
        }
    }
    from_file.take_over_ca()?;
    let mut stage = Stage { federation: &from_file.federation, desk, told };
    stage.connected();
    if from_file.file.orchestrator.gate == Gate::Leave {
        stage.say("\nThe file leaves the gate as it is: there is nothing yet that a certificate decides.");
        return Ok(stage.told(&[]).next(format!("on the real clusters: helm substra-mtls bootstrap {file}")));
    }
    let verdicts = verdicts::all(&from_file.federation, desk.clock.now())?;
    Ok(stage.finish(&verdicts).next(format!("on the real clusters: helm substra-mtls bootstrap {file}")))
}

fn bug(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, "bug", "the rehearsal gave a command line that is not one").why(error.to_string())
}

/// The rehearsal as it goes on.
struct Stage<'a> {
    federation: &'a Federation,
    desk: &'a Desk<'a>,
    told: Vec<Value>,
}

impl Stage<'_> {
    /// Request, approval, installation.
    fn exchange(&mut self, org: &Organization) -> Result<()> {
        let (federation, folder) = (self.federation, self.federation.folder());
        let enroll = ["enroll", "-f", &org.file, "--release", &org.release, "--out-dir", &folder, "--yes"];
        let requested = self.verb(&org.cluster, &enroll)?;
        let fingerprint = requested.get("fingerprint").and_then(Value::as_str).unwrap_or_default();
        let claim = format!("{}={fingerprint}", org.msp_id);
        let (csr, crt) =
            (federation.file(&format!("{}.csr", org.msp_id)), federation.file(&format!("{}.crt", org.msp_id)));
        let (ca_cert, ca_key) = (federation.ca_file("crt"), federation.ca_file("key"));
        let orchestrator = federation.orchestrator_file();
        self.verb(
            &federation.orchestrator,
            &[
                "approve",
                &csr,
                "-f",
                orchestrator,
                "--release",
                "orchestrator",
                "--ca-cert",
                &ca_cert,
                "--ca-key",
                &ca_key,
                "--fingerprint",
                &claim,
                "--yes",
            ],
        )?;
        let install: Vec<&str> = enroll.iter().copied().chain(["--certificate", &crt]).collect();
        self.verb(&org.cluster, &install)?;
        self.connected();
        Ok(())
    }

    /// One verb through the same engine as on a real cluster, its steps and diffs shown.
    fn verb(&mut self, cluster: &dyn Cluster, words: &[&str]) -> Result<Outcome> {
        let line = words
            .join(" ")
            .replace(&format!("{}/", self.federation.folder()), "")
            .replace(&self.federation.folder(), ".");
        self.say(&format!("\n$ helm substra-mtls {line}"));
        let cli =
            Cli::try_parse_from(std::iter::once("substra-mtls").chain(words.iter().copied())).map_err(|e| bug(&e))?;
        let desk = Desk::new(Some(cluster), Console::silent(), &self.desk.clock);
        let outcome = commands::dispatch(&cli.command, &desk)?;
        self.steps(&outcome);
        self.told.push(json!({"command": line, "stage": outcome.stage(), "steps": self.own_steps(&outcome)}));
        Ok(outcome)
    }

    /// A verb's steps without the folder of the rehearsal, which is gone afterwards.
    fn own_steps(&self, outcome: &Outcome) -> Vec<Value> {
        let folder = format!("{}/", self.federation.folder());
        let mut steps = outcome.described_steps().to_vec();
        for text in steps.iter_mut().filter_map(Value::as_object_mut).flat_map(serde_json::Map::values_mut) {
            if let Value::String(text) = text {
                *text = text.replace(&folder, "");
            }
        }
        steps
    }

    /// What a verb did, with its diffs.
    fn steps(&self, outcome: &Outcome) {
        for step in self.own_steps(outcome) {
            let mark = if step["state"] == "already" { "already" } else { "now" };
            let text = |key: &str| step[key].as_str().unwrap_or_default();
            let whose = step["for"].as_str().map(|whose| format!("{whose}: ")).unwrap_or_default();
            self.say(&format!("  {mark:<8} {whose}{}", text("title")));
            for line in text("diff").lines().skip(2) {
                self.say(&format!("           {line}"));
            }
        }
    }

    /// Who gets an answer from the orchestrator now: a handshake and a request each.
    fn connected(&mut self) {
        let answers = self.federation.connections(self.desk.clock.now());
        let texts: Vec<String> = answers.iter().map(|(org, answer)| format!("{org} {answer}")).collect();
        self.say(&format!("  connected: {}", texts.join("; ")));
        let answers: serde_json::Map<String, Value> =
            answers.into_iter().map(|(org, answer)| (org, json!(answer.to_string()))).collect();
        self.told.push(json!({"connected": answers}));
    }

    fn say(&self, text: &str) {
        if self.desk.console.format == Format::Text {
            self.desk.console.say(text);
        }
    }

    fn finish(self, verdicts: &[verdicts::Verdict]) -> Outcome {
        self.say("\nVerdicts, with mutual TLS and the identity check on:");
        let wrong: Vec<&verdicts::Verdict> = verdicts.iter().filter(|verdict| !verdict.is_right()).collect();
        let count = (wrong.len(), verdicts.len());
        let wrong = wrong.first().map(|first| (first.who.clone(), first.answer.clone()));
        let outcome = self.told(verdicts);
        if let Some((who, answer)) = wrong {
            return outcome.failed(Failure::new(Exit::CheckFailed, "verdict", format!("{} of {} verdicts are not the right ones", count.0, count.1))
                .why(format!("{who}: {answer}"))
                .next("look at the orchestrator's values: a member without a key of its own name, or a host that nobody dials")
                .unchanged("your files were only read"));
        }
        outcome
    }

    /// The result; for scripts with all that was said on the way.
    fn told(self, verdicts: &[verdicts::Verdict]) -> Outcome {
        let text: String = verdicts.iter().map(verdicts::Verdict::lines).collect();
        let stage = if verdicts.iter().all(verdicts::Verdict::is_right) { "rehearsed" } else { "failed" };
        let all: Vec<Value> = verdicts.iter().map(verdicts::Verdict::json).collect();
        Outcome::new("rehearse", stage).fact("rehearsal", self.told).fact("verdicts", all).shown(text)
    }
}
