//! The plan is shown, asked about once, and carried out: the orchestrator's TLS, the organizations, admission and gate.

use super::{
    FederationPlan, MemberPlan,
    report::{MemberResult, RunReport, told},
};
use crate::{
    commands::bootstrap::BootstrapArgs,
    failure::{Code, Failure, Result},
    names::MspId,
    parallel::{at_most, parallel},
    pki::log::Entry,
    plan::{self, Event, Step, StepContext, StepReport},
    report::{Outcome, Progress, ProgressLine, Stage},
    session::Session,
};

/// How far a list of steps came.
struct StepsResult {
    steps: Vec<StepReport>,
    failure: Option<Failure>,
}

pub(super) fn carry_out(mut plan: FederationPlan<'_>, args: &BootstrapArgs, session: &Session<'_>) -> Result<Outcome> {
    // Nobody may dial TLS before it is up, and no certificate may be in place before the log has it.
    let log = plan.log_steps()?;
    plan.first.steps.extend(log);
    let mut ran = RunReport::planned(&plan);
    let parts = plan.members.iter().map(|member| &member.plan.steps);
    plan::probe(parts.chain([&plan.first.steps, &plan.last.steps]).flatten())?;
    ran.stage = if plan.shown(session) { Stage::Planned } else { Stage::Already };
    if session.dry_run || ran.stage == Stage::Already {
        return Ok(plan.outcome(&ran));
    }
    session.console.consent(&plan.consent())?;
    let members = plan.members.iter().flat_map(|member| &member.plan.steps);
    session.agree(plan.first.steps.iter().chain(members).chain(&plan.last.steps))?;
    plan.sign()?;
    let names = plan.members.iter().map(|member| member.msp_id.as_str()).chain(["orchestrator"]);
    let progress = Progress::new(session.console, names);
    let orchestrator = plan.orchestrator.state.session.step_context();
    let line = progress.line("orchestrator");
    let StepsResult { steps, failure } = applied("orchestrator", &plan.first.steps, &orchestrator, &line);
    failure.map_or(Ok(()), Err)?;
    ran.steps = steps;
    line.doing("waits for the organizations");
    ran.ended = at_most(args.parallel.into(), std::mem::take(&mut plan.members), |member| {
        work(&member, &StepContext { cluster: Some(member.cluster), ..session.step_context() }, &progress)
    });
    ran.steps.extend(ran.ended.iter_mut().flat_map(|one| std::mem::take(&mut one.steps)));
    ran.broken = plan.settle(&ran.ended, session);
    let is_stopped = plan.failed.iter().any(|(_, failure)| failure.code == Code::Interrupted);
    if is_stopped || ran.broken.is_some() {
        ran.steps.extend(told("orchestrator", &plan.last.steps, Some(0)));
    } else {
        let reached = applied("orchestrator", &plan.last.steps, &orchestrator, &line);
        ran.steps.extend(reached.steps);
        ran.broken = reached.failure;
    }
    ran.stage = if plan.failed.is_empty() && ran.broken.is_none() && plan.open.is_none() {
        Stage::Bootstrapped
    } else {
        Stage::Unfinished
    };
    line.end(plan.gate_state(&ran).id());
    Ok(plan.outcome(&ran))
}

fn work(member: &MemberPlan<'_>, context: &StepContext<'_>, progress: &Progress) -> MemberResult {
    let was_done = member.is_done();
    let name = member.msp_id.as_str();
    let line = progress.line(name);
    let StepsResult { steps, failure } = applied(name, &member.plan.steps, context, &line);
    let failure =
        failure.map(|failure| Failure { standing: failure.standing.map(|standing| standing.of(name)), ..failure });
    match &failure {
        None if was_done => line.end("already in place"),
        None => line.end("in place"),
        Some(failure) => line.end(&format!("failed: {}", failure.what)),
    }
    let left = member.plan.steps.iter().filter_map(Step::left).map(str::to_owned).collect();
    MemberResult {
        msp_id: member.msp_id.clone(),
        certificate: member.certificate.clone(),
        was_done,
        failure,
        steps,
        left,
    }
}

fn applied(name: &str, steps: &[Step], context: &StepContext<'_>, line: &ProgressLine) -> StepsResult {
    let mut reached = 0;
    let result = plan::apply(steps, context, &mut |step, event| match event {
        Event::Already => reached += 1,
        Event::Starts => line.doing(&step.title),
        Event::Now => {
            reached += 1;
            line.changed(&format!("done {}", step.title));
        }
        Event::Left => {
            reached += 1;
            line.changed(&format!("left {}", step.title));
        }
    });
    StepsResult { steps: told(name, steps, Some(reached)), failure: result.err() }
}

impl FederationPlan<'_> {
    /// The log of all new certificates, before any of them is in place.
    fn log_steps(&self) -> Result<Vec<Step>> {
        let due: Vec<&MspId> =
            self.members.iter().filter(|member| member.due.is_some()).map(|member| &member.msp_id).collect();
        let is_first = self.authority.is_some_and(|authority| !self.log.knows(authority.fingerprint()));
        Ok(self.orchestrator.approval(&[])?.log_steps(&due, is_first))
    }

    /// The signatures, and the steps that wait for them.
    fn sign(&mut self) -> Result<()> {
        let Some(authority) = self.authority else { return Ok(()) };
        let approval = self.orchestrator.approval(&[])?;
        let signed = parallel(&mut self.members, |member| member.sign(&approval, authority));
        let new: Vec<Entry> = signed.into_iter().filter_map(Result::transpose).collect::<Result<_>>()?;
        Step::fill(&mut self.first.steps, approval.log_actions(&new));
        Ok(())
    }

    /// Where an organization stopped, a smaller last part: who is in place is admitted, and the gate is not moved.
    /// Gives back why that cannot be.
    fn settle(&mut self, ended: &[MemberResult], session: &Session<'_>) -> Option<Failure> {
        let before = self.failed.len();
        for one in ended {
            let Some(failure) = &one.failure else { continue };
            session.console.say_failure(&format!("{} is not done: ", one.msp_id), failure);
            self.failed.push((one.msp_id.clone(), failure.clone()));
        }
        let is_stopped = self.failed.iter().any(|(_, failure)| failure.code == Code::Interrupted);
        if self.failed.len() == before || is_stopped {
            return None;
        }
        let done: Vec<MspId> = ended.iter().filter(|one| one.failure.is_none()).map(|one| one.msp_id.clone()).collect();
        self.last = plan::Plan::default();
        match self.admission(&done) {
            Ok(last) => {
                self.last = last;
                None
            }
            Err(failure) => Some(failure),
        }
    }
}
