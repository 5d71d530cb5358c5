//! One file a verb: observes, asks the core for a plan, hands it to the engine.

pub mod approve;
pub mod bootstrap;
pub mod ca;
pub mod check;
pub mod enroll;
mod find;
pub mod gate;
mod goes_live;
mod hand_over;
mod issued;
mod planned;
mod read;
pub mod rehearse;
mod release;
mod shown;
mod synced;
mod target;

use std::path::PathBuf;

use time::OffsetDateTime;

use self::{
    check::remedy::{Of, Remedy},
    release::Found,
    shown::Shown,
};
use crate::{
    cli::{CaCommand, Cli, ClusterArgs, Command, CommonArgs, GateCommand},
    cluster::{Cluster, Pointed, Tools, ToolsOptions},
    completion,
    failure::{Code, Exit, Failure, Result},
    federation::Site,
    files,
    plan::{self, Event, State, Step, World},
    report::{Console, Outcome, Stage},
    substra::orchestrator::Orchestrator,
    times::Clock,
};

/// What a verb works with: everything that a test or `rehearse` puts others in place of.
pub struct Desk<'a> {
    /// The cluster; `None` where the verb works offline.
    pub cluster: Option<&'a dyn Cluster>,
    /// Where it talks and asks.
    pub console: Console,
    /// The time by which a verb judges, read once at its start.
    pub now: OffsetDateTime,
    /// What the verb waits by.
    pub clock: Clock,
}

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
            approve::source::found(args)?;
            (&args.common, args.offline)
        }
        Command::Gate(GateCommand::Close(args)) => (&args.common, false),
        Command::Gate(GateCommand::Open(args)) => (&args.common, false),
        Command::Ca(CaCommand::Init(args)) => (&args.common, false),
        Command::Ca(CaCommand::Trust(args)) => (&args.common, false),
        Command::Ca(CaCommand::Show(args)) => {
            let tools = Tools::new(options(&cli.cluster, ca::LIMIT))?;
            let desk = Desk::new(Some(&tools), Console::of_process(args.output, true), &clock);
            return written(dispatch(&cli.command, &desk), desk.console);
        }
        Command::Bootstrap(args) => {
            let console = Console::of_process(args.output, args.yes);
            let desk = Desk::new(None, console, &clock);
            let open = |site: &Site| Tools::new(at_site(&cli.cluster, site, args.timeout)).map(boxed);
            return written(bootstrap::run(args, &desk, &open), console);
        }
        Command::Completion(args) => return completion::print(args.shell),
        Command::Rehearse(args) => {
            let desk = Desk::new(None, Console::of_process(args.output, true), &clock);
            return written(rehearse::run(args, &desk), desk.console);
        }
        Command::Check(args) if args.federation.is_some() => {
            let console = Console::of_process(args.output, true);
            let desk = Desk::new(None, console, &clock);
            let open = |site: &Site| Tools::new(at_site(&cli.cluster, site, check::LIMIT)).map(boxed);
            return written(check::federation(args, &desk, &open), console);
        }
        Command::Check(args) => {
            let console = Console::of_process(args.output, true);
            // A tool that is missing is a finding: what needs no cluster is checked all the same.
            let tools = Tools::new(options(&cli.cluster, check::LIMIT));
            let desk = Desk::new(tools.as_ref().ok().map(|tools| tools as &dyn Cluster), console, &clock);
            return written(check::run_with(args, &desk, tools.as_ref().err()), console);
        }
    };
    let console = Console::of_process(common.output, common.yes);
    let tools = if offline { None } else { Some(Tools::new(options(&cli.cluster, common.timeout))?) };
    let desk = Desk::new(tools.as_ref().map(|tools| tools as &dyn Cluster), console, &clock);
    written(dispatch(&cli.command, &desk), console)
}

/// Writes a verb's result and gives the status to end with.
fn written(result: Result<Outcome>, console: Console) -> Result<Exit> {
    let outcome = result.map_err(untouched)?;
    outcome.write(&console)?;
    Ok(outcome.exit())
}

/// Whoever writes says what is done and what is not; a failure that says nothing came before the first write.
fn untouched(failure: Failure) -> Failure {
    failure.unchanged("nothing was written")
}

