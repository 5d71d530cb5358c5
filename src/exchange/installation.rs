//! A pair put into place: the certificate is verified, then Secret, values, upgrade, rollout; the pending Secret last.

use std::path::Path;

use super::{
    enrolment::{Enrolment, pending_name},
    unwritten,
};
use crate::{
    cluster::{Object, PAIR_TYPE},
    command_line::CommandLine,
    failure::{Code, Exit, Failure, Next, Result},
    files,
    pki::{
        inspect::{self, Certificate},
        key::PrivateKey,
        verify_returned::{self, ExpectedCertificate},
    },
    plan::{Action, InitialState, Plan, Step, StepId},
    release::{EditedFiles, ReleaseState, Target},
    substra::{
        backend::{self, Backend},
        kind::ObjectKind,
        manifest::Manifest,
    },
};

/// Labels of everything that belongs to an enrolment.
pub(crate) const RELEASE_LABEL: &str = "substra-mtls/release";
pub(crate) const MSP_ID_LABEL: &str = "substra-mtls/msp-id";

/// Where the certificate comes from.
pub(crate) enum CertificateSource<'a> {
    /// The file that came back, and the file of its key where that is no Secret.
    File { certificate: &'a Path, key: Option<&'a Path> },
    /// What was read already, and the name of its file.
    Read { name: String, pem: Vec<u8> },
    /// The live pair: its installation was cut short, or is done.
    Live,
}

/// The edited files and the upgrade that they would bring.
pub(crate) struct UpgradePreview {
    pub(crate) edited: EditedFiles,
    pub(crate) plan: Plan,
    /// The release once that is done.
    after: ReleaseState,
}

/// A certificate that may be installed, and its key.
pub(crate) struct ClientPair {
    pub(crate) certificate: Certificate,
    pub(crate) pem: Vec<u8>,
    pub(crate) key: PrivateKey,
}

impl UpgradePreview {
    /// What the upgrade would do; asks nothing of the objects, so that both can be looked at side by side. `read` as in
    /// [`UpgradeRequest`](crate::release::UpgradeRequest).
    pub(crate) fn of(target: &Target<'_, Backend>, release: &ReleaseState, read: bool) -> Result<Self> {
        let edited = target.files.edit(&target.values.settings())?;
        let own = target.values.own_settings(release.config());
        let mut request = target.upgrade(&edited, &own, &backend::OWN_PATHS, "every pod mounts the pair");
        request.read = read;
        let (plan, after) = release.plan(&request)?;
        Ok(Self { edited, plan, after })
    }
}

