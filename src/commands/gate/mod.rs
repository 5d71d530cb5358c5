//! `gate close` and `gate open`: mutual TLS on for all once every member is in place, and the way back.

mod members;

use crate::{
    cli::{CloseArgs, CommonArgs, OpenArgs},
    cluster::Object,
    commands::{
        self, Desk,
        check::mounts::{self, Mounts},
        find::{self, Sought},
        hand_over::Left,
        read,
        release::{Chart, Found, Planned, Wish},
    },
    failure::{Code, Exit, Failure, Result},
    pki::log::IssueLog,
    plan::{
        Step,
        edits::{Edited, ValuesFiles},
    },
    report::{Outcome, Stage},
    substra::{
        ingress::{Ingress, ingresses},
        manifest::Manifest,
        orchestrator::{self, Orchestrator},
    },
    values::Setting,
};

/// What an upgrade would do, and the objects that are or will be mounted.
struct Looked {
    objects: Vec<Object>,
    steps: Vec<Step>,
    planned: Planned,
    left: Left,
}

/// What both ways of the gate know.
pub(in crate::commands) struct Gate<'a> {
    pub(in crate::commands) common: &'a CommonArgs,
    pub(in crate::commands) desk: &'a Desk<'a>,
    pub(in crate::commands) files: ValuesFiles,
    pub(in crate::commands) orchestrator: Orchestrator,
    pub(in crate::commands) found: Found,
    pub(in crate::commands) objects: Vec<Object>,
}

/// Turns mutual TLS on.
///
/// # Errors
/// A member that is not accounted for, a server pair that would fail its own probe, an object that is missing.
pub fn close(args: &CloseArgs, desk: &Desk<'_>) -> Result<Outcome> {
    // No command to type by hand: it would close the gate before anybody has judged the members.
    let gate = Gate::find(&args.common, desk, Vec::new)?;
    let settings = gate.orchestrator.close_settings(!args.no_verify_mspid);
    let closed = gate.is_closed(!args.no_verify_mspid);
    let look_at_log = || if closed { Ok(Some(IssueLog::default())) } else { gate.issue_log(args) };
    let (log, looked) = commands::side_by_side(look_at_log, || gate.look(&settings));
    let Looked { objects, mut steps, planned, left } = looked?;
    let gate = Gate { objects, ..gate };
    let mut findings = gate.mounts(&planned.manifest).judge(&gate.orchestrator);
    let mut warnings = planned.warnings;
    if !closed {
        let (absent, waived) = gate.members(args)?;
        findings.extend(absent);
        warnings.extend(waived);
        warnings.extend(gate.dangers(log?.as_ref()));
        warnings.extend(ingresses(&gate.found.release.manifest).iter().filter_map(Ingress::danger));
        warnings.extend(unverified(args));
    }
    gate.stop_at(findings)?;
    steps.extend(planned.steps);
    gate.say_restarts(&planned.restarts);
    let consent =
        format!("turn mutual TLS on at release {}: backends without a valid pair are cut off", gate.found.name);
    let open = desk.carry_out(&steps, &args.common, Some(&consent))?;
    let named = if args.common.release.is_some() { None } else { Some(&gate.found.name) };
    let back = format!("the way back: {}", desk.ours("gate open", &args.common).option("--release", named));
    let live = desk.look("check --live", &args.common).option("--release", [&gate.found.name]);
    let outcome = gate.result(("gate close", Stage::Closed), &steps, open).warnings(warnings);
    let outcome = left.told(outcome, gate.place(), desk, &steps);
    Ok(outcome.next(format!("who is let in and who is not: {live}")).next(back))
}

/// Turns mutual TLS off again.
///
/// # Errors
/// A child that fails, drift, no consent.
pub fn open(args: &OpenArgs, desk: &Desk<'_>) -> Result<Outcome> {
    let gate = Gate::find(&args.common, desk, || read::usual(Orchestrator::open_settings))?;
    let Looked { mut steps, planned, left, .. } = gate.look(&gate.orchestrator.open_settings())?;
    steps.extend(planned.steps);
    gate.say_restarts(&planned.restarts);
    let consent =
        format!("turn mutual TLS off at release {}: anybody is let in, with or without a certificate", gate.found.name);
    let changed = desk.carry_out(&steps, &args.common, Some(&consent))?;
    let outcome = gate.result(("gate open", Stage::Opened), &steps, changed).warnings(planned.warnings);
    Ok(left.told(outcome, gate.place(), desk, &steps))
}

