//! Finds the release that a verb works on: with few children, below the key of an umbrella chart, or without Helm.

use super::{ChartPart, Options, ReleaseState, ValuesFiles, without_helm};
use crate::{
    cluster::{ChartVersion, Cluster, ClusterTarget, Release},
    command_line::CommandLine,
    failure::{Code, Exit, Failure, Next, Result},
    names::{BadName, ReleaseName},
    parallel::side_by_side,
    substra::{Side, manifest::Manifest},
    values::ValuesKey,
};

/// What is looked for.
pub(crate) struct ReleaseQuery<'a> {
    pub(crate) side: Side,
    pub(crate) release: Option<&'a ReleaseName>,
    /// The key of the chart in an umbrella chart's values.
    pub(crate) key: ValuesKey,
    /// Where something else than Helm may have made the release; `None` where Helm is to upgrade it.
    pub(crate) hints: Option<without_helm::Hints<'a>>,
}

impl<'a> ReleaseQuery<'a> {
    /// For a verb with the options of all: a release that Helm does not know will do where none is upgraded.
    pub(crate) fn of(options: &'a Options, files: &ValuesFiles, side: Side) -> Self {
        let hints = || without_helm::Hints {
            whole: files.whole(),
            chart: options.chart.as_deref(),
            version: options.version.as_deref(),
            can_name_chart: true,
        };
        let hints = options.no_upgrade.then(hints);
        Self { side, release: options.release.as_ref(), key: options.key.clone(), hints }
    }

    /// The name of the chart that its own templates see and write into the label `helm.sh/chart`.
    pub(crate) fn label(&self) -> &str {
        self.key.chart().unwrap_or(self.side.chart())
    }
}

/// The release to work on: one that is pending stops the verb.
pub(crate) fn find(cluster: &dyn Cluster, query: &ReleaseQuery<'_>) -> Result<ReleaseState> {
    let release = look(cluster, query)?;
    if release.record.is_pending() {
        return Err(pending(&release.name, &release.record, &cluster.target()));
    }
    Ok(release)
}

/// Reads the release: two children side by side, or `helm list` in place of the second where no name was given.
pub(crate) fn look(cluster: &dyn Cluster, query: &ReleaseQuery<'_>) -> Result<ReleaseState> {
    read(cluster, query).map_err(|failure| match failure.code {
        // A Role is of one namespace: whoever forgets to name it is forbidden to look into `default`.
        Code::Forbidden if is_unnamed(&cluster.target()) => {
            let next = add_namespace().words("; if that is not it: ").and(&failure.next);
            failure.next(next)
        }
        _ => failure,
    })
}

fn read(cluster: &dyn Cluster, query: &ReleaseQuery<'_>) -> Result<ReleaseState> {
    let read = if let Some(name) = query.release {
        let (version, release) = side_by_side(|| cluster.chart(name), || cluster.release(name));
        let (release, version) = (release?, version?);
        release.zip(version).map(|(release, version)| (name.clone(), release, version))
    } else if let Some((name, version)) = only_release(cluster, query)? {
        cluster.release(&name)?.map(|release| (name, release, version))
    } else {
        None
    };
    let Some((name, release, package)) = read else {
        let absent = absent(cluster, query);
        return query.hints.as_ref().map_or(Err(absent.clone()), |by| without_helm::find(cluster, query, by, absent));
    };
    if query.key.is_top() && package.name != query.side.chart() {
        return Err(other_chart(&name, query.side, &package));
    }
    ReleaseState::read(name, release, package, query)
}

fn other_chart(name: &ReleaseName, side: Side, package: &ChartVersion) -> Failure {
    let what = format!("release {name} is not of chart {}", side.chart());
    let next = format!(
        "name the right release with --release, and its namespace with --namespace; or, where {} is a dependency of {}, the key of its values with --values-key",
        side.chart(),
        package.name
    );
    Failure::new(Exit::CheckFailed, Code::ReleaseChart, what).why(format!("it is of chart {}", package.name)).next(next)
}

/// What helps anyone who has forgotten the namespace.
pub(crate) fn add_namespace() -> Next {
    Next::from("add -n NAMESPACE, as to helm; ").command(list()).words(" shows where each release is")
}

fn list() -> CommandLine {
    CommandLine::helm().with("list --all-namespaces")
}

/// Whether nobody named a namespace: Helm gives `default` then.
pub(crate) fn is_unnamed(target: &ClusterTarget) -> bool {
    target.namespace.as_ref().is_none_or(|namespace| namespace == "default")
}

const BY_A_SYNC: &str =
    "; where Argo CD renders the chart there is no Helm release: then add --no-upgrade and --release NAME";

