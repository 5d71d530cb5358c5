//! Options that may stand anywhere on the line: Helm's own global flags, and how much is shown.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::{args, names::Namespace};

/// Helm's own global flags. Helm takes them off the line and passes them by environment; without Helm they are ours.
/// Those that it takes and leaves on the line all the same are passed over.
#[derive(Debug, Clone, Args)]
#[command(next_display_order = 900)]
pub struct ClusterArgs {
    /// Namespace of the release
    #[arg(short, long, global = true, env = "HELM_NAMESPACE", hide_env = true, value_name = "NAME")]
    pub namespace: Option<Namespace>,
    /// Context of the kubeconfig
    #[arg(long, global = true, env = "HELM_KUBECONTEXT", hide_env = true, value_name = "NAME", value_parser = args::no_option::<String>)]
    pub kube_context: Option<String>,
    /// Kubeconfig file
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE", value_parser = args::no_option::<PathBuf>)]
    pub kubeconfig: Option<PathBuf>,
    /// Show the command line of every child process
    #[arg(short, long, global = true, hide_short_help = true)]
    pub verbose: bool,
    /// Whether there are colours [default: at a terminal that has them]
    #[arg(long, alias = "colour", global = true, hide_short_help = true, hide_possible_values = true)]
    #[arg(value_enum, value_name = "auto|always|never")]
    pub color: Option<Colours>,
    /// What the rest of them say.
    #[command(flatten)]
    pub helm: HelmArgs,
}

impl ClusterArgs {
    /// Whether the children's command lines are shown: `--debug` is Helm's word for it.
    #[must_use]
    pub fn is_verbose(&self) -> bool {
        let debug = || std::env::var("HELM_DEBUG").is_ok_and(|debug| matches!(debug.as_str(), "1" | "t" | "true"));
        self.verbose || self.helm.debug.unwrap_or_else(debug)
    }
}

/// `--color`, in Helm 4's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colours {
    /// Where the output is a terminal that has them.
    Auto,
    /// In files and pipes too.
    Always,
    /// Nowhere.
    Never,
}

/// Flags of Helm that mean something to it alone; out of the help, since Helm's own has them.
#[derive(Debug, Clone, Default, Args)]
pub struct HelmArgs {
    /// Address of the API server
    #[arg(long, global = true, hide = true)]
    pub kube_apiserver: Option<String>,
    /// User to act as
    #[arg(long, global = true, hide = true)]
    pub kube_as_user: Option<String>,
    /// Group to act as
    #[arg(long, global = true, hide = true)]
    pub kube_as_group: Vec<String>,
    /// CA of the API server
    #[arg(long, global = true, hide = true)]
    pub kube_ca_file: Option<String>,
    /// Bearer token
    #[arg(long, global = true, hide = true)]
    pub kube_token: Option<String>,
    /// Name in the API server's certificate
    #[arg(long, global = true, hide = true)]
    pub kube_tls_server_name: Option<String>,
    /// Do not check the API server's certificate
    #[arg(long, global = true, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub kube_insecure_skip_tls_verify: Option<bool>,
    /// Registries' credentials
    #[arg(long, global = true, hide = true)]
    pub registry_config: Option<String>,
    /// Repositories
    #[arg(long, global = true, hide = true)]
    pub repository_config: Option<String>,
    /// Their indexes
    #[arg(long, global = true, hide = true)]
    pub repository_cache: Option<String>,
    /// Charts (Helm 4)
    #[arg(long, global = true, hide = true)]
    pub content_cache: Option<String>,
    /// Requests at once
    #[arg(long, global = true, hide = true, allow_negative_numbers = true)]
    pub burst_limit: Option<i64>,
    /// Requests a second
    #[arg(long, global = true, hide = true, allow_negative_numbers = true)]
    pub qps: Option<f32>,
    /// Show what is done
    #[arg(long, global = true, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub debug: Option<bool>,
}

impl HelmArgs {
    /// The variables by which Helm itself hands these on (`EnvSettings.EnvVars` of its `pkg/cli`), as name and value.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let groups = Some(self.kube_as_group.join(",")).filter(|groups| !groups.is_empty());
        let all = [
            ("HELM_KUBEAPISERVER", self.kube_apiserver.clone()),
            ("HELM_KUBEASUSER", self.kube_as_user.clone()),
            ("HELM_KUBEASGROUPS", groups),
            ("HELM_KUBECAFILE", self.kube_ca_file.clone()),
            ("HELM_KUBETOKEN", self.kube_token.clone()),
            ("HELM_KUBETLS_SERVER_NAME", self.kube_tls_server_name.clone()),
            ("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", self.kube_insecure_skip_tls_verify.map(|skip| skip.to_string())),
            ("HELM_REGISTRY_CONFIG", self.registry_config.clone()),
            ("HELM_REPOSITORY_CONFIG", self.repository_config.clone()),
            ("HELM_REPOSITORY_CACHE", self.repository_cache.clone()),
            ("HELM_CONTENT_CACHE", self.content_cache.clone()),
            ("HELM_BURST_LIMIT", self.burst_limit.map(|limit| limit.to_string())),
            ("HELM_QPS", self.qps.map(|qps| qps.to_string())),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}