/// Runs a verb at a desk, without writing its result.
///
/// # Errors
/// Whatever ends the verb.
pub fn dispatch(command: &Command, desk: &Desk<'_>) -> Result<Outcome> {
    let outcome = done(command, desk)?;
    Ok(if command.common().is_some_and(|common| common.dry_run) { outcome.of_dry_run() } else { outcome })
}

fn done(command: &Command, desk: &Desk<'_>) -> Result<Outcome> {
    match command {
        Command::Enroll(args) => enroll::run(args, desk),
        Command::Approve(args) => approve::run(args, desk),
        Command::Gate(GateCommand::Close(args)) => gate::close(args, desk),
        Command::Gate(GateCommand::Open(args)) => gate::open(args, desk),
        Command::Ca(command) => ca::run(command, desk),
        Command::Check(args) => check::run(args, desk),
        Command::Rehearse(args) => rehearse::run(args, desk),
        Command::Bootstrap(_) | Command::Completion(_) => {
            Err(Failure::new(Exit::Failed, Code::Bug, "this verb is run without a desk")
                .why("it was asked for at the desk of one cluster")
                .next("report this as a bug"))
        }
    }
}

fn options(cluster: &ClusterArgs, timeout: std::time::Duration) -> ToolsOptions {
    ToolsOptions {
        namespace: cluster.namespace.clone(),
        context: cluster.kube_context.clone().filter(|context| !context.is_empty()),
        kubeconfig: cluster.kubeconfig.clone(),
        helm: std::env::var_os("HELM_BIN").filter(|bin| !bin.is_empty()).map(PathBuf::from),
        kubectl: None,
        own_cluster: false,
        helm_flags: cluster.helm.environment(),
        verbose: cluster.is_verbose(),
        timeout,
    }
}

fn boxed(tools: Tools) -> Box<dyn Cluster> {
    Box::new(tools)
}

/// A site's own cluster; what points Helm elsewhere is inherited only where the site names neither context nor kubeconfig.
fn at_site(cluster: &ClusterArgs, site: &Site, timeout: std::time::Duration) -> ToolsOptions {
    let own_cluster = site.context.is_some() || site.kubeconfig.is_some();
    let inherited = options(cluster, timeout);
    ToolsOptions {
        namespace: Some(site.namespace.clone()),
        context: if own_cluster { site.context.clone() } else { inherited.context },
        kubeconfig: site.kubeconfig.clone().or(inherited.kubeconfig),
        own_cluster,
        ..inherited
    }
}

impl<'a> Desk<'a> {
    /// A desk at a cluster, at the time that its clock shows.
    #[must_use]
    pub fn new(cluster: Option<&'a dyn Cluster>, console: Console, clock: &Clock) -> Self {
        Self { cluster, console, now: clock.now(), clock: clock.clone() }
    }

