//! Options that several verbs have, and how their values are read.

use std::{path::PathBuf, time::Duration};

use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::{names::ReleaseName, plain, release::Options, report::Format, values::ValuesKey};

/// What each page of help ends with.
pub(crate) const EXIT_STATUSES: &str = "\
Exit status: 0 done, 1 failed, 2 usage, 3 a check failed, 5 refused by policy or
by you, 6 cluster or helm failed, 124 time limit, 130 interrupted.";

/// Options that are the same everywhere.
#[derive(Debug, Clone, Args)]
pub struct CommonArgs {
    /// Values file (repeatable, same order as for helm)
    #[arg(short = 'f', long = "values", value_name = "FILE", required = true)]
    pub values: Vec<PathBuf>,
    /// Umbrella chart: the key under which the sub-chart's values are (its name or alias)
    #[arg(long, value_name = "KEY", hide_short_help = true)]
    pub values_key: Option<ValuesKey>,
    /// Release [default: the only one of this chart in the namespace]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub release: Option<ReleaseName>,
    /// Chart to upgrade with: repo/name, path or oci:// [default: substra/substra-backend, substra/orchestrator]
    #[arg(long, hide_short_help = true, value_parser = word)]
    pub chart: Option<String>,
    /// Chart version [default: the one that is deployed]
    #[arg(long, value_name = "VERSION", hide_short_help = true, value_parser = word)]
    pub version: Option<String>,
    /// Files and Secrets only (Argo CD, Flux)
    #[arg(long)]
    pub no_upgrade: bool,
    /// Upgrade although the deployed values and the files differ
    #[arg(long, hide_short_help = true)]
    pub accept_drift: bool,
    /// Take the unfinished revision of a killed helm away and upgrade again
    #[arg(long, hide_short_help = true)]
    pub recover: bool,
    /// How old it must be where only its age tells that its helm is gone [default: 1h]
    #[arg(long, value_name = "DURATION", value_parser = crate::times::limit, hide_short_help = true)]
    pub recover_after: Option<Duration>,
    /// Show the plan with its diffs and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask before the plan is carried out
    #[arg(long)]
    pub yes: bool,
    /// How long an upgrade and its rollout may take
    #[arg(long, default_value = "15m", value_parser = crate::times::limit, hide_short_help = true)]
    pub timeout: Duration,
    /// text or json
    #[arg(short, long, default_value = "text", value_parser = text_or_json(), value_name = "FORMAT", hide_possible_values = true)]
    pub output: Format,
}

impl CommonArgs {
    /// How it points at the release, and what may be done to it.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            values: self.values.clone(),
            key: self.values_key.clone().unwrap_or_default(),
            release: self.release.clone(),
            chart: self.chart.clone(),
            version: self.version.clone(),
            no_upgrade: self.no_upgrade,
            accept_drift: self.accept_drift,
            recover: self.recover,
            recover_after: self.recover_after,
        }
    }
}

/// A word that is handed to Helm or kubectl: it is no option there, and can be seen.
///
/// # Errors
/// It begins with `-`, or has a character that cannot be seen.
pub(crate) fn no_option<T: From<String>>(text: &str) -> Result<T, String> {
    if text.starts_with('-') {
        return Err("it begins with -, as an option does".to_owned());
    }
    if text.chars().all(plain::is_plain) {
        Ok(text.to_owned().into())
    } else {
        Err("it has a character that cannot be seen".to_owned())
    }
}

/// As [`no_option`], and not empty; spaces may be in it.
///
/// # Errors
/// As said.
pub(crate) fn word(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("it is empty".to_owned()) } else { no_option(text) }
}

/// The formats that every verb has; `check` has all.
pub(crate) fn text_or_json() -> impl TypedValueParser<Value = Format> {
    let everywhere = Format::value_variants().iter().filter(|format| format.is_everywhere());
    let words = everywhere.filter_map(ValueEnum::to_possible_value);
    PossibleValuesParser::new(words).try_map(|word| <Format as ValueEnum>::from_str(&word, false))
}
