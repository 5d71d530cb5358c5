//! The release that a verb works on: found, read with few children, and planned to be upgraded.

use serde_json::Value;

pub(super) use super::planned::Planned;
use crate::{
    cli::CommonArgs,
    cluster::{ChartVersion, Cluster, ObjectRef, Release, Upgrade},
    commands::side_by_side,
    failure::{Exit, Failure, Result},
    names::ReleaseName,
    plan::{
        Action, Step,
        drift::{self, same},
        edits::{Edited, ValuesFiles},
    },
    substra::{
        kind::ObjectKind,
        manifest::{Manifest, expected_kind},
        orchestrator::{CLIENT_CAS, MTLS_ENABLED},
    },
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

/// A release as it was found; with revision 0 one that is to be installed.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) name: ReleaseName,
    pub(super) release: Release,
    pub(super) chart: ChartVersion,
    pub(super) manifest: Manifest,
}

/// The release to work on: one that is pending stops the verb.
pub(super) fn find(cluster: &dyn Cluster, wanted: Option<&ReleaseName>, chart: Chart) -> Result<Found> {
    let found = look(cluster, wanted, chart)?;
    if found.release.is_pending() {
        return Err(pending(&found.name, &found.release));
    }
    Ok(found)
}

/// Reads the release: two children side by side, or `helm list` in place of the second where no name was given.
pub(super) fn look(cluster: &dyn Cluster, wanted: Option<&ReleaseName>, chart: Chart) -> Result<Found> {
    let (name, release, found_chart) = if let Some(name) = wanted {
        let (version, release) = side_by_side(|| cluster.chart(name), || cluster.release(name));
        (name.clone(), release?, version?)
    } else {
        let (name, version) = only_release(cluster, chart)?;
        (name.clone(), cluster.release(&name)?, Some(version))
    };
    let (Some(release), Some(found_chart)) = (release, found_chart) else { return Err(absent(cluster, &name)) };
    if found_chart.name != chart.name() {
        return Err(Failure::new(
            Exit::CheckFailed,
            "release-chart",
            format!("release {name} is not of chart {}", chart.name()),
        )
        .why(format!("it is of chart {}", found_chart.name))
        .next("name the right release with --release, and its namespace with --namespace"));
    }
    let manifest = Manifest::parse(&release.manifest)?;
    Ok(Found { name, release, chart: found_chart, manifest })
}

fn absent(cluster: &dyn Cluster, name: &ReleaseName) -> Failure {
    let what = format!("there is no release {name} in {}", cluster.place());
    Failure::new(Exit::CheckFailed, "no-release", what)
        .why("the namespace, the context or the name is not the right one")
        .next("helm list --all-namespaces; then name it with --release and --namespace")
}

pub(super) fn pending(name: &ReleaseName, release: &Release) -> Failure {
    Failure::new(Exit::CheckFailed, "release-pending", format!("release {name} is {} since revision {}", release.status, release.revision))
        .why("another helm works on it, or one was killed and left it so")
        .next(format!("helm history {name}; if no helm is running: helm rollback {name} to the last deployed revision, then run this again"))
}

fn only_release(cluster: &dyn Cluster, chart: Chart) -> Result<(ReleaseName, ChartVersion)> {
    let mut found: Vec<_> =
        cluster.releases()?.into_iter().filter(|(_, version)| version.name == chart.name()).collect();
    let fail = |what: String| {
        Failure::new(Exit::CheckFailed, "which-release", what)
            .next("helm list --all-namespaces; then name it with --release and --namespace")
    };
    let place = cluster.place();
    match (found.pop(), found.len()) {
        (Some((name, version)), 0) => {
            let name = name.parse().map_err(|e: crate::names::BadName| fail(e.to_string()))?;
            Ok((name, version))
        }
        (None, _) => Err(fail(format!("there is no release of chart {} in {place}", chart.name()))
            .why("the namespace or the context is not the right one, or the chart is not installed yet")),
        (Some((last, _)), _) => {
            let names: Vec<_> = found.into_iter().map(|(name, _)| name).chain([last]).collect();
            Err(fail(format!("there are several releases of chart {} in {place}", chart.name())).why(names.join(", ")))
        }
    }
}

/// What a verb wants of a release.
pub(super) struct Wish<'a> {
    pub(super) chart: Chart,
    pub(super) common: &'a CommonArgs,
    pub(super) files: &'a ValuesFiles,
    pub(super) edited: &'a Edited,
    /// Paths of our own, which are no drift.
    pub(super) own: &'a [&'a [&'a str]],
    /// Helm's own reading of the files is asked for here, and not by the caller for many releases at once.
    pub(super) read: bool,
}

