//! What the orchestrator's pods stand on, checked alike by all verbs: the objects that hold CAs, and the server's own pair.

use time::OffsetDateTime;

use super::{
    ClusterState, ReleaseState, Target,
    remedy::{Remedy, RemedySide},
};
use crate::{
    cluster::{Object, ObjectRef},
    failure::{Code, Exit, Failure, Next},
    pki::{
        inspect::{self, Certificate},
        server::{self, ServerPair},
    },
    substra::{
        kind::ObjectKind,
        manifest::{Manifest, expected_kind},
        orchestrator::Orchestrator,
    },
};

/// A release's objects, and what of them its pods mount.
pub(crate) struct Mounts<'a> {
    pub(crate) release: &'a ReleaseState,
    /// What is deployed, or will be.
    pub(crate) manifest: &'a Manifest,
    pub(crate) objects: &'a [Object],
    pub(crate) now: OffsetDateTime,
    pub(crate) remedy: Remedy<'a>,
}

/// Which fault an object with a CA has. An enum of its own, so that code which tells them apart forgets none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaProblem {
    /// It is not there, or only in the other kind.
    Missing,
    /// It does not begin with the certificate of a CA.
    NoCa,
    /// Its CA has no subject key identifier.
    NoKeyId,
    /// Its CA has ended.
    Expired,
}

impl CaProblem {
    const fn code(self) -> Code {
        match self {
            Self::Missing => Code::MountMissing,
            Self::NoCa => Code::MountCa,
            Self::NoKeyId => Code::MountSki,
            Self::Expired => Code::MountExpired,
        }
    }
}

