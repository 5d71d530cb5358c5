//! What is seen of one release: a handful of reads side by side, and every one of them may fail by itself.

use std::path::PathBuf;

use serde_json::Value;
use time::OffsetDateTime;

use super::live::{self, Handshakes};
use crate::{
    cluster::{Cluster, ClusterTarget, Object, ObjectRef},
    command_line::CommandLine,
    failure::{Failure, Next, Result},
    names::ReleaseName,
    parallel::side_by_side,
    pki::{inspect::Certificate, log::IssueLog},
    release::remedy::{Remedy, RemedySide},
    release::{
        ReleaseState, ValuesFiles,
        find::{self, ReleaseQuery},
        issued,
        without_helm::Hints,
    },
    substra::Side,
    substra::{backend::Backend, kind::ObjectKind, manifest::expected_kind, orchestrator::Orchestrator},
    text::word,
    values::ValuesKey,
};

/// What values say of a release, as its side reads them.
pub(in crate::commands) enum SideValues {
    Backend(Backend),
    Orchestrator(Orchestrator),
}

impl SideValues {
    fn read(side: Side, values: &Value, key: &ValuesKey) -> Result<Self> {
        Ok(match side {
            Side::Backend => Self::Backend(Backend::read(values, None)?),
            Side::Orchestrator => Self::Orchestrator(Orchestrator::read(values)?.called(key.chart())),
        })
    }

    /// `orchestrator.tls.mtls.enabled`, where TLS is on.
    pub(super) fn mtls(&self) -> bool {
        match self {
            Self::Backend(backend) => backend.tls_enabled && backend.mtls_enabled,
            Self::Orchestrator(orchestrator) => orchestrator.tls_enabled && orchestrator.mtls_enabled,
        }
    }

    /// The objects that it names, CAs first.
    fn objects(&self) -> (Vec<String>, Vec<String>) {
        match self {
            Self::Backend(backend) => {
                let pair = backend.client_certificate.to_string();
                (backend.cacert.iter().map(ToString::to_string).collect(), vec![format!("{pair}-pending"), pair])
            }
            Self::Orchestrator(orchestrator) => {
                let cas = orchestrator.client_cas.values().flatten().cloned();
                (cas.chain([orchestrator.cacert.to_string()]).collect(), vec![orchestrator.server_pair.to_string()])
            }
        }
    }
}

/// The address to dial; `None` for that of the values.
pub(in crate::commands) struct DialAddress<'a>(pub(in crate::commands) Option<&'a str>);

/// What to look at.
pub(in crate::commands) struct ObserveRequest<'a> {
    /// Whose release.
    pub(in crate::commands) side: Side,
    /// Its values files; without them the deployed values are checked.
    pub(in crate::commands) files: Option<ValuesFiles>,
    /// The paths of these, also where they could not be read.
    pub(in crate::commands) paths: Vec<PathBuf>,
    /// The CA that signs, as options of `approve`; none where it is for `approve` to find.
    pub(in crate::commands) signer: Vec<(&'static str, String)>,
    /// Its name; `None` for the only one of its chart.
    pub(in crate::commands) release: Option<&'a ReleaseName>,
    /// The issue log, where one was named.
    pub(in crate::commands) log: Option<Result<IssueLog>>,
    /// The federation's CAs, where a file named them: none of these is a stranger.
    pub(in crate::commands) known: Vec<Certificate>,
    /// Whether to shake hands, and with what address other than the values'.
    pub(in crate::commands) live: Option<DialAddress<'a>>,
}

