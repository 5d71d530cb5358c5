//! A backend's client: grpcio with what is mounted, read anew for every call.

use std::sync::Arc;

use rustls::{ClientConfig, sign::SingleCertAndKey};
use time::OffsetDateTime;

use super::{
    Pair,
    chain::Rules,
    orchestrator::{certified, readable},
    verifiers::{Judge, provider},
};

/// What a client has.
#[derive(Clone)]
pub struct BackendClient {
    ca: Vec<u8>,
    pair: Option<Pair>,
    msp_id: String,
    host: String,
}

impl BackendClient {
    /// `ca` is `ca.crt`, `pair` the mounted pair, `msp_id` the header that it sends, `host` the name that it dials.
    #[must_use]
    pub fn new(ca: Vec<u8>, pair: Option<Pair>, msp_id: &str, host: &str) -> Self {
        Self { ca, pair, msp_id: msp_id.to_owned(), host: host.to_owned() }
    }

    /// The pair that it has mounted.
    #[must_use]
    pub fn pair(&self) -> Option<&Pair> {
        self.pair.as_ref()
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn msp_id(&self) -> &str {
        &self.msp_id
    }

    /// Loads the pair. An empty half means no certificate at all: the backend's code asks `if client_cert and client_key`
    /// (`orchestrator/client.py`). What does not load is told as `empty address list`.
    pub(super) fn config(&self, rules: Rules, now: OffsetDateTime) -> Result<Arc<ClientConfig>, String> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?;
        let judge = Judge::new(readable(&self.ca), rules, now);
        let builder = builder.dangerous().with_custom_certificate_verifier(judge);
        let pair = self.pair.as_ref().filter(|pair| !pair.certificate.is_empty() && !pair.key.is_empty());
        Ok(Arc::new(match pair {
            None => builder.with_no_client_auth(),
            Some(pair) if starts_with_mark(pair) => return Err("empty address list".to_owned()),
            Some(pair) => {
                let certified = certified(pair).map_err(|_| "empty address list".to_owned())?;
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
            }
        }))
    }
}

/// BoringSSL does not look past a byte order mark.
fn starts_with_mark(pair: &Pair) -> bool {
    [pair.certificate.as_slice(), pair.key.as_slice()].iter().any(|bytes| bytes.starts_with(b"\xef\xbb\xbf"))
}
