//! How people and scripts read a run: the plan before it, and who stands where after it.

use super::{
    FederationPlan, VERB,
    result::{Bootstrapped, GateState, LeftOut, MemberReport, Stands},
};
use crate::{
    failure::{Failure, StateAfterFailure},
    federation::GateSpec,
    names::MspId,
    pki::inspect::Certificate,
    plan::{self, InitialState, Step, StepReport, StepState},
    report::{Outcome, Stage},
    session::Session,
    text::{Line, Tone},
};

/// How an organization's work ended.
pub(super) struct MemberResult {
    pub(super) msp_id: MspId,
    pub(super) certificate: Option<Certificate>,
    pub(super) was_done: bool,
    pub(super) failure: Option<Failure>,
    pub(super) steps: Vec<StepReport>,
    /// What was left as it was, and why.
    pub(super) left: Vec<String>,
}

/// What a run came to.
pub(super) struct RunReport {
    pub(super) stage: Stage,
    pub(super) steps: Vec<StepReport>,
    /// The organizations that were worked on.
    pub(super) ended: Vec<MemberResult>,
    /// What stopped the last part.
    pub(super) broken: Option<Failure>,
    warnings: Vec<String>,
}

impl RunReport {
    /// Before anything is done.
    pub(super) fn planned(plan: &FederationPlan<'_>) -> Self {
        let mut steps = told("orchestrator", &plan.first.steps, None);
        let mut warnings = plan.first.warnings.clone();
        for member in &plan.members {
            steps.extend(told(member.msp_id.as_str(), &member.plan.steps, None));
            warnings.extend(member.plan.warnings.iter().map(|warning| format!("{}: {warning}", member.msp_id)));
        }
        steps.extend(told("orchestrator", &plan.last.steps, None));
        Self { stage: Stage::Planned, steps, ended: Vec::new(), broken: None, warnings }
    }

    fn writes(&self) -> bool {
        !matches!(self.stage, Stage::Planned | Stage::Already)
    }
}

/// Steps as scripts see them: the first `reached` are done, the others are not; with `None` nothing was begun.
pub(super) fn told(name: &str, steps: &[Step], reached: Option<usize>) -> Vec<StepReport> {
    let one = |(index, step): (usize, &Step)| {
        let is_reached = reached.is_some_and(|reached| index < reached);
        let mut told = StepReport { whose: Some(name.to_owned()), ..StepReport::of(step, is_reached) };
        if reached.is_some() && !is_reached && step.state == InitialState::ToDo {
            told.state = StepState::NotDone;
        }
        told
    };
    steps.iter().enumerate().map(one).collect()
}

