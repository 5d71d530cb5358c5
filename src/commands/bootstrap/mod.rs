//! `bootstrap`: a whole federation from one file, in the order that keeps every enrolled backend connected.

mod apart;
mod head;
mod member;
mod posts;
mod tell;
mod work;

use crate::{
    cli::BootstrapArgs,
    commands::ca::authority::Ca,
    failure::{Code, Failure, Result},
    federation::{Federation, Gate},
    files,
    names::MspId,
    parallel,
    parallel::{at_most, side_by_side},
    pki::{authority::Authority, log::IssueLog},
    plan,
    release::Edited,
    report::{Console, Outcome},
    session::Session,
};

pub use self::posts::Open;
use self::{
    head::Head,
    member::{Member, Part, Signer},
    posts::{HeadPost, Post},
};

const VERB: &str = "bootstrap";

/// Everything that would be done, in its order.
struct Plan<'a> {
    /// The orchestrator's CA and TLS.
    first: plan::Plan,
    /// The organizations, side by side.
    parts: Vec<Part<'a>>,
    /// Organizations that cannot be worked on, and why.
    failed: Vec<(MspId, Failure)>,
    /// The orchestrator as the first part leaves it.
    head: Head<'a>,
    log: IssueLog,
    /// What signs for those who need a pair.
    authority: Option<&'a Authority>,
    /// Admission and gate.
    last: plan::Plan,
    /// Why the gate stays open although the file wants it closed.
    open: Option<Failure>,
}

/// Reads the file, opens the clusters, and does what is missing.
///
/// # Errors
/// The file is refused, the orchestrator cannot be worked on, or an organization was left behind.
pub fn run(args: &BootstrapArgs, session: &Session<'_>, open: Open<'_>) -> Result<Outcome> {
    let federation = Federation::read(&args.federation)?;
    // Two runs from one file would sign twice and upgrade against each other.
    let lock = files::lock(&args.federation)?;
    // Whoever signs under one CA signs alone, approve or another federation file alike.
    let signs =
        federation.orchestrator.ca.certificate().map(files::followed).filter(|certificate| certificate.exists());
    let alone = signs.as_deref().map(files::lock).transpose()?;
    let outcome = carry_out(&federation, args, session, open);
    drop((lock, alone));
    Ok(if args.dry_run { outcome?.of_dry_run() } else { outcome? })
}

/// The same for a federation that is at hand.
///
/// # Errors
/// The orchestrator cannot be worked on; what is left behind is told by the result.
pub fn carry_out(
    federation: &Federation,
    args: &BootstrapArgs,
    session: &Session<'_>,
    open: Open<'_>,
) -> Result<Outcome> {
    let session = &session.limited(args.dry_run, args.timeout);
    let head_post = HeadPost::new(federation, args, open)?;
    let posts: Vec<Post<'_>> =
        federation.organizations.iter().map(|org| Post::new(org, args, open)).collect::<Result<_>>()?;
    let quiet = session.like(None, Console { quiet: true, ..session.console });
    let head_session = posts::session(&*head_post.cluster, session);
    let sessions: Vec<Session<'_>> = posts.iter().map(|post| posts::session(&*post.cluster, &quiet)).collect();
    let berths: Vec<(&Post<'_>, &Session<'_>)> = posts.iter().zip(&sessions).collect();
    let (head, members) = side_by_side(
        || Head::observe(&head_post, &head_session, federation, args.install),
        || at_most(args.parallel.into(), &berths, |(post, session)| Member::observe(post, session, args.install)),
    );
    let names = federation.organizations.iter().map(|org| &org.msp_id);
    let head = head?;
    let asked = head.asked()?;
    let mut ca = head.ca(&asked)?;
    let whole = planned(head, &mut ca, names.zip(members))?;
    work::carry_out(whole, args, session)
}