/// What was observed of one release. Whatever could not be read holds the reason.
pub(in crate::commands) struct ObservedRelease {
    pub(super) side: Side,
    pub(super) files: Option<ValuesFiles>,
    paths: Vec<PathBuf>,
    signer: Vec<(&'static str, String)>,
    /// What the files say; without files, what is deployed; null where that could not be read.
    pub(super) values: Value,
    /// What that makes of the release.
    pub(super) party: Result<SideValues>,
    /// What the deployed values say.
    pub(super) deployed: Option<SideValues>,
    pub(super) release: Result<ReleaseState>,
    pub(super) objects: Result<Vec<Object>>,
    pub(super) pods: Result<Vec<Object>>,
    pub(super) rules: Result<Value>,
    /// `ClusterIssuer`s of cert-manager; `None` where they may not be read or are not asked for.
    pub(super) issuers: Option<Vec<Object>>,
    pub(super) log: Option<Result<IssueLog>>,
    pub(super) known: Vec<Certificate>,
    pub(super) live: Option<Handshakes>,
    pub(super) now: OffsetDateTime,
    pub(super) target: ClusterTarget,
}

/// Looks: the release's two children side by side, then side by side all named objects and workloads, the pods, and what
/// this account may do. `ClusterIssuer`s are looked for only where the account may read those.
pub(in crate::commands) fn observe(
    cluster: Result<&dyn Cluster, &Failure>,
    ask: ObserveRequest<'_>,
    now: OffsetDateTime,
) -> ObservedRelease {
    let key = ask.files.as_ref().map(|files| files.key().clone()).unwrap_or_default();
    let whole = ask.files.as_ref().map(ValuesFiles::whole).unwrap_or_default();
    let hints = Some(Hints { whole, chart: None, version: None, can_name_chart: false });
    let sought = ReleaseQuery { side: ask.side, release: ask.release, key: key.clone(), hints };
    let release = cluster.map_err(Clone::clone).and_then(|cluster| find::look(cluster, &sought));
    let values = match (&ask.files, &release) {
        (Some(files), _) => Ok(files.merged()),
        (None, Ok(release)) => Ok(release.config().clone()),
        (None, Err(failure)) => Err(failure.clone()),
    };
    let party = values.clone().and_then(|values| SideValues::read(ask.side, &values, &key));
    let deployed = release.as_ref().ok().and_then(|release| SideValues::read(ask.side, release.config(), &key).ok());
    let unseen = |failure: &Failure| (Err(failure.clone()), Err(failure.clone()), Err(failure.clone()));
    let (objects, pods, rules) = match (&cluster, &release) {
        (Ok(cluster), Ok(release)) => {
            look_around(*cluster, release, &wanted(release, &[party.as_ref().ok(), deployed.as_ref()]))
        }
        (Err(failure), _) => unseen(failure),
        (_, Err(failure)) => unseen(failure),
    };
    let issuers = match (&cluster, &rules) {
        (Ok(cluster), Ok(rules)) if ask.side == Side::Orchestrator => cluster_issuers(*cluster, rules),
        _ => None,
    };
    let target = target(cluster.ok(), release.as_ref().ok());
    let ObserveRequest { side, files, paths, signer, log, known, .. } = ask;
    let values = values.unwrap_or_default();
    let mut observed = ObservedRelease {
        side,
        files,
        paths,
        signer,
        values,
        party,
        deployed,
        release,
        objects,
        pods,
        rules,
        issuers,
        log,
        known,
        live: None,
        now,
        target,
    };
    observed.live = ask.live.map(|DialAddress(address)| live::handshakes(&observed, address));
    observed
}

type Observations = (Result<Vec<Object>>, Result<Vec<Object>>, Result<Value>);

fn look_around(cluster: &dyn Cluster, release: &ReleaseState, wanted: &[ObjectRef]) -> Observations {
    let labelled = format!("app.kubernetes.io/instance={}", release.name);
    let rules = || cluster.access_review(&release.record.namespace);
    let (pods, (rules, objects)) =
        side_by_side(|| cluster.list("pods", &labelled), || side_by_side(rules, || cluster.get(wanted)));
    (objects, pods, rules)
}

/// Workloads, what they mount for the orchestrator's sake, and what the values name: CAs in both kinds, since the wrong one
/// is a usual mistake.
fn wanted(release: &ReleaseState, parties: &[Option<&SideValues>]) -> Vec<ObjectRef> {
    let mut wanted = release.workloads();
    let kind = expected_kind(release.side, &release.chart.version);
    let other = kind.other();
    for party in parties.iter().flatten() {
        let (cas, secrets) = party.objects();
        wanted.extend(cas.iter().flat_map(|name| [ObjectRef::of_kind(kind, name), ObjectRef::of_kind(other, name)]));
        wanted.extend(secrets.iter().map(ObjectRef::secret));
    }
    let mounts = release.manifest.workloads().iter().flat_map(|workload| &workload.mounts);
    let ours = mounts.filter(|mount| mount.volume.starts_with("orchestrator-"));
    wanted.extend(ours.map(|mount| ObjectRef::of_kind(mount.kind, &mount.name)));
    wanted.sort();
    wanted.dedup();
    wanted
}

fn cluster_issuers(cluster: &dyn Cluster, rules: &Value) -> Option<Vec<Object>> {
    let may = super::groups::rights::allows(rules, "list", "cert-manager.io", "clusterissuers", None);
    // A cluster without cert-manager has no such resource: there is no issuer then.
    may.then(|| cluster.list("clusterissuers.cert-manager.io", "").unwrap_or_default())
}

fn target(cluster: Option<&dyn Cluster>, release: Option<&ReleaseState>) -> ClusterTarget {
    let mut target = cluster.map(Cluster::target).unwrap_or_default();
    if let Some(release) = release {
        target.namespace = Some(release.record.namespace.clone());
    }
    target
}

/// The option of `enroll` that installs what comes back.
pub(super) fn answer(backend: &Backend) -> String {
    format!("--certificate {}", word(&format!("{}.crt", backend.msp_id)))
}

impl ObservedRelease {
    pub(super) fn backend(&self) -> Option<&Backend> {
        match &self.party {
            Ok(SideValues::Backend(backend)) => Some(backend),
            _ => None,
        }
    }

    pub(super) fn orchestrator(&self) -> Option<&Orchestrator> {
        match &self.party {
            Ok(SideValues::Orchestrator(orchestrator)) => Some(orchestrator),
            _ => None,
        }
    }

