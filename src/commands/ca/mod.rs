//! `ca`: the federation's CA, the server pair that stands on it, and their objects in the cluster.

pub(in crate::commands) mod authority;
mod init;
mod pair;
pub(in crate::commands) mod server;

use crate::{cli::CaCommand, commands::Desk, failure::Result, report::Outcome};

const VERB: &str = "ca";

/// Runs one of the verb's ways.
///
/// # Errors
/// Whatever ends it.
pub fn run(command: &CaCommand, desk: &Desk<'_>) -> Result<Outcome> {
    match command {
        CaCommand::Init(args) => init::run(args, desk),
    }
}
