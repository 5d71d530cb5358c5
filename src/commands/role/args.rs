//! The options of `role`.

use clap::Args;

use crate::{
    args::{self, EXIT_STATUSES},
    names::ObjectName,
    report::Format,
    substra::Side,
};

/// `role`
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUSES)]
pub struct RoleArgs {
    /// Whose namespace
    #[arg(value_name = "backend|orchestrator", value_enum, hide_possible_values = true)]
    pub side: Side,
    /// Account of the namespace that gets the rights [default: substra-mtls]
    #[arg(long, value_name = "NAME")]
    pub service_account: Option<ObjectName>,
    /// text (YAML) or json
    #[arg(short, long, default_value = "text", value_parser = args::text_or_json(), value_name = "FORMAT", hide_possible_values = true)]
    pub output: Format,
}
