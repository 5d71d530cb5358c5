//! The options of `gate`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::{
    args::{CommonArgs, EXIT_STATUSES},
    names::MspId,
};

/// The two ways of the gate.
#[derive(Debug, Subcommand)]
pub enum GateCommand {
    /// Mutual TLS on: backends without a valid pair are cut off
    Close(Box<CloseArgs>),
    /// Mutual TLS off again
    Open(OpenArgs),
}

/// `gate close`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct CloseArgs {
    /// The options of all verbs.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Organization that has confirmed that its pair is installed (repeatable)
    #[arg(long, value_name = "ORG")]
    pub installed: Vec<MspId>,
    /// Organization to leave out: it loses access (repeatable)
    #[arg(long, value_name = "ORG")]
    pub cut_off: Vec<MspId>,
    /// Do not turn the identity check on: any organization can then act as any other
    #[arg(long, hide_short_help = true)]
    pub no_verify_mspid: bool,
    /// The CA; the issue log is beside it
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
}

/// `gate open`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct OpenArgs {
    /// The options of all verbs.
    #[command(flatten)]
    pub common: CommonArgs,
}
