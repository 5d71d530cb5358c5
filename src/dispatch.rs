//! From the command line to its verb: what each one is given, and how its result is written.

use std::{ffi::OsString, path::Path, path::PathBuf};

use clap::Parser;

use crate::{
    NAME,
    cli::{Cli, ClusterArgs, Command},
    cluster::{Cluster, RealCluster, RealClusterOptions},
    commands::{
        approve, bootstrap,
        ca::{self, CaCommand},
        check, enroll,
        gate::{self, GateCommand},
        rehearse::{self, Verbs},
        role,
    },
    completion,
    failure::{Exit, Failure, Result},
    federation::{Federation, Site},
    files,
    report::{self, Console, Outcome},
    session::{OpenCluster, Session},
    text::{Line, Tone},
    times::Clock,
};

/// The verbs as `rehearse` runs them.
pub const VERBS: Verbs = Verbs { run: by_words, bootstrap: bootstrap_by_words };

/// Runs a verb and writes its result.
///
/// # Errors
/// Whatever ends the verb.
pub fn run(cli: &Cli) -> Result<Exit> {
    files::sweep();
    let clock = Clock::system();
    let (common, offline) = match &cli.command {
        Command::Enroll(args) => (&args.common, args.key_file.is_some() && args.certificate.is_none()),
        Command::Approve(args) => {
            // Words that are missing are said before anything is looked for.
            approve::authority_of(args)?;
            (&args.common, args.offline)
        }
        Command::Gate(GateCommand::Close(args)) => (&args.common, false),
        Command::Gate(GateCommand::Open(args)) => (&args.common, false),
        Command::Ca(CaCommand::Init(args)) => (&args.common, args.offline),
        Command::Ca(CaCommand::Trust(args)) => (&args.common, false),
        Command::Ca(CaCommand::Show(args)) => {
            let tools = RealCluster::new(options(&cli.cluster, ca::LIMIT))?;
            let session = Session::new(Some(&tools), Console::of_process(args.output, true), &clock);
            return written(dispatch(&cli.command, &session), session.console);
        }
        Command::Bootstrap(args) => {
            let console = Console::of_process(args.output, args.yes);
            not_used(&cli.cluster, console);
            let session = Session::new(None, console, &clock);
            let open = |site: &Site| RealCluster::new(at_site(&cli.cluster, site, args.timeout)).map(boxed);
            return written(bootstrap::run(args, &session, &open), console);
        }
        Command::Completion(args) => return completion::print(args.shell),
        Command::Role(args) => {
            let outcome = role::run(args, cli.cluster.namespace.as_ref());
            return written(Ok(outcome), Console::of_process(args.output, true));
        }
        Command::Rehearse(args) => {
            let session = Session::new(None, Console::of_process(args.output, true), &clock);
            return written(rehearse::run(args, &session, VERBS), session.console);
        }
        Command::Check(args) if args.federation.is_some() => {
            let console = Console::of_process(args.output, true);
            not_used(&cli.cluster, console);
            let session = Session::new(None, console, &clock);
            let open = |site: &Site| RealCluster::new(at_site(&cli.cluster, site, check::LIMIT)).map(boxed);
            return written(check::federation(args, &session, &open), console);
        }
        Command::Check(args) => {
            let console = Console::of_process(args.output, true);
            // A tool that is missing is a finding: what needs no cluster is checked all the same.
            let tools = RealCluster::new(options(&cli.cluster, check::LIMIT));
            let session = Session::new(tools.as_ref().ok().map(|tools| tools as &dyn Cluster), console, &clock);
            return written(check::run_with(args, &session, tools.as_ref().err()), console);
        }
    };
    let console = Console::of_process(common.output, common.yes);
    let tools = if offline { None } else { Some(RealCluster::new(options(&cli.cluster, common.timeout))?) };
    let session = Session::new(tools.as_ref().map(|tools| tools as &dyn Cluster), console, &clock);
    written(dispatch(&cli.command, &session), console)
}

/// Each release of a federation file has its own namespace. Helm gives `default` where nobody named one.
fn not_used(cluster: &ClusterArgs, console: Console) {
    if let Some(name) = cluster.namespace.as_ref().filter(|name| name.as_str() != "default") {
        let said = format!("-n {name} is not used: each release has its own namespace in the federation file");
        console.say(Line::label(Tone::Doubtful, "warning", said));
    }
}

