//! `approve`: requests are judged, shown, signed once, and their organizations admitted in the values file.

pub(in crate::commands) mod admission;
pub(in crate::commands) mod authority;
pub(in crate::commands) mod ledger;
mod sign;
pub(in crate::commands) mod source;
mod verify;

use self::{
    admission::{Admission, After},
    sign::Ready,
};
use crate::{
    cli::ApproveArgs,
    cluster::{Object, ObjectRef},
    commands::{
        self, Desk,
        ca::authority::Source,
        check::mounts,
        find::{self, Sought},
        read,
        release::{Chart, Found},
    },
    failure::{Code, Exit, Failure, Result},
    files,
    names::{MspId, ObjectName},
    pki::{authority::Authority, log::Entry},
    plan::{
        Step,
        edits::{Edited, ValuesFiles},
    },
    report::{Outcome, Stage},
    substra::orchestrator::Orchestrator,
    times,
    values::Setting,
};

const VERB: &str = "approve";

/// What an approval knows before it judges.
pub(in crate::commands) struct Approval<'a> {
    pub(in crate::commands) args: &'a ApproveArgs,
    pub(in crate::commands) desk: &'a Desk<'a>,
    /// The certificate authority that signs.
    pub(in crate::commands) source: Source,
    pub(in crate::commands) files: ValuesFiles,
    pub(in crate::commands) orchestrator: Orchestrator,
    /// The object under which organizations are admitted.
    pub(in crate::commands) object: ObjectName,
    pub(in crate::commands) seen: Option<Seen>,
}

/// What the cluster says; nothing with `--offline`.
pub(in crate::commands) struct Seen {
    pub(in crate::commands) found: Found,
    pub(in crate::commands) objects: Vec<Object>,
}

/// Signs all requests or none, and only once the operator has agreed.
///
/// # Errors
/// A finding in any request, a CA that cannot be used, no consent, a child that fails.
pub fn run(args: &ApproveArgs, desk: &Desk<'_>) -> Result<Outcome> {
    let (source, said) = source::found(args)?;
    let admits = |o: &Orchestrator| o.admit_settings(&asked(args), &o.cacert);
    let files = read::files(&args.common, || read::usual(admits))?;
    let orchestrator = read::orchestrator(&files)?;
    let object = args.ca_object.clone().unwrap_or_else(|| orchestrator.cacert.clone());
    let mut approval = Approval { args, desk, source, files, orchestrator, object, seen: None };
    approval.seen = approval.look()?;
    let lock = approval.lock()?;
    let (authority, mut warnings) = approval.authority()?;
    let ledger = approval.ledger()?;
    let requests = approval.judged(&authority, &ledger)?;
    let mut ready = approval.ready(&authority, &ledger, requests)?;
    let orgs: Vec<MspId> = ready.iter().map(|one| one.request.msp_id.clone()).collect();
    let admits = approval.orchestrator.admit_settings(&orgs, &approval.object);
    let edited = approval.files.edit(&admits)?;
    let due: Vec<&MspId> = ready.iter().filter(|one| !one.is_again).map(|one| &one.request.msp_id).collect();
    let mut steps = approval.log_steps(&due, !ledger.knows(authority.fingerprint()));
    steps.extend(ready.iter().map(Ready::step));
    let upgrade = approval.upgrade(&edited, &admits)?;
    steps.extend(edited.steps);
    steps.extend(upgrade.steps);
    warnings.extend(upgrade.warnings);
    warnings.extend(ready.iter().filter_map(Ready::asks_elsewhere));
    said.into_iter().for_each(|text| desk.console.say(text));
    ready.iter().for_each(|one| approval.show(one));
    approval.say_restarts(&upgrade.restarts);
    let open = desk.plan_is_open(&steps)?;
    if open && !args.common.dry_run {
        desk.console.consent(&consent(&ready, &steps))?;
        approval.signs(&authority, &mut ready, &mut steps)?;
        desk.apply(&steps, &args.common)?;
    }
    drop(lock);
    let outcome = approval.result(&ready, &steps, open).warnings(warnings);
    Ok(match &approval.seen {
        Some(seen) => upgrade.left.told(outcome, (&args.common, &approval.files, &seen.found), desk, &steps),
        None => outcome,
    })
}

/// The organizations that the command line names.
fn asked(args: &ApproveArgs) -> Vec<MspId> {
    args.fingerprint.iter().map(|(org, _)| org.clone()).collect()
}

