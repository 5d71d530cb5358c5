//! A release that Helm does not know, since something else applies what the chart renders: Argo CD, `helm template`.

use serde_json::Value;

use super::{ReleaseQuery, ReleaseState, find};
use crate::{
    cluster::{ChartVersion, Cluster, MergedValues, Object, Release, ReleaseStatus, Upgrade},
    failure::{Code, Exit, Failure, Result},
    names::ReleaseName,
    substra::manifest::Manifest,
};

/// What is known of such a release without Helm.
pub(crate) struct Hints<'a> {
    /// All merged values of the files: what the sync deploys.
    pub(crate) whole: Value,
    /// The chart, where it was named.
    pub(crate) chart: Option<&'a str>,
    /// Its version, where it was named.
    pub(crate) version: Option<&'a str>,
    /// The verb has the options for both.
    pub(crate) can_name_chart: bool,
}

/// The label by which workloads are told apart (Kubernetes, recommended labels).
const INSTANCE: &str = "app.kubernetes.io/instance";

/// By its workloads; before the first sync, by what the chart renders.
///
/// # Errors
/// `absent` where neither is there; several candidates.
pub(crate) fn find(
    cluster: &dyn Cluster,
    query: &ReleaseQuery<'_>,
    hints: &Hints<'_>,
    absent: Failure,
) -> Result<ReleaseState> {
    let running = running(cluster, query, &absent)?;
    if running.is_empty() {
        return rendered(cluster, query, hints, absent);
    }
    let name = chosen(query, &running, cluster)?;
    let own: Vec<&Object> = match query.release {
        Some(_) if !running.iter().any(|object| instance(object) == name.as_str()) => running.iter().collect(),
        _ => running.iter().filter(|object| instance(object) == name.as_str()).collect(),
    };
    let namespace = own.first().and_then(|object| object.json()["metadata"]["namespace"].as_str()).unwrap_or_default();
    let release = release(namespace, hints, String::new());
    let version = hints.version.unwrap_or_default().to_owned();
    let whole = Manifest::of(own.iter().map(|object| object.json()));
    // Read off the label, as it is known nowhere else.
    let version = if query.key.is_top() {
        whole.part_of_chart(query.label()).map_or(version, |(_, version)| version)
    } else {
        version
    };
    let package = ChartVersion { name: query.side.chart().to_owned(), version };
    ReleaseState::from_parts(name, release, package, query, &whole)
}

/// Workloads of the chart: those of an umbrella's other parts are not ours to judge.
fn running(cluster: &dyn Cluster, query: &ReleaseQuery<'_>, absent: &Failure) -> Result<Vec<Object>> {
    let all = cluster.list("deployments,statefulsets", INSTANCE).map_err(|failure| match failure.code {
        Code::Forbidden => absent.clone().why("and its workloads may not be listed by this account"),
        _ => failure,
    })?;
    let ours = |object: &Object| Manifest::of([object.json()]).part_of_chart(query.label()).is_some();
    Ok(all.into_iter().filter(ours).collect())
}

fn instance(object: &Object) -> &str {
    object.label(INSTANCE).unwrap_or_default()
}

/// The name that was given, else the only one that workloads carry. Argo CD may write the application's name there.
fn chosen(query: &ReleaseQuery<'_>, running: &[Object], cluster: &dyn Cluster) -> Result<ReleaseName> {
    let mut names: Vec<&str> = running.iter().map(instance).collect();
    names.sort_unstable();
    names.dedup();
    match (query.release, names.as_slice()) {
        (Some(given), [_]) => Ok(given.clone()),
        (Some(given), all) if all.contains(&given.as_str()) => Ok(given.clone()),
        (None, [one]) => find::only(one, cluster, query),
        _ => {
            let why = format!("workloads of chart {} carry {INSTANCE}: {}", query.label(), names.join(", "));
            Err(find::several(cluster, query, why))
        }
    }
}

/// Before the first sync: the chart says what it will mount.
fn rendered(
    cluster: &dyn Cluster,
    query: &ReleaseQuery<'_>,
    hints: &Hints<'_>,
    absent: Failure,
) -> Result<ReleaseState> {
    let (Some(name), Some(chart), Some(namespace)) = (query.release, hints.chart, cluster.target().namespace) else {
        let why = format!("{}; neither Helm knows it, nor does a workload carry the labels of the chart", absent.why);
        if !hints.can_name_chart {
            return Err(absent.why(why));
        }
        let next = absent.next.clone().words(
            "; where it is not synced yet, name all of --namespace, --release and --chart (with its --version): then the chart says what it will mount",
        );
        return Err(absent.why(why).next(next));
    };
    let version = hints.version.unwrap_or_default().to_owned();
    let upgrade = Upgrade {
        release: name.clone(),
        chart: chart.to_owned(),
        version,
        values: MergedValues(hints.whole.clone()),
        base_revision: 0,
    };
    let package = cluster.find_chart(&upgrade)?;
    if query.key.is_top() && package.name != query.side.chart() {
        return Err(Failure::new(
            Exit::CheckFailed,
            Code::Chart,
            format!("{chart} is not chart {}", query.side.chart()),
        )
        .why(format!("it is chart {} {}", package.name, package.version))
        .next("name the right chart with --chart; of an umbrella chart also the key of its values with --values-key"));
    }
    let text = cluster.render(&Upgrade { version: package.version.clone(), ..upgrade })?;
    let whole = Manifest::parse(&text)?;
    let mut release = ReleaseState::from_parts(name.clone(), release(&namespace, hints, text), package, query, &whole)?;
    release.note =
        Some(format!("nothing of release {name} runs in namespace {namespace} yet: checked by what {chart} renders"));
    Ok(release)
}

fn release(namespace: &str, hints: &Hints<'_>, manifest: String) -> Release {
    Release {
        namespace: namespace.to_owned(),
        revision: 0,
        status: ReleaseStatus::External,
        config: hints.whole.clone(),
        manifest,
    }
}
