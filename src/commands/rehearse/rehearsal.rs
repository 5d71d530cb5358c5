//! The rehearsal, step by step: each verb through the same engine as on a real cluster, what it did, and who is accepted then.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{
    Verbs,
    before::ExistingPair,
    ca::RehearsalCa,
    contact::Contact,
    federation::{SimulatedFederation, SimulatedOrganization},
    verdicts::{self, Verdict},
};
use crate::{
    cluster::Cluster,
    failure::{Code, Exit, Failure, Next, Result},
    plan::{StepReport, StepState},
    report::{self, Console, Outcome, Told},
    session::Session,
    text::{Line, Tone, word},
};

/// What `rehearse` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct RehearseResult {
    /// What was so before by the files, and what had to be assumed.
    before: String,
    /// What happened, in order.
    rehearsal: Vec<Rehearsed>,
    verdicts: Vec<Verdict>,
}

/// What happened.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
enum Rehearsed {
    Ran {
        /// The command line.
        command: String,
        /// Its stage.
        #[cfg_attr(test, schemars(with = "String"))]
        stage: report::Stage,
        /// Its steps.
        steps: Vec<StepReport>,
    },
    Looked {
        /// The orchestrator's answer to each organization.
        connected: BTreeMap<String, String>,
    },
}

pub(super) struct Rehearsal<'a> {
    federation: &'a SimulatedFederation,
    session: &'a Session<'a>,
    verbs: Verbs,
    before: String,
    told: Vec<Rehearsed>,
    /// Who was accepted when last looked.
    contacts: Vec<(String, Contact)>,
    /// Who was accepted and then not any more.
    cut_off: Vec<Verdict>,
}

impl<'a> Rehearsal<'a> {
    /// Says how it is before.
    pub(super) fn new(federation: &'a SimulatedFederation, session: &'a Session<'a>, verbs: Verbs) -> Result<Self> {
        let before = federation.before()?;
        let rehearsal =
            Self { federation, session, verbs, before, told: Vec::new(), contacts: Vec::new(), cut_off: Vec::new() };
        rehearsal.say(&*rehearsal.before);
        Ok(rehearsal)
    }

    /// Request, approval, installation; of an organization that has a good pair and is admitted only that it is so.
    pub(super) fn exchange(&mut self, org: &SimulatedOrganization) -> Result<()> {
        let (folder, release) = (self.federation.copies.folder(), &self.federation.release);
        let enroll = ["enroll", "-f", &org.file, "--release", &org.release, "--out-dir", &folder, "--yes"];
        let admitted = self.federation.deployed()?.client_cas.contains_key(org.msp_id.as_str());
        let requested = match org.held {
            Some(ExistingPair::Ours) if admitted => {
                self.verb(&org.cluster, &enroll)?;
                self.connected("");
                return Ok(());
            }
            // The pair that is in place stays there until the new one comes.
            Some(_) => self.verb(&org.cluster, &[&enroll[..], &["--renew"]].concat())?,
            None => self.verb(&org.cluster, &enroll)?,
        };
        let fingerprint = requested.get("fingerprint").and_then(Value::as_str).unwrap_or_default();
        let claim = format!("{}={fingerprint}", org.msp_id);
        let file =
            |ending: &str| self.federation.copies.file(&format!("{}.{ending}", org.msp_id)).display().to_string();
        let (csr, crt) = (file("csr"), file("crt"));
        let (ca_cert, ca_key) = (self.federation.ca_file("crt"), self.federation.ca_file("key"));
        let orchestrator = &self.federation.orchestrator_file;
        let approve = ["approve", &csr, "-f", orchestrator, "--release", release, "--ca-cert", &ca_cert];
        let approve = [&approve[..], &["--ca-key", &ca_key, "--fingerprint", &claim, "--yes"]].concat();
        self.verb(&self.federation.orchestrator, &approve)?;
        self.verb(&org.cluster, &[&enroll[..], &["--certificate", &crt]].concat())?;
        self.connected("");
        Ok(())
    }

