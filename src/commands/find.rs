//! Finds the release that a verb works on: with few children, below the key of an umbrella chart, or without Helm.

use super::{
    release::{Chart, Found, Parts},
    shown::Shown,
    side_by_side, synced,
};
use crate::{
    cli::CommonArgs,
    cluster::{ChartVersion, Cluster, Pointed, Release},
    failure::{Code, Exit, Failure, Result},
    names::ReleaseName,
    plan::edits::ValuesFiles,
    substra::manifest::Manifest,
    values::ValuesKey,
};

/// What is looked for.
pub(super) struct Sought<'a> {
    pub(super) chart: Chart,
    pub(super) release: Option<&'a ReleaseName>,
    /// The key of the chart in an umbrella chart's values.
    pub(super) key: ValuesKey,
    /// Where something else than Helm may have made the release; `None` where Helm is to upgrade it.
    pub(super) synced: Option<synced::By<'a>>,
}

impl<'a> Sought<'a> {
    /// For a verb with the options of all: a release that Helm does not know will do where none is upgraded.
    pub(super) fn of(common: &'a CommonArgs, files: &ValuesFiles, chart: Chart) -> Self {
        let by =
            || synced::By { whole: files.whole(), chart: common.chart.as_deref(), version: common.version.as_deref() };
        let synced = common.no_upgrade.then(by);
        Self { chart, release: common.release.as_ref(), key: common.key(), synced }
    }

    /// The name of the chart that its own templates see and write into the label `helm.sh/chart`.
    pub(super) fn label(&self) -> &str {
        self.key.chart().unwrap_or(self.chart.name())
    }
}

/// The release to work on: one that is pending stops the verb.
pub(super) fn find(cluster: &dyn Cluster, sought: &Sought<'_>) -> Result<Found> {
    let found = look(cluster, sought)?;
    if found.release.is_pending() {
        return Err(pending(&found.name, &found.release, &cluster.pointed()));
    }
    Ok(found)
}

/// Reads the release: two children side by side, or `helm list` in place of the second where no name was given.
pub(super) fn look(cluster: &dyn Cluster, sought: &Sought<'_>) -> Result<Found> {
    let read = if let Some(name) = sought.release {
        let (version, release) = side_by_side(|| cluster.chart(name), || cluster.release(name));
        let (release, version) = (release?, version?);
        release.zip(version).map(|(release, version)| (name.clone(), release, version))
    } else if let Some((name, version)) = only_release(cluster, sought)? {
        cluster.release(&name)?.map(|release| (name, release, version))
    } else {
        None
    };
    let Some((name, release, package)) = read else {
        let absent = absent(cluster, sought);
        return sought.synced.as_ref().map_or(Err(absent.clone()), |by| synced::find(cluster, sought, by, absent));
    };
    if sought.key.is_top() && package.name != sought.chart.name() {
        return Err(other_chart(&name, sought.chart, &package));
    }
    Found::read(name, release, package, sought)
}

fn other_chart(name: &ReleaseName, chart: Chart, package: &ChartVersion) -> Failure {
    let what = format!("release {name} is not of chart {}", chart.name());
    let next = format!(
        "name the right release with --release, and its namespace with --namespace; or, where {} is a dependency of {}, the key of its values with --values-key",
        chart.name(),
        package.name
    );
    Failure::new(Exit::CheckFailed, Code::ReleaseChart, what).why(format!("it is of chart {}", package.name)).next(next)
}

const BY_A_SYNC: &str =
    "; where Argo CD renders the chart there is no release of Helm's: then add --no-upgrade and --release NAME";

