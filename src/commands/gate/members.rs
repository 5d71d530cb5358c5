//! Every member of the channels is accounted for before the gate closes: installed, or given up by name.

use super::Gate;
use crate::{
    cli::CloseArgs,
    cluster::ObjectRef,
    failure::{Code, Exit, Failure, Result},
    names::MspId,
    pki::{inspect::Certificate, log::IssueLog},
    release::{
        issue_log, issued,
        mounts::{self, read_pair},
    },
    substra::unmet,
};

impl Gate<'_> {
    /// Findings for members of whom nothing is known, warnings for those that are given up.
    pub(super) fn members(&self, args: &CloseArgs) -> Result<(Vec<Failure>, Vec<String>)> {
        let mut findings: Vec<Failure> = self.strangers(args).collect();
        let mut waived = Vec::new();
        if self.orchestrator.members.is_empty() {
            findings.push(
                Failure::new(Exit::CheckFailed, Code::NoMembers, "the values name no member of any channel")
                    .why("channels[].organizations is empty, so nobody can be accounted for")
                    .next("name all -f files of the release, or fill in channels"),
            );
        }
        for member in &self.orchestrator.members {
            let is = |list: &[MspId]| list.iter().any(|org| org.as_str() == member);
            if is(&args.cut_off) {
                waived.push(unmet::given_up(member));
            } else if !self.is_admitted(member, args) {
                findings.push(not_admitted(member));
            } else if !is(&args.installed) && !self.vouched(member)? {
                findings.push(not_installed(member));
            }
        }
        Ok((findings, waived))
    }

    /// With the identity check only a key of the organization's own name admits it; without, any will do.
    fn is_admitted(&self, member: &str, args: &CloseArgs) -> bool {
        let cas = &self.orchestrator.client_cas;
        if args.no_verify_mspid && !self.orchestrator.verify_msp_id {
            return !cas.is_empty();
        }
        cas.get(member).is_some_and(|objects| !objects.is_empty())
    }

    fn vouched(&self, member: &str) -> Result<bool> {
        if !self.session.console.interactive || self.session.dry_run {
            return Ok(false);
        }
        let answer = self.session.console.ask(&format!("Has {member} said that its pair is installed? [y/N] "))?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    /// A name that is misspelt must not pass for an answer.
    fn strangers<'b>(&'b self, args: &'b CloseArgs) -> impl Iterator<Item = Failure> + 'b {
        let known = |org: &&MspId| !self.orchestrator.members.iter().any(|member| member == org.as_str());
        args.installed
            .iter()
            .chain(&args.cut_off)
            .filter(known)
            .map(|org| unmet::not_a_member(org, &self.orchestrator.members, "--installed and --cut-off"))
    }

    /// The log; `None` where this account may not list it.
    pub(super) fn issue_log(&self, args: &CloseArgs) -> Result<Option<IssueLog>> {
        let log = match &args.ca_cert {
            Some(certificate) => issue_log::of_named(certificate),
            None => issue_log::of_cluster(self.session.cluster()?, None),
        };
        match log {
            Err(failure) if failure.code == Code::Forbidden => Ok(None),
            other => other.map(Some),
        }
    }

    /// What is wrong with the certificates of a log and with the CAs that come alive with the gate, in the words of
    /// `check`. A CA that has signed what the log has is the federation's.
    pub(in crate::commands) fn dangers(&self, log: Option<&IssueLog>) -> Vec<String> {
        let cas = self.mounts(&self.found.manifest).authorities(&self.orchestrator);
        let is_known = |ca: &Certificate| log.is_some_and(|log| log.knows(ca.fingerprint()));
        let foreign = mounts::foreign(&self.orchestrator, &cas, is_known).into_iter().map(|foreign| foreign.said);
        let Some(log) = log else {
            let unseen = "the issue log was not looked at: listing ConfigMaps is not allowed here".to_owned();
            return foreign.chain([unseen]).collect();
        };
        let pair = read_pair(ObjectRef::secret(self.orchestrator.server_pair.as_str()).among(&self.objects));
        let names = issued::names(&self.orchestrator, &self.found, pair.as_ref().map(|pair| &pair.leaf));
        let troubles = issued::troubles(log, &names, self.session.now).into_iter().map(|(_, trouble)| trouble.said);
        foreign.chain(troubles).collect()
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
        format!("{member} may be cut off: nobody has said that its pair is installed"),
    )
    .why("a certificate that was signed a minute ago is not in place yet")
    .next(format!("ask its operator; then add --installed {member}, or give it up with --cut-off {member}"))
}