    /// The gate closes for all.
    pub(super) fn close(&mut self) -> Result<()> {
        let federation = self.federation;
        let ca = federation.ca_file("crt");
        let mut close = vec!["gate", "close", "-f", &federation.orchestrator_file, "--release", &federation.release];
        close.extend(["--yes", "--ca-cert", &ca]);
        close.extend(federation.organizations.iter().flat_map(|org| ["--installed", org.msp_id.as_str()]));
        self.verb(&federation.orchestrator, &close).map_err(|failure| self.with_missing(failure))?;
        self.connected("");
        Ok(())
    }

    /// A member of whom no file was given keeps the gate open: here that is mended otherwise than at the gate.
    fn with_missing(&self, failure: Failure) -> Failure {
        let members = self.federation.deployed().map(|deployed| deployed.members).unwrap_or_default();
        let here = |member: &&String| !self.federation.organizations.iter().any(|org| org.msp_id.as_str() == **member);
        let missing: Vec<&str> = members.iter().filter(here).map(String::as_str).collect();
        if missing.is_empty() || !matches!(failure.code, Code::NotAdmitted | Code::NotInstalled) {
            return failure;
        }
        let add: Vec<String> = missing.iter().map(|member| format!("--backend FILE for {member}")).collect();
        failure.next(format!("add {}", add.join(", ")))
    }

    /// One verb, its steps and diffs shown.
    fn verb(&mut self, cluster: &dyn Cluster, words: &[&str]) -> Result<Outcome> {
        let theirs = words.iter().map(|one| word(&self.federation.copies.theirs(one)));
        let line = theirs.collect::<Vec<_>>().join(" ");
        self.command(&line);
        let session = Session::new(Some(cluster), Console::silent(), &self.session.clock).with_sops(&self.session.sops);
        let outcome = (self.verbs.run)(words, &session)?;
        self.ran(&line, &outcome);
        self.look(&line);
        Ok(outcome)
    }

    /// What a command did, with its diffs.
    pub(super) fn ran(&mut self, command: &str, outcome: &Outcome) {
        let steps = self.own_steps(outcome);
        for step in &steps {
            let (tone, mark) =
                if step.state == StepState::Already { (Tone::Quiet, "already") } else { (Tone::Good, "done") };
            let whose = step.whose.as_ref().map(|whose| format!("{whose}: ")).unwrap_or_default();
            self.say(Line::marked(tone, mark, format!("{whose}{}", step.title)).indented(2));
            // Without the names of the file, which the step has.
            let diff = step.diff.iter().flat_map(|diff| Line::diff(diff).skip(2));
            diff.for_each(|line| self.say(line.indented(11)));
        }
        self.told.push(Rehearsed::Ran { command: command.to_owned(), stage: outcome.stage(), steps });
    }

    /// A verb's steps without the folder of the rehearsal, which is gone afterwards.
    fn own_steps(&self, outcome: &Outcome) -> Vec<StepReport> {
        let theirs = |text: &String| self.federation.copies.theirs(text);
        let own = |step: &StepReport| StepReport {
            title: theirs(&step.title),
            diff: step.diff.as_ref().map(theirs),
            ..step.clone()
        };
        outcome.described_steps().iter().map(own).collect()
    }

    /// Who gets an answer from the orchestrator after a command: a handshake and a request each.
    pub(super) fn connected(&mut self, command: &str) {
        self.look(command);
        let line = self.contacts.iter().enumerate().fold(Line::from("  connected:"), |line, (at, (org, contact))| {
            let tone = if contact.is_let_in() { Tone::Good } else { Tone::Doubtful };
            let line = if at > 0 { line.then(";") } else { line };
            line.then(&format!(" {org} ")).toned(tone, &contact.to_string())
        });
        self.say(line);
        let connected = self.contacts.iter().map(|(org, contact)| (org.clone(), contact.to_string())).collect();
        self.told.push(Rehearsed::Looked { connected });
    }