fn absent(cluster: &dyn Cluster, query: &ReleaseQuery<'_>) -> Failure {
    let location = cluster.location();
    let unnamed = is_unnamed(&cluster.target());
    let by_a_sync = if query.hints.is_none() { BY_A_SYNC } else { "" };
    let forgotten = "-n was not given, or it names the default namespace";
    let by_name = if unnamed {
        add_namespace()
    } else {
        Next::from(list()).words("; then name it with --release and --namespace")
    };
    let by_name = by_name.words(by_a_sync);
    match query.release {
        Some(name) => {
            Failure::new(Exit::CheckFailed, Code::NoRelease, format!("there is no release {name} in {location}"))
                .why(if unnamed { forgotten } else { "the namespace, the context or the name is not the right one" })
                .next(by_name)
        }
        None => Failure::new(
            Exit::CheckFailed,
            Code::WhichRelease,
            format!("there is no release of chart {} in {location}", query.side.chart()),
        )
        .why(if unnamed {
            forgotten
        } else {
            "the namespace or the context is not the right one, or the chart is not installed yet"
        })
        .next(by_name),
    }
}

/// `target` points helm at the release.
pub(crate) fn pending(name: &ReleaseName, release: &Release, target: &ClusterTarget) -> Failure {
    let history = CommandLine::helm().at(target).with("history").word(name);
    let rollback = CommandLine::helm().at(target).with("rollback").word(name).blank("REVISION");
    Failure::new(
        Exit::CheckFailed,
        Code::ReleasePending,
        format!("release {name} is {} since revision {}", release.status, release.revision),
    )
    .why("another helm works on it, or one was killed and left it so")
    .next(Next::from(history).words("; if no helm is running, back to the last deployed revision: ").command(rollback))
}

/// The only release of the chart in the namespace. An umbrella chart has a name of its own: there, the only release.
fn only_release(cluster: &dyn Cluster, query: &ReleaseQuery<'_>) -> Result<Option<(ReleaseName, ChartVersion)>> {
    let fits = |version: &ChartVersion| !query.key.is_top() || version.name == query.side.chart();
    let mut found: Vec<_> = cluster.releases()?.into_iter().filter(|(_, version)| fits(version)).collect();
    let Some((name, version)) = found.pop() else { return Ok(None) };
    if found.is_empty() {
        return Ok(Some((only(&name, cluster, query)?, version)));
    }
    let names: Vec<_> = found.into_iter().map(|(name, _)| name).chain([name]).collect();
    Err(several(cluster, query, names.join(", ")))
}

/// The name of the only release of its kind.
pub(super) fn only(name: &str, cluster: &dyn Cluster, query: &ReleaseQuery<'_>) -> Result<ReleaseName> {
    name.parse().map_err(|bad: BadName| {
        unclear(format!("the only release{} in {} cannot be named", of(query), cluster.location()), bad.to_string())
    })
}

/// More than one release could be meant; `why` has their names.
pub(super) fn several(cluster: &dyn Cluster, query: &ReleaseQuery<'_>, why: String) -> Failure {
    unclear(format!("there are several releases{} in {}", of(query), cluster.location()), why)
}

fn unclear(what: String, why: String) -> Failure {
    Failure::new(Exit::CheckFailed, Code::WhichRelease, what).why(why).next("name one of them with --release")
}

/// An umbrella chart may have any name.
fn of(query: &ReleaseQuery<'_>) -> String {
    if query.key.is_top() { format!(" of chart {}", query.side.chart()) } else { String::new() }
}

/// The part of a manifest that is the chart's own, and which chart that is.
///
/// # Errors
/// Nothing of that name is rendered.
pub(crate) fn own_part(query: &ReleaseQuery<'_>, whole: &Manifest, package: &ChartVersion) -> Result<ChartPart> {
    let part = whole.part_of_chart(query.label());
    let own = |manifest: Manifest, version: String| ChartPart {
        whole: whole.clone(),
        manifest,
        chart: ChartVersion { name: query.side.chart().to_owned(), version },
    };
    match part {
        _ if query.key.is_top() => Ok(own(whole.clone(), package.version.clone())),
        Some((manifest, version)) => Ok(own(manifest, version)),
        None => {
            let key = &query.key;
            let label = query.label();
            Err(Failure::new(Exit::CheckFailed, Code::ValuesKey, format!("chart {} renders nothing below {key}", package.name))
                .why(format!("no Deployment or StatefulSet carries the label helm.sh/chart: {label}-VERSION"))
                .next("name the dependency by its alias, or by its name where it has none; and see that its condition or tags turn it on")
                .unchanged("nothing was written"))
        }
    }
}
