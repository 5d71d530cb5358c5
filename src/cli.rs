//! The command line and nothing else: what the user typed becomes checked types before any work starts.

mod global;
pub mod help;

use std::ffi::OsString;

use clap::{
    Command as Clap, CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};

pub use self::global::{ClusterArgs, Colours, HelmArgs};
pub use crate::NAME;
use crate::{
    args::{CommonArgs, EXIT_STATUSES},
    commands::{
        approve::ApproveArgs, bootstrap::BootstrapArgs, ca::CaCommand, check::CheckArgs, enroll::EnrollArgs,
        gate::GateCommand, rehearse::RehearseArgs, role::RoleArgs,
    },
    completion::CompletionArgs,
    report::Format,
};

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
            Command::Role(args) => args.output,
            Command::Completion(_) | Command::Enroll(_) | Command::Approve(_) | Command::Gate(_) | Command::Ca(_) => {
                Format::Text
            }
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
            named_with_or(plain.try_get_matches_from(&words).err().unwrap_or(error))
        })?;
        let mut cli = Self::from_arg_matches(&matches)?;
        match &mut cli.command {
            Command::Approve(args) => args.namespace.clone_from(&cli.cluster.namespace),
            Command::Ca(CaCommand::Init(args)) => args.namespace.clone_from(&cli.cluster.namespace),
            _ => {}
        }
        Ok(cli)
    }

    /// The command line as the operator calls it: by Helm, or by its own name.
    fn named() -> Clap {
        let by_helm = std::env::var_os("HELM_PLUGIN_NAME").is_some_and(|name| name == NAME);
        let name = if by_helm { "helm substra-mtls" } else { NAME };
        in_forms(Self::command().bin_name(name), name)
    }
}

/// Verbs with several forms, of which clap would make a line that is too long for a terminal.
const FORMS: [(&str, &str); 2] = [
    ("check", "[OPTIONS] <-f <FILE>|FEDERATION.yaml|--explain <ID>>"),
    ("ca trust", "[OPTIONS] -f <FILE> <--backend|--for <ORG>> <CERT>"),
];

/// The usage of these verbs, shorter.
fn in_forms(command: Clap, name: &str) -> Clap {
    FORMS.iter().fold(command, |command, (verb, form)| {
        let usage = format!("{name} {verb} {form}");
        let shown = |verb: Clap| verb.override_usage(usage.clone());
        match verb.split_once(' ') {
            Some((outer, inner)) => command.mut_subcommand(outer, |outer| outer.mut_subcommand(inner, shown)),
            None => command.mut_subcommand(verb, shown),
        }
    })
}

/// What is missing as people say it: of several one will do, which clap shows as `<--a <A>|--b>`.
fn named_with_or(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) {
        let said = |name: &String| {
            let all = name.strip_prefix('<')?.strip_suffix('>')?;
            all.contains('|').then(|| all.replace('|', " or "))
        };
        let named = missing.iter().map(|name| said(name).unwrap_or_else(|| name.clone())).collect();
        error.insert(ContextKind::InvalidArg, ContextValue::Strings(named));
    }
    error
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
    /// Everybody: show status, problems and next steps
    Check(Box<CheckArgs>),
    /// Everybody: the whole exchange offline, on a simulated cluster
    Rehearse(RehearseArgs),
    /// Administrator: a Role with the rights that suffice, for kubectl
    Role(RoleArgs),
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
            // Named one by one: a verb that is not listed here would not be limited by --dry-run.
            Self::Ca(CaCommand::Show(_))
            | Self::Bootstrap(_)
            | Self::Check(_)
            | Self::Rehearse(_)
            | Self::Role(_)
            | Self::Completion(_) => None,
        }
    }
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
