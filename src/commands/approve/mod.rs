//! `approve`: requests are judged, shown, signed once, and their organizations admitted in the values file.

pub(in crate::commands) mod authority;
pub(in crate::commands) mod ledger;
mod sign;
pub(in crate::commands) mod source;
mod verify;

use self::sign::Ready;
use crate::{
    cli::ApproveArgs,
    cluster::{Object, ObjectRef},
    commands::{self, ca::authority::Source},
    failure::{Code, Exit, Failure, Result},
    files,
    names::{MspId, ObjectName},
    pki::{authority::Authority, log::Entry},
    plan::{Plan, Step},
    release::{
        Edited, ReleaseState, ValuesFiles,
        find::{self, ReleaseQuery},
        mounts, read,
    },
    release::{Options, admission::Admission},
    report::{Outcome, Stage},
    session::Session,
    substra::{Side, orchestrator::Orchestrator},
    times,
    values::Setting,
};

const VERB: &str = "approve";

/// What an approval knows before it judges.
pub(in crate::commands) struct Approval<'a> {
    pub(in crate::commands) args: &'a ApproveArgs,
    pub(in crate::commands) options: Options,
    pub(in crate::commands) session: &'a Session<'a>,
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
    pub(in crate::commands) found: ReleaseState,
    pub(in crate::commands) objects: Vec<Object>,
}

/// Signs all requests or none, and only once the operator has agreed.
///
/// # Errors
/// A finding in any request, a CA that cannot be used, no consent, a child that fails.
pub fn run(args: &ApproveArgs, session: &Session<'_>) -> Result<Outcome> {
    let (source, said) = source::found(args)?;
    let admits = |o: &Orchestrator| o.admit_settings(&asked(args), &o.cacert);
    let options = args.common.options();
    let files = read::files(session, &options, || read::usual(admits))?;
    let orchestrator = read::orchestrator(&files)?;
    let object = args.ca_object.clone().unwrap_or_else(|| orchestrator.cacert.clone());
    let mut approval = Approval { args, options, session, source, files, orchestrator, object, seen: None };
    approval.seen = approval.look()?;
    let lock = approval.lock()?;
    let (authority, warnings) = approval.authority()?;
    let ledger = approval.ledger()?;
    let requests = approval.judged(&authority, &ledger)?;
    let mut ready = approval.ready(&authority, &ledger, requests)?;
    let orgs: Vec<MspId> = ready.iter().map(|one| one.request.msp_id.clone()).collect();
    let admits = approval.orchestrator.admit_settings(&orgs, &approval.object);
    let edited = approval.files.edit(&admits)?;
    let due: Vec<&MspId> = ready.iter().filter(|one| !one.is_again).map(|one| &one.request.msp_id).collect();
    let upgrade = approval.upgrade(&edited, &admits)?;
    let mut plan = Plan::of(approval.log_steps(&due, !ledger.knows(authority.fingerprint())))
        .warn(warnings)
        .then(Plan::of(ready.iter().map(Ready::step)))
        .then(Plan::of(edited.steps))
        .then(upgrade)
        .warn(ready.iter().filter_map(Ready::asks_elsewhere));
    said.into_iter().for_each(|text| session.console.say(text));
    ready.iter().for_each(|one| approval.show(one));
    session.say_restarts(&plan, "");
    let open = session.show(&plan)?;
    if open && !session.dry_run {
        session.console.consent(&consent(&ready, &plan))?;
        approval.signs(&authority, &mut ready, &mut plan)?;
        session.apply(&plan)?;
    }
    drop(lock);
    Ok(commands::handed_over(approval.result(&ready, &plan, open), &plan))
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
        let cluster = self.session.cluster()?;
        let found = find::find(cluster, &ReleaseQuery::of(&self.options, &self.files, Side::Orchestrator))?;
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

    fn upgrade(&self, edited: &Edited, own: &[Setting]) -> Result<Plan> {
        let Some(seen) = &self.seen else { return Ok(Plan::default()) };
        let (found, objects, options, files) = (&seen.found, &seen.objects, &self.options, &self.files);
        let (session, orchestrator) = (self.session, &self.orchestrator);
        Admission { session, found, objects, orchestrator, files, edited, own, options }.plan()
    }

    /// Two operators at one file sign one after the other.
    fn lock(&self) -> Result<Option<files::Lock>> {
        match &self.source {
            Source::Files { certificate, .. } => files::lock(&files::followed(certificate)).map(Some),
            Source::Secret(_) => Ok(None),
        }
    }

    /// The signatures, and the steps that wait for them.
    fn signs(&self, authority: &Authority, ready: &mut [Ready], plan: &mut Plan) -> Result<()> {
        let new: Vec<Entry> = self.sign(authority, ready)?;
        let certificates = ready.iter().filter(|one| !one.is_again).filter_map(Ready::action);
        Step::fill(&mut plan.steps, self.log_actions(&new).into_iter().chain(certificates));
        Ok(())
    }

    fn result(&self, ready: &[Ready], plan: &Plan, open: bool) -> Outcome {
        let stage = commands::stage(open, self.session.dry_run, Stage::Approved);
        let certificates: Vec<serde_json::Value> = ready.iter().map(|one| self.described(one)).collect();
        let organizations: Vec<&str> = ready.iter().map(|one| one.request.msp_id.as_str()).collect();
        let lines: Vec<_> = certificates.iter().map(|one| ("certificate", sentence(one))).collect();
        let mut outcome = commands::outcome(VERB, stage, plan).fact("organizations", organizations).fact_told(
            "certificates",
            certificates,
            lines,
        );
        let deploys = self.seen.is_some() && !self.options.no_upgrade;
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

fn consent(ready: &[Ready], plan: &Plan) -> String {
    let orgs = ready.iter().map(|one| one.request.msp_id.to_string()).collect::<Vec<_>>().join(", ");
    let upgrade = if plan.upgrades() { ", upgrade the orchestrator" } else { "" };
    let them = if ready.len() == 1 { "it" } else { "them" };
    format!("sign for {orgs} and admit {them} in the values file{upgrade}")
}

/// Many findings, one exit: each is shown, the last line says that nothing happened.
pub(in crate::commands) fn refuse_all(session: &Session<'_>, findings: Vec<Failure>) -> Failure {
    let untouched = "nothing was signed and nothing was written";
    let unsaid = || Failure::new(Exit::Refused, Code::Refused, "the requests are refused").unchanged(untouched);
    session.refuse(findings, untouched).err().unwrap_or_else(unsaid)
}
