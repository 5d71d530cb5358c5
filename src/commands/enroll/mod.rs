//! `enroll`: a backend's key and request, and with `--certificate` the pair, the values and the upgrade.

pub(in crate::commands) mod install;
mod request;
pub(in crate::commands) mod seen;

use crate::{
    cli::EnrollArgs,
    command_line::CommandLine,
    failure::Result,
    parallel::side_by_side,
    pki::key::KeyType,
    release::{Options, ValuesFiles, read},
    report::Outcome,
    session::Session,
    substra::backend::{self, Backend},
};

/// The verb's name in results.
const VERB: &str = "enroll";

/// What every stage of an enrolment knows.
pub(in crate::commands) struct Enrolment<'a> {
    args: &'a EnrollArgs,
    options: Options,
    session: &'a Session<'a>,
    files: ValuesFiles,
    pub(in crate::commands) backend: Backend,
}

/// Goes on from what it finds: asks for a certificate, installs it, or says that all is done.
///
/// # Errors
/// A precondition that does not hold, a certificate that is refused, a child that fails.
pub fn run(args: &EnrollArgs, session: &Session<'_>) -> Result<Outcome> {
    let enrolment = Enrolment::of(args, session)?;
    match (&args.certificate, &args.key_file) {
        (None, Some(path)) => enrolment.request_with_key_file(path),
        (Some(certificate), _) => {
            let found = enrolment.find()?;
            let (objects, ahead) = side_by_side(|| enrolment.objects(&found), || enrolment.look_ahead(&found, true));
            let seen = enrolment.seen(found, objects?);
            enrolment.install(&seen, &install::Source::File(certificate), ahead)
        }
        (None, None) => {
            let found = enrolment.find()?;
            let objects = enrolment.objects(&found)?;
            let seen = enrolment.seen(found, objects);
            if enrolment.needs_request(&seen) {
                return enrolment.request_with_secret(&seen);
            }
            enrolment.install(&seen, &install::Source::Live, enrolment.look_ahead(&seen.found, true))
        }
    }
}

impl<'a> Enrolment<'a> {
    /// What the values say, before anything is looked at.
    pub(in crate::commands) fn of(args: &'a EnrollArgs, session: &'a Session<'a>) -> Result<Self> {
        let options = args.common.options();
        let files = read::files(session, &options, backend::usual_settings)?;
        let backend = read::backend(&files, args.hostname.as_ref())?;
        Ok(Self { args, options, session, files, backend })
    }

    /// A live pair that is good for a while yet needs no request: what is left is to finish its installation.
    fn needs_request(&self, seen: &seen::Seen) -> bool {
        let Some(live) = &seen.live else { return true };
        let asked = self.args.renew || self.args.new_request;
        let pending = seen.pending.as_ref().is_some_and(|_| !seen.pending_is_live());
        asked || pending || live.certificate.is_in_last_third(self.session.now)
    }

    /// The kind of a new key.
    pub(in crate::commands) fn key_type(&self) -> KeyType {
        self.args.key_type
    }

    /// A command of ours for this backend.
    pub(in crate::commands) fn ours(&self, verb: &str) -> CommandLine {
        self.options.command(self.session, verb)
    }

    /// How the operator points at the release.
    pub(in crate::commands) fn options(&self) -> &Options {
        &self.options
    }

    /// The time of this run.
    pub(in crate::commands) fn now(&self) -> time::OffsetDateTime {
        self.session.now
    }

    /// The Secret in which key and request wait for the certificate.
    fn pending_name(&self) -> String {
        format!("{}-pending", self.backend.client_certificate)
    }
}
