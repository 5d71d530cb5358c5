//! The command line and nothing else: what the user typed becomes checked types before any work starts.

mod bootstrap;
mod ca;
mod check;
mod global;
pub mod help;

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, Command as Clap, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};

pub use self::{
    bootstrap::BootstrapArgs,
    ca::{CaCommand, InitArgs, ShowArgs, TrustArgs},
    check::{CheckArgs, FailOn, WarnBefore},
    global::{ClusterArgs, Colours, HelmArgs},
};
use crate::{
    names::{Hostname, MspId, Namespace, ObjectName, ReleaseName, Validity},
    pki::{fingerprint::Fingerprint, key::KeyType},
    release::Options,
    report::Format,
    values::ValuesKey,
};

pub use crate::NAME;

const EXIT_STATUSES: &str = "\
Exit status: 0 done, 1 failed, 2 usage, 3 a check failed, 5 refused by policy or
by you, 6 cluster or helm failed, 124 time limit, 130 interrupted.";

/// Mutual TLS between Substra backends and their orchestrator
#[derive(Debug, Parser)]
#[command(name = NAME, version, after_help = EXIT_STATUSES, disable_help_subcommand = true)]
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

    /// How it points at the release, and what may be done to it.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            values: self.values.clone(),
            key: self.key(),
            release: self.release.clone(),
            chart: self.chart.clone(),
            version: self.version.clone(),
            no_upgrade: self.no_upgrade,
            accept_drift: self.accept_drift,
        }
    }
}

impl Cli {
    /// How the result, and a failure, are written.
    #[must_use]
    pub fn format(&self) -> Format {
        if let Some(common) = self.command.common() {
            return common.output;
        }
        match &self.command {
            Command::Ca(CaCommand::Show(args)) => args.output,
            Command::Bootstrap(args) => args.output,
            Command::Check(args) => args.output,
            Command::Rehearse(args) => args.output,
            _ => Format::Text,
        }
    }

