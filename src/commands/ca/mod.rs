//! `ca`: the federation's CA, the server pair that stands on it, and their objects in the cluster.

mod args;
mod init;
mod init_offline;
mod show;
mod trust;
mod trust_backend;
mod trusted;

pub use self::args::{CaCommand, InitArgs, ShowArgs, TrustArgs};
pub(crate) use self::show::LIMIT;
use crate::{failure::Result, report::Outcome, session::Session};

/// Runs one of the verb's ways.
///
/// # Errors
/// Whatever ends it.
pub fn run(command: &CaCommand, session: &Session<'_>) -> Result<Outcome> {
    match command {
        CaCommand::Init(args) if args.offline => init_offline::run(args, session),
        CaCommand::Init(args) => init::run(args, session),
        CaCommand::Trust(args) if args.backend => trust_backend::run(args, session),
        CaCommand::Trust(args) => trust::run(args, session),
        CaCommand::Show(args) => show::run(args, session),
    }
}
