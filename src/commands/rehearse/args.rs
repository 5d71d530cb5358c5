//! The options of `rehearse`.

use std::path::PathBuf;

use clap::Args;

use crate::{
    args::{self, EXIT_STATUSES},
    report::Format,
};

/// `rehearse`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct RehearseArgs {
    /// The federation file of `bootstrap`
    #[arg(value_name = "FEDERATION.yaml", conflicts_with_all = ["backend", "orchestrator"])]
    pub federation: Option<PathBuf>,
    /// A backend's values file (repeatable) [default: a built-in federation of three]
    #[arg(long, value_name = "FILE", requires = "orchestrator")]
    pub backend: Vec<PathBuf>,
    /// The orchestrator's values file
    #[arg(long, value_name = "FILE", requires = "backend")]
    pub orchestrator: Option<PathBuf>,
    /// text or json
    #[arg(short, long, default_value = "text", value_parser = args::text_or_json(), value_name = "FORMAT", hide_possible_values = true)]
    pub output: Format,
}
