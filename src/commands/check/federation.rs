//! Every release of a federation file, side by side.

use super::{
    CheckedRelease, DialAddress, explain, groups, named,
    observe::{self, ObserveRequest},
    outcome,
};
use crate::{
    cluster::Cluster,
    command_line::CommandLine,
    commands::check::CheckArgs,
    failure::{Next, Result},
    federation::{CaSpec, Federation, Site},
    files, interrupt,
    parallel::at_most,
    pki::{
        inspect::{self, Certificate},
        log::IssueLog,
    },
    release::{ValuesFiles, issue_log},
    report::Stage,
    session::OpenCluster,
    session::Session,
    substra::Side,
    values::ValuesKey,
};

/// How many releases are looked at side by side.
const SIDE_BY_SIDE: usize = 8;

/// Checks all releases; what cannot be reached is told and hides nothing of the others.
///
/// # Errors
/// The file is refused, or names a check that does not exist.
pub fn federation(args: &CheckArgs, session: &Session<'_>, open: OpenCluster<'_>) -> Result<super::Outcome> {
    args.only.iter().chain(&args.skip).try_for_each(|id| explain::known(id).map(drop))?;
    let path = args.federation.clone().unwrap_or_default();
    let federation = Federation::read(&path)?;
    let (known, unread) = match ca_files(&federation) {
        Ok(known) => (known, None),
        Err(failure) => {
            (Vec::new(), Some(format!("the federation's CA is not looked at: {} ({})", failure.what, failure.why)))
        }
    };
    let organizations = federation.organizations.iter().map(|org| (Side::Backend, &org.site));
    let sites = organizations.chain([(Side::Orchestrator, &federation.orchestrator.site)]);
    let opened: Vec<_> = sites.map(|(side, site)| (side, site, open(site))).collect();
    let judged = at_most(SIDE_BY_SIDE, &opened, |(side, site, cluster)| {
        let cluster = cluster.as_ref().map(|cluster| &**cluster);
        let log = if *side == Side::Orchestrator { log(&federation, cluster.ok()) } else { None };
        let ca = &federation.orchestrator.ca;
        look(args, session, (*side, site, ca), cluster, log, &known)
    });
    interrupt::stopped()?;
    let outcome = outcome(args, judged, session).warnings(unread);
    let plan = CommandLine::ours("bootstrap").word(path.display()).with("--dry-run");
    // A builder mends all releases by one command, not each by its own.
    Ok(if outcome.stage() == Stage::Failed {
        outcome.next(Next::from("what bootstrap would do about it: ").command(plan))
    } else {
        outcome
    })
}

fn look(
    args: &CheckArgs,
    session: &Session<'_>,
    (side, site, ca): (Side, &Site, &CaSpec),
    cluster: Result<&dyn Cluster, &crate::failure::Failure>,
    log: Option<Result<IssueLog>>,
    known: &[Certificate],
) -> CheckedRelease {
    let (files, broken) = match ValuesFiles::read(&site.values, &ValuesKey::default(), &session.sops) {
        Ok(files) => (Some(files), None),
        Err(failure) => (None, Some(failure)),
    };
    // Each backend dials for itself; the orchestrator's own address may not be reachable from here.
    let live = (args.live && side == Side::Backend).then_some(DialAddress(None));
    let (paths, signer, known) = (site.values.clone(), signer(ca), known.to_vec());
    let ask = ObserveRequest { side, files, paths, signer, release: Some(&site.release), log, known, live };
    let mut observed = observe::observe(cluster, ask, session.now);
    if let Some(failure) = broken {
        observed.party = Err(failure);
    }
    let findings = groups::check(&observed, args.warn_before);
    CheckedRelease { observed, findings }
}

/// The federation's CA as `approve` names it.
fn signer(ca: &CaSpec) -> Vec<(&'static str, String)> {
    match ca {
        CaSpec::Files { cert, key } | CaSpec::Create { cert, key } => named(cert, key).to_vec(),
        CaSpec::Secret(name) => vec![("--ca-secret", name.to_string())],
    }
}

/// The federation's CA, where it is in files that are there.
fn ca_files(federation: &Federation) -> Result<Vec<Certificate>> {
    let (CaSpec::Files { cert, .. } | CaSpec::Create { cert, .. }) = &federation.orchestrator.ca else {
        return Ok(Vec::new());
    };
    files::read_if_there(cert)?.map_or_else(|| Ok(Vec::new()), |pem| inspect::certificates(&pem))
}

fn log(federation: &Federation, cluster: Option<&dyn Cluster>) -> Option<Result<IssueLog>> {
    match &federation.orchestrator.ca {
        CaSpec::Files { cert, .. } | CaSpec::Create { cert, .. } => Some(issue_log::of_file(cert)),
        CaSpec::Secret(name) => Some(issue_log::of_cluster(cluster?, Some(name.as_str()))),
    }
}
