//! The options of `ca`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{CommonArgs, EXIT_STATUSES};
use crate::{
    names::{Hostname, ObjectName},
    report::Format,
};

/// What is done with the federation's CA.
#[derive(Debug, Subcommand)]
pub enum CaCommand {
    /// Make what is missing of the CA, the server pair and their objects; turn TLS on; renew the server pair
    Init(Box<InitArgs>),
}

impl CaCommand {
    pub(super) fn format(&self) -> Format {
        match self {
            Self::Init(args) => args.common.output,
        }
    }
}

/// `ca init`
///
/// Run again it renews the server pair when that is in its last third, does not cover a name of the values, or could not
/// pass the orchestrator's own health probe; the pods are then restarted and awaited. A CA that is there is never replaced.
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct InitArgs {
    /// The options of all verbs.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Folder of orchestrator-ca.key and orchestrator-ca.crt [default: the working directory]
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub out_dir: PathBuf,
    /// Keep the CA in this Secret (tls.crt, tls.key) of the orchestrator's namespace instead of files
    #[arg(long, value_name = "NAME", conflicts_with = "out_dir")]
    pub secret: Option<ObjectName>,
    /// One more host under which backends dial the orchestrator; repeat for several
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<Hostname>,
    /// Encrypt a new CA key with a passphrase
    #[arg(long, conflicts_with = "secret")]
    pub encrypt: bool,
    /// File descriptor that gives the passphrase of the CA's key
    #[arg(long, value_name = "N")]
    pub passphrase_fd: Option<u32>,
}
