//! `bootstrap`: a whole federation from one file, in the order that keeps every enrolled backend connected.

mod admit;
mod args;
mod conflicts;
mod member;
mod orchestrator;
mod report;
mod result;
mod targets;
mod work;

pub use self::args::BootstrapArgs;
use crate::{
    command_line::CommandLine,
    exchange::ca::PlannedCa,
    failure::{Code, Failure, Next, Result},
    federation::{Federation, GateSpec},
    files,
    names::MspId,
    parallel,
    parallel::{at_most, side_by_side},
    pki::{authority::Authority, log::IssueLog},
    plan::Plan,
    release::EditedFiles,
    report::{Console, Outcome, Stage},
    session::{OpenCluster, Session},
};

use self::{
    member::{Member, MemberPlan, Signer},
    orchestrator::OrchestratorState,
    targets::{BackendTarget, OrchestratorTarget},
};

const VERB: &str = "bootstrap";

/// Everything that would be done, in its order.
struct FederationPlan<'a> {
    /// The orchestrator's CA and TLS.
    first: Plan,
    /// The organizations, side by side.
    members: Vec<MemberPlan<'a>>,
    /// Organizations that cannot be worked on, and why.
    failed: Vec<(MspId, Failure)>,
    /// The orchestrator as the first part leaves it.
    orchestrator: OrchestratorState<'a>,
    log: IssueLog,
    /// What signs for those who need a pair.
    authority: Option<&'a Authority>,
    /// Admission and gate.
    last: Plan,
    /// Why the gate stays open although the file wants it closed.
    open: Option<Failure>,
}

/// Reads the file, opens the clusters, and does what is missing.
///
/// # Errors
/// The file is refused, the orchestrator cannot be worked on, or an organization was left behind.
pub fn run(args: &BootstrapArgs, session: &Session<'_>, open: OpenCluster<'_>) -> Result<Outcome> {
    let federation = Federation::read(&args.federation)?;
    // Two runs from one file would sign twice and upgrade against each other.
    let lock = files::lock(&args.federation)?;
    // Only one run signs under a CA at a time, approve or another federation file alike.
    let signs =
        federation.orchestrator.ca.certificate().map(files::followed).filter(|certificate| certificate.exists());
    let alone = signs.as_deref().map(files::lock).transpose()?;
    let outcome = carry_out(&federation, args, session, open);
    drop((lock, alone));
    let outcome = outcome?;
    Ok(match outcome.stage() {
        _ if args.dry_run => outcome.of_dry_run(),
        Stage::Bootstrapped => {
            let look = CommandLine::ours("check").word(args.federation.display());
            outcome.next(Next::from("see how each release stands: ").command(look))
        }
        _ => outcome,
    })
}

/// The same for a federation that is at hand.
///
/// # Errors
/// The orchestrator cannot be worked on; what is left behind is told by the result.
pub fn carry_out(
    federation: &Federation,
    args: &BootstrapArgs,
    session: &Session<'_>,
    open: OpenCluster<'_>,
) -> Result<Outcome> {
    let session = &session.limited(args.dry_run, args.timeout);
    let quiet = session.like(None, Console { quiet: true, ..session.console });
    let target = OrchestratorTarget::new(federation, args, open)?;
    let own = session.like(Some(&*target.cluster), session.console);
    let targets: Vec<BackendTarget<'_>> =
        federation.organizations.iter().map(|org| BackendTarget::new(org, args, open)).collect::<Result<_>>()?;
    let sessions: Vec<Session<'_>> =
        targets.iter().map(|target| quiet.like(Some(&*target.cluster), quiet.console)).collect();
    let backends: Vec<_> = targets.iter().zip(&sessions).collect();
    let (orchestrator, members) = side_by_side(
        || OrchestratorState::observe(&target, &own),
        || at_most(args.parallel.into(), &backends, |(at, session)| Member::observe(at, session, args.install)),
    );
    let names = federation.organizations.iter().map(|org| &org.msp_id);
    let orchestrator = orchestrator?;
    let request = orchestrator.ca_request()?;
    let mut ca = orchestrator.ca(&request)?;
    let whole = planned(orchestrator, &mut ca, names.zip(members))?;
    work::carry_out(whole, args, session)
}

