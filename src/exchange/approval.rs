//! What an approval knows of its orchestrator: by what a request is checked, and that its CA is the one that is checked against.

use super::{NOT_SIGNED, ca::CaSource, unsigned};
use crate::{
    cluster::{Object, ObjectRef},
    failure::{Code, Result},
    names::{Namespace, ObjectName, ReleaseName, Validity},
    pki::{
        authority::Authority,
        fingerprint::Fingerprint,
        inspect::{self, Certificate},
        log::IssueLog,
        policy::PolicyContext,
    },
    release::{ClusterState, Target},
    session::Session,
    substra::{kebab::kebab_case, orchestrator::Orchestrator},
};

/// Who signs, for which orchestrator, and how.
pub(crate) struct Approval<'a> {
    pub(crate) session: &'a Session<'a>,
    /// The certificate authority that signs.
    pub(crate) source: CaSource,
    pub(crate) orchestrator: Orchestrator,
    /// The object under which organizations are admitted.
    pub(crate) object: ObjectName,
    /// What the cluster shows; nothing offline.
    pub(crate) cluster: Option<ClusterState>,
    /// Where the orchestrator runs, for the names of its service.
    pub(crate) place: ReleaseLocation,
    pub(crate) validity: Validity,
}

/// The name of a release, and the namespaces in which it may be.
pub(crate) struct ReleaseLocation {
    release: String,
    namespaces: Vec<String>,
}

impl ReleaseLocation {
    /// As the cluster shows it. Offline the walkthrough's names stand in; Helm names a namespace to its plugins whether or
    /// not the user did.
    pub(crate) fn of(
        target: &Target<'_, Orchestrator>,
        cluster: Option<&ClusterState>,
        namespace: Option<&Namespace>,
    ) -> Self {
        if let Some(ClusterState { release, .. }) = cluster {
            return Self { release: release.name.to_string(), namespaces: vec![release.record.namespace.clone()] };
        }
        let release = target.options.release.as_ref().map_or("orchestrator", ReleaseName::as_str).to_owned();
        let given = namespace.map(ToString::to_string).into_iter();
        Self { release, namespaces: given.chain(["orchestrator".to_owned()]).collect() }
    }
}

impl Approval<'_> {
    /// What the policy has to know of this orchestrator.
    pub(crate) fn with_circumstances<T>(
        &self,
        authority: &Authority,
        log: &IssueLog,
        judge: impl FnOnce(&PolicyContext<'_>) -> T,
    ) -> T {
        let ReleaseLocation { release, namespaces } = &self.place;
        let keys: Vec<String> = self.orchestrator.client_cas.keys().cloned().collect();
        let own = |namespace: &String| self.orchestrator.own_names(release, namespace);
        let mut names: Vec<String> = namespaces.iter().flat_map(own).collect();
        names.extend(self.cluster.as_ref().and_then(|cluster| cluster.release.manifest.probe_name()));
        names.extend(self.server_names());
        judge(&PolicyContext {
            members: &self.orchestrator.members,
            client_ca_keys: &keys,
            orchestrator_names: &names,
            burnt: &self.burnt(authority),
            kebab: kebab_case,
            log,
            now: self.session.now,
        })
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
        let pair = self.seen(&ObjectRef::secret(self.orchestrator.server_pair.as_str()))?;
        inspect::certificates(&pair.data("tls.crt")?).ok()?.into_iter().next()
    }

    /// An object that the cluster shows.
    pub(crate) fn seen(&self, wanted: &ObjectRef) -> Option<&Object> {
        self.cluster.as_ref()?.object(wanted)
    }

    /// The CA that signs must be the one that the orchestrator will check against: equal key, first certificate.
    ///
    /// # Errors
    /// The object that the orchestrator mounts is missing, or begins with another CA.
    pub(crate) fn is_the_clusters(&self, authority: &Certificate) -> Result<()> {
        let Some(ClusterState { release, .. }) = &self.cluster else { return Ok(()) };
        let (name, chart) = (self.object.as_str(), &release.chart);
        let kind = release.kind_of(name);
        let object = self.seen(&ObjectRef::of_kind(kind, name)).ok_or_else(|| {
            unsigned(Code::CaObject, format!("{kind} {name} is not there"))
                .why(format!("chart {} {} mounts the client CA from it", chart.name, chart.version))
                .next("make it with the CA's certificate as ca.crt, or name another with --ca-object")
        })?;
        let first = object.data("ca.crt").and_then(|pem| inspect::certificates(&pem).ok()?.into_iter().next());
        let first = first.ok_or_else(|| {
            unsigned(Code::CaObject, format!("{kind} {name} has no certificate at the start of its item ca.crt"))
                .why("the orchestrator would crash on it")
                .next("make it again with only the CA's certificate as ca.crt")
        })?;
        if first.fingerprint() == authority.fingerprint() {
            return Ok(());
        }
        let what = "the CA that would sign is not the one in the cluster";
        let (own, given) = (first.fingerprint(), authority.fingerprint());
        Err(unsigned(Code::CaNotTheClusters, what)
            .why(format!("{kind} {name} begins with a CA whose key is {own}, the one given has {given}"))
            .next("use the federation's CA, or name the object that holds this one with --ca-object"))
    }

    /// All findings of a batch, or what passed.
    ///
    /// # Errors
    /// All findings, the last one naming the others.
    pub(crate) fn all_or_none<T>(&self, results: impl IntoIterator<Item = Result<T>>) -> Result<Vec<T>> {
        let (mut all, mut findings) = (Vec::new(), Vec::new());
        for result in results {
            match result {
                Ok(one) => all.push(one),
                Err(failure) => findings.push(failure),
            }
        }
        self.session.refuse(findings, NOT_SIGNED).map(|()| all)
    }
}
