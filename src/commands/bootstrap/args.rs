//! The options of `bootstrap`.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::{
    args::{self, EXIT_STATUSES},
    names::Validity,
    pki::key::KeyType,
    report::Format,
};

/// `bootstrap`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct BootstrapArgs {
    /// The federation file (docs/federation.md)
    #[arg(value_name = "FEDERATION.yaml")]
    pub federation: PathBuf,
    /// Install releases that are not there yet
    #[arg(long)]
    pub install: bool,
    /// How many organizations at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub parallel: u8,
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
    /// How long each upgrade and its rollout may take
    #[arg(long, default_value = "15m", value_parser = crate::times::limit, hide_short_help = true)]
    pub timeout: Duration,
    /// How long the certificates are valid
    #[arg(long, default_value = "90d", hide_short_help = true)]
    pub validity: Validity,
    /// Kind of new keys
    #[arg(long, value_enum, default_value_t, hide_short_help = true)]
    pub key_type: KeyType,
    /// Read the passphrase of the CA's key from this file descriptor
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub passphrase_fd: Option<u32>,
    /// text or json
    #[arg(short, long, default_value = "text", value_parser = args::text_or_json(), value_name = "FORMAT", hide_possible_values = true)]
    pub output: Format,
}
