//! The certificate authority that signs: from files or from a Secret, judged, and compared with the cluster's.

use zeroize::Zeroizing;

use super::Batch;
use crate::{
    cluster::ObjectRef,
    exchange::{
        NOT_SIGNED,
        ca::{CaSource, unlocked},
        unsigned,
    },
    failure::{Code, Result},
    files,
    pki::authority::Authority,
};

/// A PEM text that may hold a private key.
type Pem = Zeroizing<Vec<u8>>;

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
        let missing = |why: String| {
            unsigned(Code::CaSecret, format!("Secret {name} does not hold a certificate authority"))
                .why(why)
                .next("name the Secret with the CA's tls.crt and tls.key (cert-manager's CA issuer uses one), or use --ca-cert and --ca-key")
        };
        let secret = self
            .approval
            .seen(&ObjectRef::secret(name.as_str()))
            .ok_or_else(|| missing("it is not there".to_owned()))?;
        let item = |key: &str| secret.data(key).ok_or_else(|| missing(format!("it has no item {key}")));
        Ok((item("tls.crt")?, item("tls.key")?))
    }
}
