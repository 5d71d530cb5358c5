//! `ca`: the federation's CA, the server pair that stands on it, and their objects in the cluster.

pub(in crate::commands) mod authority;
pub(in crate::commands) mod init;
mod pair;
pub(in crate::commands) mod server;
mod show;
mod trust;
mod trust_backend;

pub(in crate::commands) use self::show::LIMIT;
use crate::{
    cli::CaCommand,
    cluster::Object,
    failure::{Code, Exit, Failure, Result},
    names::ObjectName,
    report::Outcome,
    session::Session,
    substra::kind::ObjectKind,
};

/// Runs one of the verb's ways.
///
/// # Errors
/// Whatever ends it.
pub fn run(command: &CaCommand, session: &Session<'_>) -> Result<Outcome> {
    match command {
        CaCommand::Init(args) => init::run(args, session),
        CaCommand::Trust(args) if args.backend => trust_backend::run(args, session),
        CaCommand::Trust(args) => trust::run(args, session),
        CaCommand::Show(args) => show::run(args, session),
    }
}

/// An object with a CA in the kind that the chart mounts.
pub(in crate::commands) fn ca_object(kind: ObjectKind, name: &ObjectName, release: &str, pem: &str) -> Object {
    let labels = [("substra-mtls/release", release)];
    match kind {
        ObjectKind::Secret => Object::secret(name.as_str(), "Opaque", &labels, &[("ca.crt", pem.as_bytes())]),
        ObjectKind::ConfigMap => Object::config_map(name.as_str(), &labels, &[("ca.crt", pem)]),
    }
}

fn fail(code: Code, what: impl Into<String>) -> Failure {
    Failure::new(Exit::CheckFailed, code, what).unchanged("nothing was signed and nothing was written")
}
