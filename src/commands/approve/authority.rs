//! The certificate authority that signs: from files or from a Secret, checked, and compared with the cluster's.

use super::Batch;
use crate::{
    cluster::ObjectRef,
    exchange::{
        NOT_SIGNED,
        ca::{CaSource, Pem, kept_in, unlocked},
    },
    failure::Result,
    files,
    pki::authority::Authority,
};

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
            CaSource::Files { certificate, key } => return Ok((files::read(certificate)?, files::read_private(key)?)),
            CaSource::Secret(name) => name,
        };
        let secret = self.approval.seen(&ObjectRef::secret(name.as_str()));
        kept_in(name, secret, "use --ca-cert and --ca-key")
    }
}
