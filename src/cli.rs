//! The command line and nothing else: what the user typed becomes checked types before any work starts.

mod bootstrap;
mod ca;
mod check;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};

pub use self::{
    bootstrap::BootstrapArgs,
    ca::{CaCommand, InitArgs, ShowArgs, TrustArgs},
    check::{CheckArgs, CheckFormat, FailOn, Side, WarnBefore},
};
use crate::{
    names::{Hostname, MspId, Namespace, ObjectName, ReleaseName, Validity},
    pki::{fingerprint::Fingerprint, key::KeyType},
    report::Format,
    values::ValuesKey,
};

const EXIT_STATUSES: &str = "\
Exit status: 0 done, 1 failed, 2 usage, 3 a check failed, 5 refused by policy or by you,
6 cluster or helm failed, 124 time limit, 130 interrupted.";

/// Mutual TLS between Substra backends and their orchestrator.
///
/// An organization enrolls (`enroll`), the orchestrator's operator approves its request (`approve`), the organization
/// installs the certificate (`enroll --certificate`), and once all are in place the gate is closed (`gate close`).
/// `rehearse` shows all of it without a cluster.
#[derive(Debug, Parser)]
#[command(name = "substra-mtls", version, after_help = EXIT_STATUSES, disable_help_subcommand = true)]
pub struct Cli {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// The verb.
    #[command(subcommand)]
    pub command: Command,
}

impl CommonArgs {
    /// Below which key of the values files the chart's settings stand.
    #[must_use]
    pub fn key(&self) -> ValuesKey {
        self.values_key.clone().unwrap_or_default()
    }
}

impl Cli {
    /// How the result, and a failure, are written.
    #[must_use]
    pub fn format(&self) -> Format {
        match &self.command {
            Command::Enroll(args) => args.common.output,
            Command::Approve(args) => args.common.output,
            Command::Gate(GateCommand::Close(args)) => args.common.output,
            Command::Gate(GateCommand::Open(args)) => args.common.output,
            Command::Ca(command) => command.format(),
            Command::Bootstrap(args) => args.output,
            Command::Check(args) => args.format(),
            Command::Rehearse(args) => args.output,
        }
    }
}

/// Helm's own global flags. Helm takes them off the line and passes them by environment; without Helm they are ours.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cluster (Helm's own flags)")]
pub struct ClusterArgs {
    /// Namespace of the release
    #[arg(short, long, global = true, env = "HELM_NAMESPACE", hide_env = true)]
    pub namespace: Option<Namespace>,
    /// Context of the kubeconfig
    #[arg(long, global = true, env = "HELM_KUBECONTEXT", hide_env = true)]
    pub kube_context: Option<String>,
    /// Kubeconfig file
    #[arg(long, global = true)]
    pub kubeconfig: Option<PathBuf>,
    /// Show the command line of every child process
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Backend: make key and request; with --certificate install the pair, merge the values, upgrade, wait
    Enroll(Box<EnrollArgs>),
    /// Orchestrator: check requests, sign them, admit their organizations in the values file
    Approve(Box<ApproveArgs>),
    /// Orchestrator: turn mutual TLS on for all, or off again
    #[command(subcommand)]
    Gate(GateCommand),
    /// Orchestrator: the federation's CA, the server pair that stands on it, and whom else to trust
    #[command(subcommand)]
    Ca(CaCommand),
    /// Federation builder: all organizations and the orchestrator, from one file
    Bootstrap(Box<BootstrapArgs>),
    /// Everybody: who stands where, what is wrong or will be, and the next command for each
    Check(Box<CheckArgs>),
    /// Everybody: the whole exchange offline, on a simulated cluster, with real TLS handshakes
    Rehearse(RehearseArgs),
}

/// The two ways of the gate.
#[derive(Debug, Subcommand)]
pub enum GateCommand {
    /// Mutual TLS on: backends without a valid pair are cut off
    Close(Box<CloseArgs>),
    /// Mutual TLS off again
    Open(OpenArgs),
}

/// Options that are the same everywhere.
#[derive(Debug, Clone, Args)]
pub struct CommonArgs {
    /// Values file of the release; repeat in Helm's order
    #[arg(short = 'f', long = "values", value_name = "FILE", required = true)]
    pub values: Vec<PathBuf>,
    /// Umbrella chart: the key of the dependency (its name or alias) below which its settings stand
    #[arg(long, value_name = "KEY")]
    pub values_key: Option<ValuesKey>,
    /// Release [default: the only one of this chart in the namespace]
    #[arg(long, value_name = "NAME")]
    pub release: Option<ReleaseName>,
    /// Chart to upgrade with: repo/name, path or oci:// [default: the walkthrough's]
    #[arg(long)]
    pub chart: Option<String>,
    /// Chart version [default: the one that is deployed]
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Leave the release alone: files and Secrets only (Argo CD, Flux)
    #[arg(long)]
    pub no_upgrade: bool,
    /// Upgrade although the deployed values and the files differ
    #[arg(long)]
    pub accept_drift: bool,
    /// Show the plan with its diffs and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask "Continue?"
    #[arg(long)]
    pub yes: bool,
    /// How long an upgrade and its rollout may take
    #[arg(long, default_value = "15m", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// How the result is written
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}

