//! The federation's CA: taken over where it is, completed where a run was cut short, made where there is none.

use std::{
    cell::OnceCell,
    path::{Path, PathBuf},
};

use time::OffsetDateTime;
use zeroize::Zeroizing;

pub(crate) use self::{
    key::unlocked,
    object::{Pem, ca_object, kept_in},
};
use super::{NOT_SIGNED, unsigned};
use crate::{
    cluster::{Object, ObjectRef, PAIR_TYPE},
    failure::{Code, Failure, Result},
    files,
    names::ObjectName,
    pki::{
        authority::{self, Authority},
        inspect::{self, Certificate},
        key::{KeyError, KeyType, PrivateKey},
    },
    plan::{Action, Plan, Step, StepId},
    release::{ClusterState, issue_log},
    session::Session,
    substra::kind::ObjectKind,
};

mod key;
mod object;
mod pair;
pub(crate) mod pair_files;
pub(crate) mod server;
pub(crate) mod set_up;

/// Where the CA is kept, or shall be.
#[derive(Clone)]
pub(crate) enum CaSource {
    /// In two files.
    Files { certificate: PathBuf, key: PathBuf },
    /// In a Secret of the orchestrator's namespace: `tls.crt`, `tls.key`.
    Secret(ObjectName),
}

/// How the CA is asked for.
pub(crate) struct CaRequest<'a> {
    pub(crate) source: CaSource,
    /// A new key is encrypted.
    pub(crate) encrypt: bool,
    pub(crate) passphrase_fd: Option<u32>,
    pub(crate) session: &'a Session<'a>,
}

/// The CA as it is, or as the steps make it.
pub(crate) struct PlannedCa<'a> {
    pub(crate) certificate: Certificate,
    /// Its key is made here.
    pub(crate) is_new: bool,
    /// What makes it; already done for one that is there.
    pub(crate) plan: Plan,
    request: &'a CaRequest<'a>,
    /// Its key as it is kept; none where only the certificate is at hand.
    kept: Option<Zeroizing<Vec<u8>>>,
    opened: OnceCell<Authority>,
}

impl CaSource {
    /// What must not be lost: who loses the key can admit nobody any more, who loses the log may answer a request twice.
    pub(crate) fn back_up(&self) -> Vec<String> {
        match self {
            Self::Files { certificate, key } => vec![
                format!("{} (the CA's key)", key.display()),
                format!("{} (the issue log, once approve has signed)", issue_log::beside(certificate).display()),
            ],
            Self::Secret(name) => vec![
                format!("Secret {name} (the CA's key)"),
                format!("ConfigMaps labelled substra-mtls/issue-log={name} (the issue log, once approve has signed)"),
            ],
        }
    }

    /// The walkthrough's two names in a folder.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let file = |name| files::in_folder(folder, name);
        Self::Files { certificate: file("orchestrator-ca.crt"), key: file("orchestrator-ca.key") }
    }

    /// The object that has to be looked at.
    pub(crate) fn object(&self) -> Option<ObjectRef> {
        match self {
            Self::Files { .. } => None,
            Self::Secret(name) => Some(ObjectRef::secret(name.as_str())),
        }
    }
}

impl<'a> CaRequest<'a> {
    /// The CA, with what the cluster trusts already: `cacert` is its object, and `cluster` has that and the Secret of the
    /// source, where they are there.
    ///
    /// # Errors
    /// A CA that cannot be used, a key that cannot be opened, another CA in the cluster.
    pub(crate) fn find(&'a self, cluster: &ClusterState, cacert: &ObjectName) -> Result<PlannedCa<'a>> {
        let ClusterState { release, objects } = cluster;
        let live = trusted(objects, (release.kind_of(cacert.as_str()), cacert), self.session.now);
        let ca = match &self.source {
            CaSource::Files { certificate, key } => self.in_files(certificate, key, &live)?,
            CaSource::Secret(name) => self.in_secret(name, ObjectRef::secret(name.as_str()).find_in(objects), &live)?,
        };
        if live.is_empty() || live.iter().any(|live| live.spki == ca.certificate.spki) {
            return Ok(ca);
        }
        Err(elsewhere(Code::CaNotTheClusters, cacert, &live)
            .why(format!("its key is {}, that of the CA given is {}", prints(&live), ca.certificate.fingerprint()))
            .next("name the CA that is in use; replacing it cuts off everybody and is not done by this command"))
    }

    /// The CA in its files, where no cluster is looked at.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub(crate) fn offline(&'a self) -> Result<PlannedCa<'a>> {
        match &self.source {
            CaSource::Files { certificate, key } => self.in_files(certificate, key, &[]),
            CaSource::Secret(name) => Err(Failure::bug(format!("Secret {name} was asked for without a cluster"))),
        }
    }

