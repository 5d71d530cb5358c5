//! The options of `ca`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use crate::{
    args::{self, CommonArgs, EXIT_STATUSES},
    names::{Hostname, MspId, Namespace, ObjectName, ReleaseName},
    pki::fingerprint::Fingerprint,
    report::Format,
    values::ValuesKey,
};

/// What is done with the federation's CA.
#[derive(Debug, Subcommand)]
pub enum CaCommand {
    /// Create the CA and the server's pair if missing, and turn TLS on
    Init(Box<InitArgs>),
    /// Trust another CA, at a backend or at the orchestrator
    Trust(Box<TrustArgs>),
    /// What is trusted where, by whom issued, until when
    Show(ShowArgs),
}

/// `ca init`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct InitArgs {
    /// The options of all verbs.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Folder of the CA's files [default: the working directory]
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub out_dir: PathBuf,
    /// Keep the CA in this Secret instead of files
    #[arg(long, value_name = "NAME", conflicts_with = "out_dir")]
    pub secret: Option<ObjectName>,
    /// One more host that backends dial (repeatable)
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<Hostname>,
    /// CA and server pair as files, without a cluster
    #[arg(long, conflicts_with = "secret")]
    pub offline: bool,
    /// Encrypt a new CA key with a passphrase
    #[arg(long, conflicts_with = "secret")]
    pub encrypt: bool,
    /// Read the passphrase of the CA's key from this file descriptor
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub passphrase_fd: Option<u32>,
    /// The orchestrator's namespace, for the names of its service where no cluster is looked at.
    #[arg(skip)]
    pub namespace: Option<Namespace>,
}

/// `ca trust`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
#[command(group = ArgGroup::new("side").args(["backend", "organization"]).required(true))]
pub struct TrustArgs {
    /// The CA's certificate
    #[arg(value_name = "CERT")]
    pub certificate: PathBuf,
    /// The options of all verbs.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Orchestrator: for certificates of this organization
    #[arg(long = "for", value_name = "ORG")]
    pub organization: Option<MspId>,
    /// Object to keep it in [default: orchestrator-client-ca- and the organization's name in kebab case]
    #[arg(long, value_name = "NAME", conflicts_with = "backend", hide_short_help = true)]
    pub ca_object: Option<ObjectName>,
    /// Backend: trust it for the orchestrator
    #[arg(long)]
    pub backend: bool,
    /// Fingerprint of the CA's key, as it was read out
    #[arg(long, value_name = "HASH")]
    pub fingerprint: Option<Fingerprint>,
    /// Backend: use TLS to the orchestrator from now on
    #[arg(long, conflicts_with = "organization")]
    pub enable_tls: bool,
}

/// `ca show`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct ShowArgs {
    /// Values file (repeatable, same order as for helm)
    #[arg(short = 'f', long = "values", value_name = "FILE", required = true)]
    pub values: Vec<PathBuf>,
    /// Umbrella chart: the key under which the sub-chart's values are (its name or alias)
    #[arg(long, value_name = "KEY", hide_short_help = true)]
    pub values_key: Option<ValuesKey>,
    /// Release [default: the only one of this chart in the namespace]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub release: Option<ReleaseName>,
    /// Certificate of the CA; the issue log is beside it
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
    /// text or json
    #[arg(short, long, default_value = "text", value_parser = args::text_or_json(), value_name = "FORMAT", hide_possible_values = true)]
    pub output: Format,
}
