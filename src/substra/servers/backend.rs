//! A backend's client: grpcio with what is mounted, read again for every call.

use std::sync::Arc;

use rustls::{ClientConfig, sign::SingleCertAndKey};
use time::OffsetDateTime;

use super::{
    PemPair,
    chain::Rules,
    loading,
    orchestrator::certified,
    verifiers::{Verifier, provider},
};

/// What a client has.
#[derive(Clone)]
pub struct BackendClient {
    ca: Vec<u8>,
    pair: Option<PemPair>,
    msp_id: String,
    host: String,
}

impl BackendClient {
    /// `ca` is `ca.crt`, `pair` the mounted pair, `msp_id` the header that it sends, `host` the name that it dials.
    #[must_use]
    pub fn new(ca: Vec<u8>, pair: Option<PemPair>, msp_id: &str, host: &str) -> Self {
        Self { ca, pair, msp_id: msp_id.to_owned(), host: host.to_owned() }
    }

    /// The pair that it has mounted.
    #[must_use]
    pub fn pair(&self) -> Option<&PemPair> {
        self.pair.as_ref()
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn msp_id(&self) -> &str {
        &self.msp_id
    }

    /// Loads what is mounted. An empty half of the pair means no certificate at all: the backend's code asks
    /// `if client_cert and client_key` (`orchestrator/client.py`). What does not load, the CA too, is reported as
    /// `empty address list`.
    pub(super) fn config(&self, rules: Rules, now: OffsetDateTime) -> Result<Arc<ClientConfig>, String> {
        let unusable = || "empty address list".to_owned();
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?;
        let roots = loading::chain(&self.ca);
        if roots.is_empty() {
            return Err(unusable());
        }
        let builder = builder.dangerous().with_custom_certificate_verifier(Verifier::new(roots, rules, now));
        let pair = self.pair.as_ref().filter(|pair| !pair.certificate.is_empty() && !pair.key.is_empty());
        Ok(Arc::new(match pair {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let certified = certified(pair).map_err(|_| unusable())?;
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
            }
        }))
    }
}
