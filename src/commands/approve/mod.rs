//! `approve`: requests are checked, shown, signed once, and their organizations admitted in the values file.

mod args;
mod authority;
mod identify;
mod mailbox;
mod renewals;
mod report;
mod settle;
mod sign;
mod source;
mod verify;

pub use self::args::ApproveArgs;
pub(crate) use self::source::found as authority_of;
use self::{
    report::{ApproveResult, Approved, CertificateReport},
    sign::SigningPlan,
};
use crate::{
    cluster::ObjectRef,
    commands,
    exchange::{
        approval::{Approval, ReleaseLocation},
        ca::CaSource,
        state::{GateReport, Holds},
    },
    failure::{Next, Result},
    files,
    names::MspId,
    pki::{authority::Authority, log::Entry},
    plan::{InitialState, Plan, Step, StepId},
    release::{Target, mounts, read},
    report::{Outcome, Stage},
    session::Session,
    substra::orchestrator::Orchestrator,
};

const VERB: &str = "approve";

/// The requests of one run, and who approves them.
struct Batch<'a> {
    args: &'a ApproveArgs,
    target: Target<'a, Orchestrator>,
    approval: Approval<'a>,
}

/// Signs all requests or none, and only once the operator has agreed.
///
/// # Errors
/// A finding in any request, a CA that cannot be used, no consent, a child that fails.
pub fn run(args: &ApproveArgs, session: &Session<'_>) -> Result<Outcome> {
    let (source, said) = source::found(args)?;
    let options = args.common.options();
    let admits = |o: &Orchestrator| o.admit_settings(&asked(args), &o.cacert);
    let target = Target::orchestrator(session, &options, || read::usual(admits))?;
    let batch = Batch::observe(args, target, source)?;
    let lock = batch.lock()?;
    let (authority, warnings) = batch.authority()?;
    let ledger = batch.approval.ledger()?;
    said.into_iter().for_each(|text| session.console.say(text));
    if let Some(org) = &args.settle {
        return batch.settles(args, &ledger, org);
    }
    if args.renewals {
        return batch.renews(&authority, &ledger, warnings);
    }
    let requests = batch.judged(&authority, &ledger)?;
    let mut ready = batch.ready(&authority, &ledger, requests)?;
    let mut plan = batch.plan(&ready, !ledger.knows(authority.fingerprint()), warnings)?;
    ready.iter().for_each(|one| batch.show(one));
    session.say_restarts(&plan, "");
    session.show(&plan)?;
    if session.goes_on(&plan, Some(&consent(&ready, &plan)))? {
        batch.signs(&authority, &mut ready, &mut plan)?;
        session.perform(&plan)?;
    }
    drop(lock);
    Ok(commands::handed_over(batch.result(&ready, &plan), &plan))
}

/// The organizations that the command line names.
fn asked(args: &ApproveArgs) -> Vec<MspId> {
    args.fingerprint.iter().map(|(org, _)| org.clone()).collect()
}

impl<'a> Batch<'a> {
    /// Three children; none offline.
    fn observe(args: &'a ApproveArgs, target: Target<'a, Orchestrator>, source: CaSource) -> Result<Self> {
        let orchestrator = target.values.clone();
        let object = args.ca_object.clone().unwrap_or_else(|| orchestrator.cacert.clone());
        let name = object.as_str();
        let mut wanted = vec![ObjectRef::secret(name), ObjectRef::config_map(name)];
        wanted.extend(source.object());
        if orchestrator.mtls_enabled {
            wanted.extend(mounts::wanted(&orchestrator));
        } else {
            wanted.push(ObjectRef::secret(orchestrator.server_pair.as_str()));
        }
        let cluster = if args.offline { None } else { Some(target.look(target.find()?, wanted)?) };
        let place = ReleaseLocation::of(&target, cluster.as_ref(), args.namespace.as_ref());
        let (session, validity) = (target.session, args.validity);
        let approval = Approval { session, source, orchestrator, object, cluster, place, validity };
        Ok(Self { args, target, approval })
    }