/// `enroll`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct EnrollArgs {
    /// The options of all verbs.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The certificate that came back: install it
    #[arg(long, value_name = "ORG.crt")]
    pub certificate: Option<PathBuf>,
    /// Make a new key and request although the live pair is not in its last third
    #[arg(long)]
    pub renew: bool,
    /// Start over with a new key; the old one is kept until the new certificate is in
    #[arg(long, conflicts_with = "certificate")]
    pub new_request: bool,
    /// Host of this backend [default: server.ingress.hostname or server.defaultDomain of the values]
    #[arg(long, value_name = "HOST")]
    pub hostname: Option<Hostname>,
    /// Kind of a new key
    #[arg(long, value_enum, default_value_t)]
    pub key_type: KeyType,
    /// Keep the key in this file instead of a Secret; needs no cluster for the request
    #[arg(long, value_name = "FILE", conflicts_with = "new_request")]
    pub key_file: Option<PathBuf>,
    /// CA that signs client certificates, where it is not the one in the cluster's orchestrator-cacert
    #[arg(long, value_name = "FILE")]
    pub client_ca: Option<PathBuf>,
    /// Folder for ORG.csr [default: the working directory]
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub out_dir: PathBuf,
}

/// `approve`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct ApproveArgs {
    /// Certificate signing requests
    #[arg(value_name = "CSR", required = true)]
    pub requests: Vec<PathBuf>,
    /// The options of all verbs.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Certificate of the authority that signs
    #[arg(long, value_name = "FILE", requires = "ca_key", required_unless_present = "ca_secret")]
    pub ca_cert: Option<PathBuf>,
    /// Its private key
    #[arg(long, value_name = "FILE", requires = "ca_cert")]
    pub ca_key: Option<PathBuf>,
    /// Secret with tls.crt and tls.key of the authority, instead of the files
    #[arg(long, value_name = "NAME", conflicts_with_all = ["ca_cert", "ca_key", "offline"])]
    pub ca_secret: Option<ObjectName>,
    /// Object in the cluster that holds the signing CA [default: orchestrator.tls.cacert]
    #[arg(long, value_name = "NAME")]
    pub ca_object: Option<ObjectName>,
    /// The organization that is meant and the fingerprint that its operator read out
    #[arg(long, value_name = "ORG=SHA256:HEX", value_parser = claim)]
    pub fingerprint: Vec<(MspId, Fingerprint)>,
    /// Trust the mail: sign without a compared fingerprint, and write so into the log
    #[arg(long, conflicts_with = "fingerprint")]
    pub unverified_mail: bool,
    /// How long the certificates are valid
    #[arg(long, default_value = "90d")]
    pub validity: Validity,
    /// File descriptor that gives the passphrase of the CA's key
    #[arg(long, value_name = "N")]
    pub passphrase_fd: Option<u32>,
    /// Sign and edit the file without a cluster, helm or kubectl
    #[arg(long)]
    pub offline: bool,
    /// Folder for ORG.crt [default: beside each request]
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
}

/// `gate close`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct CloseArgs {
    /// The options of all verbs.
    #[command(flatten)]
    pub common: CommonArgs,
    /// This organization has said that its pair is installed
    #[arg(long, value_name = "ORG")]
    pub installed: Vec<MspId>,
    /// This organization may be cut off
    #[arg(long, value_name = "ORG")]
    pub cut_off: Vec<MspId>,
    /// Leave verifyClientMSPID alone: any organization can then act as any other
    #[arg(long)]
    pub no_verify_mspid: bool,
    /// Certificate of the authority; the issue log is looked for beside it
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

/// `rehearse`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct RehearseArgs {
    /// The federation file of `bootstrap`: its plan is carried out on the simulated cluster
    #[arg(value_name = "FEDERATION.yaml", conflicts_with_all = ["backend", "orchestrator"])]
    pub federation: Option<PathBuf>,
    /// A backend's values file; repeat for several organizations [default: a built-in federation of three]
    #[arg(long, value_name = "FILE", requires = "orchestrator")]
    pub backend: Vec<PathBuf>,
    /// The orchestrator's values file
    #[arg(long, value_name = "FILE", requires = "backend")]
    pub orchestrator: Option<PathBuf>,
    /// How the result is written
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}

/// `ORG=SHA256:HEX`
fn claim(text: &str) -> Result<(MspId, Fingerprint), String> {
    let (organization, fingerprint) = text.split_once('=').ok_or("write it as ORG=SHA256:HEX")?;
    let organization = organization.parse().map_err(|e: crate::names::BadName| e.to_string())?;
    Ok((organization, fingerprint.parse().map_err(|e| format!("{e}"))?))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