/// The objects that the server stands on: CAs in both kinds, since the wrong one is a usual mistake, and its pair.
pub(crate) fn wanted(orchestrator: &Orchestrator) -> Vec<ObjectRef> {
    let cas = orchestrator.authorities().into_iter();
    let pair = ObjectRef::secret(orchestrator.server_pair.as_str());
    let wanted = cas.flat_map(|name| [ObjectRef::secret(name), ObjectRef::config_map(name)]).chain([pair]);
    wanted.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

impl<'a> Mounts<'a> {
    /// What the pods of a manifest stand on, where the orchestrator is as `orchestrator` says.
    pub(crate) fn of<V>(
        target: &'a Target<'a, V>,
        orchestrator: &'a Orchestrator,
        cluster: &'a ClusterState,
        manifest: &'a Manifest,
    ) -> Self {
        let ClusterState { release, objects } = cluster;
        let remedy = Remedy::new(target.session, target.options, release, RemedySide::Orchestrator(orchestrator));
        Self { release, manifest, objects, now: target.session.now, remedy }
    }

    pub(crate) fn object(&self, wanted: &ObjectRef) -> Option<&Object> {
        wanted.find_in(self.objects)
    }

    /// All that the server will stand on, before its pods are replaced: else they would wait, crash, or fail their probe.
    pub(crate) fn check(&self, orchestrator: &Orchestrator) -> Vec<Failure> {
        let cas = orchestrator.authorities();
        let cas = cas.into_iter().filter_map(|name| self.judge_ca(name)).map(|(_, failure)| failure);
        self.judge_server_pair(orchestrator).into_iter().chain(cas).collect()
    }

    /// The health probe dials with the server's pair as its client certificate: the first fault of that pair.
    fn judge_server_pair(&self, orchestrator: &Orchestrator) -> Option<Failure> {
        let name = orchestrator.server_pair.as_str();
        let probe = self.probe_name(orchestrator);
        let pool = self.pool(orchestrator);
        let server::ServerPairFault { problem, why } =
            server::faults(self.server(name).as_ref(), [probe.as_str()], &pool, self.now).into_iter().next()?;
        let what = format!("the orchestrator would restart forever: its pair in Secret {name} fails its own probe");
        let by_others = format!(
            "; where somebody else makes it: a new one into Secret {name} (serverAuth and clientAuth, all its names), then restart the server"
        );
        let next = self.remedy.init().words(&by_others);
        Some(Failure::new(Exit::CheckFailed, problem.code(), what).why(why).next(next))
    }

    /// The name that the probe asks for.
    pub(crate) fn probe_name(&self, orchestrator: &Orchestrator) -> String {
        let ReleaseState { name, record: release, .. } = self.release;
        let of_values = || orchestrator.probe_name(name.as_str(), &release.namespace);
        self.manifest.probe_name().unwrap_or_else(of_values)
    }

    /// In which kind the pods mount a CA's object, or will.
    fn kind(&self, name: &str) -> ObjectKind {
        self.manifest.mount_kind(name).unwrap_or_else(|| expected_kind(self.release.side, &self.release.chart.version))
    }

    /// A CA's object that is or will be mounted: there, in the right kind, and beginning with the certificate of a CA that
    /// can be told by its key identifier and has not ended.
    pub(crate) fn judge_ca(&self, name: &str) -> Option<(CaProblem, Failure)> {
        let kind = self.kind(name);
        let fail = |problem: CaProblem, what: String, why: &str, next: Next| {
            Some((problem, Failure::new(Exit::CheckFailed, problem.code(), what).why(why).next(next)))
        };
        let Some(object) = self.object(&ObjectRef::of_kind(kind, name)) else {
            return Some((CaProblem::Missing, self.absent(kind, name)));
        };
        let first = object.data("ca.crt").and_then(|pem| inspect::certificates(&pem).ok()?.into_iter().next());
        let again = || self.remedy.make_again(kind, name);
        let Some(first) = first else {
            let why = match object.data("ca.crt") {
                None => format!("it has no item ca.crt; it has: {}", object.keys().join(", ")),
                Some(_) => "the server reads the first PEM block of every client CA".to_owned(),
            };
            let what =
                format!("the orchestrator would crash: {kind} {name} has no certificate at the start of its ca.crt");
            return fail(CaProblem::NoCa, what, &why, again());
        };
        if !first.is_ca {
            let what = format!("{kind} {name} begins with a certificate that is no CA");
            return fail(CaProblem::NoCa, what, "no client certificate can chain to it", again());
        }
        if first.subject_key_id.as_ref().is_none_or(Vec::is_empty) {
            let what = format!("{kind} {name} holds a CA without subjectKeyIdentifier");
            let why = "the identity check would compare against an empty key identifier";
            return fail(CaProblem::NoKeyId, what, why, "use a CA with that extension".into());
        }
        if first.not_after < self.now {
            let what = format!("the CA in {kind} {name} expired on {}", first.not_after.date());
            return fail(CaProblem::Expired, what, "everybody would be refused", "renew the CA first".into());
        }
        None
    }

    /// Not there, or only in the other kind.
    pub(crate) fn absent(&self, kind: ObjectKind, name: &str) -> Failure {
        let other = kind.other();
        let chart = &self.release.chart;
        let why = if self.object(&ObjectRef::of_kind(other, name)).is_some() {
            format!("there is a {other} of that name, and chart {} {} mounts a {kind}", chart.name, chart.version)
        } else {
            format!("nothing of that name is there, and pods of {} that mount it do not start", chart.name)
        };
        Failure::new(Exit::CheckFailed, Code::MountMissing, format!("{kind} {name} is not there"))
            .why(why)
            .next(self.remedy.make(kind, name))
    }

    /// Every certificate that the server trusts for clients: of the objects that hold CAs, in the kind that is mounted. What
    /// else has an item `ca.crt` (a pair of cert-manager's, an object of the same name in the other kind) is not in it.
    pub(crate) fn pool(&self, orchestrator: &Orchestrator) -> Vec<Certificate> {
        self.authorities(orchestrator).into_iter().map(|(_, ca)| ca).collect()
    }

    /// The same, each with the name of its object.
    pub(crate) fn authorities(&self, orchestrator: &Orchestrator) -> Vec<(String, Certificate)> {
        let read = |name: &str| -> Vec<(String, Certificate)> {
            let object = self.object(&ObjectRef::of_kind(self.kind(name), name));
            let pem = object.and_then(|object| object.data("ca.crt"));
            let all = pem.and_then(|pem| inspect::certificates(&pem).ok()).unwrap_or_default();
            all.into_iter().map(|ca| (name.to_owned(), ca)).collect()
        };
        orchestrator.authorities().into_iter().flat_map(read).collect()
    }

    /// The server's own pair, with which its health probe dials (chart `orchestrator`, probes of the server); `None` where
    /// it is missing or cannot be read.
    pub(crate) fn server(&self, name: &str) -> Option<ServerPair> {
        read_pair(self.object(&ObjectRef::secret(name)))
    }
}

/// A CA under `clientCACerts` that is not the federation's.
pub(crate) struct ForeignCa<'a> {
    /// Its object.
    pub(crate) name: &'a str,
    /// As a line for people: which object, under which key, with whose certificate, and what its owner can do.
    pub(crate) said: String,
}

/// CAs under `clientCACerts` whose key is none of the orchestrator's own CAs, nor known by other means.
pub(crate) fn foreign<'a>(
    orchestrator: &Orchestrator,
    all: &'a [(String, Certificate)],
    is_known: impl Fn(&Certificate) -> bool,
) -> Vec<ForeignCa<'a>> {
    let own = |ca: &Certificate| {
        is_known(ca) || all.iter().any(|(name, own)| name == orchestrator.cacert.as_str() && own.spki == ca.spki)
    };
    let under = |key: &str, (name, ca): &'a (String, Certificate)| ForeignCa {
        name,
        said: format!(
            "{name}, under {key}, holds {}: anyone who has its key can act as every organization",
            ca.subject
        ),
    };
    let keys = orchestrator.client_cas.iter();
    keys.flat_map(|(key, objects)| {
        all.iter()
            .filter(|(name, ca)| objects.contains(name) && !own(ca))
            .map(|one| under(key, one))
            .collect::<Vec<_>>()
    })
    .collect()
}

/// Both halves of a pair.
pub(crate) fn read_pair(object: Option<&Object>) -> Option<ServerPair> {
    let object = object?;
    ServerPair::read(&object.data("tls.crt")?, &object.data("tls.key")?)
}