/// One plan for all.
fn planned<'a>(
    head: Head<'a>,
    ca: &'a mut Ca<'_>,
    observed: impl Iterator<Item = (&'a MspId, Result<Member<'a>>)>,
) -> Result<Plan<'a>> {
    let (first, head) = head.set_up(ca)?;
    let ca = &*ca;
    let certificate = &ca.certificate;
    let (mut failed, mut members) = (Vec::new(), Vec::new());
    for (msp_id, member) in observed {
        match member.and_then(|member| Ok((member.needs_pair(&head, certificate)?, member))) {
            Ok(member) => members.push(member),
            Err(failure) => failed.push((msp_id.clone(), failure)),
        }
    }
    let members = read_alike(members, &head, &mut failed)?;
    apart::pairs(members.iter().map(|(_, member)| member))?;
    apart::identities(&members)?;
    let all: Vec<MspId> = members.iter().map(|(_, member)| member.msp_id.clone()).collect();
    let signs = members.iter().any(|(needs, _)| *needs);
    let approval = head.approval(&all)?;
    head.knows(certificate, &approval)?;
    let close = head.federation.orchestrator.gate == Gate::Close;
    let log = if signs || (close && !head.is_closed()) { approval.ledger()? } else { IssueLog::default() };
    let authority = signs.then(|| ca.authority()).transpose()?;
    let signer = authority.map(|authority| Signer { approval: &approval, authority, ledger: &log });
    let parts = parallel::parallel(members, |(needs, member)| {
        let msp_id = member.msp_id.clone();
        (msp_id, member.plan(&head, certificate, signer.as_ref().filter(|_| needs)))
    });
    let mut planned = Vec::new();
    for (msp_id, part) in parts {
        match part {
            Ok(part) => planned.push(part),
            Err(failure) => failed.push((msp_id, failure)),
        }
    }
    all_can_follow(&first, &head, &failed, &planned)?;
    let mut plan =
        Plan { first, parts: planned, failed, log, head, last: plan::Plan::default(), authority, open: None };
    let admitted = plan.organizations();
    plan.last = plan.admission(&admitted)?;
    apart::edits(&plan)?;
    Ok(plan)
}

/// Helm's own reading of every edited file, in one call for all; whose file it reads otherwise is left out.
fn read_alike<'a>(
    members: Vec<(bool, Member<'a>)>,
    head: &Head<'_>,
    failed: &mut Vec<(MspId, Failure)>,
) -> Result<Vec<(bool, Member<'a>)>> {
    let edited: Vec<_> = members.iter().filter_map(|(_, member)| member.edited()).collect();
    if edited.is_empty() {
        return Ok(members);
    }
    let mut readings = Edited::all_proven_by(&edited, head.session.cluster()?)?.into_iter();
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
fn all_can_follow(first: &plan::Plan, head: &Head<'_>, failed: &[(MspId, Failure)], parts: &[Part<'_>]) -> Result<()> {
    if !first.cuts_off {
        return Ok(());
    }
    let follow: Vec<MspId> = parts.iter().map(|part| part.msp_id.clone()).collect();
    let mut findings: Vec<Failure> = failed
        .iter()
        .map(|(msp_id, failure)| {
            let what = format!("{msp_id} would be cut off by the orchestrator's upgrade: {}", failure.what);
            Failure { what, ..failure.clone() }
        })
        .collect();
    findings.extend(head.strangers(&follow));
    if findings.is_empty() { Ok(()) } else { Err(posts::first(findings, "nobody is left behind")) }
}

impl Plan<'_> {
    fn organizations(&self) -> Vec<MspId> {
        self.parts.iter().map(|part| part.msp_id.clone()).collect()
    }

    /// Admits those who are in place; closes the gate where the file wants it and nobody was left behind.
    fn admission(&mut self, admitted: &[MspId]) -> Result<plan::Plan> {
        let close = self.head.federation.orchestrator.gate == Gate::Close;
        if close && self.failed.is_empty() {
            match self.head.admit(admitted, true, &self.log) {
                Err(failure) if failure.code != Code::Drift => self.open = Some(failure),
                other => return other,
            }
        }
        if !self.failed.is_empty() && self.head.is_in_doubt() {
            // The upgrade would finish closing the gate, and somebody is left behind.
            return Ok(plan::Plan::default());
        }
        match self.head.admit(admitted, false, &self.log) {
            // What was begun with the gate has to be finished before anybody is admitted by an upgrade of its own.
            Err(failure) if failure.code == Code::GateHalfWay => {
                self.open.get_or_insert(failure);
                Ok(plan::Plan::default())
            }
            other => other,
        }
    }
}