    /// Reads the words of the command line, the program's own name first.
    ///
    /// # Errors
    /// They are wrong, or ask for help or the version.
    pub fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        let words = help_as_option(words);
        let asks = words.iter().any(|word| word == "--help");
        let command = if asks { help::with_pages(Self::named()) } else { Self::named() };
        let matches = command.try_get_matches_from(&words).map_err(|error| {
            if error.kind() != ErrorKind::MissingRequiredArgument {
                return error;
            }
            // Helm gives these two by environment: in the usage that clap then shows they look as if they were required.
            let plain = ["namespace", "kube_context"]
                .into_iter()
                .fold(Self::named(), |command, name| command.mut_arg(name, |arg| arg.env(None::<&'static str>)));
            plain.try_get_matches_from(&words).err().unwrap_or(error)
        })?;
        let mut cli = Self::from_arg_matches(&matches)?;
        if let Command::Approve(args) = &mut cli.command {
            args.namespace.clone_from(&cli.cluster.namespace);
        }
        Ok(cli)
    }

    /// The command line as the operator calls it: by Helm, or by its own name.
    fn named() -> Clap {
        let by_helm = std::env::var_os("HELM_PLUGIN_NAME").is_some_and(|name| name == NAME);
        Self::command().bin_name(if by_helm { "helm substra-mtls" } else { NAME })
    }
}

/// `help VERB`, as many type it, is `VERB --help`.
fn help_as_option(words: &[OsString]) -> Vec<OsString> {
    let mut words = words.to_vec();
    if words.get(1).is_some_and(|word| word == "help") {
        words.remove(1);
        words.push("--help".into());
    }
    words
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Backend: make key and request; then install the certificate
    Enroll(Box<EnrollArgs>),
    /// Orchestrator: check requests, sign them, admit organizations
    Approve(Box<ApproveArgs>),
    /// Orchestrator: turn mutual TLS on for all, or off again
    #[command(subcommand)]
    Gate(GateCommand),
    /// Orchestrator: the federation's CA and the server pair
    #[command(subcommand)]
    Ca(CaCommand),
    /// Federation builder: everything, from one file
    Bootstrap(Box<BootstrapArgs>),
    /// Everybody: who stands where, what is wrong, what comes next
    Check(Box<CheckArgs>),
    /// Everybody: the whole exchange offline, on a simulated cluster
    Rehearse(RehearseArgs),
    /// Everybody: the completion script of a shell, for use without Helm
    Completion(CompletionArgs),
}

impl Command {
    /// The options of the verbs that change one release.
    #[must_use]
    pub fn common(&self) -> Option<&CommonArgs> {
        match self {
            Self::Enroll(args) => Some(&args.common),
            Self::Approve(args) => Some(&args.common),
            Self::Gate(GateCommand::Close(args)) => Some(&args.common),
            Self::Gate(GateCommand::Open(args)) => Some(&args.common),
            Self::Ca(CaCommand::Init(args)) => Some(&args.common),
            Self::Ca(CaCommand::Trust(args)) => Some(&args.common),
            _ => None,
        }
    }
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
    /// Values file; repeat in Helm's order
    #[arg(short = 'f', long = "values", value_name = "FILE", required = true)]
    pub values: Vec<PathBuf>,
    /// Umbrella chart: the key of the dependency (its name or alias) below which its settings stand
    #[arg(long, value_name = "KEY", hide_short_help = true)]
    pub values_key: Option<ValuesKey>,
    /// Release [default: the only one of this chart in the namespace]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub release: Option<ReleaseName>,
    /// Chart to upgrade with: repo/name, path or oci:// [default: substra/substra-backend, substra/orchestrator]
    #[arg(long, hide_short_help = true, value_parser = global::word)]
    pub chart: Option<String>,
    /// Chart version [default: the one that is deployed]
    #[arg(long, value_name = "VERSION", hide_short_help = true, value_parser = global::word)]
    pub version: Option<String>,
    /// Files and Secrets only (Argo CD, Flux)
    #[arg(long)]
    pub no_upgrade: bool,
    /// Upgrade although the deployed values and the files differ
    #[arg(long, hide_short_help = true)]
    pub accept_drift: bool,
    /// Show the plan with its diffs and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask "Continue?"
    #[arg(long)]
    pub yes: bool,
    /// How long an upgrade and its rollout may take
    #[arg(long, default_value = "15m", value_parser = crate::times::limit, hide_short_help = true)]
    pub timeout: Duration,
    /// text or json
    #[arg(short, long, default_value = "text", value_parser = global::text_or_json(), value_name = "FORMAT", hide_possible_values = true)]
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
    /// Renew although the pair is not in its last third
    #[arg(long)]
    pub renew: bool,
    /// Start over with a new key
    #[arg(long, conflicts_with = "certificate")]
    pub new_request: bool,
    /// Host of this backend [default: server.ingress.hostname or server.defaultDomain of the values]
    #[arg(long, value_name = "HOST", hide_short_help = true)]
    pub hostname: Option<Hostname>,
    /// Kind of a new key
    #[arg(long, value_enum, default_value_t, hide_short_help = true)]
    pub key_type: KeyType,
    /// Keep the key in this file instead of a Secret; needs no cluster for the request
    #[arg(long, value_name = "FILE", conflicts_with = "new_request", hide_short_help = true)]
    pub key_file: Option<PathBuf>,
    /// CA that signs client certificates, where it is not the one in the cluster's orchestrator-cacert
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub client_ca: Option<PathBuf>,
    /// Folder for ORG.csr [default: the working directory]
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true, hide_short_help = true)]
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
    /// CA that signs [default: orchestrator-ca.crt]
    #[arg(long, value_name = "FILE", requires = "ca_key")]
    pub ca_cert: Option<PathBuf>,
    /// Its private key [default: orchestrator-ca.key]
    #[arg(long, value_name = "FILE", requires = "ca_cert")]
    pub ca_key: Option<PathBuf>,
    /// Secret of the authority, instead of the files
    #[arg(long, value_name = "NAME", conflicts_with_all = ["ca_cert", "ca_key", "offline"])]
    pub ca_secret: Option<ObjectName>,
    /// Object in the cluster that holds the signing CA [default: orchestrator.tls.cacert]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub ca_object: Option<ObjectName>,
    /// The fingerprint that was read out to you
    #[arg(long, value_name = "ORG=HASH", value_parser = claim)]
    pub fingerprint: Vec<(MspId, Fingerprint)>,
    /// Trust the mail: sign without a compared fingerprint, and write so into the log
    #[arg(long, conflicts_with = "fingerprint", hide_short_help = true)]
    pub unverified_mail: bool,
    /// How long the certificates are valid
    #[arg(long, default_value = "90d", hide_short_help = true)]
    pub validity: Validity,
    /// File descriptor that gives the passphrase of the CA's key
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub passphrase_fd: Option<u32>,
    /// Sign and merge without a cluster
    #[arg(long, hide_short_help = true)]
    pub offline: bool,
    /// Folder for ORG.crt [default: beside each request]
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    pub out_dir: Option<PathBuf>,
    /// The orchestrator's namespace, for the names of its service where no cluster is looked at.
    #[arg(skip)]
    pub namespace: Option<Namespace>,
}

/// `gate close`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct CloseArgs {
    /// The options of all verbs.
    #[command(flatten)]
    pub common: CommonArgs,
    /// This organization says that its pair is installed
    #[arg(long, value_name = "ORG")]
    pub installed: Vec<MspId>,
    /// This organization may be cut off
    #[arg(long, value_name = "ORG")]
    pub cut_off: Vec<MspId>,
    /// Leave verifyClientMSPID alone: any organization can then act as any other
    #[arg(long, hide_short_help = true)]
    pub no_verify_mspid: bool,
    /// The authority; the issue log is beside it
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
    /// The federation file of `bootstrap`
    #[arg(value_name = "FEDERATION.yaml", conflicts_with_all = ["backend", "orchestrator"])]
    pub federation: Option<PathBuf>,
    /// A backend's values file; repeat for several [default: three made up]
    #[arg(long, value_name = "FILE", requires = "orchestrator")]
    pub backend: Vec<PathBuf>,
    /// The orchestrator's values file
    #[arg(long, value_name = "FILE", requires = "backend")]
    pub orchestrator: Option<PathBuf>,
    /// text or json
    #[arg(short, long, default_value = "text", value_parser = global::text_or_json(), value_name = "FORMAT", hide_possible_values = true)]
    pub output: Format,
}

/// `completion`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct CompletionArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: crate::completion::Shell,
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
