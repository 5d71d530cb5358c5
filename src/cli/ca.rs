//! The options of `ca`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{CommonArgs, EXIT_STATUSES};
use crate::{
    names::{Hostname, MspId, ObjectName, ReleaseName},
    pki::fingerprint::Fingerprint,
    report::Format,
    values::ValuesKey,
};

/// What is done with the federation's CA.
#[derive(Debug, Subcommand)]
pub enum CaCommand {
    /// Make what is missing of the CA, the server pair and their objects; turn TLS on; renew the server pair
    ///
    /// Turning TLS on cuts off every backend that still dials in plain text. Run again it renews the server pair when
    /// that is in its last third, does not cover a name of the values, or could not pass the orchestrator's own health
    /// probe; the pods are then restarted and awaited. A CA that is there is never replaced.
    Init(Box<InitArgs>),
    /// Trust another CA: at the orchestrator for one organization, or at a backend for the orchestrator
    ///
    /// With --for, at the orchestrator: an organization's certificates may come from this CA too. Whoever holds its key
    /// can act as every organization. With --backend, at a backend: the CA joins those that the orchestrator's
    /// certificate may come from; its fingerprint is compared. TLS is turned on there only with --enable-tls.
    Trust(Box<TrustArgs>),
    /// What is trusted where, by whom it is issued, until when, and how many certificates are alive
    Show(ShowArgs),
}

impl CaCommand {
    pub(super) fn format(&self) -> Format {
        match self {
            Self::Init(args) => args.common.output,
            Self::Trust(args) => args.common.output,
            Self::Show(args) => args.output,
        }
    }
}

/// `ca init`
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

/// `ca trust`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct TrustArgs {
    /// The CA's certificate
    #[arg(value_name = "CERT")]
    pub certificate: PathBuf,
    /// The options of all verbs.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Orchestrator: the organization whose certificates may come from this CA
    #[arg(long = "for", value_name = "ORG", required_unless_present = "backend", conflicts_with = "backend")]
    pub organization: Option<MspId>,
    /// Object to keep it in [default: orchestrator-client-ca- and the organization's name in kebab case]
    #[arg(long, value_name = "NAME", conflicts_with = "backend")]
    pub ca_object: Option<ObjectName>,
    /// Backend: trust it for the orchestrator
    #[arg(long)]
    pub backend: bool,
    /// Fingerprint of the CA's key, as its owner read it out
    #[arg(long, value_name = "SHA256:HEX")]
    pub fingerprint: Option<Fingerprint>,
    /// Backend: dial the orchestrator with TLS from now on, trusting the CAs of this object alone
    #[arg(long, conflicts_with = "organization")]
    pub enable_tls: bool,
}

/// `ca show`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct ShowArgs {
    /// Values file of the release, the orchestrator's or a backend's; repeat in Helm's order
    #[arg(short = 'f', long = "values", value_name = "FILE", required = true)]
    pub values: Vec<PathBuf>,
    /// Umbrella chart: the key of the dependency (its name or alias) below which its settings stand
    #[arg(long, value_name = "KEY")]
    pub values_key: Option<ValuesKey>,
    /// Release [default: the only one of this chart in the namespace]
    #[arg(long, value_name = "NAME")]
    pub release: Option<ReleaseName>,
    /// Certificate of the CA; the issue log is looked for beside it, else in the namespace
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
    /// How the result is written
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}