fn absent(cluster: &dyn Cluster, sought: &Sought<'_>) -> Failure {
    let place = cluster.place();
    let next = |text: &str| format!("{text}{}", if sought.synced.is_none() { BY_A_SYNC } else { "" });
    // Helm gives `default` where nobody named one.
    let unnamed = cluster.pointed().namespace.is_none_or(|namespace| namespace == "default");
    let forgotten = "no namespace was named with -n, or the default one";
    let by_name = next(if unnamed {
        "add -n NAMESPACE, as to helm; helm list --all-namespaces shows where each release is"
    } else {
        "helm list --all-namespaces; then name it with --release and --namespace"
    });
    match sought.release {
        Some(name) => {
            Failure::new(Exit::CheckFailed, Code::NoRelease, format!("there is no release {name} in {place}"))
                .why(if unnamed { forgotten } else { "the namespace, the context or the name is not the right one" })
                .next(by_name)
        }
        None => Failure::new(
            Exit::CheckFailed,
            Code::WhichRelease,
            format!("there is no release of chart {} in {place}", sought.chart.name()),
        )
        .why(if unnamed {
            forgotten
        } else {
            "the namespace or the context is not the right one, or the chart is not installed yet"
        })
        .next(by_name),
    }
}

/// `place` points helm at the release.
pub(super) fn pending(name: &ReleaseName, release: &Release, place: &Pointed) -> Failure {
    let history = Shown::helm().at(place).with("history").word(name);
    let rollback = Shown::helm().at(place).with("rollback").word(name);
    Failure::new(
        Exit::CheckFailed,
        Code::ReleasePending,
        format!("release {name} is {} since revision {}", release.status, release.revision),
    )
    .why("another helm works on it, or one was killed and left it so")
    .next(format!("{history}; if no helm is running, back to the last deployed revision: {rollback} REVISION"))
}

/// The only release of the chart in the namespace. An umbrella chart has a name of its own: there, the only release.
fn only_release(cluster: &dyn Cluster, sought: &Sought<'_>) -> Result<Option<(ReleaseName, ChartVersion)>> {
    let fits = |version: &ChartVersion| !sought.key.is_top() || version.name == sought.chart.name();
    let mut found: Vec<_> = cluster.releases()?.into_iter().filter(|(_, version)| fits(version)).collect();
    let fail = |what: String| {
        Failure::new(Exit::CheckFailed, Code::WhichRelease, what)
            .next("helm list --all-namespaces; then name it with --release and --namespace")
    };
    let Some((name, version)) = found.pop() else { return Ok(None) };
    if found.is_empty() {
        let name = name.parse().map_err(|e: crate::names::BadName| fail(e.to_string()))?;
        return Ok(Some((name, version)));
    }
    let what =
        if sought.key.is_top() { format!("releases of chart {}", sought.chart.name()) } else { "releases".to_owned() };
    let names: Vec<_> = found.into_iter().map(|(name, _)| name).chain([name]).collect();
    Err(fail(format!("there are several {what} in {}", cluster.place())).why(names.join(", ")))
}

/// The part of a manifest that is the chart's own, and which chart that is.
///
/// # Errors
/// Nothing of that name is rendered.
pub(super) fn own_part(sought: &Sought<'_>, whole: &Manifest, package: &ChartVersion) -> Result<Parts> {
    let part = whole.part(sought.label());
    let own = |manifest: Manifest, version: String| Parts {
        whole: whole.clone(),
        manifest,
        chart: ChartVersion { name: sought.chart.name().to_owned(), version },
    };
    match part {
        _ if sought.key.is_top() => Ok(own(whole.clone(), package.version.clone())),
        Some((manifest, version)) => Ok(own(manifest, version)),
        None => {
            let key = &sought.key;
            let label = sought.label();
            Err(Failure::new(Exit::CheckFailed, Code::ValuesKey, format!("chart {} renders nothing below {key}", package.name))
                .why(format!("no Deployment or StatefulSet carries the label helm.sh/chart: {label}-VERSION"))
                .next("name the dependency by its alias, or by its name where it has none; and see that its condition or tags turn it on")
                .unchanged("nothing was written"))
        }
    }
}