impl FederationPlan<'_> {
    /// Shows everything; gives back whether there is anything to do.
    pub(super) fn shown(&self, session: &Session<'_>) -> bool {
        match self.failed.as_slice() {
            // The run ends with it, and with what helps.
            [(msp_id, failure)] => {
                let said = format!("{msp_id} is left out: {}: {}", failure.what, failure.why);
                session.console.say(Line::label(Tone::Doubtful, "warning", said));
            }
            several => several.iter().for_each(|(msp_id, failure)| {
                session.console.say_failure(&format!("{msp_id} is left out: "), failure);
            }),
        }
        let parts = self.members.iter().map(|member| &member.plan.steps);
        let mut steps = parts.chain([&self.first.steps, &self.last.steps]).flatten();
        if steps.all(|step| step.state == InitialState::Already) {
            return false;
        }
        session.console.say(Line::heading("Plan:"));
        let warning = |text: &String| session.console.say(Line::label(Tone::Doubtful, "warning", text).indented(4));
        let warn = |warnings: &[String]| warnings.iter().for_each(warning);
        show("orchestrator", &self.first.steps, &self.first.restarts, session);
        warn(&self.first.warnings);
        for member in &self.members {
            show(member.msp_id.as_str(), &member.plan.steps, &member.plan.restarts, session);
            warn(&member.plan.warnings);
        }
        show("orchestrator", &self.last.steps, &self.last.restarts, session);
        warn(&self.last.warnings);
        let members = self.members.iter().flat_map(|member| &member.plan.steps);
        let all = self.first.steps.iter().chain(members).chain(&self.last.steps);
        plan::hides(all).into_iter().for_each(|note| session.console.say(format!("  {note}")));
        if let Some(why) = self.stays() {
            session.console.say(format!("  the gate stays as it is: {why}"));
        }
        true
    }

    /// Why the gate is not closed although the file wants it.
    fn stays(&self) -> Option<String> {
        let wanted =
            self.orchestrator.federation().orchestrator.gate == GateSpec::Close && !self.orchestrator.is_closed();
        let left = self.failed.first().filter(|_| wanted).map(|(msp_id, _)| format!("{msp_id} is left out"));
        self.open.as_ref().map(|failure| failure.what.clone()).or(left)
    }

    pub(super) fn consent(&self) -> String {
        let count = self.members.iter().filter(|member| !member.is_done()).count();
        let closes = self.closes() && !self.orchestrator.is_closed();
        let gate = if closes { ", then turn mutual TLS on (backends without a valid pair are cut off)" } else { "" };
        let first = if self.first.cuts_off {
            " (the orchestrator is upgraded first, and a backend without TLS to it is cut off until its own part is done)"
        } else {
            ""
        };
        format!("carry this out for {count} organization{}{first}{gate}", if count == 1 { "" } else { "s" })
    }

    fn closes(&self) -> bool {
        self.orchestrator.federation().orchestrator.gate == GateSpec::Close
            && self.failed.is_empty()
            && self.open.is_none()
    }

    pub(super) fn gate_state(&self, ran: &RunReport) -> GateState {
        let planned = ran.stage == Stage::Planned;
        if self.orchestrator.is_closed() || (self.closes() && !planned && ran.broken.is_none()) {
            GateState::Closed
        } else if !self.closes() {
            GateState::AsItWas
        } else if planned {
            GateState::WillBeClosed
        } else {
            GateState::Unfinished
        }
    }

    /// Who stands where. Organizations that were left behind end the verb with the first one's status.
    pub(super) fn outcome(&self, ran: &RunReport) -> Outcome {
        let (organizations, gate) = (self.members(ran).collect(), self.gate_state(ran));
        let bootstrapped = Bootstrapped { organizations, gate, back_up: self.orchestrator.back_up() };
        let left = ran.ended.iter().flat_map(|one| one.left.iter().map(|why| format!("{}: {why}", one.msp_id)));
        let warnings = ran.warnings.iter().chain(&self.last.warnings).cloned().chain(left);
        let outcome = Outcome::new(VERB, ran.stage)
            .described(ran.steps.clone())
            .result(&bootstrapped, bootstrapped.lines())
            .warnings(warnings);
        match self.failure(ran) {
            None => outcome,
            Some(failure) => outcome.failed(failure),
        }
    }

    /// Those that are not worked on yet, those that were, and those that were left behind.
    fn members(&self, ran: &RunReport) -> impl Iterator<Item = MemberReport> {
        let parts = self.members.iter().map(|member| {
            let stands = Stands::of(&member.msp_id, member.certificate.as_ref());
            if member.is_done() { MemberReport::Already(stands) } else { MemberReport::Planned(stands) }
        });
        let ended = ran.ended.iter().filter(|one| one.failure.is_none()).map(|one| {
            let stands = Stands::of(&one.msp_id, one.certificate.as_ref());
            if one.was_done { MemberReport::Already(stands) } else { MemberReport::Now(stands) }
        });
        let failed = self.failed.iter().map(|(msp_id, failure)| {
            let Failure { code, what, next, .. } = failure.clone();
            MemberReport::Failed(LeftOut { organization: msp_id.clone(), code, why: what, next })
        });
        parts.chain(ended).chain(failed)
    }

    /// The organizations first, then the last part, then a gate that could not be closed.
    fn failure(&self, ran: &RunReport) -> Option<Failure> {
        let standing = self.standing(ran);
        if let Some((_, first)) = self.failed.first() {
            let names = self.failed.iter().map(|(msp_id, _)| msp_id.to_string()).collect::<Vec<_>>().join(", ");
            let why = if first.why.is_empty() { first.what.clone() } else { format!("{}: {}", first.what, first.why) };
            let failure = Failure::new(first.exit, first.code, format!("not done: {names}")).why(why);
            let next = match &*first.next {
                "" => "run the same command again".into(),
                next if next.contains("again") => first.next.clone(),
                _ => first.next.clone().words("; then run the same command again"),
            };
            return Some(failure.next(next).standing(standing));
        }
        let failure = ran.broken.as_ref().or(self.open.as_ref())?;
        Some(Failure { standing: Some(standing), ..failure.clone() })
    }

    /// What holds after the run, for the last line of a failure.
    fn standing(&self, ran: &RunReport) -> StateAfterFailure {
        if !ran.writes() {
            return StateAfterFailure::Unchanged("nothing was written; the gate is as it was".to_owned());
        }
        let place = ran.ended.iter().filter(|one| one.failure.is_none()).map(|one| one.msp_id.as_str());
        let place = place.collect::<Vec<_>>().join(", ");
        let who =
            if place.is_empty() { "no organization is in place".to_owned() } else { format!("in place: {place}") };
        StateAfterFailure::SoFar(match &ran.broken {
            None => format!("{who}; the gate was not moved"),
            Some(broken) => {
                let left = broken.standing.as_ref().map_or("nothing was written", StateAfterFailure::text);
                format!("{who}; of the orchestrator's last part: {left}; {}", self.gate_state(ran))
            }
        })
    }
}

fn show(name: &str, steps: &[Step], restarts: &[String], session: &Session<'_>) {
    if steps.iter().all(|step| step.state == InitialState::Already) {
        if !steps.is_empty() {
            session.console.say(format!("  {name}: already"));
        }
        return;
    }
    session.console.say(format!("  {name}:"));
    for step in steps {
        session.console.say(step.line().indented(4));
        if let Some(diff) = step.diff().filter(|diff| !diff.is_empty()) {
            Line::diff(&diff).for_each(|line| session.console.say(line.indented(6)));
        }
    }
    if !restarts.is_empty() {
        session.console.say(format!("    restarts {}", restarts.join(", ")));
    }
}