impl Enrolment<'_> {
    /// The pair, the values, the upgrade and its rollout, and the pending Secret last. A pair that is not there yet is
    /// signed once the operator has agreed; it is of a new key, for which no Secret waits.
    pub(crate) fn installation(&self, pair: Option<&ClientPair>, preview: UpgradePreview) -> Result<Plan> {
        let UpgradePreview { edited, plan, after } = preview;
        self.mounted_as_secret(&after.manifest)?;
        let step = self.pair_step(pair)?;
        let delete = pair.and_then(|pair| self.delete_pending(pair, &step));
        let upgrade = plan.with_rollouts_seen(&self.state.cluster.objects);
        Ok(Plan::of([step]).then(Plan::of(edited.steps)).then(upgrade).then(Plan::of(delete)))
    }

    /// The pair, where it is this backend's and from one of these CAs.
    ///
    /// # Errors
    /// All findings of the certificate, the first one last; or there is no key for it.
    pub(crate) fn judged(&self, source: &CertificateSource<'_>, authorities: &[Certificate]) -> Result<ClientPair> {
        let (name, pem) = match (source, &self.live) {
            (CertificateSource::File { certificate, .. }, _) => {
                (certificate.display().to_string(), files::read(certificate)?.to_vec())
            }
            (CertificateSource::Read { name, pem }, _) => (name.clone(), pem.clone()),
            (CertificateSource::Live, Some(live)) => ("the live certificate".to_owned(), live.pem.clone()),
            (CertificateSource::Live, None) => return Err(no_request(&pending_name(self.backend()))),
        };
        let mut keys = self.keys(source)?;
        if keys.is_empty() {
            return Err(no_request(&pending_name(self.backend())));
        }
        // The key that the certificate is for, else the newest: judging against it says what is wrong.
        let spki = inspect::certificates(&pem).ok().and_then(|found| found.into_iter().next()).map(|first| first.spki);
        let fits = keys.iter().position(|key| Some(key.spki()) == spki.as_deref());
        if let (None, Some(alarm)) = (fits, self.alarm(&name, &pem, authorities)) {
            return Err(alarm);
        }
        let key = keys.swap_remove(fits.unwrap_or(0));
        let session = self.state.session;
        let expected =
            ExpectedCertificate { spki: key.spki(), msp_id: &self.backend().msp_id, authorities, now: session.now };
        let certificate = verify_returned::verify(&name, &pem, &expected).map_err(|found| {
            let mut found = match source {
                CertificateSource::Live => found.into_iter().map(|finding| self.replaced(finding)).collect(),
                CertificateSource::File { .. } | CertificateSource::Read { .. } => found,
            };
            // The first ends the verb.
            if !found.is_empty() {
                found.rotate_left(1);
            }
            session.refused(found, "nothing was written")
        })?;
        let pem = certificate.to_pem().into_bytes();
        Ok(ClientPair { certificate, pem, key })
    }

    /// The pair alone: the deployed release presents it, and a backend reads it again for each request.
    pub(crate) fn replacement(&self, pair: &ClientPair) -> Result<Plan> {
        let step = self.pair_step(Some(pair))?;
        let delete = self.delete_pending(pair, &step);
        Ok(Plan::of([step]).then(Plan::of(delete)))
    }

    /// Whether the deployed release mounts the Secret of the pair, and presents what is in it.
    pub(crate) fn pair_is_in_use(&self) -> bool {
        let mounted = self.state.cluster.release.manifest.mount_kind(self.backend().client_certificate.as_str());
        self.presents_pair() && mounted == Some(ObjectKind::Secret)
    }

    /// A live certificate of a form that `approve` never issues is replaced by a renewal.
    fn replaced(&self, finding: Failure) -> Failure {
        if !matches!(finding.code, Code::CertificateUsage | Code::CertificateAuthorityKeyId) {
            return finding;
        }
        let renew = self.state.options.command(self.state.session, "enroll").flag("--renew", true);
        finding.next(Next::from("ask for a new one, which replaces it: ").command(renew))
    }

    /// Every key that a certificate could be for, the newest first.
    pub(super) fn keys(&self, source: &CertificateSource<'_>) -> Result<Vec<PrivateKey>> {
        let mut keys = Vec::new();
        if let CertificateSource::File { key: Some(path), .. } = source {
            keys.push(read_key(path)?);
        }
        if let Some(pending) = &self.pending {
            let names = pending.keys().into_iter().filter(|name| name.starts_with("earlier-")).collect::<Vec<_>>();
            let pems = std::iter::once("tls.key").chain(names).filter_map(|name| pending.data(name));
            keys.extend(pems.filter_map(|pem| PrivateKey::from_pem(&pem, None).ok()));
        }
        if let Some(live) = self.pair.as_ref().and_then(|pair| pair.data("tls.key")) {
            keys.extend(PrivateKey::from_pem(&live, None).ok());
        }
        Ok(keys)
    }

    fn mounted_as_secret(&self, manifest: &Manifest) -> Result<()> {
        let name = self.backend().client_certificate.as_str();
        let options = self.state.options;
        match manifest.mount_kind(name) {
            Some(ObjectKind::ConfigMap) => {
                Err(unwritten(Code::PairKind, format!("the chart mounts {name} as a ConfigMap"))
                    .why("a private key must be in a Secret")
                    .next("use another name for orchestrator.tls.mtls.clientCertificate, or another chart version"))
            }
            None if !options.no_upgrade || options.chart.is_some() => {
                let why = if self.state.files.key().is_top() {
                    "this version of the chart does not know orchestrator.tls.mtls.clientCertificate"
                } else {
                    "what the umbrella chart renders does not: is the key right, and the dependency turned on?"
                };
                Err(unwritten(Code::PairNotMounted, format!("the chart does not mount Secret {name}"))
                    .why(why)
                    .next("name a version that does with --version: substra-backend 5.0 or later"))
            }
            _ => Ok(()),
        }
    }

    /// The command that takes a Secret away, where only a person may decide that.
    pub(crate) fn delete(&self, name: &str) -> CommandLine {
        self.state.session.kubectl(&self.state.cluster.release.record.namespace).with("delete secret").word(name)
    }

    /// Both halves in one write.
    pub(crate) fn pair_action(&self, pair: &ClientPair) -> Action {
        let key = pair.key.to_pem();
        let data: [(&str, &[u8]); 2] = [("tls.crt", &pair.pem), ("tls.key", key.as_bytes())];
        if let Some(old) = &self.pair {
            return Action::Replace(old.with_data(&data));
        }
        let backend = self.backend();
        let labels =
            [(RELEASE_LABEL, self.state.cluster.release.name.as_str()), (MSP_ID_LABEL, backend.msp_id.as_str())];
        Action::Create(Object::secret(backend.client_certificate.as_str(), PAIR_TYPE, &labels, &data))
    }

    fn pair_step(&self, pair: Option<&ClientPair>) -> Result<Step> {
        let name = self.backend().client_certificate.as_str();
        let title = format!("Secret {name}: the certificate of {} and its key", self.backend().msp_id);
        let action = pair.map_or(Action::AfterConsent(None), |pair| self.pair_action(pair));
        let step = Step::to_do(StepId::Pair, title, action);
        let Some(old) = &self.pair else { return Ok(step) };
        if old.secret_type() != PAIR_TYPE {
            return Err(unwritten(Code::PairType, format!("Secret {name} is of type {}", old.secret_type()))
                .why(format!("the pair goes into a Secret of type {PAIR_TYPE}, and a type cannot be changed"))
                .next(format!(
                    "keep a copy, then: {}; or choose another name at orchestrator.tls.mtls.clientCertificate",
                    self.delete(name)
                )));
        }
        let live = self.live.as_ref().map(|live| &live.certificate.der);
        let same = live.is_some() && live == pair.map(|pair| &pair.certificate.der);
        Ok(step.already_if(same && !old.has_last_applied()))
    }

    /// The pending Secret goes last, so that a run that is cut short finds its key again; and only with its own pair, once
    /// that is read back: a newer request may be on its way, and its key must not be lost.
    fn delete_pending(&self, pair: &ClientPair, pair_step: &Step) -> Option<Step> {
        let pending = self.pending.as_ref()?;
        let key = PrivateKey::from_pem(&pending.data("tls.key")?, None).ok()?;
        if key.spki() != pair.key.spki() {
            return None;
        }
        let while_held = match (pair_step.state, &pair_step.action, &self.pair) {
            (InitialState::ToDo, Action::Create(new) | Action::Replace(new), _) | (_, _, Some(new)) => new.clone(),
            _ => return None,
        };
        let title = format!("delete Secret {}", pending_name(self.backend()));
        Some(Step::to_do(StepId::Pending, title, Action::Delete { seen: pending.clone(), while_held }))
    }
}

/// The private key of a `--key-file`, which must be plain, since the backend cannot load an encrypted one.
pub(crate) fn read_key(path: &Path) -> Result<PrivateKey> {
    let pem = files::read_private(path)?;
    PrivateKey::from_pem(&pem, None).map_err(|error| {
        Failure::new(Exit::Refused, Code::KeyFile, format!("{} cannot be used as the private key", path.display()))
            .why(error.to_string())
            .next("name another --key-file; a file that is not there is made")
            .unchanged("nothing was written")
    })
}

fn no_request(pending: &str) -> Failure {
    unwritten(Code::NoRequest, "there is no key that this certificate could be for")
        .why(format!("neither a Secret {pending} nor a --key-file is there"))
        .next("run enroll without --certificate first, and have that request signed; or name the --key-file again")
}
