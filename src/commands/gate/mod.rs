//! `gate close` and `gate open`: mutual TLS on for all once every member is in place, and the way back.

mod members;

use crate::{
    cli::{CloseArgs, OpenArgs},
    cluster::{Object, ReleaseStatus},
    commands,
    failure::Result,
    parallel,
    pki::log::IssueLog,
    plan::Plan,
    release::{
        Edited, ReleaseState, UpgradeRequest, ValuesFiles,
        find::{self, ReleaseQuery},
        mounts::{self, Mounts},
        read,
    },
    release::{
        Options,
        remedy::{Of, Remedy},
    },
    report::{Outcome, Stage},
    session::Session,
    substra::{
        Side,
        ingress::{Ingress, ingresses},
        manifest::Manifest,
        orchestrator::{self, Orchestrator},
        unmet,
    },
    values::Setting,
};

/// What an upgrade would do, and the objects that are or will be mounted.
struct Looked {
    objects: Vec<Object>,
    plan: Plan,
    after: ReleaseState,
}

/// What both ways of the gate know.
pub(in crate::commands) struct Gate<'a> {
    pub(in crate::commands) options: Options,
    pub(in crate::commands) session: &'a Session<'a>,
    pub(in crate::commands) files: ValuesFiles,
    pub(in crate::commands) orchestrator: Orchestrator,
    pub(in crate::commands) found: ReleaseState,
    pub(in crate::commands) objects: Vec<Object>,
}

/// Turns mutual TLS on.
///
/// # Errors
/// A member that is not accounted for, a server pair that would fail its own probe, an object that is missing.
pub fn close(args: &CloseArgs, session: &Session<'_>) -> Result<Outcome> {
    // No command to type by hand: it would close the gate before anybody has judged the members.
    let gate = Gate::find(args.common.options(), session, Vec::new)?;
    let settings = gate.orchestrator.close_settings(!args.no_verify_mspid);
    let closed = gate.is_closed(!args.no_verify_mspid);
    let look_at_log = || if closed { Ok(Some(IssueLog::default())) } else { gate.issue_log(args) };
    let (log, looked) = parallel::side_by_side(look_at_log, || gate.look(&settings));
    let Looked { objects, plan, after } = looked?;
    let gate = Gate { objects, ..gate };
    let mut findings = gate.mounts(&after.manifest).judge(&gate.orchestrator);
    let mut warnings = Vec::new();
    if !closed {
        let (absent, waived) = gate.members(args)?;
        findings.extend(absent);
        warnings.extend(waived);
        warnings.extend(gate.dangers(log?.as_ref()));
        warnings.extend(ingresses(&gate.found.release.manifest).iter().filter_map(Ingress::danger));
        warnings.extend(unverified(args));
    }
    session.refuse(findings, "nothing was written; the gate is as it was")?;
    let plan = plan.warn(warnings);
    session.say_restarts(&plan, "");
    let consent =
        format!("turn mutual TLS on at release {}: backends without a valid pair are cut off", gate.found.name);
    let open = session.carry_out(&plan, Some(&consent))?;
    let named = if args.common.release.is_some() { None } else { Some(&gate.found.name) };
    let back = format!("the way back: {}", gate.options.command(session, "gate open").option("--release", named));
    let live = gate.options.look(session, "check --live").option("--release", [&gate.found.name]);
    let outcome = commands::handed_over(gate.result(("gate close", Stage::Closed), &plan, open), &plan);
    Ok(outcome.next(format!("who is let in and who is not: {live}")).next(back))
}

/// Turns mutual TLS off again.
///
/// # Errors
/// A child that fails, drift, no consent.
pub fn open(args: &OpenArgs, session: &Session<'_>) -> Result<Outcome> {
    let gate = Gate::find(args.common.options(), session, || read::usual(Orchestrator::open_settings))?;
    let Looked { plan, .. } = gate.look(&gate.orchestrator.open_settings())?;
    session.say_restarts(&plan, "");
    let consent =
        format!("turn mutual TLS off at release {}: anybody is let in, with or without a certificate", gate.found.name);
    let changed = session.carry_out(&plan, Some(&consent))?;
    Ok(commands::handed_over(gate.result(("gate open", Stage::Opened), &plan, changed), &plan))
}

