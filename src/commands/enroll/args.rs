//! The options of `enroll`.

use std::path::PathBuf;

use clap::Args;

use crate::{
    args::{CommonArgs, EXIT_STATUSES},
    names::Hostname,
    pki::key::KeyType,
};

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
    #[arg(long, conflicts_with = "new_request")]
    pub renew: bool,
    /// Start over with a new key
    #[arg(long, conflicts_with = "certificate")]
    pub new_request: bool,
    /// Renew when it is due, install what comes back, and fail when no answer comes (for cron, with --yes)
    #[arg(long, conflicts_with_all = ["certificate", "new_request", "key_file"])]
    pub auto: bool,
    /// Host of this backend [default: server.ingress.hostname or server.defaultDomain of the values]
    #[arg(long, value_name = "HOST", hide_short_help = true)]
    pub hostname: Option<Hostname>,
    /// Kind of a new key
    #[arg(long, value_enum, default_value_t, hide_short_help = true)]
    pub key_type: KeyType,
    /// Keep the key in this file instead of a Secret; the request needs no cluster then
    #[arg(long, value_name = "FILE", conflicts_with = "new_request", hide_short_help = true)]
    pub key_file: Option<PathBuf>,
    /// CA that signs client certificates, where it is not the one in the cluster's orchestrator-cacert
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub client_ca: Option<PathBuf>,
    /// Folder for ORG.csr [default: the working directory; with --auto that of the first -f, for ORG.crt too]
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    pub out_dir: Option<PathBuf>,
}

impl EnrollArgs {
    /// Where the request is written.
    pub(super) fn folder(&self) -> PathBuf {
        let beside = || self.common.values.first().filter(|_| self.auto)?.parent().map(PathBuf::from);
        let folder = self.out_dir.clone().or_else(beside).unwrap_or_default();
        if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder }
    }
}
