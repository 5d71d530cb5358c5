//! The release that a verb works on: found, read with few children, and planned to be upgraded.

use serde_json::Value;

use crate::{
    cli::CommonArgs,
    cluster::{ChartVersion, Cluster, Object, ObjectRef, Release, Upgrade},
    failure::{Exit, Failure, Result},
    names::ReleaseName,
    plan::{
        Action, Step,
        drift::{self, same},
        edits::{Edited, ValuesFiles},
        rollout,
    },
    substra::{
        kind::ObjectKind,
        manifest::{Manifest, expected_kind},
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

/// A release as it was found.
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
        let (release, version) = std::thread::scope(|scope| {
            let version = scope.spawn(|| cluster.chart(name));
            (cluster.release(name), version.join())
        });
        let version = version.map_err(|_| Failure::new(Exit::Failed, "bug", "a thread of ours ended early"))?;
        (name.clone(), release?, version?)
    } else {
        let (name, version) = only_release(cluster, chart)?;
        (name.clone(), cluster.release(&name)?, Some(version))
    };
    let (Some(release), Some(found_chart)) = (release, found_chart) else {
        return Err(Failure::new(
            Exit::CheckFailed,
            "no-release",
            format!("there is no release {name} in {}", cluster.place()),
        )
        .why("the namespace, the context or the name is not the right one")
        .next("helm list --all-namespaces; then name it with --release and --namespace"));
    };
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
    /// Objects that were read already, the release's workloads among them.
    pub(super) seen: &'a [Object],
}

/// What an upgrade would do, seen before anything is written.
pub(super) struct Planned {
    /// `upgrade` and `rollout`; empty with `--no-upgrade`.
    pub(super) steps: Vec<Step>,
    /// The manifest that will be live.
    pub(super) manifest: Manifest,
    /// Workloads whose pods are made anew, as `deployment/server`.
    pub(super) restarts: Vec<String>,
    /// Differences that were accepted, or that stay since nothing is upgraded.
    pub(super) warnings: Vec<String>,
}

impl Found {
    /// The values that are deployed, or that the files will deploy.
    pub(super) fn config(&self) -> &Value {
        &self.release.config
    }

    /// In which kind an object is mounted, or will be.
    pub(super) fn kind_of(&self, object: &str) -> ObjectKind {
        self.manifest.mount_kind(object).unwrap_or_else(|| expected_kind(&self.chart.name, &self.chart.version))
    }

    /// The release's workloads as kubectl names them.
    pub(super) fn workloads(&self) -> Vec<ObjectRef> {
        references(&self.manifest)
    }

    /// Plans the upgrade to the edited files, with the deployed chart version unless another is asked for.
    pub(super) fn plan(&self, cluster: &dyn Cluster, wish: &Wish<'_>) -> Result<Planned> {
        let version = wish.common.version.clone().unwrap_or_else(|| self.chart.version.clone());
        let upgrade = Upgrade {
            release: self.name.clone(),
            chart: wish.common.chart.clone().unwrap_or_else(|| wish.chart.reference()),
            version,
            files: wish.files.paths(),
        };
        let deployed = self.release.status == "deployed"
            && same(&self.release.config, &wish.edited.merged)
            && upgrade.version == self.chart.version;
        if deployed {
            return Ok(self.settled(upgrade, wish.seen));
        }
        let warnings = self.drift(wish)?;
        self.look_ahead(cluster, upgrade, wish, warnings)
    }

    /// Everything is deployed: only the rollout is looked at.
    fn settled(&self, upgrade: Upgrade, seen: &[Object]) -> Planned {
        let workloads = self.workloads();
        let complete =
            |wanted: &ObjectRef| seen.iter().any(|o| o.reference() == *wanted && rollout::missing(o).is_none());
        let rolled_out = workloads.iter().all(complete);
        let title = format!("helm upgrade of release {}", self.name);
        let upgrade = Step::to_do("upgrade", title, Action::Upgrade(upgrade)).already_if(true);
        Planned {
            steps: vec![upgrade, self.rollout(workloads).already_if(rolled_out)],
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
        let (read, chart, rendered) = std::thread::scope(|scope| {
            let read = scope.spawn(|| wish.edited.proven_by(cluster));
            let chart =
                scope.spawn(|| if wish.common.no_upgrade { Ok(None) } else { cluster.find_chart(&upgrade).map(Some) });
            let rendered =
                if wish.common.no_upgrade { Ok(None) } else { cluster.render(&upgrade, &wish.edited.merged).map(Some) };
            (read.join(), chart.join(), rendered)
        });
        let ended = |_| Failure::new(Exit::Failed, "bug", "a thread of ours ended early");
        read.map_err(ended)??;
        let chart = chart.map_err(ended)??;
        if let Some(chart) = &chart {
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

    fn drift(&self, wish: &Wish<'_>) -> Result<Vec<String>> {
        let lines: Vec<String> = drift::between(&self.release.config, &wish.files.merged(), wish.own)
            .iter()
            .map(drift::Difference::line)
            .collect();
        if lines.is_empty() || wish.common.accept_drift || wish.common.no_upgrade {
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