fn unverified(args: &CloseArgs) -> Option<String> {
    let text = "verifyClientMSPID stays as it is: while it is off, every organization can act as every other";
    args.no_verify_mspid.then(|| text.to_owned())
}

/// Whether what is deployed and what the files say have mutual TLS on, as strictly as asked.
pub(in crate::commands) fn is_closed(found: &ReleaseState, files: &Orchestrator, verify: bool) -> bool {
    let deployed = Orchestrator::read(found.config());
    let closed = |o: &Orchestrator| o.mtls_enabled && (o.verify_msp_id || !verify);
    found.release.status == ReleaseStatus::Deployed && closed(files) && deployed.is_ok_and(|o| closed(&o))
}

impl<'a> Gate<'a> {
    /// The files and the release, before anything else is looked at.
    fn find(options: Options, session: &'a Session<'a>, usual: impl FnOnce() -> Vec<Setting>) -> Result<Self> {
        let files = read::files(session, &options, usual)?;
        let orchestrator = read::orchestrator(&files)?;
        if !orchestrator.tls_enabled {
            return Err(unmet::tls_off_at_orchestrator(unmet::VALUES_LACK_TLS)
                .next(format!("set TLS up first: {}", options.command(session, "ca init")))
                .unchanged("nothing was written"));
        }
        let found = find::find(session.cluster()?, &ReleaseQuery::of(&options, &files, Side::Orchestrator))?;
        Ok(Self { options, session, files, orchestrator, found, objects: Vec::new() })
    }

    /// The objects that are or will be mounted, beside what an upgrade to these settings would do.
    fn look(&self, settings: &[Setting]) -> Result<Looked> {
        let (objects, planned) = parallel::side_by_side(|| self.objects(), || self.plan(settings));
        let (objects, (edited, plan, after)) = (objects?, planned?);
        let plan = Plan::of(edited.steps).then(plan.with_rollouts_seen(&objects));
        Ok(Looked { objects, plan, after })
    }

    fn objects(&self) -> Result<Vec<Object>> {
        let mut wanted = mounts::wanted(&self.orchestrator);
        wanted.extend(self.found.workloads());
        self.session.cluster()?.get(&wanted)
    }

    fn plan(&self, settings: &[Setting]) -> Result<(Edited, Plan, ReleaseState)> {
        let edited = self.files.edit(settings)?;
        let (plan, after) = self.found.plan(&self.request(&edited, settings))?;
        Ok((edited, plan, after))
    }

    /// An upgrade that moves the gate.
    pub(in crate::commands) fn request<'b>(&'b self, edited: &'b Edited, own: &'b [Setting]) -> UpgradeRequest<'b> {
        UpgradeRequest {
            session: self.session,
            side: Side::Orchestrator,
            options: &self.options,
            files: &self.files,
            edited,
            own,
            read: true,
            paths: orchestrator::OWN_PATHS,
            then: "the gate is as the files say, once the new pod is ready and the old one gone",
        }
    }

    /// What the pods of a manifest stand on.
    pub(in crate::commands) fn mounts<'b>(&'b self, manifest: &'b Manifest) -> Mounts<'b> {
        let (found, objects) = (&self.found, &self.objects);
        let remedy = Remedy::new(self.session, &self.options, found, Of::Orchestrator(&self.orchestrator));
        Mounts { found, manifest, objects, now: self.session.now, remedy }
    }

    /// Whether the files and the release have mutual TLS on already, as strictly as asked: then no member is cut off anew.
    fn is_closed(&self, verify: bool) -> bool {
        is_closed(&self.found, &self.orchestrator, verify)
    }

    fn result(&self, (verb, stage): (&'static str, Stage), plan: &Plan, open: bool) -> Outcome {
        let stage = commands::stage(open, self.session.dry_run, stage);
        commands::outcome(verb, stage, plan)
            .fact("release", self.found.name.as_str())
            .fact("members", self.orchestrator.members.clone())
    }
}