    /// What runs, where it could be read.
    pub(super) fn running(&self) -> Option<&Orchestrator> {
        match &self.deployed {
            Some(SideValues::Orchestrator(orchestrator)) => Some(orchestrator),
            _ => None,
        }
    }

    /// Whether mutual TLS is on, in the release or in the files that will be.
    pub(super) fn mtls(&self) -> bool {
        [self.party.as_ref().ok(), self.deployed.as_ref()].into_iter().flatten().any(SideValues::mtls)
    }

    pub(super) fn object(&self, wanted: &ObjectRef) -> Option<&Object> {
        wanted.find_in(self.objects.as_ref().ok()?)
    }

    /// In which kind a CA's object is mounted.
    pub(super) fn kind_of(&self, name: &str) -> ObjectKind {
        self.release.as_ref().map_or(ObjectKind::Secret, |release| release.kind_of(name))
    }

    /// The names under which the orchestrator is dialled, as far as this side knows them.
    pub(super) fn orchestrator_names(&self) -> Vec<String> {
        match (&self.party, &self.release) {
            (Ok(SideValues::Orchestrator(orchestrator)), Ok(release)) => issued::names(orchestrator, release, None),
            _ => self.values["orchestrator"]["host"].as_str().map(str::to_lowercase).into_iter().collect(),
        }
    }

    /// A command of ours as the operator would type it, with what points at this release; both are words of ours.
    pub(super) fn ours(&self, verb: &str, more: &str) -> CommandLine {
        self.shown(verb).with(more)
    }

    /// The same, for words that are somebody else's.
    pub(super) fn shown(&self, verb: &str) -> CommandLine {
        self.on_this(CommandLine::ours(verb))
    }

    /// `approve` of a request, by the CA that was named.
    pub(super) fn approve(&self, request: &str) -> CommandLine {
        let approve = self.on_this(CommandLine::ours("approve").word(request));
        self.signer.iter().fold(approve, |shown, (name, value)| shown.option(name, [value]))
    }

    /// `enroll`, up to the certificate of a request that is under way: a new one would make the old one worthless.
    pub(super) fn request(&self, more: &str) -> CommandLine {
        match self.backend() {
            Some(backend) if self.waits_for_certificate() => self.ours("enroll", &answer(backend)),
            _ => self.ours("enroll", more),
        }
    }

    /// Whether key and request wait for their certificate.
    pub(super) fn waits_for_certificate(&self) -> bool {
        let pending = |backend: &Backend| ObjectRef::secret(format!("{}-pending", backend.client_certificate));
        self.backend().is_some_and(|backend| self.object(&pending(backend)).is_some())
    }

    /// What Helm is told by hand to deploy the files, where no verb of ours may.
    pub(super) fn upgrade(&self) -> Next {
        let (Ok(release), Some(true)) = (&self.release, self.files.as_ref().map(|files| files.key().is_top())) else {
            return "upgrade the release as you usually do".into();
        };
        let chart = format!("substra/{}", self.side.chart());
        let upgrade = CommandLine::helm().at(&self.target).with("upgrade").word(&release.name).word(chart);
        upgrade.option("--version", [&release.chart.version]).files(&self.paths, &ValuesKey::default()).into()
    }

    /// With what points at this release.
    fn on_this(&self, shown: CommandLine) -> CommandLine {
        let key = self.files.as_ref().map(|files| files.key().clone()).unwrap_or_default();
        let release = self.release.as_ref().ok().map(|release| &release.name);
        shown.at(&self.target).files(&self.paths, &key).option("--release", release)
    }

    /// How what is missing here is made.
    pub(super) fn remedy(&self) -> Remedy<'_> {
        let ours = Box::new(|verb: &str| self.shown(verb));
        let tls = self.backend().is_some_and(|backend| backend.tls_enabled);
        let of = self.orchestrator().map_or(RemedySide::Backend { tls }, RemedySide::Orchestrator);
        Remedy { ours, kubectl: self.kubectl(""), of }
    }

    /// What comes first at a backend: TLS, and the CA of the orchestrator in the kind that is mounted.
    pub(super) fn first_step(&self) -> Option<CommandLine> {
        let backend = self.backend()?;
        let is_there = |name: &str| self.object(&ObjectRef::of_kind(self.kind_of(name), name)).is_some();
        let lacks_ca = backend.cacert.as_ref().is_some_and(|name| self.objects.is_ok() && !is_there(name.as_str()));
        // A `ca trust` that was cut off before its upgrade.
        let waits = matches!(&self.deployed, Some(SideValues::Backend(deployed)) if !deployed.tls_enabled);
        let dials = backend.tls_enabled && !waits;
        (!dials || lacks_ca).then(|| self.remedy().trust(dials))
    }

    /// A kubectl command of these words.
    pub(super) fn kubectl(&self, words: &str) -> CommandLine {
        CommandLine::kubectl().at(&self.target).with(words)
    }
}