impl Found {
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
        let wanted = Upgrade { release: name.clone(), chart: reference, version, files: Vec::new(), install: true };
        let chart = cluster.find_chart(&wanted)?;
        let release = Release {
            namespace: namespace.to_owned(),
            revision: 0,
            status: "absent".to_owned(),
            config: Value::Object(serde_json::Map::new()),
            manifest: String::new(),
        };
        Ok(Self { name: name.clone(), release, chart, manifest: Manifest::parse("")? })
    }

    pub(super) fn is_installed(&self) -> bool {
        self.release.revision > 0
    }

    /// The release as an upgrade will leave it.
    pub(super) fn after(&self, planned: &Planned, edited: &Edited) -> Self {
        let mut after = self.clone();
        after.manifest = planned.manifest.clone();
        after.release.config = edited.merged.clone();
        "deployed".clone_into(&mut after.release.status);
        after.release.revision += 1;
        after
    }

    /// The values that are deployed, or that the files will deploy.
    pub(super) fn config(&self) -> &Value {
        &self.release.config
    }

    /// The kind in which the chart mounts a CA of this name: what is deployed says it, else the chart's version.
    pub(super) fn kind_of(&self, name: &str) -> ObjectKind {
        let expected = || expected_kind(&self.chart.name, &self.chart.version);
        self.manifest.mount_kind(name).unwrap_or_else(expected)
    }

    /// The release's workloads as kubectl names them.
    pub(super) fn workloads(&self) -> Vec<ObjectRef> {
        references(&self.manifest)
    }

    fn upgrade(&self, wish: &Wish<'_>) -> Upgrade {
        Upgrade {
            release: self.name.clone(),
            chart: wish.common.chart.clone().unwrap_or_else(|| wish.chart.reference()),
            version: wish.common.version.clone().unwrap_or_else(|| self.chart.version.clone()),
            files: wish.files.paths(),
            install: !self.is_installed(),
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
            && same(&self.release.config, &wish.edited.merged)
            && upgrade.version == self.chart.version;
        if deployed {
            return Ok(self.settled(upgrade));
        }
        let warnings = self.drift(wish)?;
        self.look_ahead(cluster, upgrade, wish, warnings)
    }

    /// Everything is deployed: only the rollout is looked at.
    fn settled(&self, upgrade: Upgrade) -> Planned {
        let title = format!("helm upgrade of release {}", self.name);
        let upgrade = Step::to_do("upgrade", title, Action::Upgrade(upgrade)).already_if(true);
        Planned {
            steps: vec![upgrade, self.rollout(self.workloads())],
            manifest: self.manifest.clone(),
            restarts: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn rollout(&self, workloads: Vec<ObjectRef>) -> Step {
        let title = format!("rollout of release {}: every workload new and ready, no old pod left", self.name);
        Step::to_do("rollout", title, Action::RollOut { release: self.name.to_string(), workloads })
    }

    /// Three children side by side: Helm's own reading of the files, the chart in that version, what it renders.
    fn look_ahead(
        &self,
        cluster: &dyn Cluster,
        upgrade: Upgrade,
        wish: &Wish<'_>,
        warnings: Vec<String>,
    ) -> Result<Planned> {
        let upgrades = !wish.common.no_upgrade;
        let read = || if wish.read { wish.edited.proven_by(cluster) } else { Ok(()) };
        let chart = || upgrades.then(|| cluster.find_chart(&upgrade)).transpose();
        let render = || upgrades.then(|| cluster.render(&upgrade, &wish.edited.merged)).transpose();
        let (read, (chart, rendered)) = side_by_side(read, || side_by_side(chart, render));
        read?;
        if let Some(chart) = &chart? {
            self.right_chart(chart, &upgrade)?;
        }
        let Some(rendered) = rendered? else {
            return Ok(Planned { steps: Vec::new(), manifest: self.manifest.clone(), restarts: Vec::new(), warnings });
        };
        let manifest = Manifest::parse(&rendered)?;
        let restarts = self.manifest.changed_workloads(&manifest);
        let title = format!("helm upgrade {} {} --version {}", upgrade.release, upgrade.chart, upgrade.version);
        let workloads = references(&manifest);
        let steps = vec![Step::to_do("upgrade", title, Action::Upgrade(upgrade)), self.rollout(workloads)];
        Ok(Planned { steps, manifest, restarts, warnings })
    }

    fn right_chart(&self, chart: &ChartVersion, upgrade: &Upgrade) -> Result<()> {
        if chart.name == self.chart.name && chart.version == upgrade.version {
            return Ok(());
        }
        Err(Failure::new(
            Exit::CheckFailed,
            "chart",
            format!(
                "{} is {} {}, not {} {}",
                upgrade.chart, chart.name, chart.version, self.chart.name, upgrade.version
            ),
        )
        .why("an upgrade with it would change more than mutual TLS")
        .next("name the chart that is deployed with --chart, or accept the other version with --version")
        .unchanged("nothing was written"))
    }

    /// Who is admitted while mutual TLS is on, and not in the files: our own path, and yet no edit of ours. An upgrade
    /// would cut them off.
    fn dropped(&self, wish: &Wish<'_>) -> impl Iterator<Item = drift::Difference> {
        let (config, merged) = (&self.release.config, &wish.edited.merged);
        let on = |values: &Value| MTLS_ENABLED.iter().fold(values, |node, key| &node[key]) == true;
        let cuts = wish.chart == Chart::Orchestrator && on(config) && on(merged);
        let found = if cuts { drift::between(config, merged, &[]) } else { Vec::new() };
        found.into_iter().filter(|difference| difference.loses(CLIENT_CAS))
    }

    fn drift(&self, wish: &Wish<'_>) -> Result<Vec<String>> {
        let mut found = drift::between(&self.release.config, &wish.files.merged(), wish.own);
        found.extend(self.dropped(wish).filter(|lost| !found.contains(lost)).collect::<Vec<_>>());
        let lines: Vec<String> = found.iter().map(drift::Difference::line).collect();
        if lines.is_empty() || !self.is_installed() {
            return Ok(Vec::new());
        }
        if wish.common.accept_drift || wish.common.no_upgrade {
            return Ok(lines);
        }
        Err(Failure::new(
            Exit::CheckFailed,
            "drift",
            format!("release {} and the values files differ in {} places", self.name, lines.len()),
        )
        .why(format!("an upgrade would change these too: {}", lines.join("; ")))
        .next("bring the files up to what is deployed, or accept the change with --accept-drift")
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
