//! With `--no-upgrade`: what to commit, what the `GitOps` tool must sync, and how to see that it is done.

use std::path::PathBuf;

use serde_json::Value;

use super::{InitialState, Step, StepId};
use crate::{command_line::CommandLine, failure::Next, names::ReleaseName, text::word};

/// What a plan leaves to somebody else, since it does not upgrade the release.
#[derive(Debug, Clone)]
pub struct Handoff {
    /// The values files.
    pub files: Vec<PathBuf>,
    /// The verb's own settings in them, as they will be.
    pub values: Value,
    /// The release.
    pub release: ReleaseName,
    /// Its namespace.
    pub namespace: String,
    /// What is so once the sync is through, in a few words.
    pub then: &'static str,
    /// The command that shows it.
    pub(crate) check: CommandLine,
}

impl Handoff {
    /// What has to be done, in its order, after these steps.
    #[must_use]
    pub fn next(&self, steps: &[Step]) -> [Next; 4] {
        let Self { values, release, namespace, then, check, .. } = self;
        let files = self.files.iter().map(|file| word(&file.display().to_string())).collect::<Vec<_>>().join(" ");
        let edits = steps.iter().any(|step| step.id == StepId::Values && step.state == InitialState::ToDo);
        let commit = if edits { "commit" } else { "see that these are committed:" };
        [
            format!("{commit} {files}; never a key, they are in Secrets").into(),
            format!("let your sync apply these values: {values}").into(),
            Next::from(format!("that is release {release} in namespace {namespace}: "))
                .command(CommandLine::of("argocd app sync").blank("APP"))
                .words("; ")
                .command(CommandLine::of("flux reconcile helmrelease").word(release).option("-n", [namespace])),
            Next::from(format!("then {then}; to see it: ")).command(check.clone()),
        ]
    }
}