fn unverified(args: &CloseArgs) -> Option<String> {
    let text = "verifyClientMSPID stays as it is: while it is off, every organization can act as every other";
    args.no_verify_mspid.then(|| text.to_owned())
}

/// Whether what is deployed and what the files say have mutual TLS on, as strictly as asked.
pub(in crate::commands) fn is_closed(found: &Found, files: &Orchestrator, verify: bool) -> bool {
    let deployed = Orchestrator::read(found.config());
    let closed = |o: &Orchestrator| o.mtls_enabled && (o.verify_msp_id || !verify);
    found.release.status == "deployed" && closed(files) && deployed.is_ok_and(|o| closed(&o))
}

impl<'a> Gate<'a> {
    /// The files and the release, before anything else is looked at.
    fn find(common: &'a CommonArgs, desk: &'a Desk<'a>, usual: impl FnOnce() -> Vec<Setting>) -> Result<Self> {
        let files = read::files(common, usual)?;
        let orchestrator = read::orchestrator(&files)?;
        if !orchestrator.tls_enabled {
            return Err(Failure::new(Exit::CheckFailed, Code::TlsOff, "TLS is not enabled at the orchestrator")
                .why("mutual TLS stands on TLS: the values lack orchestrator.tls.enabled: true")
                .next(format!("set TLS up first: {}", desk.ours("ca init", common)))
                .unchanged("nothing was written"));
        }
        let found = find::find(desk.cluster()?, &Sought::of(common, &files, Chart::Orchestrator))?;
        Ok(Self { common, desk, files, orchestrator, found, objects: Vec::new() })
    }

    /// The objects that are or will be mounted, beside what an upgrade to these settings would do.
    fn look(&self, settings: &[Setting]) -> Result<Looked> {
        let (objects, planned) = commands::side_by_side(|| self.objects(), || self.plan(settings));
        let (objects, (edited, planned)) = (objects?, planned?);
        let planned = planned.seen(&objects);
        let then = "the gate is as the files say, once the new pod is ready and the old one gone";
        let left = Left::of(planned.is_left, &edited, orchestrator::OWN_PATHS, then);
        Ok(Looked { objects, steps: edited.steps, planned, left })
    }

    fn objects(&self) -> Result<Vec<Object>> {
        let mut wanted = mounts::wanted(&self.orchestrator);
        wanted.extend(self.found.workloads());
        self.desk.cluster()?.get(&wanted)
    }

    fn plan(&self, settings: &[Setting]) -> Result<(Edited, Planned)> {
        let edited = self.files.edit(settings)?;
        let cluster = self.desk.cluster()?;
        let wish = Wish {
            chart: Chart::Orchestrator,
            common: self.common,
            files: &self.files,
            edited: &edited,
            own: settings,
            read: true,
        };
        let planned = self.found.plan(cluster, &wish)?;
        Ok((edited, planned))
    }

    /// What the pods of a manifest stand on.
    pub(in crate::commands) fn mounts<'b>(&'b self, manifest: &'b Manifest) -> Mounts<'b> {
        let (found, objects) = (&self.found, &self.objects);
        let remedy = self.desk.remedy(self.common, found, &self.orchestrator);
        Mounts { found, manifest, objects, now: self.desk.now, remedy }
    }

    /// Whether the files and the release have mutual TLS on already, as strictly as asked: then no member is cut off anew.
    fn is_closed(&self, verify: bool) -> bool {
        is_closed(&self.found, &self.orchestrator, verify)
    }

    /// Several findings, one exit.
    fn stop_at(&self, mut findings: Vec<Failure>) -> Result<()> {
        let Some(last) = findings.pop() else { return Ok(()) };
        findings.iter().for_each(|finding| self.desk.console.lines(format!("error: {finding}")));
        Err(last.unchanged("nothing was written; the gate is as it was").also(findings))
    }

    fn say_restarts(&self, restarts: &[String]) {
        if !restarts.is_empty() {
            self.desk.console.say(format!("what will restart: {}", restarts.join(", ")));
        }
    }

    fn place(&self) -> (&CommonArgs, &ValuesFiles, &Found) {
        (self.common, &self.files, &self.found)
    }

    fn result(&self, (verb, stage): (&'static str, Stage), steps: &[Step], open: bool) -> Outcome {
        let stage = commands::stage(open, self.common.dry_run, stage);
        commands::outcome(verb, stage, steps)
            .fact("release", self.found.name.as_str())
            .fact("members", self.orchestrator.members.clone())
    }
}
