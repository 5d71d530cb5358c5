//! The release that a verb works on: found, read with few children, and planned to be upgraded.

use serde_json::Value;

pub(super) use super::planned::Planned;
use super::{
    find::{self, Sought},
    goes_live,
    shown::Shown,
    synced,
};
use crate::{
    cli::CommonArgs,
    cluster::{ChartVersion, Cluster, Merged, ObjectRef, Release, Upgrade},
    commands::side_by_side,
    failure::{Code, Exit, Failure, Result},
    names::ReleaseName,
    plan::{
        Action, Step, StepId,
        drift::same,
        edits::{Edited, ValuesFiles},
    },
    report::text::count,
    substra::{
        kind::ObjectKind,
        manifest::{Manifest, expected_kind},
    },
    values::{Setting, ValuesKey},
};

/// One of the two charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chart {
    Backend,
    Orchestrator,
}

impl Chart {
    /// The name in `Chart.yaml`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Backend => "substra-backend",
            Self::Orchestrator => "orchestrator",
        }
    }

    /// Where the walkthrough takes it from.
    fn reference(self) -> String {
        format!("substra/{}", self.name())
    }
}

/// A release as it was found; with revision 0 one that is to be installed, or that Helm does not know.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) name: ReleaseName,
    pub(super) release: Release,
    /// The chart that mounts: the release's own, or the part of an umbrella chart.
    pub(super) chart: ChartVersion,
    /// The workloads of that chart.
    pub(super) manifest: Manifest,
    /// What is to be said of how it was found.
    pub(super) note: Option<String>,
    /// The chart that Helm upgrades.
    package: ChartVersion,
    /// Every workload of the release.
    whole: Manifest,
    key: ValuesKey,
    /// The chart's own among the deployed values.
    config: Value,
}

/// What a manifest has of the chart.
pub(super) struct Parts {
    pub(super) whole: Manifest,
    pub(super) manifest: Manifest,
    pub(super) chart: ChartVersion,
}

/// What a verb wants of a release.
pub(super) struct Wish<'a> {
    pub(super) chart: Chart,
    pub(super) common: &'a CommonArgs,
    pub(super) files: &'a ValuesFiles,
    pub(super) edited: &'a Edited,
    /// The settings that this run brings about: all else that differs is drift.
    pub(super) own: &'a [Setting],
    /// Helm's own reading of the files is asked for here, and not by the caller for many releases at once.
    pub(super) read: bool,
}

impl Found {
    /// A release that Helm knows.
    ///
    /// # Errors
    /// Its manifest cannot be read, or has nothing of the chart.
    pub(super) fn read(
        name: ReleaseName,
        release: Release,
        package: ChartVersion,
        sought: &Sought<'_>,
    ) -> Result<Self> {
        let whole = Manifest::parse(&release.manifest)?;
        Self::made(name, release, package, sought, &whole)
    }

    /// The same of a manifest that is read already.
    ///
    /// # Errors
    /// It has nothing of the chart.
    pub(super) fn made(
        name: ReleaseName,
        release: Release,
        package: ChartVersion,
        sought: &Sought<'_>,
        whole: &Manifest,
    ) -> Result<Self> {
        let Parts { whole, manifest, chart } = find::own_part(sought, whole, &package)?;
        let (key, config) = (sought.key.clone(), sought.key.below(&release.config));
        Ok(Self { name, release, chart, manifest, note: None, package, whole, key, config })
    }

