//! The server pair in two files beside the CA's: made and renewed there without a cluster, and taken over from there.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{
    CaSource, PlannedCa,
    pair::{Halves, PairRenewal},
    server::{self, ServerPairPlan},
};
use crate::{
    failure::{Code, Exit, Failure, Result},
    files::{self, target},
    names::{Hostname, Namespace, ReleaseName},
    pki::{
        inspect::{self, Certificate},
        key::PrivateKey,
        server::ServerPair,
    },
    plan::{Action, Plan, Step, StepId},
    session::Session,
    substra::orchestrator::Orchestrator,
};

/// Where the two halves are, or shall be.
pub(crate) struct PairFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// The release that a pair is for, where no cluster is looked at.
pub(crate) struct OfflineTarget<'a> {
    pub(crate) release: &'a ReleaseName,
    pub(crate) namespace: &'a Namespace,
    pub(crate) orchestrator: &'a Orchestrator,
    /// Hosts beside those of the values.
    pub(crate) hosts: &'a [Hostname],
}

impl PairFiles {
    /// Named after the pair's Secret, in the folder of the CA's files; none where the CA is in a Secret.
    pub(crate) fn beside(source: &CaSource, orchestrator: &Orchestrator) -> Option<Self> {
        let CaSource::Files { certificate, .. } = source else { return None };
        let folder = certificate.parent().unwrap_or(Path::new(""));
        let file = |end| files::in_folder(folder, &format!("{}.{end}", orchestrator.server_pair));
        Some(Self { certificate: file("crt"), key: file("key") })
    }

    /// Plans the two files. A key is never replaced; a certificate only where this CA issued it, for the key beside it.
    ///
    /// # Errors
    /// A file that is not one of these, a name that no certificate can carry, a CA that cannot sign.
    pub(crate) fn plan(
        &self,
        site: &OfflineTarget<'_>,
        ca: &PlannedCa<'_>,
        session: &Session<'_>,
    ) -> Result<ServerPairPlan> {
        let OfflineTarget { release, namespace, orchestrator, hosts } = *site;
        let (release, namespace) = (release.as_str(), namespace.as_str());
        let own = orchestrator.own_names(release, namespace).into_iter();
        let renewal_of = PairRenewal {
            ca,
            trusted: vec![ca.certificate.clone()],
            names: server::hosts(own.chain([orchestrator.probe_name(release, namespace)]), hosts)?,
            now: session.now,
            kubectl: session.kubectl(namespace),
        };
        let (key, found) = self.found(&ca.certificate)?;
        let due = renewal_of.due(found.as_ref());
        let mut warnings = Vec::new();
        if let (None, Some(found)) = (&due, &found) {
            warnings.extend(renewal_of.ends_with_the_ca(&found.leaf));
            let steps = [self.key_step(found.key.to_pem(), true), self.certificate_step(&[], true)];
            let plan = Plan::of(steps).warn(warnings);
            return Ok(ServerPairPlan {
                plan,
                restarts: false,
                renewal: None,
                from: None,
                certificate: found.leaf.clone(),
            });
        }
        let why = due.filter(|_| found.is_some()).unwrap_or_else(|| "there is none yet".to_owned());
        renewal_of.may_replace(&orchestrator.server_pair, orchestrator.cert_manager, None, &why)?;
        let is_there = key.is_some();
        let made = renewal_of.make(key, found.as_ref(), &mut warnings)?;
        let steps = [self.key_step(made.key, is_there), self.certificate_step(&made.certificate, false)];
        let plan = Plan::of(steps).warn(warnings);
        Ok(ServerPairPlan { plan, restarts: false, renewal: Some(why), from: None, certificate: made.leaf })
    }

    /// The pair of the files where it can serve in place of one that cannot, or that somebody has renewed here.
    ///
    /// # Errors
    /// A file cannot be read, or others can read the key.
    pub(super) fn taken_over(
        &self,
        renewal_of: &PairRenewal<'_>,
        old: Option<&ServerPair>,
        warnings: &mut Vec<String>,
    ) -> Result<Option<Halves>> {
        let (Some(certificate), true) = (files::read_if_there(&self.certificate)?, files::is_there(&self.key)) else {
            return Ok(None);
        };
        let key = files::read_private(&self.key)?;
        let is_not_used = |why: &str| format!("the server pair in {} is not used: {why}", self.certificate.display());
        let Some(pair) = ServerPair::read(&certificate, &key) else {
            warnings.push(is_not_used("it or its key cannot be read"));
            return Ok(None);
        };
        if let Some(why) = renewal_of.due(Some(&pair)) {
            warnings.push(is_not_used(&why));
            return Ok(None);
        }
        let lost = old.iter().flat_map(|old| &old.leaf.dns_names).filter(|name| !pair.leaf.dns_names.contains(name));
        warnings.extend(lost.map(|name| format!("the old server pair covered {name:?} and the new one does not")));
        Ok(Some(Halves {
            certificate: certificate.to_vec(),
            key: pair.key.to_pem(),
            leaf: pair.leaf,
            from: Some(self.certificate.clone()),
        }))
    }

    /// The key that is there, and the pair where the certificate is there too.
    fn found(&self, ca: &Certificate) -> Result<(Option<PrivateKey>, Option<ServerPair>)> {
        let certificate = files::read_if_there(&self.certificate)?;
        if !files::is_there(&self.key) {
            return if certificate.is_none() { Ok((None, None)) } else { Err(self.without_key()) };
        }
        let kept = files::read_private(&self.key)?;
        let read = |pem: &[u8]| PrivateKey::from_pem(pem, None).ok();
        let key = read(&kept).ok_or_else(|| target::foreign(&self.key, "no private key that can be read"))?;
        let Some(certificate) = certificate else { return Ok((Some(key), None)) };
        let foreign = |not| Err(target::foreign(&self.certificate, not));
        let chain = inspect::certificates(&certificate).unwrap_or_default();
        let Some(pair) = ServerPair::read(&certificate, &kept).filter(|_| !chain.is_empty()) else {
            return foreign("no certificate");
        };
        match () {
            () if !pair.fits() => foreign("the certificate of another key"),
            () if !pair.leaf.is_signed_by(ca) => foreign("a certificate of another CA"),
            () => Ok((Some(key), Some(pair))),
        }
    }

    fn without_key(&self) -> Failure {
        let (certificate, key) = (self.certificate.display(), self.key.display());
        Failure::new(Exit::Refused, Code::TargetForeign, format!("{certificate} is not replaced: its key is not here"))
            .why(format!("{key} is missing, and a new pair would replace a certificate that may be in use"))
            .next(format!("put {key} back; for a new pair move {certificate} away, then run this again"))
            .unchanged("nothing was signed and nothing was written")
    }

    fn key_step(&self, pem: Zeroizing<String>, done: bool) -> Step {
        let action = Action::KeyFile { path: self.key.clone(), pem };
        Step::to_do(StepId::ServerKey, format!("server key {}, mode 0600", self.key.display()), action).already_if(done)
    }

    fn certificate_step(&self, pem: &[u8], done: bool) -> Step {
        let action = Action::Publish { path: self.certificate.clone(), bytes: pem.to_vec() };
        Step::to_do(StepId::ServerCertificate, format!("server certificate {}", self.certificate.display()), action)
            .already_if(done)
    }
}
