//! `enroll`: a backend's key and request, and with `--certificate` the pair, the values and the upgrade.

mod args;
mod auto;
mod install;
mod report;
mod request;

pub use self::args::EnrollArgs;
use crate::{
    exchange::{
        enrolment::{self, Enrolment},
        installation::{CertificateSource, UpgradePreview},
    },
    failure::{Next, Result},
    files::in_folder,
    parallel::side_by_side,
    release::Target,
    report::Outcome,
    session::Session,
    substra::backend::Backend,
};

/// The verb's name in results.
const VERB: &str = "enroll";

/// Goes on from what it finds: asks for a certificate, installs it, or says that all is done.
///
/// # Errors
/// A precondition that does not hold, a certificate that is refused, a child that fails.
pub fn run(args: &EnrollArgs, session: &Session<'_>) -> Result<Outcome> {
    let options = args.common.options();
    let target = Target::backend(session, &options, args.hostname.as_ref())?;
    let key = args.key_file.as_deref();
    if args.auto {
        return auto::run(args, target);
    }
    match (&args.certificate, key) {
        (None, Some(path)) => request::with_key_file(args, &target, path),
        (Some(certificate), _) => {
            let release = target.find()?;
            let look = || target.look(release.clone(), enrolment::wanted(&target.values));
            let (cluster, preview) = side_by_side(look, || UpgradePreview::of(&target, &release, true));
            let source = CertificateSource::File { certificate, key };
            install::install(args, &Enrolment::new(target, cluster?), &source, preview)
        }
        (None, None) => {
            let cluster = target.look(target.find()?, enrolment::wanted(&target.values))?;
            let enrolment = Enrolment::new(target, cluster);
            if needs_request(args, &enrolment) {
                return request::with_secret(args, &enrolment);
            }
            let preview = UpgradePreview::of(&enrolment.state.target, &enrolment.state.cluster.release, true);
            install::install(args, &enrolment, &CertificateSource::Live, preview)
        }
    }
}

/// A live pair that is good for a while yet needs no request: what is left is to finish its installation.
fn needs_request(args: &EnrollArgs, enrolment: &Enrolment<'_>) -> bool {
    let Some(live) = &enrolment.live else { return true };
    let asked = args.renew || args.new_request;
    let pending = enrolment.pending.is_some() && !enrolment.pending_is_live();
    asked || pending || live.certificate.is_in_last_third(enrolment.state.session.now)
}

/// What to do with the certificate that answers the request.
fn answer(args: &EnrollArgs, target: &Target<'_, Backend>) -> Next {
    let file = format!("{}.crt", target.values.msp_id);
    let again = target
        .options
        .command(target.session, VERB)
        .option("--hostname", &args.hostname)
        .option("--client-ca", args.client_ca.iter().map(|file| file.display()))
        .option("--key-file", args.key_file.iter().map(|file| file.display()));
    if args.auto {
        let out_dir = args.out_dir.iter().map(|folder| folder.display());
        let path = in_folder(&args.folder(), &file).display().to_string();
        let again = again.option("--out-dir", out_dir).with("--auto --yes");
        return Next::from(format!("once {path} is there, the next run installs it: ")).command(again);
    }
    Next::from(format!("when {file} comes back: ")).command(again.option("--certificate", [&file]))
}