    /// A release that is to be installed, with the chart that it will be of.
    ///
    /// # Errors
    /// There is no such chart.
    pub(super) fn to_install(
        cluster: &dyn Cluster,
        name: &ReleaseName,
        chart: Chart,
        common: &CommonArgs,
        namespace: &str,
    ) -> Result<Self> {
        let reference = common.chart.clone().unwrap_or_else(|| chart.reference());
        let version = common.version.clone().unwrap_or_default();
        let wanted = Upgrade { release: name.clone(), chart: reference, version, values: Merged(Value::Null), base: 0 };
        let package = cluster.find_chart(&wanted)?;
        let release = Release {
            namespace: namespace.to_owned(),
            revision: 0,
            status: "absent".to_owned(),
            config: Value::Object(serde_json::Map::new()),
            manifest: String::new(),
        };
        let sought = Sought { chart, release: None, key: ValuesKey::default(), synced: None };
        Self::made(name.clone(), release, package, &sought, &Manifest::default())
    }

    pub(super) fn is_installed(&self) -> bool {
        self.release.revision > 0
    }

    /// The release as an upgrade will leave it.
    pub(super) fn after(&self, planned: &Planned, edited: &Edited) -> Self {
        let mut after = self.clone();
        after.manifest = planned.manifest.clone();
        after.whole = planned.whole.clone();
        after.release.config = edited.whole.clone();
        after.config = edited.merged.clone();
        "deployed".clone_into(&mut after.release.status);
        after.release.revision += 1;
        after
    }

    /// Whether Helm does not know it, and something else applies what the chart renders.
    pub(super) fn is_synced(&self) -> bool {
        self.release.status == synced::STATUS
    }

    /// The chart's values that are deployed, or that the files will deploy.
    pub(super) fn config(&self) -> &Value {
        &self.config
    }

    /// The kind in which the chart mounts a CA of this name: what is deployed says it, else the chart's version.
    pub(super) fn kind_of(&self, name: &str) -> ObjectKind {
        let expected = || expected_kind(&self.chart.name, &self.chart.version);
        self.manifest.mount_kind(name).unwrap_or_else(expected)
    }

    /// The release's workloads as kubectl names them.
    pub(super) fn workloads(&self) -> Vec<ObjectRef> {
        references(&self.whole)
    }

    fn upgrade(&self, wish: &Wish<'_>) -> Upgrade {
        Upgrade {
            release: self.name.clone(),
            chart: wish.common.chart.clone().unwrap_or_else(|| wish.chart.reference()),
            version: wish.common.version.clone().unwrap_or_else(|| self.package.version.clone()),
            values: wish.edited.values(),
            base: self.release.revision,
        }
    }

    /// The release stays as it is deployed, for a verb whose values are live already.
    pub(super) fn stay(&self, wish: &Wish<'_>) -> Planned {
        self.settled(self.upgrade(wish))
    }

    /// Plans the upgrade to the edited files, with the deployed chart version unless another is asked for.
    pub(super) fn plan(&self, cluster: &dyn Cluster, wish: &Wish<'_>) -> Result<Planned> {
        let upgrade = self.upgrade(wish);
        let deployed = self.release.status == "deployed"
            && same(&self.release.config, &wish.edited.whole)
            && upgrade.version == self.package.version;
        if deployed {
            return Ok(self.settled(upgrade));
        }
        let warnings = self.note.iter().cloned().chain(self.drift(cluster, wish)?).collect();
        self.look_ahead(cluster, upgrade, wish, warnings)
    }

    /// Everything is deployed: only the rollout is looked at.
    fn settled(&self, upgrade: Upgrade) -> Planned {
        let title = format!("helm upgrade of release {}", self.name);
        let upgrade = Step::to_do(StepId::Upgrade, title, Action::Upgrade(upgrade)).already_if(true);
        Planned {
            steps: vec![upgrade, self.rollout(self.workloads())],
            manifest: self.manifest.clone(),
            whole: self.whole.clone(),
            restarts: Vec::new(),
            warnings: Vec::new(),
            is_left: false,
        }
    }

    fn rollout(&self, workloads: Vec<ObjectRef>) -> Step {
        let title = format!("rollout of release {}: every workload new and ready, no old pod left", self.name);
        Step::to_do(StepId::Rollout, title, Action::RollOut { release: self.name.to_string(), workloads })
    }

