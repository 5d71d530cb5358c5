//! How an object that pods mount is made: by a verb where there is one, since a verb compares what it is given.

use super::{Options, ReleaseState};
use crate::{
    command_line::CommandLine,
    failure::Next,
    session::Session,
    substra::{kind::ObjectKind, orchestrator::Orchestrator},
};

/// The commands that help, with what points at the release.
pub(crate) struct Remedy<'a> {
    /// A command of ours.
    pub(crate) ours: Box<dyn Fn(&str) -> CommandLine + 'a>,
    /// `kubectl` in the release's namespace.
    pub(crate) kubectl: CommandLine,
    /// Whose release it is.
    pub(crate) of: RemedySide<'a>,
}

/// Whose release it is, and what the values say of it.
#[derive(Clone, Copy)]
pub(crate) enum RemedySide<'a> {
    /// A backend's; `tls` where it dials with TLS already.
    Backend {
        tls: bool,
    },
    Orchestrator(&'a Orchestrator),
}

impl<'a> Remedy<'a> {
    /// For what the pods of a release mount.
    pub(crate) fn new(
        session: &'a Session<'_>,
        options: &'a Options,
        release: &ReleaseState,
        of: RemedySide<'a>,
    ) -> Self {
        let kubectl = session.kubectl(&release.record.namespace);
        Self { ours: Box::new(|verb| options.command(session, verb)), kubectl, of }
    }

    /// For the server's own pair, or the CA's object.
    pub(crate) fn init(&self) -> Next {
        Next::from("in the folder of the CA's files: ").command((self.ours)("ca init"))
    }

    /// For the CA's object at a backend, and TLS with it where that is off: the first step of all.
    pub(crate) fn trust(&self, tls: bool) -> CommandLine {
        (self.ours)("ca trust orchestrator-ca.crt --backend").flag("--enable-tls", !tls)
    }

    /// For an object that is not there.
    pub(crate) fn make(&self, kind: ObjectKind, name: &str) -> Next {
        let orchestrator = match self.of {
            RemedySide::Backend { tls } => return self.trust(tls).into(),
            RemedySide::Orchestrator(orchestrator) => orchestrator,
        };
        if [&orchestrator.cacert, &orchestrator.server_pair].iter().any(|own| own.as_str() == name) {
            return self.init();
        }
        let lists = |objects: &[String]| objects.iter().any(|object| object == name);
        let keys: Vec<&String> =
            orchestrator.client_cas.iter().filter(|(_, objects)| lists(objects)).map(|(key, _)| key).collect();
        match keys.iter().find(|key| orchestrator.members.contains(key)) {
            Some(member) => {
                (self.ours)("ca trust").blank("CA.crt").option("--for", [member]).option("--ca-object", [name]).into()
            }
            None if keys.is_empty() => format!("{kind} {name} is the chart's own: upgrade the release by hand").into(),
            // A key that is no member's is none of ours.
            None => {
                let create = if kind == ObjectKind::Secret { "create secret generic" } else { "create configmap" };
                self.kubectl.clone().with(create).word(name).blank("--from-file=ca.crt=CA.crt").into()
            }
        }
    }

    /// For one that is there and holds something else.
    pub(crate) fn make_again(&self, kind: ObjectKind, name: &str) -> Next {
        let make = self.make(kind, name);
        // `ca init` puts the CA in place of whatever is there, and `ca trust` extends it or names what is in its way.
        if matches!(self.of, RemedySide::Backend { .. })
            || matches!(self.of, RemedySide::Orchestrator(orchestrator) if orchestrator.cacert.as_str() == name)
        {
            return make;
        }
        let delete = format!("delete {}", kind.to_string().to_lowercase());
        Next::from(self.kubectl.clone().with(&delete).word(name)).words("; then ").and(&make)
    }
}
