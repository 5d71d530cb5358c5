//! The federation's CA: taken over where it is, completed where a run was cut short, made where there is none.

use std::{
    cell::OnceCell,
    path::{Path, PathBuf},
};

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::fail;
use crate::{
    cluster::{Object, ObjectRef, PAIR_TYPE},
    commands::approve::{authority::unlocked, refuse_all},
    failure::{Code, Exit, Failure, Result},
    files,
    names::ObjectName,
    pki::{
        authority::{self, Authority},
        inspect::{self, Certificate},
        key::{KeyError, KeyType, PrivateKey},
    },
    plan::{Action, Plan, Step, StepId},
    session::Session,
    substra::kind::ObjectKind,
};

/// Where the CA is kept, or shall be.
pub(in crate::commands) enum Source {
    /// In two files.
    Files { certificate: PathBuf, key: PathBuf },
    /// In a Secret of the orchestrator's namespace: `tls.crt`, `tls.key`.
    Secret(ObjectName),
}

/// How the CA is asked for.
pub(in crate::commands) struct Asked<'a> {
    pub(in crate::commands) source: Source,
    /// A new key is encrypted.
    pub(in crate::commands) encrypt: bool,
    pub(in crate::commands) passphrase_fd: Option<u32>,
    pub(in crate::commands) session: &'a Session<'a>,
}

/// The CA as it is, or as the steps make it.
pub(in crate::commands) struct Ca<'a> {
    pub(in crate::commands) certificate: Certificate,
    /// Its key is made here.
    pub(in crate::commands) is_new: bool,
    /// What makes it; already done for one that is there.
    pub(in crate::commands) plan: Plan,
    asked: &'a Asked<'a>,
    /// Its key as it is kept; none where only the certificate is at hand.
    kept: Option<Zeroizing<Vec<u8>>>,
    opened: OnceCell<Authority>,
}

impl Source {
    /// The walkthrough's two names in a folder.
    pub(in crate::commands) fn in_folder(folder: &Path) -> Self {
        let file = |name| crate::commands::in_folder(folder, name);
        Self::Files { certificate: file("orchestrator-ca.crt"), key: file("orchestrator-ca.key") }
    }

    /// The object that has to be looked at.
    pub(in crate::commands) fn object(&self) -> Option<ObjectRef> {
        match self {
            Self::Files { .. } => None,
            Self::Secret(name) => Some(ObjectRef::secret(name.as_str())),
        }
    }
}

