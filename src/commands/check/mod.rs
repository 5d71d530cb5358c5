//! `check`: who stands where, what is wrong or will be, and the next command for each. It changes nothing.
//!
//! `observe` looks at one release, `groups::check` is pure, `report` shows any number of them.

mod args;
mod catalogue;
mod dial;
mod explain;
mod federation;
mod finding;
mod groups;
mod live;
mod observe;
mod pods;
mod prometheus;
mod report;
mod table;

pub use self::args::{CheckArgs, FailOn, WarnBefore};
use std::{path::Path, time::Duration};

pub use self::{catalogue::Check, federation::federation};
use self::{
    finding::{Finding, Status},
    observe::{DialAddress, ObserveRequest, ObservedRelease},
    report::{CheckResult, Checked, CheckedRelease, Detail},
};
use crate::{
    cluster::Cluster,
    failure::{Exit, Failure, Result},
    files, interrupt,
    pki::{inspect, log::IssueLog},
    release::{ValuesFiles, issue_log, read},
    report::{Format, Outcome, Stage, Told},
    session::Session,
    substra::Side,
    text::Line,
};

/// How long a child of `check` may take.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// The ids of all checks, each with what it looks at.
pub fn ids() -> impl Iterator<Item = (&'static str, &'static str)> {
    Check::ALL.iter().map(|check| (check.id(), check.what()))
}

/// Checks a release.
///
/// # Errors
/// Only what makes looking pointless: a check that does not exist, values that cannot be read, a side that cannot be
/// told. Everything else is a finding.
pub fn run(args: &CheckArgs, session: &Session<'_>) -> Result<Outcome> {
    run_with(args, session, None)
}

/// As [`run`]; `missing` says why there is no cluster.
pub(crate) fn run_with(args: &CheckArgs, session: &Session<'_>, missing: Option<&Failure>) -> Result<Outcome> {
    if let Some(id) = &args.explain {
        return explain::explain(id);
    }
    args.only.iter().chain(&args.skip).try_for_each(|id| explain::known(id).map(drop))?;
    let values = ValuesFiles::read(&args.values, &args.values_key.clone().unwrap_or_default(), &session.sops)?;
    let reached = session.cluster().map_err(|none| missing.cloned().unwrap_or(none));
    let cluster = reached.as_ref().copied();
    let side = side(args, &values, cluster.ok())?;
    let log = log(args, cluster.ok());
    let known = match &args.ca_cert {
        Some(path) => inspect::certificates(&files::read(path)?)?,
        None => Vec::new(),
    };
    let live = args.live.then_some(DialAddress(args.connect.as_deref()));
    let (paths, signer) = (args.values.clone(), signer(args));
    let ask =
        ObserveRequest { side, files: Some(values), paths, signer, release: args.release.as_ref(), log, known, live };
    let observed = observe::observe(cluster, ask, session.now);
    interrupt::stopped()?;
    let findings = groups::check(&observed, args.warn_before);
    Ok(outcome(args, vec![CheckedRelease { observed, findings }], session))
}

fn side(args: &CheckArgs, values: &ValuesFiles, cluster: Option<&dyn Cluster>) -> Result<Side> {
    let found = || read::side(&values.merged(), args.release.as_ref(), cluster);
    args.side.map_or_else(found, Ok).map_err(|failure| failure.next("add --side backend or --side orchestrator"))
}

fn log(args: &CheckArgs, cluster: Option<&dyn Cluster>) -> Option<Result<IssueLog>> {
    match (&args.ca_cert, &args.ca_secret) {
        (Some(certificate), _) => Some(issue_log::of_file(certificate)),
        (None, Some(secret)) => Some(issue_log::of_cluster(cluster?, Some(secret.as_str()))),
        (None, None) => None,
    }
}

/// The CA that was named, for `approve`: a key beside its certificate, as `ca init` makes both.
fn signer(args: &CheckArgs) -> Vec<(&'static str, String)> {
    let secret = args.ca_secret.iter().map(|name| ("--ca-secret", name.to_string()));
    let files = args.ca_cert.iter().flat_map(|path| named(path, &path.with_extension("key")));
    files.chain(secret).collect()
}

/// A CA in files, as options of `approve`.
fn named(cert: &Path, key: &Path) -> [(&'static str, String); 2] {
    [("--ca-cert", cert.display().to_string()), ("--ca-key", key.display().to_string())]
}

/// The result of any number of releases.
pub(in crate::commands) fn outcome(
    args: &CheckArgs,
    mut judged: Vec<CheckedRelease>,
    session: &Session<'_>,
) -> Outcome {
    let wanted = |finding: &Finding| {
        let named = |ids: &[String]| ids.iter().any(|id| id == finding.check.id());
        (args.only.is_empty() || named(&args.only)) && !named(&args.skip)
    };
    for one in &mut judged {
        one.findings.retain(wanted);
    }
    let all: Vec<&ObservedRelease> = judged.iter().map(|one| &one.observed).collect();
    let worst =
        judged.iter().flat_map(|one| &one.findings).map(|finding| finding.status).max().unwrap_or(Status::Skipped);
    let bad = if args.fail_on == FailOn::Warning { Status::Warning } else { Status::Failed };
    let stage = match worst {
        Status::Failed => Stage::Failed,
        Status::Warning => Stage::Warned,
        Status::Ok | Status::Skipped => Stage::Ok,
    };
    let outcome = Outcome::new("check", stage).ends_with(if worst >= bad { Exit::CheckFailed } else { Exit::Done });
    let checked = Checked::of(table::rows(&all), &judged);
    let lines = match args.output {
        Format::Json => Vec::new(),
        Format::Text => checked.lines(Detail::of(args.quiet, &args.only)),
        Format::Prometheus => {
            let gauges = prometheus::gauges(&checked.organizations, &judged, session.now);
            gauges.iter().map(|gauge| Told::from(Line::fixed(gauge))).collect()
        }
    };
    outcome.result(&CheckResult::Checked(checked), lines)
}
