//! The plan is shown, asked about once, and carried out: the orchestrator's TLS, the organizations, admission and gate.

use serde_json::{Value, json};

use super::{Part, Plan, VERB};
use crate::{
    cli::BootstrapArgs,
    commands::{self, Desk, at_most},
    failure::{Failure, Result},
    federation::Gate,
    names::MspId,
    pki::{inspect::Certificate, log::Entry},
    plan::{self, Event, State, Step, World},
    report::{Line, Outcome, Progress},
};

/// How an organization's work ended.
struct Ended {
    msp_id: MspId,
    certificate: Certificate,
    was_done: bool,
    failure: Option<Failure>,
}

pub(super) fn carry_out(mut plan: Plan<'_>, args: &BootstrapArgs, desk: &Desk<'_>) -> Result<Outcome> {
    let log = log_step(&plan)?;
    let open = plan.shown(log.as_ref(), desk);
    if args.dry_run || !open {
        let described = plan.described(log.as_ref(), false);
        return Ok(plan.ended(&[], described, if open { "planned" } else { "already" }, desk));
    }
    desk.console.consent(&plan.consent())?;
    let described = plan.described(log.as_ref(), true);
    let names = plan.parts.iter().map(|part| part.msp_id.as_str()).chain(["orchestrator"]);
    let progress = Progress::new(desk.console, names);
    let orchestrator = World { cluster: plan.head.desk.cluster, timeout: args.timeout };
    let line = progress.line("orchestrator");
    // Nobody may dial TLS before it is up, and no certificate may be in place before the log has it.
    let first: Vec<Step> = std::mem::take(&mut plan.first.steps).into_iter().chain(log).collect();
    applied(&first, &orchestrator, &line)?;
    line.doing("waits for the organizations");
    let ended = at_most(args.parallel.into(), std::mem::take(&mut plan.parts), |part| {
        let world = World { cluster: Some(part.cluster), timeout: args.timeout };
        work(part, &world, &progress)
    });
    let mut last = std::mem::take(&mut plan.last);
    let stopped = ended.iter().filter_map(|one| Some((one.msp_id.clone(), one.failure.clone()?)));
    let before = plan.failed.len();
    plan.failed.extend(stopped);
    if plan.failed.len() > before {
        // A smaller plan: whoever is in place is admitted, and the gate is not moved.
        let done: Vec<MspId> = ended.iter().filter(|one| one.failure.is_none()).map(|one| one.msp_id.clone()).collect();
        last = plan.admission(&done)?;
    }
    applied(&last.steps, &orchestrator, &line)?;
    line.end(plan.gate_word());
    Ok(plan.ended(&ended, described, "bootstrapped", desk))
}

fn work(part: Part<'_>, world: &World<'_>, progress: &Progress) -> Ended {
    let was_done = part.is_done();
    let line = progress.line(part.msp_id.as_str());
    let failure = applied(&part.steps, world, &line).err();
    match &failure {
        None if was_done => line.end("already in place"),
        None => line.end("in place"),
        Some(failure) => line.end(&format!("failed: {}", failure.what)),
    }
    Ended { msp_id: part.msp_id, certificate: part.certificate, was_done, failure }
}

fn applied(steps: &[Step], world: &World<'_>, line: &Line) -> Result<()> {
    plan::apply(steps, world, &mut |step, event| match event {
        Event::Already => {}
        Event::Starts => line.doing(&step.title),
        Event::Now => line.changed(&format!("now {}", step.title)),
    })
}

/// The log of all new certificates: one write before any of them is in place.
fn log_step(plan: &Plan<'_>) -> Result<Option<Step>> {
    let new: Vec<Entry> = plan.parts.iter().filter_map(|part| part.entry.clone()).collect();
    plan.head.approval(&[])?.log_step(&new)
}

