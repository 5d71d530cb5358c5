//! The rehearsal's throw-away CA.

use std::path::Path;

use time::OffsetDateTime;

use crate::{
    cluster::Object,
    failure::{Failure, Result},
    files,
    pki::{
        authority::{Authority, create_root},
        inspect::{self, Certificate},
        key::{KeyType, PrivateKey},
    },
};

/// A CA with its key.
pub(super) struct RehearsalCa {
    pub(super) certificate: Certificate,
    pub(super) key: PrivateKey,
    pub(super) pem: String,
}

impl RehearsalCa {
    pub(super) fn create(now: OffsetDateTime) -> Result<Self> {
        let (key, pem) = create_root(KeyType::EcdsaP256, now)?;
        Self::of(pem.as_bytes(), key.to_pem().as_bytes())
    }

    /// A CA as it lies in files.
    pub(super) fn of(pem: &[u8], key: &[u8]) -> Result<Self> {
        let spoilt = |why: String| Failure::bug("the rehearsal's CA is spoilt").why(why);
        let key = PrivateKey::from_pem(key, None).map_err(|e| spoilt(e.to_string()))?;
        let certificate =
            inspect::certificates(pem)?.into_iter().next().ok_or_else(|| spoilt("it is empty".to_owned()))?;
        Ok(Self { pem: certificate.to_pem(), certificate, key })
    }

    /// Where the verbs look for it.
    pub(super) fn publish(&self, certificate: &Path, key: &Path) -> Result<()> {
        files::publish(certificate, self.pem.as_bytes())?;
        files::create_private(key, self.key.to_pem().as_bytes())
    }

    pub(super) fn authority(&self, now: OffsetDateTime) -> Result<Authority> {
        let key = Self::of(self.pem.as_bytes(), self.key.to_pem().as_bytes())?.key;
        Authority::load(self.pem.as_bytes(), key, now)
            .map(|(authority, _)| authority)
            .map_err(|mut found| found.pop().unwrap_or_else(|| Failure::bug("the rehearsal's CA is refused")))
    }

    /// An object of the cluster that holds it.
    pub(super) fn object(&self, name: &str) -> Object {
        Object::secret(name, "Opaque", &[], &[("ca.crt", self.pem.as_bytes())])
    }
}
