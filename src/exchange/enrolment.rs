//! A backend's enrolment as its cluster shows it: the release, the live pair, the pending request, the CA's object.

use super::unwritten;
use crate::{
    cluster::{Object, ObjectRef},
    failure::{Code, Exit, Failure, Next, Result},
    pki::{
        inspect::{self, Certificate},
        key::PrivateKey,
    },
    release::{ClusterState, Observed, Target},
    substra::{backend::Backend, kind::ObjectKind, unmet},
};

/// Everything that one look gives.
pub(crate) struct Enrolment<'a> {
    pub(crate) state: Observed<'a, Backend>,
    /// The Secret that the backend mounts.
    pub(crate) pair: Option<Object>,
    /// The pair in it.
    pub(crate) live: Option<LivePair>,
    /// The Secret in which key and request wait for the certificate.
    pub(crate) pending: Option<Object>,
}

/// A pair whose halves fit.
pub(crate) struct LivePair {
    pub(crate) certificate: Certificate,
    pub(crate) pem: Vec<u8>,
    pub(crate) key: PrivateKey,
}

/// The Secret in which key and request wait for the certificate.
pub(crate) fn pending_name(backend: &Backend) -> String {
    format!("{}-pending", backend.client_certificate)
}

/// Every object that an enrolment looks at, beside the workloads.
pub(crate) fn wanted(backend: &Backend) -> Vec<ObjectRef> {
    let names = [backend.client_certificate.to_string(), pending_name(backend)];
    let mut wanted: Vec<ObjectRef> = names.iter().map(ObjectRef::secret).collect();
    if let Some(cacert) = &backend.cacert {
        wanted.extend([ObjectRef::secret(cacert.as_str()), ObjectRef::config_map(cacert.as_str())]);
    }
    wanted
}

impl LivePair {
    /// Anything but a pair whose halves fit counts as none and is replaced.
    pub(crate) fn read(pair: &Object) -> Option<Self> {
        let (pem, key) = (pair.data("tls.crt")?, pair.data("tls.key")?);
        let certificate = inspect::certificates(&pem).ok()?.into_iter().next()?;
        let key = PrivateKey::from_pem(&key, None).ok()?;
        if certificate.spki != key.spki() {
            return None;
        }
        Some(Self { certificate, pem: pem.to_vec(), key })
    }
}

impl<'a> Enrolment<'a> {
    /// From the objects of [`wanted`].
    pub(crate) fn new(target: Target<'a, Backend>, cluster: ClusterState) -> Self {
        let secret = |name: &str| cluster.object(&ObjectRef::secret(name)).cloned();
        let pair = secret(target.values.client_certificate.as_str());
        let live = pair.as_ref().and_then(LivePair::read);
        let pending = secret(&pending_name(&target.values));
        Self { state: Observed { target, cluster }, pair, live, pending }
    }

    /// What the values say.
    pub(crate) fn backend(&self) -> &Backend {
        &self.state.target.values
    }

    /// Whether the pair of the pending request is the live one: only the pending Secret is left to go.
    pub(crate) fn pending_is_live(&self) -> bool {
        let pending = self.pending.as_ref().and_then(|secret| secret.data("tls.key"));
        let key = pending.and_then(|pem| PrivateKey::from_pem(&pem, None).ok());
        matches!((key, &self.live), (Some(key), Some(live)) if key.spki() == live.certificate.spki)
    }

    /// Whether the deployed release uses TLS to the orchestrator.
    pub(crate) fn dials_tls(&self) -> bool {
        self.state.cluster.release.config()["orchestrator"]["tls"]["enabled"] == true
    }

    /// Whether the deployed release presents a pair to the orchestrator.
    pub(crate) fn presents_pair(&self) -> bool {
        self.dials_tls() && self.state.cluster.release.config()["orchestrator"]["tls"]["mtls"]["enabled"] == true
    }

    /// The CA's certificates from the object that the deployed release mounts, each precondition with its message.
    pub(crate) fn authorities(&self) -> Result<Vec<Certificate>> {
        let (target, release) = (&self.state.target, &self.state.cluster.release);
        let trust = |more: &str| {
            target.options.command(target.session, &format!("ca trust orchestrator-ca.crt --backend{more}"))
        };
        if !self.dials_tls() {
            let what = format!("release {} does not use TLS to the orchestrator yet", release.name);
            let first = "set TLS up first, with the CA's certificate from the orchestrator's operator";
            return Err(unmet::tls_off(what, "the deployed values lack orchestrator.tls.enabled: true")
                .next(Next::from(format!("{first}: ")).command(trust(" --enable-tls")))
                .unchanged("nothing was written"));
        }
        let Some(name) = self.backend().cacert.as_ref().map(ToString::to_string) else {
            return Err(unwritten(Code::NoCacert, "the values name no CA of the orchestrator")
                .why("orchestrator.tls.cacert is empty: the orchestrator's certificate is from a public CA, which says nothing about client certificates")
                .next("name the federation's client CA with --client-ca FILE, from the orchestrator's operator"));
        };
        let kind = release.kind_of(&name);
        let trust = trust("");
        let Some(object) = self.object(kind, &name) else { return Err(self.absent(kind, &name).next(trust)) };
        let Some(pem) = object.data("ca.crt") else {
            return Err(unwritten(Code::CaKeyMissing, format!("{kind} {name} has no item ca.crt"))
                .why(format!("it has: {}", object.keys().join(", ")))
                .next(trust));
        };
        inspect::certificates(&pem).map_err(|failure| Failure { exit: Exit::CheckFailed, ..failure })
    }

    fn object(&self, kind: ObjectKind, name: &str) -> Option<&Object> {
        self.state.cluster.object(&ObjectRef::of_kind(kind, name))
    }

    fn absent(&self, kind: ObjectKind, name: &str) -> Failure {
        let other = kind.other();
        if self.object(other, name).is_some() {
            let chart = &self.state.cluster.release.chart;
            let what = format!("{name} is a {other}, and chart {} {} mounts a {kind}", chart.name, chart.version);
            return unwritten(Code::CaKind, what).why("its pods would stay in ContainerCreating forever");
        }
        unwritten(Code::CaMissing, format!("{kind} {name} is not there"))
            .why("orchestrator.tls.cacert names it, and the backend's pods cannot start without it")
    }
}
