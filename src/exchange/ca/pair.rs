//! The server pair: whether it stays, whether it may be replaced, and the new one.

use std::path::PathBuf;

use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::PlannedCa;
use crate::{
    cluster::{Object, PAIR_TYPE},
    command_line::CommandLine,
    exchange::unsigned,
    failure::{Code, Next, Result},
    names::{Hostname, ObjectName},
    pki::{
        inspect::Certificate,
        key::PrivateKey,
        server::{self, NewServerPair, ServerPair},
    },
    plan::{Action, Step, StepId},
};

/// What a pair is checked by.
pub(super) struct PairRenewal<'a> {
    pub(super) ca: &'a PlannedCa<'a>,
    /// The CAs that the orchestrator will trust.
    pub(super) trusted: Vec<Certificate>,
    /// What has to be covered.
    pub(super) names: Vec<Hostname>,
    pub(super) now: OffsetDateTime,
    /// kubectl where the pair is, for what a person has to decide.
    pub(super) kubectl: CommandLine,
}

impl PairRenewal<'_> {
    /// Why a new pair is needed: a fault, or the last third of its life where a new one would live longer.
    pub(super) fn due(&self, found: Option<&ServerPair>) -> Option<String> {
        let names = self.names.iter().map(Hostname::as_str);
        let fault = server::fault(found, names, &self.trusted, self.now).map(|fault| fault.why);
        let old =
            found.map(|pair| &pair.leaf).filter(|leaf| leaf.is_in_last_third(self.now) && !self.reaches_end(leaf));
        fault.or_else(|| {
            old.map(|old| format!("it is in the last third of its life, which expires on {}", old.not_after.date()))
        })
    }

    /// A warning where no new pair could live longer.
    pub(super) fn ends_with_the_ca(&self, leaf: &Certificate) -> Option<String> {
        let end = leaf.not_after.date();
        let warned = leaf.is_in_last_third(self.now) && self.reaches_end(leaf);
        warned.then(|| {
            format!("the server pair expires on {end} with the CA, and everybody is cut off then: plan a new CA")
        })
    }

    fn reaches_end(&self, leaf: &Certificate) -> bool {
        leaf.not_after + Duration::DAY > self.ca.certificate.not_after
    }

    /// A good pair of another CA is somebody's work: backends may trust that CA alone.
    pub(super) fn may_replace(
        &self,
        name: &ObjectName,
        cert_manager: bool,
        found: Option<&ServerPair>,
        why: &str,
    ) -> Result<()> {
        if cert_manager {
            return Err(unsigned(Code::PairByCertManager, format!("the server pair {name} is cert-manager's to make"))
                .why(format!("orchestrator.tls.createCertificates.enabled is on, and of the pair: {why}"))
                .next("let cert-manager make it with all names and both usages, or turn createCertificates off, then run this again"));
        }
        let alive = |leaf: &&Certificate| leaf.not_before <= self.now && self.now < leaf.not_after;
        let foreign = |leaf: &&Certificate| leaf.issuer_der != self.ca.certificate.subject_der;
        let leaf = found.filter(|pair| pair.fits()).map(|pair| &pair.leaf).filter(alive).filter(foreign);
        let Some(leaf) = leaf else { return Ok(()) };
        let end = leaf.not_after.date();
        Err(unsigned(
            Code::PairOfAnotherCa,
            format!("Secret {name} holds a server pair of another CA, good until {end}"),
        )
        .why(format!("{} issued it, and it cannot stay: {why}", leaf.issuer))
        .next(
            Next::from("if no backend trusts that CA any more: keep a copy, then run this again after: ")
                .command(self.kubectl.clone().with("delete secret").word(name))
                .words("; else have that CA make a better pair"),
        ))
    }

    /// A new pair, for this key where one is there. Names of the old one that is ours are kept, since somebody may dial them.
    pub(super) fn make(
        mut self,
        key: Option<PrivateKey>,
        old: Option<&ServerPair>,
        warnings: &mut Vec<String>,
    ) -> Result<Halves> {
        let ours = old.map(|pair| &pair.leaf).filter(|leaf| leaf.is_signed_by(&self.ca.certificate));
        for name in ours.iter().flat_map(|leaf| &leaf.dns_names) {
            match name.parse::<Hostname>() {
                Ok(host) if self.names.contains(&host) => {}
                Ok(host) => self.names.push(host),
                Err(_) => warnings.push(format!(
                    "the old server pair covered {name:?} and the new one does not: name the hosts that are dialled with --host"
                )),
            }
        }
        let authority = self.ca.authority()?;
        let made = match key {
            Some(key) => server::make_for(key, authority, &self.names, self.now),
            None => server::make(authority, &self.names, self.now),
        }?;
        if made.issued.cut_to_ca_end {
            warnings.push(format!("the server pair is cut to the CA's end, {}", made.issued.not_after.date()));
        }
        Halves::of(&made)
    }
}

/// A pair to be put in place, each half as it will stand there.
pub(super) struct Halves {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Zeroizing<String>,
    pub(super) leaf: Certificate,
    /// The file that it is taken from; none where this run makes it.
    pub(super) from: Option<PathBuf>,
}

impl Halves {
    fn of(made: &NewServerPair) -> Result<Self> {
        let leaf = Certificate::from_der(&made.issued.der)?;
        Ok(Self { certificate: made.issued.pem.clone().into_bytes(), key: made.key.to_pem(), leaf, from: None })
    }
}

/// A pair that stays, freed of the copy that client-side apply may have left beside it.
pub(super) fn stays(secret: &Object, leaf: &Certificate) -> Step {
    let title = format!("Secret {}: server pair {}", secret.name(), leaf.serial);
    Step::to_do(StepId::ServerPair, title, Action::Replace(secret.with_data(&[])))
        .already_if(!secret.has_last_applied())
}

/// Both halves in one write, with the note of what running pods have to be started with.
pub(super) fn step(
    name: &ObjectName,
    secret: Option<&Object>,
    made: &Halves,
    (key, note): (&str, Option<&str>),
    release: &str,
) -> Step {
    let data: [(&str, &[u8]); 2] = [("tls.crt", &made.certificate), ("tls.key", made.key.as_bytes())];
    let title = match &made.from {
        None => format!("Secret {name}: a new server pair"),
        Some(file) => format!("Secret {name}: the server pair of {}", file.display()),
    };
    let labels = [("substra-mtls/release", release)];
    let action = match secret {
        Some(old) => Action::Replace(old.with_data(&data).with_annotation(key, note)),
        None => Action::Create(Object::secret(name.as_str(), PAIR_TYPE, &labels, &data).with_annotation(key, note)),
    };
    Step::to_do(StepId::ServerPair, title, action)
}
