//! `enroll`: a backend's key and request, and with `--certificate` the pair, the values and the upgrade.

mod install;
mod request;
mod seen;

use crate::{
    cli::EnrollArgs,
    commands::{Desk, side_by_side},
    failure::Result,
    plan::edits::ValuesFiles,
    report::Outcome,
    substra::backend::Backend,
};

/// The verb's name in results.
const VERB: &str = "enroll";

/// What every stage of an enrolment knows.
struct Enrolment<'a> {
    args: &'a EnrollArgs,
    desk: &'a Desk<'a>,
    files: ValuesFiles,
    backend: Backend,
}

/// Goes on from what it finds: asks for a certificate, installs it, or says that all is done.
///
/// # Errors
/// A precondition that does not hold, a certificate that is refused, a child that fails.
pub fn run(args: &EnrollArgs, desk: &Desk<'_>) -> Result<Outcome> {
    let files = ValuesFiles::read(&args.common.values)?;
    let backend = Backend::read(&files.merged(), args.hostname.as_ref())?;
    let enrolment = Enrolment { args, desk, files, backend };
    match (&args.certificate, &args.key_file) {
        (None, Some(path)) => enrolment.request_with_key_file(path),
        (Some(certificate), _) => {
            let found = enrolment.find()?;
            let (objects, ahead) = side_by_side(|| enrolment.objects(&found), || enrolment.look_ahead(&found));
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
            enrolment.install(&seen, &install::Source::Live, enrolment.look_ahead(&seen.found))
        }
    }
}

impl Enrolment<'_> {
    /// A live pair that is good for a while yet needs no request: what is left is to finish its installation.
    fn needs_request(&self, seen: &seen::Seen) -> bool {
        let Some(live) = &seen.live else { return true };
        let asked = self.args.renew || self.args.new_request;
        let pending = seen.pending.as_ref().is_some_and(|_| !seen.pending_is_live());
        asked || pending || live.certificate.is_in_last_third(self.desk.now)
    }

    /// The Secret in which key and request wait for the certificate.
    fn pending_name(&self) -> String {
        format!("{}-pending", self.backend.client_certificate)
    }
}
