//! `ca init --offline`: the CA and the server pair as files, for a CA that is kept where no cluster can be reached.

use std::path::PathBuf;

use super::{
    InitArgs,
    init::{self, Initialized},
};
use crate::{
    command_line::CommandLine,
    commands,
    exchange::{
        ca::{
            CaRequest, CaSource, PlannedCa,
            pair_files::{OfflineTarget, PairFiles},
            server::ServerPairPlan,
        },
        state::Holds,
    },
    failure::{Code, Exit, Failure, Next, Result},
    files::target::FilesInUse,
    names::{Namespace, ReleaseName},
    plan::{InitialState, Plan, StepId},
    release::{Target, read},
    report::{Outcome, Stage},
    session::Session,
    substra::orchestrator::Orchestrator,
};

/// Where nobody named one, Helm gives this.
const UNNAMED: &str = "default";

/// Everything that the result is made of.
struct Made<'a> {
    args: &'a InitArgs,
    session: &'a Session<'a>,
    release: &'a ReleaseName,
    namespace: &'a Namespace,
    source: &'a CaSource,
    files: PairFiles,
    ca: PlannedCa<'a>,
    pair: ServerPairPlan,
    plan: Plan,
}

/// Makes what is missing of the four files, and the settings in the values files.
///
/// # Errors
/// Release or namespace is not named, a file that is another's, a CA that cannot sign, no consent.
pub(super) fn run(args: &InitArgs, session: &Session<'_>) -> Result<Outcome> {
    let (release, namespace) = place(args)?;
    let source = CaSource::in_folder(&args.out_dir);
    let request = CaRequest { source, encrypt: args.encrypt, passphrase_fd: args.passphrase_fd, session };
    let options = args.common.options();
    let target = Target::orchestrator(session, &options, || read::usual(Orchestrator::tls_settings))?;
    let files =
        PairFiles::beside(&request.source, &target.values).ok_or_else(|| Failure::bug("the CA has no files"))?;
    are_its_own(&files, &request.source, &options.values)?;
    let mut ca = request.offline()?;
    let site = OfflineTarget { release, namespace, orchestrator: &target.values, hosts: &args.hosts };
    let mut pair = files.plan(&site, &ca, session)?;
    let edited = target.files.edit(&target.values.tls_settings())?;
    let plan = std::mem::take(&mut ca.plan)
        .then(std::mem::take(&mut pair.plan))
        .then(Plan::of(edited.steps))
        .warn(unnamed(namespace));
    let made = Made { args, session, release, namespace, source: &request.source, files, ca, pair, plan };
    init::show(session, &made.ca, &made.pair, &made.plan);
    session.show(&made.plan)?;
    session.apply(&made.plan, Some("write the files of the CA and the server pair, and edit the values file"))?;
    Ok(made.result())
}

/// The names of the orchestrator's Service are made of both.
fn place(args: &InitArgs) -> Result<(&ReleaseName, &Namespace)> {
    let missing = |what: &str, next: &str| {
        Failure::new(Exit::Usage, Code::Usage, format!("--offline needs {what}"))
            .why("backends dial the orchestrator's Service by names that are made of its release and its namespace, and the server's certificate must have them")
            .next(next)
            .unchanged("nothing was written")
    };
    match (&args.common.release, &args.namespace) {
        (Some(release), Some(namespace)) => Ok((release, namespace)),
        (Some(_), None) => Err(missing("the namespace", "add -n NAMESPACE")),
        (None, Some(_)) => Err(missing("the release", "add --release NAME")),
        (None, None) => Err(missing("the release and the namespace", "add --release NAME and -n NAMESPACE")),
    }
}

fn unnamed(namespace: &Namespace) -> Option<String> {
    (namespace.as_str() == UNNAMED).then(|| {
        "the server pair is for the namespace default, which Helm takes where -n is missing: if it is another, move the pair's two files away and add -n NAMESPACE".to_owned()
    })
}

/// The pair's files are named after its Secret, whose name the values choose.
fn are_its_own(files: &PairFiles, source: &CaSource, values: &[PathBuf]) -> Result<()> {
    let mut read: Vec<(PathBuf, &'static str)> = values.iter().map(|path| (path.clone(), "a values file")).collect();
    if let CaSource::Files { certificate, key } = source {
        read.extend([(certificate.clone(), "the CA's certificate"), (key.clone(), "the CA's key")]);
    }
    let in_use = FilesInUse::new(read);
    in_use.spare(&files.certificate)?;
    in_use.spare(&files.key)
}

impl Made<'_> {
    fn result(&self) -> Outcome {
        let Self { session, release, source, ca, pair, plan, .. } = self;
        let is_new =
            ca.is_new || plan.steps.iter().any(|step| step.id == StepId::ServerKey && step.state == InitialState::ToDo);
        let done = if is_new { Stage::Initialized } else { Stage::Renewed };
        let outcome = commands::outcome("ca init", done, plan, session);
        // Nothing is deployed from here.
        let holds = Holds::of(outcome.stage(), false);
        let initialized = Initialized::of(release, (outcome.stage(), holds), (ca, pair), source, self.to_carry());
        let outcome = outcome.result(&initialized, initialized.lines(holds));
        match outcome.stage() {
            Stage::Initialized => outcome.next(self.carried()).next(init::told(source)),
            Stage::Renewed => outcome.next(self.carried()),
            _ => outcome,
        }
    }

    /// The CA's key is not among them.
    fn to_carry(&self) -> Vec<String> {
        let ca = match self.source {
            CaSource::Files { certificate, .. } => Some(certificate),
            CaSource::Secret(_) => None,
        };
        let all = ca.into_iter().chain([&self.files.certificate, &self.files.key]).chain(&self.args.common.values);
        all.map(|path| path.display().to_string()).collect()
    }

    fn carried(&self) -> Next {
        let Self { args, release, namespace, .. } = self;
        let common = &args.common;
        let key = common.values_key.clone().unwrap_or_default();
        let name = |path: &PathBuf| path.file_name().map_or_else(|| path.clone(), PathBuf::from);
        let values: Vec<PathBuf> = common.values.iter().map(name).collect();
        let there = CommandLine::ours("ca init")
            .option("-n", [namespace])
            .files(&values, &key)
            .option("--release", [release])
            .option("--host", &args.hosts);
        let files = self.to_carry().join(", ");
        Next::from(format!(
            "copy these files to the machine that reaches the cluster, and never the CA's key: {files}; there, in their folder, run: "
        ))
        .command(there)
    }
}