    /// Another desk of the same run: the same time, the same clock.
    fn like<'b>(&self, cluster: Option<&'b dyn Cluster>, console: Console) -> Desk<'b> {
        Desk { cluster, console, now: self.now, clock: self.clock.clone() }
    }

    /// A command of ours as the operator would type it again, up to the options that only the verb knows.
    fn ours(&self, verb: &str, common: &CommonArgs) -> Shown {
        self.look(verb, common)
            .option("--release", &common.release)
            .option("--chart", &common.chart)
            .option("--version", &common.version)
            .flag("--no-upgrade", common.no_upgrade)
    }

    /// One that only looks, up to the release.
    fn look(&self, verb: &str, common: &CommonArgs) -> Shown {
        Shown::ours(verb).at(&self.pointed()).files(&common.values, &common.key())
    }

    /// How what the orchestrator's pods mount is made.
    fn remedy<'b>(&'b self, common: &'b CommonArgs, found: &Found, orchestrator: &'b Orchestrator) -> Remedy<'b> {
        let kubectl = self.kubectl(&found.release.namespace);
        Remedy { ours: Box::new(|verb| self.ours(verb, common)), kubectl, of: Of::Orchestrator(orchestrator) }
    }

    /// kubectl in a namespace of this cluster.
    fn kubectl(&self, namespace: &str) -> Shown {
        Shown::kubectl().at(&Pointed { namespace: Some(namespace.to_owned()), ..self.pointed() })
    }

    fn pointed(&self) -> Pointed {
        self.cluster.map(Cluster::pointed).unwrap_or_default()
    }

    /// The cluster.
    fn cluster(&self) -> Result<&'a dyn Cluster> {
        World { cluster: self.cluster, timeout: std::time::Duration::ZERO, clock: self.clock.clone() }.cluster()
    }

    fn world(&self, common: &CommonArgs) -> World<'a> {
        World { cluster: self.cluster, timeout: common.timeout, clock: self.clock.clone() }
    }

    /// Shows a plan, asks where `consent` names what would happen, and applies it. Gives back whether anything was
    /// or would be done.
    fn carry_out(&self, steps: &[Step], common: &CommonArgs, consent: Option<&str>) -> Result<bool> {
        let open = self.plan_is_open(steps)?;
        if open && !common.dry_run {
            if let Some(what) = consent {
                self.console.consent(what)?;
            }
            self.apply(steps, common)?;
        }
        Ok(open)
    }

    /// Shows a plan, and says whether anything is left to do; refuses one whose last steps would fail after its first.
    fn plan_is_open(&self, steps: &[Step]) -> Result<bool> {
        let open = steps.iter().any(|step| step.state == State::ToDo);
        if open {
            self.show(steps);
        } else {
            steps.iter().for_each(|step| self.console.say(format!("already  {}", step.title)));
        }
        plan::probe(steps)?;
        Ok(open)
    }

    fn apply(&self, steps: &[Step], common: &CommonArgs) -> Result<()> {
        plan::apply(steps, &self.world(common), &mut |step, event| match event {
            Event::Already => self.console.say(format!("already  {}", step.title)),
            Event::Starts => {}
            Event::Now => self.console.say(format!("now      {}", step.title)),
            Event::Left => self.console.say(format!("left     {}", step.title)),
        })
    }

    fn show(&self, steps: &[Step]) {
        self.console.say("Plan:");
        for step in steps {
            let mark = if step.state == State::Already { "already" } else { "to do" };
            self.console.say(format!("  {mark:<8} {}", step.title));
        }
        for diff in steps.iter().filter_map(Step::diff).filter(|diff| !diff.is_empty()) {
            self.console.lines(diff.trim_end());
        }
    }
}

/// The stage of a verb that came to its end.
fn stage(open: bool, dry_run: bool, done: Stage) -> Stage {
    match (open, dry_run) {
        (false, _) => Stage::Already,
        (true, true) => Stage::Planned,
        (true, false) => done,
    }
}

/// A verb's result with its steps.
fn outcome(verb: &'static str, stage: Stage, steps: &[Step]) -> Outcome {
    Outcome::new(verb, stage).steps(steps, stage != Stage::Planned)
}

/// A file name in a folder, without a `./` before it.
fn in_folder(folder: &std::path::Path, name: &str) -> PathBuf {
    if folder == std::path::Path::new(".") { PathBuf::from(name) } else { folder.join(name) }
}

/// Two works that need not wait for each other. A thread that panicked has said so; its panic goes on here.
fn side_by_side<A: Send, B>(one: impl FnOnce() -> A + Send, two: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let two = two();
        (one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), two)
    })
}

/// The same work for many, on all cores; results in the order of the items.
fn parallel<T: Send, R: Send>(
    items: impl IntoIterator<Item = T, IntoIter: Send>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    at_most(cores, items, work)
}

/// The same work for many, so many at a time; results in the order of the items.
fn at_most<T: Send, R: Send>(
    limit: usize,
    items: impl IntoIterator<Item = T, IntoIter: Send>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let queue = std::sync::Mutex::new(items.into_iter().enumerate());
    // A thread that panicked has said so; its panic goes on below.
    let take = || queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
    let turn = || std::iter::from_fn(|| take().map(|(index, item)| (index, work(item)))).collect::<Vec<_>>();
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..limit).map(|_| scope.spawn(turn)).collect();
        let ended = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        ended.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
