//! Every member of the channels is accounted for before the gate closes: installed, or given up by name.

use super::Gate;
use crate::{
    cli::CloseArgs,
    commands::approve::ledger,
    failure::{Exit, Failure, Result},
    names::MspId,
    pki::{inspect::Certificate, log::IssueLog},
};

impl Gate<'_> {
    /// Findings for members of whom nothing is known, warnings for those that are given up.
    pub(super) fn members(&self, args: &CloseArgs) -> Result<(Vec<Failure>, Vec<String>)> {
        let mut findings: Vec<Failure> = self.strangers(args).collect();
        let mut waived = Vec::new();
        if self.orchestrator.members.is_empty() {
            findings.push(
                Failure::new(Exit::CheckFailed, "no-members", "the values name no member of any channel")
                    .why("channels[].organizations is empty, so nobody can be accounted for")
                    .next("name all -f files of the release, or fill in channels"),
            );
        }
        for member in &self.orchestrator.members {
            let is = |list: &[MspId]| list.iter().any(|org| org.as_str() == member);
            if is(&args.cut_off) {
                waived.push(format!("{member} is given up: if it has no valid pair it is cut off now"));
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
        if !self.desk.console.interactive || self.common.dry_run {
            return Ok(false);
        }
        let answer = self.desk.console.ask(&format!("Has {member} said that its pair is installed? [y/N] "))?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    /// A name that is misspelt must not pass for an answer.
    fn strangers<'b>(&'b self, args: &'b CloseArgs) -> impl Iterator<Item = Failure> + 'b {
        let known = |org: &&MspId| !self.orchestrator.members.iter().any(|member| member == org.as_str());
        args.installed.iter().chain(&args.cut_off).filter(known).map(|org| {
            Failure::new(Exit::CheckFailed, "not-a-member", format!("{org} is not a member of any channel"))
                .why(format!("the members are: {}", self.orchestrator.members.join(", ")))
                .next("check the spelling in --installed and --cut-off")
        })
    }

    /// Certificates of the log that the server would refuse, or that could pose as the orchestrator.
    pub(super) fn dangerous_certificates(&self, args: &CloseArgs) -> Result<Vec<String>> {
        let log = match &args.ca_cert {
            Some(certificate) => ledger::of_file(certificate)?,
            None => match ledger::of_cluster(self.desk.cluster()?, None) {
                Ok(log) => log,
                Err(failure) if failure.code == "forbidden" => {
                    return Ok(vec![
                        "the issue log was not looked at: listing ConfigMaps is not allowed here".to_owned(),
                    ]);
                }
                Err(failure) => return Err(failure),
            },
        };
        Ok(self.dangers(&log))
    }

    /// Those of a log.
    pub(in crate::commands) fn dangers(&self, log: &IssueLog) -> Vec<String> {
        let mut names = self.orchestrator.own_names(self.found.name.as_str(), &self.found.release.namespace);
        names.extend(self.found.manifest.probe_name());
        let alive = log.entries().iter().filter(|entry| entry.not_after > self.desk.now);
        alive.filter_map(|entry| danger(entry.organization.as_str(), &entry.decoded()?, &names)).collect()
    }
}

fn danger(org: &str, certificate: &Certificate, names: &[String]) -> Option<String> {
    let serial = &certificate.serial;
    if certificate.authority_key_id.is_none() {
        return Some(format!("{org}'s certificate {serial} has no authorityKeyIdentifier: the server will refuse it"));
    }
    let poses =
        certificate.dns_names.iter().chain(&certificate.common_names).any(|name| names.contains(&name.to_lowercase()));
    (poses || certificate.server_auth()).then(|| format!("{org}'s certificate {serial} can pose as the orchestrator"))
}

fn not_admitted(member: &str) -> Failure {
    Failure::new(Exit::CheckFailed, "not-admitted", format!("{member} would be cut off: it is not admitted"))
        .why(format!("orchestrator.tls.mtls.clientCACerts has no key {member}"))
        .next(format!("approve {member}'s request first, or give it up with --cut-off {member}"))
}

fn not_installed(member: &str) -> Failure {
    Failure::new(
        Exit::CheckFailed,
        "not-installed",
        format!("{member} may be cut off: nobody has said that its pair is installed"),
    )
    .why("a certificate that was signed a minute ago is not in place yet")
    .next(format!("ask its operator; then add --installed {member}, or give it up with --cut-off {member}"))
}
