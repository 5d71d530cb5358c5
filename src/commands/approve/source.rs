//! Which certificate authority signs: the one that the command line names, else the walkthrough's two files here.

use std::path::Path;

use crate::{
    commands::approve::ApproveArgs,
    exchange::{NOT_SIGNED, ca::CaSource},
    failure::{Code, Exit, Failure, Result},
};

/// The authority that is named.
pub(super) fn named(args: &ApproveArgs) -> Option<CaSource> {
    match (&args.ca_cert, &args.ca_key, &args.ca_secret) {
        (Some(certificate), Some(key), _) => {
            Some(CaSource::Files { certificate: certificate.clone(), key: key.clone() })
        }
        (_, _, Some(secret)) => Some(CaSource::Secret(secret.clone())),
        _ => None,
    }
}

/// The one that is named, else `orchestrator-ca.crt` and `orchestrator-ca.key` of the working directory; then with what
/// has to be said of that.
pub(crate) fn found(args: &ApproveArgs) -> Result<(CaSource, Option<String>)> {
    if let Some(source) = named(args) {
        return Ok((source, None));
    }
    match CaSource::in_folder(Path::new(".")) {
        CaSource::Files { certificate, key } if certificate.exists() && key.exists() => {
            let said = format!(
                "The CA of the working directory signs: {} and {}.",
                certificate.display(),
                key.display()
            );
            Ok((CaSource::Files { certificate, key }, Some(said)))
        }
        _ => Err(Failure::new(Exit::Usage, Code::Usage, "no certificate authority is named")
            .why("orchestrator-ca.crt and orchestrator-ca.key are not both in the working directory")
            .next("run this where these files are, or add --ca-cert FILE and --ca-key FILE, or --ca-secret NAME; where there is no CA yet, ca init makes one")
            .unchanged(NOT_SIGNED)),
    }
}
