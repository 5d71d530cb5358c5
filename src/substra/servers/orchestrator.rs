//! The orchestrator's server: what it loads at startup, what makes it exit there, and whom it answers.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::CertificateDer,
    pki_types::PrivatePkcs8KeyDer,
    sign::{CertifiedKey, SingleCertAndKey},
};
use time::OffsetDateTime;

use super::{
    BackendClient, PemPair,
    chain::Rules,
    loading,
    verifiers::{Verifier, provider},
};
use crate::pki::{identity, inspect::Certificate};

/// A `ca.crt` under a key of `clientCACerts`.
#[derive(Debug, Clone)]
pub struct TrustedCa {
    /// The key.
    pub organization: String,
    /// The file's bytes.
    pub pem: Vec<u8>,
}

/// A started server.
#[derive(Clone)]
pub struct OrchestratorServer {
    pair: PemPair,
    cacert: Vec<u8>,
    pool: Vec<Certificate>,
    admitted: Vec<(String, Certificate)>,
    mtls: bool,
    verify_msp_id: bool,
}

impl OrchestratorServer {
    /// Starts with what is mounted, as the real server does once (`server/common/tls.go`).
    ///
    /// # Errors
    /// Why the real one crashes, forever: mutual TLS without client CAs, a CA file without any certificate, under the
    /// identity check one whose first PEM block is none, a pair that does not load.
    pub fn start(
        pair: PemPair,
        cacert: &[u8],
        client_cas: &[TrustedCa],
        mtls: bool,
        verify_msp_id: bool,
    ) -> Result<Self, String> {
        certified(&pair)?;
        let mut pool = Vec::new();
        let mut admitted = Vec::new();
        if mtls {
            if client_cas.is_empty() {
                return Err("open /var/orchestrator/tls/client: no such file or directory".to_owned());
            }
            for file in std::iter::once(cacert).chain(client_cas.iter().map(|ca| ca.pem.as_slice())) {
                let readable = loading::pool(file);
                if readable.is_empty() {
                    return Err("Failed to add TLS client CA certificate to pool".to_owned());
                }
                // A pool holds each certificate once (crypto/x509 `cert_pool.go`): one CA may be under many keys.
                for certificate in readable {
                    if !pool.iter().any(|held: &Certificate| held.der == certificate.der) {
                        pool.push(certificate);
                    }
                }
            }
        }
        // Only the identity check looks at the first block of each file on its own.
        if mtls && verify_msp_id {
            for ca in client_cas {
                let first = loading::first(&ca.pem).ok_or("the first PEM block of a client CA is not a certificate")?;
                admitted.push((ca.organization.clone(), first));
            }
        }
        Ok(Self { pair, cacert: cacert.to_vec(), pool, admitted, mtls, verify_msp_id })
    }

    pub(super) fn config(&self, now: OffsetDateTime) -> Result<Arc<ServerConfig>, String> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?;
        let builder = if self.mtls {
            builder.with_client_cert_verifier(Verifier::new(self.pool.clone(), Rules::Go, now))
        } else {
            builder.with_no_client_auth()
        };
        Ok(Arc::new(builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified(&self.pair)?)))))
    }

    /// A request's answer: with mutual TLS and the identity check, the header must fit the certificate.
    pub(super) fn answer(&self, sent: &[Certificate], header: &str) -> Result<(), String> {
        if !(self.mtls && self.verify_msp_id) {
            return Ok(());
        }
        let sent: Vec<&Certificate> = sent.iter().collect();
        let admitted: Vec<(&str, &Certificate)> = self.admitted.iter().map(|(key, ca)| (key.as_str(), ca)).collect();
        identity::check(header, &sent, &admitted)
    }

    pub(super) fn probe_client(&self, name: &str) -> BackendClient {
        let pair = self.mtls.then(|| self.pair.clone());
        BackendClient::new(self.cacert.clone(), pair, "", name)
    }
}

/// A server that asks for no client certificate.
pub(super) fn open_config(pair: &PemPair) -> Result<Arc<ServerConfig>, String> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    Ok(Arc::new(builder.with_no_client_auth().with_cert_resolver(Arc::new(SingleCertAndKey::from(certified(pair)?)))))
}

/// Go's `X509KeyPair`, and BoringSSL's: the leaf comes first, and the halves must fit.
pub(super) fn certified(pair: &PemPair) -> Result<CertifiedKey, String> {
    let chain = loading::chain(&pair.certificate);
    let leaf = chain.first().ok_or("tls: failed to find any PEM data in certificate input")?;
    let key = loading::key(&pair.key).ok_or("tls: failed to find a usable private key in key input")?;
    if leaf.spki != key.spki() {
        return Err("tls: private key does not match public key".to_owned());
    }
    let chain = chain.into_iter().map(|certificate| CertificateDer::from(certificate.der)).collect();
    let key = any_supported_type(&PrivatePkcs8KeyDer::from(key.pkcs8()).into()).map_err(|e| e.to_string())?;
    Ok(CertifiedKey::new(chain, key))
}
