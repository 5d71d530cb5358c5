//! Every request is judged, and the organization that is meant is settled, before anything is signed.

use std::path::PathBuf;

use super::{Approval, refuse_all, sign::foreign_hosts};
use crate::{
    cluster::ObjectRef,
    failure::{Code, Exit, Failure, Result},
    files,
    names::ReleaseName,
    parallel::parallel,
    pki::{
        authority::Authority,
        fingerprint::{BadFingerprint, Fingerprint},
        inspect::{self, Certificate},
        log::IssueLog,
        policy::{self, BatchRequest, Circumstances, Claim},
        request::Request,
    },
    substra::kebab::kebab_case,
};

/// A request that passed, and its file.
pub(super) struct Passed {
    pub(super) path: PathBuf,
    pub(super) request: Request,
}

impl Passed {
    fn party(&self) -> BatchRequest<'_> {
        let Request { msp_id, hosts, fingerprint, .. } = &self.request;
        BatchRequest { name: self.path.display().to_string(), msp_id, hosts, key: Some(*fingerprint) }
    }
}

impl Approval<'_> {
    /// All requests, or all findings of all of them.
    pub(super) fn judged(&self, authority: &Authority, log: &IssueLog) -> Result<Vec<Passed>> {
        let requests = &self.args.requests;
        let verdicts = self.with_circumstances(authority, log, |circumstances| {
            parallel(requests, |path| -> std::result::Result<Passed, Vec<Failure>> {
                let bytes = files::read(path).map_err(|failure| vec![failure])?;
                let request = policy::judge(&path.display().to_string(), &bytes, circumstances)?;
                Ok(Passed { path: path.clone(), request })
            })
        });
        let (mut passed, mut findings) = (Vec::new(), Vec::new());
        for verdict in verdicts {
            match verdict {
                Ok(one) => passed.push(one),
                Err(found) => findings.extend(found),
            }
        }
        findings.extend(twice(&passed));
        findings.extend(policy::batch_conflicts(&passed.iter().map(Passed::party).collect::<Vec<_>>()));
        // Nobody is asked about a batch that is refused already.
        if findings.is_empty() {
            findings.extend(self.identified(&passed)?);
        }
        if findings.is_empty() { Ok(passed) } else { Err(refuse_all(self.session, findings)) }
    }

    /// What the policy has to know of this orchestrator.
    pub(in crate::commands) fn with_circumstances<T>(
        &self,
        authority: &Authority,
        log: &IssueLog,
        judge: impl FnOnce(&Circumstances<'_>) -> T,
    ) -> T {
        let (release, namespaces) = self.where_it_runs();
        let keys: Vec<String> = self.orchestrator.client_cas.keys().cloned().collect();
        let mut names: Vec<String> =
            namespaces.iter().flat_map(|namespace| self.orchestrator.own_names(&release, namespace)).collect();
        names.extend(self.seen.as_ref().and_then(|seen| seen.found.manifest.probe_name()));
        names.extend(self.server_names());
        judge(&Circumstances {
            members: &self.orchestrator.members,
            client_ca_keys: &keys,
            orchestrator_names: &names,
            burnt: &self.burnt(authority),
            kebab: kebab_case,
            log,
            now: self.session.now,
        })
    }

    fn where_it_runs(&self) -> (String, Vec<String>) {
        if let Some(seen) = &self.seen {
            return (seen.found.name.to_string(), vec![seen.found.release.namespace.clone()]);
        }
        // Offline the walkthrough's names stand in; Helm names a namespace to its plugins whether or not the user did.
        let release = self.args.common.release.as_ref().map_or("orchestrator", ReleaseName::as_str);
        let given = self.args.namespace.iter().map(ToString::to_string);
        (release.to_owned(), given.chain(["orchestrator".to_owned()]).collect())
    }

    /// What the server's own pair covers, where the cluster shows it: exact names only, since a wildcard of the
    /// federation's domain may well cover the backends' hosts too.
    fn server_names(&self) -> Vec<String> {
        let names = self.server().map(|server| server.dns_names).unwrap_or_default();
        names.into_iter().filter(|name| !name.starts_with("*.")).map(|name| name.to_ascii_lowercase()).collect()
    }

    /// Keys that no organization can have: the CA's, and the server's where the cluster shows it.
    fn burnt(&self, authority: &Authority) -> Vec<(Fingerprint, String)> {
        let mut burnt = vec![(authority.fingerprint(), "the certificate authority".to_owned())];
        burnt.extend(self.server().map(|server| (server.fingerprint(), "the orchestrator's server".to_owned())));
        burnt
    }

    /// The server's own certificate, where the cluster shows it.
    fn server(&self) -> Option<Certificate> {
        let pair = self.object(&ObjectRef::secret(self.orchestrator.server_pair.as_str()))?;
        inspect::certificates(&pair.data("tls.crt")?).ok()?.into_iter().next()
    }

    /// `request-fingerprint`: somebody must have compared it over another channel.
    fn identified(&self, passed: &[Passed]) -> Result<Vec<Failure>> {
        let console = &self.session.console;
        let asks = self.args.fingerprint.is_empty() && !self.args.unverified_mail;
        let claim = if asks && console.interactive && !self.session.dry_run {
            Claim::Fingerprints(passed.iter().map(|one| self.typed(one)).collect::<Result<_>>()?)
        } else {
            self.claim()
        };
        let judged = passed.iter().map(|one| policy::identify(&one.path.display().to_string(), &one.request, &claim));
        Ok(judged.filter_map(std::result::Result::err).collect())
    }

    /// Whether anybody compares, for the log.
    pub(super) fn claim(&self) -> Claim {
        if self.args.unverified_mail {
            Claim::UnverifiedMail
        } else {
            Claim::Fingerprints(self.args.fingerprint.clone())
        }
    }

    /// At a terminal the operator types what was read out to them; it is not shown before, so that it is not copied.
    fn typed(&self, passed: &Passed) -> Result<(crate::names::MspId, Fingerprint)> {
        let org = &passed.request.msp_id;
        let console = &self.session.console;
        console.say(format!("{}: a request of {org} for {}", passed.path.display(), hosts(&passed.request)));
        foreign_hosts(&passed.request).into_iter().for_each(|foreign| console.say(format!("  {foreign}")));
        let typed = console.ask(&format!("Fingerprint that {org}'s operator read out to you (8 groups): "))?;
        let fingerprint = typed.parse().map_err(|bad: BadFingerprint| {
            let what = format!("{} is not signed", passed.path.display());
            bad.typed(what).unchanged("nothing was signed and nothing was written")
        })?;
        Ok((org.clone(), fingerprint))
    }
}

pub(super) fn hosts(request: &Request) -> String {
    request.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Two requests of one organization in one batch: which one is meant cannot be known.
fn twice(passed: &[Passed]) -> Vec<Failure> {
    let mut seen = std::collections::BTreeMap::new();
    let mut findings = Vec::new();
    for one in passed {
        if let Some(first) = seen.insert(one.request.msp_id.clone(), &one.path) {
            let what =
                format!("{} is not signed: {} is of {} too", one.path.display(), first.display(), one.request.msp_id);
            findings.push(
                Failure::new(Exit::Refused, Code::OrganizationTwice, what)
                    .why("one organization gets one certificate in a batch")
                    .next("ask that organization which request is meant, and approve that one"),
            );
        }
    }
    findings
}