    fn in_files(&'a self, certificate: &Path, key: &Path, live: &[Certificate]) -> Result<PlannedCa<'a>> {
        let there = files::read_if_there(certificate)?;
        let kept = files::read_if_there(key)?.map(|_| files::read_private(key)).transpose()?;
        let certificate_step = |pem: &[u8], done| {
            let action = Action::Publish { path: certificate.to_owned(), bytes: pem.to_vec() };
            Step::to_do(StepId::CaCertificate, format!("CA certificate {}", certificate.display()), action)
                .already_if(done)
        };
        match (there, kept) {
            (Some(pem), kept) => {
                let ca = self.taken_over(&pem, kept)?;
                Ok(ca.made_by([certificate_step(&pem, true)]))
            }
            // Cut short between the two, or the certificate is lost: the cluster has it, or it is made for this key.
            (None, Some(kept)) => {
                let key = unlocked(&kept, self.passphrase_fd, self.session.console)?;
                files::probe_folder(certificate.parent().unwrap_or(Path::new("")))?;
                let known = live.iter().find(|live| live.spki == key.spki());
                let pem =
                    known.map_or_else(|| authority::root_for(&key, self.session.now), |live| Ok(live.to_pem()))?;
                Ok(self.opened(pem.as_bytes(), key)?.made_by([certificate_step(pem.as_bytes(), false)]))
            }
            (None, None) => {
                is_first(certificate, live)?;
                files::probe_folder(certificate.parent().unwrap_or(Path::new("")))?;
                let (private, pem) = authority::create_root(KeyType::default(), self.session.now)?;
                let action = Action::KeyFile { path: key.to_owned(), pem: self.kept(&private)? };
                let key_step = Step::to_do(StepId::CaKey, format!("CA key {}, mode 0600", key.display()), action);
                let steps = [key_step, certificate_step(pem.as_bytes(), false)];
                Ok(PlannedCa { is_new: true, ..self.opened(pem.as_bytes(), private)? }.made_by(steps))
            }
        }
    }

    /// Both halves in one write.
    fn in_secret(&'a self, name: &ObjectName, secret: Option<&Object>, live: &[Certificate]) -> Result<PlannedCa<'a>> {
        let title = format!("Secret {name}: the CA's certificate and key");
        let Some(secret) = secret else {
            is_first(Path::new(name.as_str()), live)?;
            let (key, pem) = authority::create_root(KeyType::default(), self.session.now)?;
            let private = key.to_pem();
            let data: [(&str, &[u8]); 2] = [("tls.crt", pem.as_bytes()), ("tls.key", private.as_bytes())];
            let action = Action::Create(Object::secret(name.as_str(), PAIR_TYPE, &[], &data));
            let ca = PlannedCa { is_new: true, ..self.opened(pem.as_bytes(), key)? };
            return Ok(ca.made_by([Step::to_do(StepId::CaSecret, title, action)]));
        };
        let (certificate, key) = kept_in(name, Some(secret), "another name for a new one")?;
        let ca = self.taken_over(&certificate, Some(key))?;
        let step = Step::to_do(StepId::CaSecret, title, Action::Create(secret.clone())).already_if(true);
        Ok(ca.made_by([step]))
    }

    /// A CA in use passes the checks before anything is done with it. An encrypted key is opened once it has to sign.
    fn taken_over(&'a self, pem: &[u8], kept: Option<Zeroizing<Vec<u8>>>) -> Result<PlannedCa<'a>> {
        let (certificate, mut warnings) =
            authority::examine(pem, self.session.now).map_err(|findings| self.session.refused(findings, NOT_SIGNED))?;
        let is_encrypted =
            kept.as_ref().map(|kept| PrivateKey::from_pem(kept, None).err() == Some(KeyError::PassphraseNeeded));
        if self.encrypt && is_encrypted == Some(false) {
            warnings.push("the CA's key is there and stays as it is, without a passphrase".to_owned());
        }
        if is_encrypted.is_none() {
            warnings.push("the CA's key is not here: nothing can be signed".to_owned());
        }
        let ca = PlannedCa {
            certificate,
            is_new: false,
            plan: Plan::default().warn(warnings),
            request: self,
            kept,
            opened: OnceCell::new(),
        };
        if is_encrypted == Some(false) {
            ca.authority()?;
        }
        Ok(ca)
    }

    fn opened(&'a self, pem: &[u8], key: PrivateKey) -> Result<PlannedCa<'a>> {
        let (authority, warnings) = Authority::load(pem, key, self.session.now)
            .map_err(|findings| self.session.refused(findings, NOT_SIGNED))?;
        let certificate = authority.certificate().clone();
        let opened = OnceCell::from(authority);
        let plan = Plan::default().warn(warnings);
        Ok(PlannedCa { certificate, is_new: false, plan, request: self, kept: None, opened })
    }

    fn kept(&self, key: &PrivateKey) -> Result<Zeroizing<String>> {
        // A dry run asks no passphrase for a key that will not be kept.
        if !self.encrypt || self.session.dry_run {
            return Ok(key.to_pem());
        }
        key.to_encrypted_pem(&key::new_passphrase(self.passphrase_fd, self.session.console)?)
    }
}

impl PlannedCa<'_> {
    fn made_by(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.plan.steps.extend(steps);
        self
    }

    /// The CA ready to sign; its key is opened at the first time.
    ///
    /// # Errors
    /// There is no key, or it does not open, or is another's.
    pub(crate) fn authority(&self) -> Result<&Authority> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let kept = self.kept.as_ref().ok_or_else(|| {
            unsigned(Code::CaKeyMissing, "the CA's key is needed to sign, and is not there")
                .why(format!("the certificate of {} is there without its key", self.certificate.subject))
                .next("put the key back from its backup, beside the certificate")
        })?;
        let session = self.request.session;
        let key = unlocked(kept, self.request.passphrase_fd, session.console)?;
        let pem = self.certificate.to_pem();
        let (authority, _) = Authority::load(pem.as_bytes(), key, session.now)
            .map_err(|findings| session.refused(findings, NOT_SIGNED))?;
        Ok(self.opened.get_or_init(|| authority))
    }
}

/// The CAs that the orchestrator's object holds and that are good now. An object of the other kind counts only where the
/// one that is mounted holds none: it may be left over from long ago.
fn trusted(objects: &[Object], (kind, cacert): (ObjectKind, &ObjectName), now: OffsetDateTime) -> Vec<Certificate> {
    let good = |kind| -> Vec<Certificate> {
        let object = ObjectRef::of_kind(kind, cacert.as_str()).find_in(objects);
        let held = object.and_then(|object| inspect::certificates(&object.data("ca.crt")?).ok()).unwrap_or_default();
        held.into_iter().filter(|ca| ca.is_ca && ca.not_after > now).collect()
    };
    let mounted = good(kind);
    if mounted.is_empty() { good(kind.other()) } else { mounted }
}

/// A second CA beside one in use would orphan every certificate of the first.
fn is_first(looked_for: &Path, live: &[Certificate]) -> Result<()> {
    let Some(first) = live.first() else { return Ok(()) };
    Err(unsigned(Code::CaElsewhere, format!("there is a CA already, and it is not in {}", looked_for.display()))
        .why(format!("the cluster trusts {}, key {}, until {}", first.subject, first.fingerprint(), first.not_after.date()))
        .next("name the folder with its orchestrator-ca.crt and orchestrator-ca.key by --out-dir, or its Secret by --secret"))
}

fn prints(live: &[Certificate]) -> String {
    live.iter().map(|ca| ca.fingerprint().to_string()).collect::<Vec<_>>().join(" and ")
}

fn elsewhere(code: Code, cacert: &ObjectName, live: &[Certificate]) -> Failure {
    let names = live.iter().map(|ca| ca.subject.clone()).collect::<Vec<_>>().join(" and ");
    unsigned(code, format!("{cacert} in the cluster holds another CA, {names}"))
}
