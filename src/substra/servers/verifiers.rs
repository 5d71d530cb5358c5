//! Go's and grpcio's rules as rustls wants them: verifiers of clients and servers.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use time::OffsetDateTime;
use x509_cert::{
    der::{Decode, Encode},
    spki::SubjectPublicKeyInfoRef,
};

use super::{
    chain::{ChainFault, PeerRole, Rules},
    go, grpcio,
};
use crate::pki::inspect::Certificate;

/// The one provider.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Verifies the other party's certificate, as client or server.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) roots: Vec<Certificate>,
    pub(super) rules: Rules,
    pub(super) now: OffsetDateTime,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(super) fn new(roots: Vec<Certificate>, rules: Rules, now: OffsetDateTime) -> Arc<Self> {
        Arc::new(Self { roots, rules, now, algorithms: provider().signature_verification_algorithms })
    }

    fn chain(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        usage: PeerRole,
    ) -> Result<Certificate, Error> {
        let sent: Option<Vec<Certificate>> =
            std::iter::once(leaf).chain(others).map(|der| Certificate::from_der(der).ok()).collect();
        let sent = sent.ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        match self.rules {
            Rules::Go => go::verify(&sent, &self.roots, usage, self.now),
            Rules::Grpcio => grpcio::verify(&sent, &self.roots, self.now),
        }
        .map_err(error)?;
        sent.into_iter().next().ok_or(Error::NoCertificatesPresented)
    }

    /// The handshake's signature over the leaf's key, whatever the version of the leaf.
    fn signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let bad = || Error::InvalidCertificate(CertificateError::BadSignature);
        let leaf = Certificate::from_der(leaf).map_err(|_| bad())?;
        let key = SubjectPublicKeyInfoRef::from_der(&leaf.spki).map_err(|_| bad())?;
        let id = key.algorithm.to_der().map_err(|_| bad())?;
        let candidates =
            self.algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signed.scheme).flat_map(|(_, all)| *all);
        // An algorithm's identifier is the content of the sequence that the key has.
        let mut fitting = candidates.filter(|algorithm| id.ends_with(algorithm.public_key_alg_id().as_ref()));
        let good = fitting.any(|algorithm| {
            algorithm.verify_signature(key.subject_public_key.raw_bytes(), message, signed.signature()).is_ok()
        });
        if good { Ok(HandshakeSignatureValid::assertion()) } else { Err(bad()) }
    }
}

/// As the alert that Go sends (crypto/tls `handshake_server.go`): unknown authority, expired, else bad certificate.
fn error(fault: ChainFault) -> Error {
    Error::InvalidCertificate(match fault {
        ChainFault::UnknownIssuer => CertificateError::UnknownIssuer,
        ChainFault::Expired => CertificateError::Expired,
        ChainFault::Usage | ChainFault::Constraint | ChainFault::Name => CertificateError::NotValidForName,
    })
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.chain(leaf, others, PeerRole::Client)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let leaf = self.chain(leaf, others, PeerRole::Server).map_err(|error| match error {
            Error::InvalidCertificate(CertificateError::NotValidForName) => {
                Error::InvalidCertificate(CertificateError::InvalidPurpose)
            }
            other => other,
        })?;
        match self.rules {
            Rules::Go => go::covers(&leaf, &name.to_str()),
            Rules::Grpcio => grpcio::covers(&leaf, &name.to_str()),
        }
        .map_err(error)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