impl Approval<'_> {
    /// Three children; none offline.
    fn look(&self) -> Result<Option<Seen>> {
        if self.args.offline {
            return Ok(None);
        }
        let cluster = self.desk.cluster()?;
        let found = find::find(cluster, &Sought::of(&self.args.common, &self.files, Chart::Orchestrator))?;
        let name = self.object.as_str();
        let mut wanted = vec![ObjectRef::secret(name), ObjectRef::config_map(name)];
        wanted.extend(self.args.ca_secret.as_ref().map(|name| ObjectRef::secret(name.as_str())));
        if self.orchestrator.mtls_enabled {
            wanted.extend(mounts::wanted(&self.orchestrator));
        } else {
            wanted.push(ObjectRef::secret(self.orchestrator.server_pair.as_str()));
        }
        wanted.sort();
        wanted.dedup();
        wanted.extend(found.workloads());
        let objects = cluster.get(&wanted)?;
        Ok(Some(Seen { found, objects }))
    }

    fn upgrade(&self, edited: &Edited, own: &[Setting]) -> Result<After> {
        let Some(seen) = &self.seen else { return Ok(After::default()) };
        let (found, objects, common, files) = (&seen.found, &seen.objects, &self.args.common, &self.files);
        let (desk, orchestrator) = (self.desk, &self.orchestrator);
        Admission { desk, found, objects, orchestrator, files, edited, own, common }.upgrade()
    }

    /// Two operators at one file sign one after the other.
    fn lock(&self) -> Result<Option<files::Lock>> {
        match &self.source {
            Source::Files { certificate, .. } => files::lock(&files::followed(certificate)).map(Some),
            Source::Secret(_) => Ok(None),
        }
    }

    /// The signatures, and the steps that wait for them.
    fn signs(&self, authority: &Authority, ready: &mut [Ready], steps: &mut [Step]) -> Result<()> {
        let new: Vec<Entry> = self.sign(authority, ready)?;
        let certificates = ready.iter().filter(|one| !one.is_again).filter_map(Ready::action);
        Step::fill(steps, self.log_actions(&new).into_iter().chain(certificates));
        Ok(())
    }

    fn say_restarts(&self, restarts: &[String]) {
        if !restarts.is_empty() {
            self.desk.console.say(format!("what will restart: {}", restarts.join(", ")));
        }
    }

    fn result(&self, ready: &[Ready], steps: &[Step], open: bool) -> Outcome {
        let stage = commands::stage(open, self.args.common.dry_run, Stage::Approved);
        let certificates: Vec<serde_json::Value> = ready.iter().map(|one| self.described(one)).collect();
        let organizations: Vec<&str> = ready.iter().map(|one| one.request.msp_id.as_str()).collect();
        let lines: Vec<_> = certificates.iter().map(|one| ("certificate", sentence(one))).collect();
        let mut outcome = commands::outcome(VERB, stage, steps).fact("organizations", organizations).fact_told(
            "certificates",
            certificates,
            lines,
        );
        let deploys = self.seen.is_some() && !self.args.common.no_upgrade;
        let gate = match (self.orchestrator.mtls_enabled, deploys) {
            (true, true) => "mutual TLS is on: each organization is let in as soon as its certificate is installed",
            (true, false) => {
                "mutual TLS is on: each organization is let in once these values are deployed and its certificate is installed"
            }
            (false, _) => {
                "mutual TLS is off at the orchestrator: the values file alone changes, until gate close turns it on"
            }
        };
        outcome = outcome.fact("gate", gate);
        for one in ready {
            outcome = outcome.next(format!("send {} to {}'s operator", one.target.display(), one.request.msp_id));
        }
        outcome
    }

    fn described(&self, ready: &Ready) -> serde_json::Value {
        let Ready { request, window, issued, .. } = ready;
        let mut described = serde_json::json!({
            "organization": request.msp_id.as_str(),
            "file": ready.target.display().to_string(),
            "hosts": request.hosts.iter().map(crate::names::Hostname::as_str).collect::<Vec<_>>(),
            "notBefore": times::rfc3339(window.not_before),
            "notAfter": times::rfc3339(window.not_after),
            "cutToTheCa": window.cut_to_ca_end,
            "again": ready.is_again,
        });
        if let Some(issued) = issued {
            described["serial"] = issued.serial.as_str().into();
        }
        // Of what is not signed yet nobody shall take a number down that nobody has compared.
        if issued.is_some() || !self.args.unverified_mail {
            described["fingerprint"] = request.fingerprint.to_string().into();
        }
        described
    }
}

/// A certificate as people read it.
fn sentence(described: &serde_json::Value) -> String {
    let text = |key: &str| described[key].as_str().unwrap_or_default();
    let serial = described.get("serial").map(|_| format!(", serial {}", text("serial"))).unwrap_or_default();
    format!("{} of {}{serial}", text("file"), text("organization"))
}

fn consent(ready: &[Ready], steps: &[Step]) -> String {
    let orgs = ready.iter().map(|one| one.request.msp_id.to_string()).collect::<Vec<_>>().join(", ");
    let upgrades = Step::any_upgrades(steps);
    let upgrade = if upgrades { ", upgrade the orchestrator" } else { "" };
    let them = if ready.len() == 1 { "it" } else { "them" };
    format!("sign for {orgs} and admit {them} in the values file{upgrade}")
}

/// Many findings, one exit: each is shown, the last line says that nothing happened.
pub(in crate::commands) fn refuse_all(desk: &Desk<'_>, mut findings: Vec<Failure>) -> Failure {
    let last = findings.pop();
    findings.iter().for_each(|finding| desk.console.lines(format!("error: {finding}")));
    let last = last.unwrap_or_else(|| Failure::new(Exit::Refused, Code::Refused, "the requests are refused"));
    last.unchanged("nothing was signed and nothing was written").also(findings)
}
