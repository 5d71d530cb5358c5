//! How the operator points at a release, and what may be done to it.

use std::{path::PathBuf, time::Duration};

use super::ReleaseState;
use crate::{command_line::CommandLine, names::ReleaseName, session::Session, values::ValuesKey};

/// The options that all verbs know by which a release is found and upgraded.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The values files, in Helm's order.
    pub values: Vec<PathBuf>,
    /// Below which key of them the chart's settings stand.
    pub key: ValuesKey,
    /// The release; else the only one of its chart in the namespace.
    pub release: Option<ReleaseName>,
    /// The chart to upgrade with.
    pub chart: Option<String>,
    /// Its version; else the one that is deployed.
    pub version: Option<String>,
    /// Files and Secrets only: somebody else upgrades.
    pub no_upgrade: bool,
    /// Upgrade although the deployed values and the files differ.
    pub accept_drift: bool,
    /// An unfinished revision whose helm is gone may be taken away.
    pub recover: bool,
    /// How old it must be, where no note tells that its helm is dead.
    pub recover_after: Option<Duration>,
}

impl Options {
    /// A command of ours as the operator would type it again, up to the options that only the verb knows.
    pub(crate) fn command(&self, session: &Session<'_>, verb: &str) -> CommandLine {
        self.look(session, verb)
            .option("--release", &self.release)
            .option("--chart", &self.chart)
            .option("--version", &self.version)
            .flag("--no-upgrade", self.no_upgrade)
    }

    /// One that only looks, up to the release.
    pub(crate) fn look(&self, session: &Session<'_>, verb: &str) -> CommandLine {
        CommandLine::ours(verb).at(&session.target()).files(&self.values, &self.key)
    }

    /// The check of a release with these files.
    pub(crate) fn check(&self, session: &Session<'_>, release: &ReleaseState) -> CommandLine {
        let target =
            crate::cluster::ClusterTarget { namespace: Some(release.record.namespace.clone()), ..session.target() };
        let check = CommandLine::ours("check").at(&target).files(&self.values, &self.key);
        check.option("--release", [&release.name]).with("--fail-on warning")
    }
}
