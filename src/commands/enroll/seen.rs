//! What an enrolment finds in the cluster: the release, the live pair, the pending request, the CA's object.

use super::Enrolment;
use crate::{
    cluster::{Object, ObjectRef},
    failure::{Code, Exit, Failure, Result},
    pki::{
        inspect::{self, Certificate},
        key::PrivateKey,
    },
    release::{
        ReleaseState,
        find::{self, ReleaseQuery},
    },
    substra::{Side, kind::ObjectKind, unmet},
};

/// Everything that one look gives.
pub(in crate::commands) struct Seen {
    pub(in crate::commands) found: ReleaseState,
    pub(in crate::commands) pair: Option<Object>,
    pub(in crate::commands) live: Option<Live>,
    pub(in crate::commands) pending: Option<Object>,
    pub(in crate::commands) objects: Vec<Object>,
}

/// The pair in the Secret that the backend mounts.
pub(in crate::commands) struct Live {
    pub(in crate::commands) certificate: Certificate,
    pub(in crate::commands) pem: Vec<u8>,
}

impl Enrolment<'_> {
    /// The release: two children.
    pub(in crate::commands) fn find(&self) -> Result<ReleaseState> {
        find::find(self.session.cluster()?, &ReleaseQuery::of(&self.options, &self.files, Side::Backend))
    }

    /// Every object that an enrolment looks at.
    pub(in crate::commands) fn wanted(&self, found: &ReleaseState) -> Vec<ObjectRef> {
        let names = [self.backend.client_certificate.to_string(), self.pending_name()];
        let mut wanted: Vec<ObjectRef> = names.iter().map(ObjectRef::secret).collect();
        if let Some(cacert) = &self.backend.cacert {
            wanted.extend([ObjectRef::secret(cacert.as_str()), ObjectRef::config_map(cacert.as_str())]);
        }
        wanted.extend(found.workloads());
        wanted
    }

    /// One child for all objects.
    pub(in crate::commands) fn objects(&self, found: &ReleaseState) -> Result<Vec<Object>> {
        self.session.cluster()?.get(&self.wanted(found))
    }

    pub(in crate::commands) fn seen(&self, found: ReleaseState, objects: Vec<Object>) -> Seen {
        let secret = |name: &str| ObjectRef::secret(name).among(&objects).cloned();
        let pair = secret(self.backend.client_certificate.as_str());
        let live = pair.as_ref().and_then(live);
        Seen { found, live, pending: secret(&self.pending_name()), pair, objects }
    }
}

/// A pair whose halves fit; anything else counts as none and is replaced.
fn live(pair: &Object) -> Option<Live> {
    let (pem, key) = (pair.data("tls.crt")?, pair.data("tls.key")?);
    let certificate = inspect::certificates(&pem).ok()?.into_iter().next()?;
    let key = PrivateKey::from_pem(&key, None).ok()?;
    (certificate.spki == key.spki()).then(|| Live { certificate, pem: pem.to_vec() })
}

impl Seen {
    /// Whether the pair of the pending request is the live one: only the pending Secret is left to go.
    pub(in crate::commands) fn pending_is_live(&self) -> bool {
        let pending = self.pending.as_ref().and_then(|secret| secret.data("tls.key"));
        let key = pending.and_then(|pem| PrivateKey::from_pem(&pem, None).ok());
        matches!((key, &self.live), (Some(key), Some(live)) if key.spki() == live.certificate.spki)
    }

    /// Whether the deployed release uses TLS to the orchestrator.
    pub(in crate::commands) fn dials_tls(&self) -> bool {
        self.found.config()["orchestrator"]["tls"]["enabled"] == true
    }

    /// The CA's certificates from the object that the deployed release mounts, each precondition with its message.
    pub(in crate::commands) fn authorities(&self, enrolment: &Enrolment<'_>) -> Result<Vec<Certificate>> {
        if !self.dials_tls() {
            let what = format!("release {} does not use TLS to the orchestrator yet", self.found.name);
            return Err(unmet::tls_off(what, "the deployed values lack orchestrator.tls.enabled: true")
                .next(format!(
                    "set TLS up first, with the CA's certificate from the orchestrator's operator: {}",
                    enrolment.ours("ca trust orchestrator-ca.crt --backend --enable-tls")
                ))
                .unchanged("nothing was written"));
        }
        let Some(name) = enrolment.backend.cacert.as_ref().map(ToString::to_string) else {
            return Err(refuse(Code::NoCacert, "the values name no CA of the orchestrator")
                .why("orchestrator.tls.cacert is empty: the orchestrator's certificate is from a public CA, which says nothing about client certificates")
                .next("name the federation's client CA with --client-ca FILE, from the orchestrator's operator"));
        };
        let kind = self.found.kind_of(&name);
        let trust = enrolment.ours("ca trust orchestrator-ca.crt --backend").to_string();
        let Some(object) = self.object(kind, &name) else { return Err(self.absent(kind, &name).next(trust)) };
        let Some(pem) = object.data("ca.crt") else {
            return Err(refuse(Code::CaKeyMissing, format!("{kind} {name} has no item ca.crt"))
                .why(format!("it has: {}", object.keys().join(", ")))
                .next(trust));
        };
        inspect::certificates(&pem).map_err(|failure| Failure { exit: Exit::CheckFailed, ..failure })
    }

    fn object(&self, kind: ObjectKind, name: &str) -> Option<&Object> {
        ObjectRef::of_kind(kind, name).among(&self.objects)
    }

    fn absent(&self, kind: ObjectKind, name: &str) -> Failure {
        let other = kind.other();
        if self.object(other, name).is_some() {
            return refuse(
                Code::CaKind,
                format!(
                    "{name} is a {other}, and chart {} {} mounts a {kind}",
                    self.found.chart.name, self.found.chart.version
                ),
            )
            .why("its pods would stay in ContainerCreating for ever");
        }
        refuse(Code::CaMissing, format!("{kind} {name} is not there"))
            .why("orchestrator.tls.cacert names it, and the backend's pods cannot start without it")
    }
}

pub(in crate::commands) fn refuse(code: Code, what: impl Into<String>) -> Failure {
    Failure::new(Exit::CheckFailed, code, what).unchanged("nothing was written")
}