/// One plan for all.
fn planned<'a>(
    orchestrator: OrchestratorState<'a>,
    ca: &'a mut PlannedCa<'_>,
    observed: impl Iterator<Item = (&'a MspId, Result<Member<'a>>)>,
) -> Result<FederationPlan<'a>> {
    let (first, orchestrator) = orchestrator.set_up(ca)?;
    let ca = &*ca;
    let certificate = &ca.certificate;
    let (mut failed, mut members) = (Vec::new(), Vec::new());
    for (msp_id, member) in observed {
        match member.and_then(|member| Ok((member.needs_pair(&orchestrator, certificate)?, member))) {
            Ok(member) => members.push(member),
            Err(failure) => failed.push((msp_id.clone(), failure)),
        }
    }
    let members = read_alike(members, &orchestrator, &mut failed)?;
    conflicts::pairs(members.iter().map(|(_, member)| member))?;
    conflicts::identities(&members)?;
    let all: Vec<MspId> = members.iter().map(|(_, member)| member.msp_id.clone()).collect();
    let signs = members.iter().any(|(needs, _)| *needs);
    let approval = orchestrator.approval(&all)?;
    orchestrator.knows(certificate, &approval)?;
    let close = orchestrator.federation().orchestrator.gate == GateSpec::Close;
    let log = if signs || (close && !orchestrator.is_closed()) { approval.ledger()? } else { IssueLog::default() };
    let authority = signs.then(|| ca.authority()).transpose()?;
    let signer = authority.map(|authority| Signer {
        approval: &approval,
        authority,
        ledger: &log,
        key_type: orchestrator.args().key_type,
    });
    let parts = parallel::parallel(members, |(needs, member)| {
        let msp_id = member.msp_id.clone();
        (msp_id, member.plan(&orchestrator, certificate, signer.as_ref().filter(|_| needs)))
    });
    let mut planned = Vec::new();
    for (msp_id, part) in parts {
        match part {
            Ok(part) => planned.push(part),
            Err(failure) => failed.push((msp_id, failure)),
        }
    }
    all_can_follow(&first, &orchestrator, &failed, &planned)?;
    let mut plan = FederationPlan {
        first,
        members: planned,
        failed,
        log,
        orchestrator,
        last: Plan::default(),
        authority,
        open: None,
    };
    let admitted = plan.organizations();
    plan.last = plan.admission(&admitted)?;
    conflicts::edits(&plan)?;
    Ok(plan)
}

/// Helm's own reading of every edited file, in one call for all; whose file it reads otherwise is left out.
fn read_alike<'a>(
    members: Vec<(bool, Member<'a>)>,
    orchestrator: &OrchestratorState<'_>,
    failed: &mut Vec<(MspId, Failure)>,
) -> Result<Vec<(bool, Member<'a>)>> {
    let edited: Vec<_> = members.iter().filter_map(|(_, member)| member.edited()).collect();
    if edited.is_empty() {
        return Ok(members);
    }
    let mut readings = EditedFiles::all_proven_by(&edited, orchestrator.state.session.cluster()?)?.into_iter();
    let mut alike = Vec::new();
    for (needs, member) in members {
        let reading = if member.edited().is_some() { readings.next().unwrap_or(Ok(())) } else { Ok(()) };
        match reading {
            Ok(()) => alike.push((needs, member)),
            Err(failure) => failed.push((member.msp_id.clone(), failure)),
        }
    }
    Ok(alike)
}

/// Where the first part itself may cut somebody off, nobody is left behind: not even those who would only keep the gate
/// open.
fn all_can_follow(
    first: &Plan,
    orchestrator: &OrchestratorState<'_>,
    failed: &[(MspId, Failure)],
    members: &[MemberPlan<'_>],
) -> Result<()> {
    if !first.cuts_off {
        return Ok(());
    }
    let follow: Vec<MspId> = members.iter().map(|member| member.msp_id.clone()).collect();
    let mut findings: Vec<Failure> = failed
        .iter()
        .map(|(msp_id, failure)| {
            let what = format!("{msp_id} would be cut off by the orchestrator's upgrade: {}", failure.what);
            Failure { what, ..failure.clone() }
        })
        .collect();
    findings.extend(orchestrator.strangers(&follow));
    if findings.is_empty() { Ok(()) } else { Err(Failure::first_of(findings, "nobody is left behind")) }
}

impl FederationPlan<'_> {
    fn organizations(&self) -> Vec<MspId> {
        self.members.iter().map(|member| member.msp_id.clone()).collect()
    }

    /// Admits those who are in place; closes the gate where the file wants it and nobody was left behind.
    fn admission(&mut self, admitted: &[MspId]) -> Result<Plan> {
        let close = self.orchestrator.federation().orchestrator.gate == GateSpec::Close;
        if close && self.failed.is_empty() {
            match self.orchestrator.admit(admitted, true, &self.log) {
                Err(failure) if failure.code != Code::Drift => self.open = Some(failure),
                other => return other,
            }
        }
        if !self.failed.is_empty() && self.orchestrator.is_in_doubt() {
            // The upgrade would finish closing the gate, and somebody is left behind.
            return Ok(Plan::default());
        }
        match self.orchestrator.admit(admitted, false, &self.log) {
            // What was begun with the gate has to be finished before anybody is admitted by an upgrade of its own.
            Err(failure) if failure.code == Code::GateHalfWay => {
                self.open.get_or_insert(failure);
                Ok(Plan::default())
            }
            other => other,
        }
    }
}
