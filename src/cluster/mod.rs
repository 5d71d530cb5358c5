//! The one door to processes: `helm`, `kubectl` and `sops`, and the simulated cluster behind the same traits.

mod child;
mod helm;
mod history;
mod kubectl;
mod object;
mod program;
mod real;
mod release_status;
pub mod simulated;
mod sops;

use std::fmt;

use serde_json::Value;
use zeroize::Zeroizing;

pub use self::{
    history::{History, Revision, created, revision_secret},
    object::{Object, ObjectRef, PAIR_TYPE},
    real::{RealCluster, RealClusterOptions},
    release_status::ReleaseStatus,
    sops::{Sops, SopsChange, SopsProgram},
};
use crate::{command_line::CommandLine, failure::Result, names::ReleaseName};

/// A release as `helm status -o json` tells it.
#[derive(Debug, Clone)]
pub struct Release {
    /// The namespace that it is in.
    pub namespace: String,
    /// Counts the upgrades, from 1; 0 where Helm has none.
    pub revision: u64,
    /// Where it stands.
    pub status: ReleaseStatus,
    /// What the user supplied: `{}` when nothing.
    pub config: Value,
    /// The rendered documents, hooks left out.
    pub manifest: String,
}

impl Release {
    /// Whether another operation holds the release, or was killed and holds it forever.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(self.status, ReleaseStatus::Pending(_))
    }
}

/// A chart's name and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartVersion {
    /// `substra-backend` or `orchestrator`.
    pub name: String,
    /// SemVer, as in `Chart.yaml`.
    pub version: String,
}

/// Namespace, context and kubeconfig of a cluster, for commands that are shown.
#[derive(Debug, Clone, Default)]
pub struct ClusterTarget {
    /// The namespace; `None` where it is the context's own.
    pub namespace: Option<String>,
    /// The context; `None` where it is the kubeconfig's own.
    pub context: Option<String>,
    /// The kubeconfig; `None` where it is the default one.
    pub kubeconfig: Option<String>,
}

impl CommandLine {
    /// At this cluster and namespace.
    pub(crate) fn at(self, target: &ClusterTarget) -> Self {
        let context = self.context;
        self.option("-n", &target.namespace).option(context, &target.context).option("--kubeconfig", &target.kubeconfig)
    }
}

/// One `helm upgrade`.
#[derive(Debug, Clone)]
pub struct Upgrade {
    /// The release.
    pub release: ReleaseName,
    /// Repository chart, path or OCI reference.
    pub chart: String,
    /// The chart's version; empty for the newest, where one is only looked for.
    pub version: String,
    /// What the plan was made from is what Helm gets, whatever becomes of the files meanwhile.
    pub values: MergedValues,
    /// The revision that the plan was made against; 0 installs a release that is not there.
    pub base_revision: u64,
}

/// Merged values, for Helm's standard input: they may hold passwords, which are for no command line and no disk.
#[derive(Clone)]
pub struct MergedValues(pub Value);

impl MergedValues {
    /// As JSON, which is YAML too.
    #[must_use]
    pub fn json(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_string().into_bytes())
    }
}

impl fmt::Debug for MergedValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MergedValues(..)")
    }
}

/// What the verbs need of Helm, in one namespace.
///
/// Every method fails with [`crate::failure::Exit::Outside`] when the child or the server fails; the codes that
/// callers tell apart are `forbidden` and `pending`.
pub trait Helm: Sync {
    /// Releases of the namespace with their charts; asked only where `--release` was not given.
    ///
    /// # Errors
    /// See the trait.
    fn releases(&self) -> Result<Vec<(String, ChartVersion)>>;

    /// The latest revision of a release; `None` where there is no such release.
    ///
    /// # Errors
    /// See the trait.
    fn release(&self, name: &ReleaseName) -> Result<Option<Release>>;

    /// Name and version of the chart of a release; `None` where there is no such release.
    ///
    /// # Errors
    /// See the trait.
    fn chart(&self, name: &ReleaseName) -> Result<Option<ChartVersion>>;

    /// Name and version of the chart that an upgrade would take.
    ///
    /// # Errors
    /// `chart` where it cannot be found in that version.
    fn find_chart(&self, upgrade: &Upgrade) -> Result<ChartVersion>;

    /// The manifest that an upgrade would deploy.
    ///
    /// # Errors
    /// The chart does not render.
    fn render(&self, upgrade: &Upgrade) -> Result<String>;

    /// How Helm itself reads these values files, one result a file.
    ///
    /// # Errors
    /// See the trait.
    fn parse_values(&self, files: &[&[u8]]) -> Result<Vec<std::result::Result<Value, String>>>;

    /// Upgrades, without waiting for the rollout.
    ///
    /// # Errors
    /// See the trait; the release may then be `failed`.
    fn upgrade(&self, upgrade: &Upgrade) -> Result<()>;
}

/// What the verbs need of the Kubernetes API, in one namespace.
///
/// Every method fails with [`crate::failure::Exit::Outside`] when the child or the server fails; the codes that
/// callers tell apart are `forbidden`, `exists`, `conflict` and `not-found`.
pub trait Kubernetes: Sync {
    /// Those of the named objects that are there.
    ///
    /// # Errors
    /// See the trait.
    fn get(&self, wanted: &[ObjectRef]) -> Result<Vec<Object>>;

    /// All objects of a resource (`pods`, `configmaps`) with a label, `key=value`.
    ///
    /// # Errors
    /// See the trait; small rights may not allow it (`forbidden`).
    fn list(&self, resource: &str, selector: &str) -> Result<Vec<Object>>;

    /// What this account may do in a namespace: the status of a `SelfSubjectRulesReview` (`authorization.k8s.io/v1`),
    /// which every account may ask for.
    ///
    /// # Errors
    /// See the trait.
    fn access_review(&self, namespace: &str) -> Result<Value>;

    /// Makes a new object.
    ///
    /// # Errors
    /// `exists` where one of that name is there.
    fn create(&self, object: &Object) -> Result<()>;

    /// Replaces an object, guarded by its resourceVersion.
    ///
    /// # Errors
    /// `conflict` where somebody changed it meanwhile.
    fn replace(&self, object: &Object) -> Result<()>;

    /// Removes an object as it was seen, guarded by its uid and its resourceVersion; one that is gone already is no
    /// failure.
    ///
    /// # Errors
    /// `conflict` where somebody changed it meanwhile, or it is another of the same name.
    fn delete(&self, seen: &Object) -> Result<()>;

    /// Sets an annotation of a workload's pod template. A new value replaces the pods, as `kubectl rollout restart`
    /// does; a later `helm upgrade` keeps it, since it is not the chart's.
    ///
    /// # Errors
    /// See the trait.
    fn annotate_template(&self, workload: &ObjectRef, key: &str, value: &str) -> Result<()>;
}

/// One namespace of a cluster: real, through `helm` and `kubectl`, or simulated.
pub trait Cluster: Helm + Kubernetes + History {
    /// Where this is, for messages: `namespace org-1, context hospital`.
    fn location(&self) -> String;

    /// The same as flags of helm and kubectl, for commands that are shown.
    fn target(&self) -> ClusterTarget;
}