    /// Three children side by side: Helm's own reading of the files, the chart in that version, what it renders. A release
    /// that is left alone is rendered where its chart was named.
    fn look_ahead(
        &self,
        cluster: &dyn Cluster,
        upgrade: Upgrade,
        wish: &Wish<'_>,
        warnings: Vec<String>,
    ) -> Result<Planned> {
        let renders = !wish.common.no_upgrade || wish.common.chart.is_some();
        let read = || if wish.read { wish.edited.proven_by(cluster) } else { Ok(()) };
        let chart = || renders.then(|| cluster.find_chart(&upgrade)).transpose();
        let render = || renders.then(|| cluster.render(&upgrade)).transpose();
        let (read, (chart, rendered)) = side_by_side(read, || side_by_side(chart, render));
        read?;
        if let Some(chart) = &chart? {
            self.right_chart(chart, &upgrade)?;
        }
        let whole = rendered?.map_or_else(|| Ok(self.whole.clone()), |text| Manifest::parse(&text))?;
        let manifest = self.part(wish, &whole)?;
        let restarts = self.whole.changed_workloads(&whole);
        let mut steps = Vec::new();
        if !wish.common.no_upgrade {
            let install = if upgrade.base == 0 { "--install " } else { "" };
            let title =
                format!("helm upgrade {install}{} {} --version {}", upgrade.release, upgrade.chart, upgrade.version);
            steps.push(Step::to_do(StepId::Upgrade, title, Action::Upgrade(upgrade)));
            steps.push(self.rollout(references(&whole)));
        }
        Ok(Planned { steps, manifest, whole, restarts, warnings, is_left: wish.common.no_upgrade })
    }

    fn part(&self, wish: &Wish<'_>, whole: &Manifest) -> Result<Manifest> {
        let sought = Sought { chart: wish.chart, release: None, key: self.key.clone(), synced: None };
        Ok(find::own_part(&sought, whole, &self.package)?.manifest)
    }

    fn right_chart(&self, chart: &ChartVersion, upgrade: &Upgrade) -> Result<()> {
        if chart.name == self.package.name && (chart.version == upgrade.version || upgrade.version.is_empty()) {
            return Ok(());
        }
        Err(Failure::new(
            Exit::CheckFailed,
            Code::Chart,
            format!(
                "{} is {} {}, not {} {}",
                upgrade.chart, chart.name, chart.version, self.package.name, upgrade.version
            ),
        )
        .why("an upgrade with it would change more than mutual TLS")
        .next("name the chart that is deployed with --chart, or accept the other version with --version")
        .unchanged("nothing was written"))
    }

    fn drift(&self, cluster: &dyn Cluster, wish: &Wish<'_>) -> Result<Vec<String>> {
        let lines = goes_live::DriftGuard {
            chart: wish.chart,
            key: &self.key,
            deployed: &self.release.config,
            will: &wish.edited.whole,
            own: wish.own,
            is_sealed: wish.files.are_sealed(),
        }
        .lines();
        if lines.is_empty() || !self.is_installed() {
            return Ok(Vec::new());
        }
        if wish.common.accept_drift || wish.common.no_upgrade {
            return Ok(lines);
        }
        Err(Failure::new(
            Exit::CheckFailed,
            Code::Drift,
            format!("release {} and the values files differ in {}", self.name, count(lines.len(), "place")),
        )
        .why(format!("an upgrade would change these too: {}", lines.join("; ")))
        .next(format!(
            "bring the files up to what {} shows, or accept the change with --accept-drift",
            Shown::helm().at(&cluster.pointed()).with("get values").word(&self.name)
        ))
        .unchanged("nothing was written"))
    }
}

pub(super) fn references(manifest: &Manifest) -> Vec<ObjectRef> {
    manifest
        .workloads()
        .iter()
        .map(|workload| ObjectRef::new(workload.kind.to_string().to_lowercase(), &workload.name))
        .collect()
}
