//! The certificate authority that signs: from files or from a Secret, checked, and compared with the cluster's.

use std::path::Path;

use super::Batch;
use crate::{
    cluster::ObjectRef,
    exchange::{
        NOT_SIGNED,
        ca::{CaSource, Pem, kept_in, unlocked},
    },
    failure::{Code, Exit, Failure, Result},
    files,
    pki::{authority::Authority, pem},
    text::word,
};

/// Both files, each in its place.
fn read(certificate: &Path, key: &Path) -> Result<(Pem, Pem)> {
    let first = files::read(certificate)?;
    let second = files::read_private(key);
    let is_swapped =
        pem::shows_private_key(&first) && matches!(&second, Err(failure) if failure.code == Code::KeyFileNoKey);
    if !is_swapped {
        return Ok((first, second?));
    }
    let shown = |path: &Path| word(&path.display().to_string());
    let (key, certificate) = (shown(certificate), shown(key));
    let what = "the CA's certificate and its private key are swapped";
    Err(Failure::new(Exit::Refused, Code::KeyFileNoKey, what)
        .unchanged(NOT_SIGNED)
        .why(format!("{key} holds a private key, and {certificate} holds none"))
        .next(format!("name them the other way round: --ca-cert {certificate} --ca-key {key}")))
}

impl Batch<'_> {
    /// The authority and what is to be warned of.
    pub(super) fn authority(&self) -> Result<(Authority, Vec<String>)> {
        let session = self.approval.session;
        let (certificate, key) = self.authority_pems()?;
        let key = unlocked(&key, self.args.passphrase_fd, session.console)?;
        let (authority, warnings) = Authority::load(&certificate, key, session.now)
            .map_err(|findings| session.refused(findings, NOT_SIGNED))?;
        self.approval.is_the_clusters(authority.certificate())?;
        Ok((authority, warnings))
    }

    fn authority_pems(&self) -> Result<(Pem, Pem)> {
        let name = match &self.approval.source {
            CaSource::Files { certificate, key } => return read(certificate, key),
            CaSource::Secret(name) => name,
        };
        let secret = self.approval.seen(&ObjectRef::secret(name.as_str()));
        kept_in(name, secret, "use --ca-cert and --ca-key")
    }
}
