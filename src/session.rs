//! One run of a verb: the cluster, where it talks and asks, its time; and how it shows a plan and has it applied.

use std::{sync::Arc, time::Duration};

use time::OffsetDateTime;

use crate::{
    cluster::{Cluster, ClusterTarget, Sops, SopsProgram},
    command_line::CommandLine,
    failure::{Failure, Result},
    federation::Site,
    plan::{self, Event, Plan, Step, StepContext},
    report::Console,
    text::{Line, Tone},
    times::Clock,
};

/// Opens the cluster of a site.
pub type OpenCluster<'a> = &'a dyn Fn(&Site) -> Result<Box<dyn Cluster>>;

/// Everything that a verb needs from outside: tests and `rehearse` put their own in place of it.
pub struct Session<'a> {
    /// The cluster; `None` where the verb works offline.
    pub cluster: Option<&'a dyn Cluster>,
    /// What decrypts and edits the values files that SOPS has encrypted; offline too.
    pub sops: Arc<dyn Sops>,
    /// Where it talks and asks.
    pub console: Console,
    /// The time by which a verb judges, read once at its start.
    pub now: OffsetDateTime,
    /// What the verb waits by.
    pub clock: Clock,
    /// Plans are shown and nothing is written.
    pub dry_run: bool,
    /// How long an upgrade and its rollout may take.
    pub timeout: Duration,
}

impl<'a> Session<'a> {
    /// A session at a cluster, at the time that its clock shows; it writes, and waits for no rollout.
    #[must_use]
    pub fn new(cluster: Option<&'a dyn Cluster>, console: Console, clock: &Clock) -> Self {
        let (now, clock, sops) = (clock.now(), clock.clone(), Arc::new(SopsProgram::default()));
        Self { cluster, sops, console, now, clock, dry_run: false, timeout: Duration::ZERO }
    }

    /// The same session with another sops.
    #[must_use]
    pub fn with_sops(self, sops: &Arc<dyn Sops>) -> Self {
        Self { sops: Arc::clone(sops), ..self }
    }

    /// Another session of the same run: the same time, clock and limits.
    #[must_use]
    pub fn like<'b>(&self, cluster: Option<&'b dyn Cluster>, console: Console) -> Session<'b> {
        let Self { now, ref clock, ref sops, dry_run, timeout, .. } = *self;
        Session { cluster, sops: Arc::clone(sops), console, now, clock: clock.clone(), dry_run, timeout }
    }

    /// The same session under the limits that the command line sets.
    #[must_use]
    pub fn limited(&self, dry_run: bool, timeout: Duration) -> Self {
        Self { dry_run, timeout, ..self.like(self.cluster, self.console) }
    }

    /// kubectl in a namespace of this cluster.
    pub(crate) fn kubectl(&self, namespace: &str) -> CommandLine {
        CommandLine::kubectl().at(&ClusterTarget { namespace: Some(namespace.to_owned()), ..self.target() })
    }

    /// Where the cluster's tools point; nowhere offline.
    pub(crate) fn target(&self) -> ClusterTarget {
        self.cluster.map(Cluster::target).unwrap_or_default()
    }

    /// The cluster.
    ///
    /// # Errors
    /// The verb works offline: a mistake of ours, said instead of a panic.
    pub(crate) fn cluster(&self) -> Result<&'a dyn Cluster> {
        self.step_context().cluster()
    }

    /// What the steps of a plan act on.
    pub(crate) fn step_context(&self) -> StepContext<'a> {
        StepContext { cluster: self.cluster, timeout: self.timeout, clock: self.clock.clone() }
    }

    /// Shows a plan, and refuses one whose last steps would fail after its first.
    ///
    /// # Errors
    /// The first step that could not be done; nothing was written.
    pub(crate) fn show(&self, plan: &Plan) -> Result<()> {
        if plan.is_open() {
            self.list(&plan.steps);
        } else {
            plan.steps.iter().for_each(|step| self.console.say(step.line()));
        }
        plan::probe(&plan.steps)
    }

    /// Asks where `consent` names what would happen, and applies a plan of which anything is left to do; not in a dry run.
    ///
    /// # Errors
    /// No consent, a step that fails.
    pub(crate) fn apply(&self, plan: &Plan, consent: Option<&str>) -> Result<()> {
        if self.goes_on(plan, consent)? { self.perform(plan) } else { Ok(()) }
    }

    /// Whether a plan that was shown is to be applied.
    ///
    /// # Errors
    /// No consent.
    pub(crate) fn goes_on(&self, plan: &Plan, consent: Option<&str>) -> Result<bool> {
        let writes = plan.is_open() && !self.dry_run;
        if writes {
            consent.map_or(Ok(()), |what| self.console.consent(what))?;
            self.agree(&plan.steps)?;
        }
        Ok(writes)
    }

    /// Asks before an unfinished revision is taken away: who says yes to all does not say yes to that.
    ///
    /// # Errors
    /// No consent.
    pub(crate) fn agree<'b>(&self, steps: impl IntoIterator<Item = &'b Step>) -> Result<()> {
        let mut asked = steps.into_iter().filter_map(Step::asks);
        asked.try_for_each(|unfinished| self.console.agree(&unfinished.question()))
    }

    /// Applies a plan step by step, and says what is done.
    ///
    /// # Errors
    /// The first failure of a step, or the wish to stop.
    pub(crate) fn perform(&self, plan: &Plan) -> Result<()> {
        plan::apply(&plan.steps, &self.step_context(), &mut |step, event| match event {
            Event::Already => self.console.say(Line::marked(Tone::Quiet, "already", &step.title)),
            Event::Starts => {}
            Event::Now => self.console.say(Line::marked(Tone::Good, "done", &step.title)),
            Event::Left => self.console.say(format!("left     {}", step.title)),
        })
    }

    /// Which pods are replaced, where any are; `and` says what that means for people.
    pub(crate) fn say_restarts(&self, plan: &Plan, and: &str) {
        if !plan.restarts.is_empty() {
            self.console.say(format!("will restart: {}{and}", plan.restarts.join(", ")));
        }
    }

    /// Ends the verb where anything was found, with all of it.
    ///
    /// # Errors
    /// The findings, as [`Self::refused`].
    pub(crate) fn refuse(&self, findings: Vec<Failure>, unchanged: &str) -> Result<()> {
        if findings.is_empty() { Ok(()) } else { Err(self.refused(findings, unchanged)) }
    }

    /// Many findings, one exit: all but the last are shown, and the last ends the verb and names the others.
    pub(crate) fn refused(&self, mut findings: Vec<Failure>, unchanged: &str) -> Failure {
        let last = findings.pop();
        findings.iter().for_each(|finding| self.console.say_failure("", finding));
        let last = last.unwrap_or_else(|| Failure::without_a_reason("the requests are refused"));
        last.unchanged(unchanged).also(findings)
    }

    fn list(&self, steps: &[Step]) {
        self.console.say(Line::heading("Plan:"));
        steps.iter().for_each(|step| self.console.say(step.line().indented(2)));
        for diff in steps.iter().filter_map(Step::diff).filter(|diff| !diff.is_empty()) {
            self.console.say_diff(&diff);
        }
        plan::hides(steps).into_iter().for_each(|note| self.console.say(note));
    }
}