    /// Nobody who was accepted may be cut off by a command.
    fn look(&mut self, command: &str) {
        let contacts = self.federation.contacts(self.session.clock.now());
        for ((org, contact), (_, earlier)) in contacts.iter().zip(&self.contacts) {
            if earlier.is_let_in() && !contact.is_let_in() {
                self.say(Line::label(Tone::Bad, "CUT OFF", format!("{org}: {contact}")).indented(2));
                self.cut_off.push(Verdict::cut_off(org, command, &contact.to_string()));
            }
        }
        self.contacts = contacts;
    }

    /// Talk, for people.
    fn say(&self, line: impl Into<Line>) {
        if !self.session.console.format.is_document() {
            self.session.console.say(line);
        }
    }

    /// What begins something new.
    pub(super) fn heading(&self, text: &str) {
        self.say("");
        self.say(text);
    }

    /// A command that is run.
    pub(super) fn command(&self, words: &str) {
        self.say("");
        self.say(Line::command(&format!("$ helm substra-mtls {words}")));
    }

    /// The verdicts, and what comes next where all of them are right.
    pub(super) fn judged(mut self, ca: &RehearsalCa, next: &Next) -> Result<Outcome> {
        let mut verdicts = std::mem::take(&mut self.cut_off);
        verdicts.extend(verdicts::all(self.federation, ca, self.session.clock.now())?);
        self.heading("Verdicts, with mutual TLS and the identity check on:");
        Ok(self.ended(verdicts, next))
    }

    /// A gate that stays as it is has no verdicts; nobody may be cut off all the same.
    pub(super) fn left(mut self, next: &Next) -> Outcome {
        let verdicts = std::mem::take(&mut self.cut_off);
        self.ended(verdicts, next)
    }

    fn ended(self, verdicts: Vec<Verdict>, next: &Next) -> Outcome {
        let now = self.session.clock.now();
        let wrong: Vec<&Verdict> = verdicts.iter().filter(|verdict| !verdict.is_right()).collect();
        let Some(first) = wrong.first() else { return self.told(verdicts).next(next) };
        let what = match (wrong.len(), verdicts.len()) {
            (1, all) => format!("one of {all} verdicts is not as expected"),
            (some, all) => format!("{some} of {all} verdicts are not as expected"),
        };
        let (why, next) = self.federation.misdialled(now).unwrap_or_else(|| {
            let next =
                "look at the orchestrator's values: a member without a key of its own name, or the identity check off";
            (first.wrong(), next.to_owned())
        });
        let failure = Failure::new(Exit::CheckFailed, Code::Verdict, what).why(why).next(next);
        let failure = self.federation.copies.only_rehearsed(&failure);
        self.told(verdicts).failed(failure)
    }

    /// The result; for scripts with all that was said on the way.
    fn told(self, verdicts: Vec<Verdict>) -> Outcome {
        let mut lines: Vec<Told> = verdicts.iter().flat_map(Verdict::lines).map(Told::from).collect();
        let is_right = verdicts.iter().all(Verdict::is_right);
        if is_right && !verdicts.is_empty() {
            let all = format!("all {} verdicts are as expected", verdicts.len());
            lines.extend([Line::from(""), Line::from("").toned(Tone::Good, &all)].map(Told::from));
        }
        let stage = if is_right { report::Stage::Rehearsed } else { report::Stage::Failed };
        let result = RehearseResult { before: self.before, rehearsal: self.told, verdicts };
        Outcome::new("rehearse", stage).result(&result, lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemas;

    #[test]
    fn the_schema_of_rehearse_is_kept() {
        schemas::is_kept::<RehearseResult>(&["rehearse"], &[report::Stage::Rehearsed, report::Stage::Failed]);
    }
}