impl Plan<'_> {
    /// Shows everything; gives back whether there is anything to do.
    fn shown(&self, log: Option<&Step>, desk: &Desk<'_>) -> bool {
        let say = |text: String| desk.console.say(text);
        let is_open = |steps: &[Step]| steps.iter().any(|step| step.state == State::ToDo);
        let open = log.is_some()
            || is_open(&self.first.steps)
            || is_open(&self.last.steps)
            || self.parts.iter().any(|part| !part.is_done());
        for (msp_id, failure) in &self.failed {
            say(format!("error: {msp_id} is left out: {failure}"));
        }
        if !open {
            return false;
        }
        say("Plan:".to_owned());
        let first = self.first.steps.iter().chain(log);
        show("orchestrator", first, &self.first.restarts, desk);
        for part in &self.parts {
            show(part.msp_id.as_str(), part.steps.iter(), &part.restarts, desk);
            part.warnings.iter().for_each(|warning| say(format!("    warning: {warning}")));
        }
        show("orchestrator", self.last.steps.iter(), &self.last.restarts, desk);
        if let Some(failure) = &self.open {
            say(format!("  the gate stays as it is: {}", failure.what));
        }
        true
    }

    fn consent(&self) -> String {
        let count = self.parts.iter().filter(|part| !part.is_done()).count();
        let closes = self.closes() && !self.head.is_closed();
        let gate = if closes { "; then mutual TLS goes on, and backends without a valid pair are cut off" } else { "" };
        format!("carry this out for {count} organization{}{gate}", if count == 1 { "" } else { "s" })
    }

    fn closes(&self) -> bool {
        self.head.federation.orchestrator.gate == Gate::Close && self.failed.is_empty() && self.open.is_none()
    }

    fn gate_word(&self) -> &'static str {
        if self.closes() || self.head.is_closed() { "the gate is closed" } else { "the gate is as it was" }
    }

    fn described(&self, log: Option<&Step>, done: bool) -> Vec<Value> {
        let named = |name: &str, steps: &mut dyn Iterator<Item = &Step>| -> Vec<Value> {
            steps
                .map(|step| {
                    let mut value = crate::report::described(step, done);
                    value["for"] = json!(name);
                    value
                })
                .collect()
        };
        let mut all = named("orchestrator", &mut self.first.steps.iter().chain(log));
        for part in &self.parts {
            all.extend(named(part.msp_id.as_str(), &mut part.steps.iter()));
        }
        all.extend(named("orchestrator", &mut self.last.steps.iter()));
        all
    }

    /// Who stands where. Organizations that were left behind end the verb with the first one's status.
    fn ended(&self, ended: &[Ended], steps: Vec<Value>, stage: &'static str, desk: &Desk<'_>) -> Outcome {
        let mut lines = Vec::new();
        let mut add = |msp_id: &MspId, certificate: &Certificate, state: &str| {
            let until = commands::rfc3339(certificate.not_after);
            lines.push(json!({"organization": msp_id.as_str(), "state": state, "serial": certificate.serial, "notAfter": until}));
        };
        for part in &self.parts {
            add(&part.msp_id, &part.certificate, if part.is_done() { "already" } else { "planned" });
        }
        for one in ended.iter().filter(|one| one.failure.is_none()) {
            add(&one.msp_id, &one.certificate, if one.was_done { "already" } else { "now" });
        }
        let failed = self.failed.iter().map(|(msp_id, failure)| {
            json!({"organization": msp_id.as_str(), "state": "failed", "code": failure.code, "why": failure.what})
        });
        lines.extend(failed);
        let mut outcome = Outcome::new(VERB, stage).described(steps);
        outcome = if desk.console.format == crate::report::Format::Json {
            outcome.fact("organizations", lines)
        } else {
            lines.iter().fold(outcome, |outcome, line| outcome.fact("organization", sentence(line)))
        };
        let gate = if stage == "planned" && self.closes() { "will be closed" } else { self.gate_word() };
        let warnings = [&self.first.warnings, &self.last.warnings].into_iter().flatten().cloned();
        outcome = outcome.fact("gate", gate).warnings(warnings);
        match self.failure() {
            None => outcome,
            Some(failure) => outcome.failed(failure),
        }
    }

    fn failure(&self) -> Option<Failure> {
        let Some((_, first)) = self.failed.first() else {
            let open = self.open.clone()?;
            return Some(open.unchanged("the organizations are in place; the gate was not moved"));
        };
        let names = self.failed.iter().map(|(msp_id, _)| msp_id.to_string()).collect::<Vec<_>>().join(", ");
        let failure = Failure::new(first.exit, first.code, format!("not done: {names}"));
        let why = first.why.clone();
        let why = if why.is_empty() { first.what.clone() } else { format!("{}: {why}", first.what) };
        let next = format!("{}; then run the same command again", first.next);
        Some(failure.why(why).next(next).unchanged("the other organizations are done; the gate was not moved"))
    }
}

fn show<'s>(name: &str, steps: impl Iterator<Item = &'s Step>, restarts: &[String], desk: &Desk<'_>) {
    let steps: Vec<&Step> = steps.collect();
    if steps.iter().all(|step| step.state == State::Already) {
        if !steps.is_empty() {
            desk.console.say(format!("  {name}: already"));
        }
        return;
    }
    desk.console.say(format!("  {name}:"));
    for step in &steps {
        let mark = if step.state == State::Already { "already" } else { "to do" };
        desk.console.say(format!("    {mark:<8} {}", step.title));
        if let Some(diff) = step.diff().filter(|diff| !diff.is_empty()) {
            diff.trim_end().lines().for_each(|line| desk.console.say(format!("      {line}")));
        }
    }
    if !restarts.is_empty() {
        desk.console.say(format!("    restarts {}", restarts.join(", ")));
    }
}

fn sentence(line: &Value) -> String {
    let text = |key: &str| line[key].as_str().unwrap_or_default();
    match text("state") {
        "failed" => format!("{} failed: {}", text("organization"), text("why")),
        state => {
            format!("{} {state}: serial {}, until {}", text("organization"), text("serial"), text("notAfter"))
        }
    }
}
