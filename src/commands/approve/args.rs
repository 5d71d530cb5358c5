//! The options of `approve`.

use std::path::PathBuf;

use clap::Args;

use crate::{
    args::{CommonArgs, EXIT_STATUSES, word},
    names::{BadName, MspId, Namespace, ObjectName, Validity},
    pki::fingerprint::Fingerprint,
};

/// `approve`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct ApproveArgs {
    /// Certificate signing requests
    #[arg(value_name = "CSR", required_unless_present_any = ["renewals", "settle"])]
    pub requests: Vec<PathBuf>,
    /// Sign only renewals that the key of the certificate before vouches for (for cron, with --yes)
    #[arg(long, conflicts_with_all = ["fingerprint", "unverified_mail", "require_fingerprint"], hide_short_help = true)]
    pub renewals: bool,
    /// The options of all verbs.
    #[command(flatten)]
    pub common: CommonArgs,
    /// CA that signs [default: orchestrator-ca.crt]
    #[arg(long, value_name = "FILE", requires = "ca_key")]
    pub ca_cert: Option<PathBuf>,
    /// Its private key [default: orchestrator-ca.key]
    #[arg(long, value_name = "FILE", requires = "ca_cert")]
    pub ca_key: Option<PathBuf>,
    /// Secret with the CA, instead of the files
    #[arg(long, value_name = "NAME", conflicts_with_all = ["ca_cert", "ca_key", "offline"])]
    pub ca_secret: Option<ObjectName>,
    /// Object in the cluster that holds the signing CA [default: orchestrator.tls.cacert]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub ca_object: Option<ObjectName>,
    /// Fingerprint that was read out (repeatable)
    #[arg(long, value_name = "ORG=HASH", value_parser = claim)]
    pub fingerprint: Vec<(MspId, Fingerprint)>,
    /// Sign without comparing a fingerprint; the log says so
    #[arg(long, conflicts_with = "fingerprint", hide_short_help = true)]
    pub unverified_mail: bool,
    /// Compare fingerprints of renewals too
    #[arg(long, conflicts_with = "unverified_mail", hide_short_help = true)]
    pub require_fingerprint: bool,
    /// Settle the alarm of an organization of which two requests came with one proof
    #[arg(long, value_name = "ORG", requires = "keep", conflicts_with_all = ["requests", "renewals", "fingerprint", "unverified_mail"], hide_short_help = true)]
    pub settle: Option<MspId>,
    /// With --settle: the serial number of the certificate that is the organization's own
    #[arg(long, value_name = "SERIAL", requires = "settle", value_parser = word, hide_short_help = true)]
    pub keep: Option<String>,
    /// How long the certificates are valid
    #[arg(long, default_value = "90d", hide_short_help = true)]
    pub validity: Validity,
    /// Read the passphrase of the CA's key from this file descriptor
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

/// `ORG=SHA256:HEX`
fn claim(text: &str) -> Result<(MspId, Fingerprint), String> {
    let (organization, fingerprint) = text.split_once('=').ok_or("write it as ORG=SHA256:HEX")?;
    let organization = organization.parse().map_err(|e: BadName| e.to_string())?;
    Ok((organization, fingerprint.parse().map_err(|e| format!("{e}"))?))
}