impl<'a> Asked<'a> {
    /// The CA, with what the cluster trusts already: `cacert` is its object, mounted in that kind, and `objects` has the
    /// Secret of the source where that is there.
    ///
    /// # Errors
    /// A CA that cannot be used, a key that cannot be opened, another CA in the cluster.
    pub(in crate::commands) fn find(
        &'a self,
        objects: &[Object],
        (kind, cacert): (ObjectKind, &ObjectName),
    ) -> Result<Ca<'a>> {
        let live = trusted(objects, (kind, cacert), self.session.now);
        let ca = match &self.source {
            Source::Files { certificate, key } => self.in_files(certificate, key, &live)?,
            Source::Secret(name) => self.in_secret(name, ObjectRef::secret(name.as_str()).among(objects), &live)?,
        };
        if live.is_empty() || live.iter().any(|live| live.spki == ca.certificate.spki) {
            return Ok(ca);
        }
        Err(elsewhere(Code::CaNotTheClusters, cacert, &live)
            .why(format!("its key is {}, that of the CA given is {}", prints(&live), ca.certificate.fingerprint()))
            .next("name the CA that is in use; replacing it cuts off everybody and is not done by this command"))
    }

    fn in_files(&'a self, certificate: &Path, key: &Path, live: &[Certificate]) -> Result<Ca<'a>> {
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
                let action = Action::KeyFile { path: key.to_owned(), pem: self.sealed(&private)? };
                let key_step = Step::to_do(StepId::CaKey, format!("CA key {}, mode 0600", key.display()), action);
                let steps = [key_step, certificate_step(pem.as_bytes(), false)];
                Ok(Ca { is_new: true, ..self.opened(pem.as_bytes(), private)? }.made_by(steps))
            }
        }
    }

    /// Both halves in one write.
    fn in_secret(&'a self, name: &ObjectName, secret: Option<&Object>, live: &[Certificate]) -> Result<Ca<'a>> {
        let title = format!("Secret {name}: the CA's certificate and key");
        let Some(secret) = secret else {
            is_first(Path::new(name.as_str()), live)?;
            let (key, pem) = authority::create_root(KeyType::default(), self.session.now)?;
            let private = key.to_pem();
            let data: [(&str, &[u8]); 2] = [("tls.crt", pem.as_bytes()), ("tls.key", private.as_bytes())];
            let action = Action::Create(Object::secret(name.as_str(), PAIR_TYPE, &[], &data));
            let ca = Ca { is_new: true, ..self.opened(pem.as_bytes(), key)? };
            return Ok(ca.made_by([Step::to_do(StepId::CaSecret, title, action)]));
        };
        let item = |key: &str| {
            secret.data(key).ok_or_else(|| {
                fail(Code::CaSecret, format!("Secret {name} does not hold a certificate authority"))
                    .why(format!("it has no item {key}"))
                    .next("name the Secret with the CA's tls.crt and tls.key, or another name for a new one")
            })
        };
        let ca = self.taken_over(&item("tls.crt")?, Some(item("tls.key")?))?;
        let step = Step::to_do(StepId::CaSecret, title, Action::Create(secret.clone())).already_if(true);
        Ok(ca.made_by([step]))
    }

    /// A CA in use passes the checks before anything is done with it. An encrypted key is opened once it has to sign.
    fn taken_over(&'a self, pem: &[u8], kept: Option<Zeroizing<Vec<u8>>>) -> Result<Ca<'a>> {
        let (certificate, mut warnings) =
            authority::examine(pem, self.session.now).map_err(|findings| refuse_all(self.session, findings))?;
        let sealed =
            kept.as_ref().map(|kept| PrivateKey::from_pem(kept, None).err() == Some(KeyError::PassphraseNeeded));
        if self.encrypt && sealed == Some(false) {
            warnings.push("the CA's key is there and stays as it is, without a passphrase".to_owned());
        }
        if sealed.is_none() {
            warnings.push("the CA's key is not here: nothing can be signed".to_owned());
        }
        let ca = Ca {
            certificate,
            is_new: false,
            plan: Plan::default().warn(warnings),
            asked: self,
            kept,
            opened: OnceCell::new(),
        };
        if sealed == Some(false) {
            ca.authority()?;
        }
        Ok(ca)
    }

    fn opened(&'a self, pem: &[u8], key: PrivateKey) -> Result<Ca<'a>> {
        let (authority, warnings) =
            Authority::load(pem, key, self.session.now).map_err(|findings| refuse_all(self.session, findings))?;
        let certificate = authority.certificate().clone();
        let opened = OnceCell::from(authority);
        let plan = Plan::default().warn(warnings);
        Ok(Ca { certificate, is_new: false, plan, asked: self, kept: None, opened })
    }

    fn sealed(&self, key: &PrivateKey) -> Result<Zeroizing<String>> {
        // A dry run asks no passphrase for a key that will not be kept.
        if !self.encrypt || self.session.dry_run {
            return Ok(key.to_pem());
        }
        key.to_encrypted_pem(&self.new_passphrase()?)
    }

    fn new_passphrase(&self) -> Result<Zeroizing<Vec<u8>>> {
        let refuse = |code, why: &str| {
            Failure::new(Exit::Refused, code, "the passphrase of the new CA key cannot be taken")
                .why(why.to_owned())
                .next("run the command again with a passphrase of several words")
                .unchanged("nothing was written")
        };
        let given = if let Some(number) = self.passphrase_fd {
            files::read_descriptor(number)?
        } else {
            let ask = |question| self.session.console.passphrase(question).map_err(no_passphrase);
            let given = ask("New passphrase of the CA's key: ")?;
            if *given != *ask("The same again: ")? {
                return Err(refuse(Code::PassphraseDiffers, "the two that were typed are not the same"));
            }
            Zeroizing::new(given.as_bytes().to_vec())
        };
        if given.is_empty() { Err(refuse(Code::PassphraseEmpty, "it is empty")) } else { Ok(given) }
    }
}

impl Ca<'_> {
    fn made_by(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.plan.steps.extend(steps);
        self
    }

    /// The CA ready to sign; its key is opened at the first time.
    ///
    /// # Errors
    /// There is no key, or it does not open, or is another's.
    pub(in crate::commands) fn authority(&self) -> Result<&Authority> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let kept = self.kept.as_ref().ok_or_else(|| {
            fail(Code::CaKeyMissing, "the CA's key is needed to sign, and is not there")
                .why(format!("the certificate of {} is there without its key", self.certificate.subject))
                .next("put the key back from its backup, beside the certificate")
        })?;
        let session = self.asked.session;
        let key = unlocked(kept, self.asked.passphrase_fd, session.console)?;
        let pem = self.certificate.to_pem();
        let (authority, _) =
            Authority::load(pem.as_bytes(), key, session.now).map_err(|findings| refuse_all(session, findings))?;
        Ok(self.opened.get_or_init(|| authority))
    }
}

/// The CAs that the orchestrator's object holds and that are good now. An object of the other kind counts only where the
/// one that is mounted holds none: it may be left over from long ago.
fn trusted(objects: &[Object], (kind, cacert): (ObjectKind, &ObjectName), now: OffsetDateTime) -> Vec<Certificate> {
    let good = |kind| -> Vec<Certificate> {
        let object = ObjectRef::of_kind(kind, cacert.as_str()).among(objects);
        let held = object.and_then(|object| inspect::certificates(&object.data("ca.crt")?).ok()).unwrap_or_default();
        held.into_iter().filter(|ca| ca.is_ca && ca.not_after > now).collect()
    };
    let mounted = good(kind);
    if mounted.is_empty() { good(kind.other()) } else { mounted }
}

/// A second CA beside one in use would orphan every certificate of the first.
fn is_first(looked_for: &Path, live: &[Certificate]) -> Result<()> {
    let Some(first) = live.first() else { return Ok(()) };
    Err(fail(Code::CaElsewhere, format!("there is a CA already, and it is not in {}", looked_for.display()))
        .why(format!("the cluster trusts {}, key {}, until {}", first.subject, first.fingerprint(), first.not_after.date()))
        .next("name the folder with its orchestrator-ca.crt and orchestrator-ca.key by --out-dir, or its Secret by --secret"))
}

fn prints(live: &[Certificate]) -> String {
    live.iter().map(|ca| ca.fingerprint().to_string()).collect::<Vec<_>>().join(" and ")
}

fn elsewhere(code: Code, cacert: &ObjectName, live: &[Certificate]) -> Failure {
    let names = live.iter().map(|ca| ca.subject.clone()).collect::<Vec<_>>().join(" and ");
    fail(code, format!("{cacert} in the cluster holds another CA, {names}"))
}

fn no_passphrase(failure: Failure) -> Failure {
    let next = "give it through a file descriptor: --passphrase-fd 3 3<passphrase.txt".to_owned();
    Failure { what: "a passphrase for the new CA key cannot be asked for".to_owned(), next, ..failure }
}