    /// The log first, then the certificates, the values and what follows for the release.
    fn plan(&self, ready: &[SigningPlan], is_first: bool, warnings: Vec<String>) -> Result<Plan> {
        let orgs: Vec<MspId> = ready.iter().map(|one| one.request.msp_id.clone()).collect();
        let admits = self.target.values.admit_settings(&orgs, &self.approval.object);
        let edited = self.target.files.edit(&admits)?;
        let due: Vec<&MspId> = ready.iter().filter(|one| !one.is_again).map(|one| &one.request.msp_id).collect();
        let upgrade = match &self.approval.cluster {
            Some(cluster) => self.target.admission(cluster, &edited, &admits)?,
            None => Plan::default(),
        };
        Ok(Plan::of(self.approval.log_steps(&due, is_first))
            .warn(warnings)
            .then(Plan::of(ready.iter().map(SigningPlan::step)))
            .then(Plan::of(edited.steps))
            .then(upgrade)
            .warn(ready.iter().filter_map(SigningPlan::asks_elsewhere)))
    }

    /// Two operators at one file sign one after the other.
    fn lock(&self) -> Result<Option<files::Lock>> {
        match &self.approval.source {
            CaSource::Files { certificate, .. } => files::lock(&files::followed(certificate)).map(Some),
            CaSource::Secret(_) => Ok(None),
        }
    }

    /// The signatures, and the steps that wait for them.
    fn signs(&self, authority: &Authority, ready: &mut [SigningPlan], plan: &mut Plan) -> Result<()> {
        let new: Vec<Entry> = self.sign(authority, ready)?;
        let certificates = ready.iter().filter(|one| !one.is_again).filter_map(SigningPlan::action);
        Step::fill(&mut plan.steps, self.approval.log_actions(&new).into_iter().chain(certificates));
        Ok(())
    }

    fn result(&self, ready: &[SigningPlan], plan: &Plan) -> Outcome {
        let outcome = commands::outcome(VERB, Stage::Approved, plan, self.approval.session);
        let values = &self.target.values;
        // Where mutual TLS is off, it stays so whatever becomes of these values.
        let holds = match Holds::of(outcome.stage(), self.deploys()) {
            Holds::OnceDone | Holds::OnceDeployed if !values.mtls_enabled => Holds::InFiles,
            holds => holds,
        };
        let approved = Approved {
            organizations: ready.iter().map(|one| one.request.msp_id.clone()).collect(),
            certificates: ready.iter().map(CertificateReport::of).collect(),
            gate: self.gate(),
            state: GateReport::new(values.mtls_enabled, values.verify_msp_id, holds),
        };
        let lines = approved.lines(outcome.stage());
        let outcome = outcome.result(&ApproveResult::Approved(approved), lines);
        let outcome = ready.iter().fold(outcome, |outcome, one| outcome.next(one.sent()));
        if values.mtls_enabled || self.args.offline {
            return outcome;
        }
        let close = self.target.options.command(self.approval.session, "gate close");
        outcome.next(Next::from("once every organization has said \"installed\": ").command(close))
    }

    /// Whether it upgrades the release where there is something to upgrade.
    fn deploys(&self) -> bool {
        self.approval.cluster.is_some() && !self.target.options.no_upgrade
    }

    /// When the organizations are accepted.
    fn gate(&self) -> &'static str {
        match (self.target.values.mtls_enabled, self.deploys()) {
            (true, true) => "mutual TLS is on: each organization is accepted as soon as its certificate is installed",
            (true, false) => {
                "mutual TLS is on: each organization is accepted once these values are deployed and its certificate is installed"
            }
            (false, _) => {
                "mutual TLS is off at the orchestrator: only the values file changes, until gate close turns it on"
            }
        }
    }
}

fn consent(ready: &[SigningPlan], plan: &Plan) -> String {
    let orgs = ready.iter().map(|one| one.request.msp_id.to_string()).collect::<Vec<_>>().join(", ");
    let them = if ready.len() == 1 { "it" } else { "them" };
    // A renewal is admitted already: nobody is asked for what does not happen.
    let admits = plan.steps.iter().any(|step| step.id == StepId::Values && step.state != InitialState::Already);
    match (admits, plan.upgrades()) {
        (true, true) => format!("sign for {orgs}, admit {them} in the values file and upgrade the orchestrator"),
        (true, false) => format!("sign for {orgs} and admit {them} in the values file"),
        (false, true) => format!("sign for {orgs} and upgrade the orchestrator"),
        (false, false) => format!("sign for {orgs}"),
    }
}