/// Writes a verb's result and gives the status to end with.
fn written(result: Result<Outcome>, console: Console) -> Result<Exit> {
    let outcome = result.map_err(untouched)?;
    outcome.write(&console)?;
    Ok(outcome.exit())
}

/// A verb that writes says what is done and what is not; a failure that says nothing came before the first write.
fn untouched(failure: Failure) -> Failure {
    failure.unchanged("nothing was written")
}

/// Runs a verb at a session, without writing its result.
///
/// # Errors
/// Whatever ends the verb.
pub fn dispatch(command: &Command, session: &Session<'_>) -> Result<Outcome> {
    let Some(common) = command.common() else { return done(command, session) };
    let outcome = done(command, &session.limited(common.dry_run, common.timeout))?;
    Ok(if common.dry_run { outcome.of_dry_run() } else { outcome })
}

fn done(command: &Command, session: &Session<'_>) -> Result<Outcome> {
    match command {
        Command::Enroll(args) => enroll::run(args, session),
        Command::Approve(args) => approve::run(args, session),
        Command::Gate(GateCommand::Close(args)) => gate::close(args, session),
        Command::Gate(GateCommand::Open(args)) => gate::open(args, session),
        Command::Ca(command) => ca::run(command, session),
        Command::Check(args) => check::run(args, session),
        Command::Rehearse(args) => rehearse::run(args, session, VERBS),
        Command::Bootstrap(_) | Command::Completion(_) | Command::Role(_) => {
            Err(Failure::bug("this verb is run without a session")
                .why("it was asked for at the session of one cluster"))
        }
    }
}

fn options(cluster: &ClusterArgs, timeout: std::time::Duration) -> RealClusterOptions {
    RealClusterOptions {
        namespace: cluster.namespace.clone(),
        context: cluster.kube_context.clone().filter(|context| !context.is_empty()),
        kubeconfig: cluster.kubeconfig.clone(),
        helm: std::env::var_os("HELM_BIN").filter(|bin| !bin.is_empty()).map(PathBuf::from),
        kubectl: None,
        own_cluster: false,
        helm_flags: cluster.helm.environment(),
        note: cluster.is_verbose().then_some(report::note),
        timeout,
    }
}

fn boxed(tools: RealCluster) -> Box<dyn Cluster> {
    Box::new(tools)
}

/// A site's own cluster; what points Helm elsewhere is inherited only where the site names neither context nor kubeconfig.
fn at_site(cluster: &ClusterArgs, site: &Site, timeout: std::time::Duration) -> RealClusterOptions {
    let own_cluster = site.context.is_some() || site.kubeconfig.is_some();
    let inherited = options(cluster, timeout);
    RealClusterOptions {
        namespace: Some(site.namespace.clone()),
        context: if own_cluster { site.context.clone() } else { inherited.context },
        kubeconfig: site.kubeconfig.clone().or(inherited.kubeconfig),
        own_cluster,
        ..inherited
    }
}

fn by_words(words: &[&str], session: &Session<'_>) -> Result<Outcome> {
    dispatch(&parsed(words.iter().map(OsString::from))?, session)
}

fn bootstrap_by_words(
    federation: &Federation,
    file: &Path,
    session: &Session<'_>,
    open: OpenCluster<'_>,
) -> Result<Outcome> {
    let words = ["bootstrap".as_ref(), file.as_os_str(), "--yes".as_ref(), "--output".as_ref(), "json".as_ref()];
    match parsed(words.into_iter().map(OsString::from))? {
        Command::Bootstrap(args) => bootstrap::carry_out(federation, &args, session, open),
        _ => Err(not_a_line("another verb")),
    }
}

fn parsed(words: impl Iterator<Item = OsString>) -> Result<Command> {
    let all = std::iter::once(OsString::from(NAME)).chain(words);
    Ok(Cli::try_parse_from(all).map_err(not_a_line)?.command)
}

fn not_a_line(error: impl std::fmt::Display) -> Failure {
    Failure::bug("the rehearsal gave a command line that is not one").why(error.to_string())
}
