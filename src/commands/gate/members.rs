//! Every member of the channels is accounted for before the gate closes: installed, or given up by name.

use super::ObservedOrchestrator;
use crate::{
    commands::gate::CloseArgs,
    failure::{Code, Exit, Failure, Result},
    names::MspId,
    pki::log::IssueLog,
    release::issue_log,
    session::Session,
    substra::unmet,
};

/// Findings for members of whom nothing is known, warnings for those that are given up.
pub(super) fn account_for(gate: &ObservedOrchestrator<'_>, args: &CloseArgs) -> Result<(Vec<Failure>, Vec<String>)> {
    let mut findings: Vec<Failure> = strangers(gate, args).collect();
    let mut waived = Vec::new();
    if gate.values.members.is_empty() {
        findings.push(
            Failure::new(Exit::CheckFailed, Code::NoMembers, "the values name no member of any channel")
                .why("channels[].organizations is empty, so nobody can be accounted for")
                .next("name all -f files of the release, or fill in channels"),
        );
    }
    for member in &gate.values.members {
        let is = |list: &[MspId]| list.iter().any(|org| org.as_str() == member);
        if is(&args.cut_off) {
            waived.push(unmet::given_up(member));
        } else if !is_admitted(gate, member, args) {
            findings.push(not_admitted(member));
        } else if !is(&args.installed) && !vouched(gate.session, member)? {
            findings.push(not_installed(member));
        }
    }
    Ok((findings, waived))
}

/// With the identity check only a key of the organization's own name admits it; without, any will do.
fn is_admitted(gate: &ObservedOrchestrator<'_>, member: &str, args: &CloseArgs) -> bool {
    let cas = &gate.values.client_cas;
    if args.no_verify_mspid && !gate.values.verify_msp_id {
        return !cas.is_empty();
    }
    cas.get(member).is_some_and(|objects| !objects.is_empty())
}

fn vouched(session: &Session<'_>, member: &str) -> Result<bool> {
    if !session.console.interactive || session.dry_run {
        return Ok(false);
    }
    let answer = session.console.ask(&format!("Has {member} confirmed that its pair is installed? [y/N] "))?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// A name that is misspelt must not pass for an answer.
fn strangers<'a>(gate: &'a ObservedOrchestrator<'_>, args: &'a CloseArgs) -> impl Iterator<Item = Failure> + 'a {
    let members = &gate.values.members;
    let unknown = |org: &&MspId| !members.iter().any(|member| member == org.as_str());
    let given = args.installed.iter().chain(&args.cut_off);
    given.filter(unknown).map(|org| unmet::not_a_member(org, members, "--installed and --cut-off"))
}

/// The log; `None` where this account may not list it.
pub(super) fn issue_log(args: &CloseArgs, session: &Session<'_>) -> Result<Option<IssueLog>> {
    let log = match &args.ca_cert {
        Some(certificate) => issue_log::of_named(certificate),
        None => issue_log::of_cluster(session.cluster()?, None),
    };
    match log {
        Err(failure) if failure.code == Code::Forbidden => Ok(None),
        other => other.map(Some),
    }
}

fn not_admitted(member: &str) -> Failure {
    Failure::new(Exit::CheckFailed, Code::NotAdmitted, format!("{member} would be cut off: it is not admitted"))
        .why(format!("orchestrator.tls.mtls.clientCACerts has no key {member}"))
        .next(format!("approve {member}'s request first, or give it up with --cut-off {member}"))
}

fn not_installed(member: &str) -> Failure {
    Failure::new(
        Exit::CheckFailed,
        Code::NotInstalled,
        format!("{member} may be cut off: nobody has confirmed that its pair is installed"),
    )
    .why("a certificate that is signed is not yet installed: only its operator knows when it is")
    .next(format!("ask its operator; then add --installed {member}, or give it up with --cut-off {member}"))
}
