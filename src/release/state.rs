//! A release as it was found, as it is to be installed, or as an upgrade will leave it.

use serde_json::Value;

use super::{
    Options,
    find::{self, ReleaseQuery},
    recover::Recovery,
};
use crate::{
    cluster::{ChartVersion, Cluster, MergedValues, ObjectRef, Release, ReleaseStatus, Upgrade},
    failure::Result,
    names::ReleaseName,
    substra::{
        Side,
        kind::ObjectKind,
        manifest::{Manifest, expected_kind},
    },
    values::ValuesKey,
};

/// A release as it was found, is to be installed, or will be once it is upgraded.
#[derive(Clone)]
pub(crate) struct ReleaseState {
    pub(crate) name: ReleaseName,
    /// Helm's record of it.
    pub(crate) record: Release,
    pub(crate) side: Side,
    /// The chart that mounts: the release's own, or the part of an umbrella chart.
    pub(crate) chart: ChartVersion,
    /// The workloads of that chart.
    pub(crate) manifest: Manifest,
    /// What is to be said of how it was found.
    pub(crate) note: Option<String>,
    /// What goes before the next upgrade, where a killed helm left a revision behind.
    pub(crate) recovery: Option<Recovery>,
    /// The chart that Helm upgrades.
    pub(crate) package: ChartVersion,
    /// Every workload of the release.
    pub(crate) whole: Manifest,
    pub(crate) key: ValuesKey,
    /// The chart's own among the deployed values.
    pub(crate) config: Value,
}

/// What a manifest has of the chart.
pub(crate) struct ChartPart {
    pub(crate) whole: Manifest,
    pub(crate) manifest: Manifest,
    pub(crate) chart: ChartVersion,
}

impl ReleaseState {
    /// A release that Helm knows.
    ///
    /// # Errors
    /// Its manifest cannot be read, or has nothing of the chart.
    pub(crate) fn read(
        name: ReleaseName,
        release: Release,
        package: ChartVersion,
        sought: &ReleaseQuery<'_>,
    ) -> Result<Self> {
        let whole = Manifest::parse(&release.manifest)?;
        Self::from_parts(name, release, package, sought, &whole)
    }

    /// The same of a manifest that is read already.
    ///
    /// # Errors
    /// It has nothing of the chart.
    pub(crate) fn from_parts(
        name: ReleaseName,
        release: Release,
        package: ChartVersion,
        sought: &ReleaseQuery<'_>,
        whole: &Manifest,
    ) -> Result<Self> {
        let ChartPart { whole, manifest, chart } = find::own_part(sought, whole, &package)?;
        let (key, config) = (sought.key.clone(), sought.key.below(&release.config));
        Ok(Self {
            name,
            record: release,
            side: sought.side,
            chart,
            manifest,
            note: None,
            recovery: None,
            package,
            whole,
            key,
            config,
        })
    }

    /// A release that is to be installed, with the chart that it will be of.
    ///
    /// # Errors
    /// There is no such chart.
    pub(crate) fn to_install(
        cluster: &dyn Cluster,
        name: &ReleaseName,
        side: Side,
        options: &Options,
        namespace: &str,
    ) -> Result<Self> {
        let reference = options.chart.clone().unwrap_or_else(|| reference(side));
        let version = options.version.clone().unwrap_or_default();
        let wanted = Upgrade {
            release: name.clone(),
            chart: reference,
            version,
            values: MergedValues(Value::Null),
            base_revision: 0,
        };
        let package = cluster.find_chart(&wanted)?;
        let release = Release {
            namespace: namespace.to_owned(),
            revision: 0,
            status: ReleaseStatus::Absent,
            config: Value::Object(serde_json::Map::new()),
            manifest: String::new(),
        };
        let sought = ReleaseQuery { side, release: None, key: ValuesKey::default(), hints: None };
        Self::from_parts(name.clone(), release, package, &sought, &Manifest::default())
    }

    pub(crate) fn is_installed(&self) -> bool {
        self.record.status.is_of_helm()
    }

    /// Whether Helm does not know it, and something else applies what the chart renders.
    pub(crate) fn is_external(&self) -> bool {
        self.record.status == ReleaseStatus::External
    }

    /// The chart's values that are deployed, or that the files will deploy.
    pub(crate) fn config(&self) -> &Value {
        &self.config
    }

    /// The kind in which the chart mounts a CA of this name: what is deployed says it, else the chart's version.
    pub(crate) fn kind_of(&self, name: &str) -> ObjectKind {
        let expected = || expected_kind(self.side, &self.chart.version);
        self.manifest.mount_kind(name).unwrap_or_else(expected)
    }

    /// The release's workloads as kubectl names them.
    pub(crate) fn workloads(&self) -> Vec<ObjectRef> {
        references(&self.whole)
    }
}

/// Where the walkthrough takes a chart from.
pub(super) fn reference(side: Side) -> String {
    format!("substra/{}", side.chart())
}

/// The workloads of a manifest as kubectl names them.
pub(crate) fn references(manifest: &Manifest) -> Vec<ObjectRef> {
    let reference = |kind: String, name: &str| ObjectRef::new(kind.to_lowercase(), name);
    manifest.workloads().iter().map(|workload| reference(workload.kind.to_string(), &workload.name)).collect()
}
