//! The two real parties, simulated: they verify by the rules of Go's and grpcio's TLS, in real handshakes of rustls.
//!
//! rustls's own verifiers would give other verdicts: webpki refuses X.509 v1 leaves and looks at neither the CN nor the
//! end of a root.

mod backend;
mod chain;
mod go;
mod grpcio;
mod http2;
mod loading;
mod orchestrator;
mod stream;
mod verifiers;
mod wire;

use std::fmt;

pub use self::{
    backend::BackendClient,
    orchestrator::{OrchestratorServer, TrustedCa},
    stream::{serve, talk},
};
use crate::pki::inspect::Certificate;
use chain::Rules;

/// A certificate chain and its key, as PEM.
#[derive(Clone)]
pub struct PemPair {
    /// `tls.crt`.
    pub certificate: Vec<u8>,
    /// `tls.key`.
    pub key: zeroize::Zeroizing<Vec<u8>>,
}

/// What came of a call, in the words of the real parties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOutcome {
    /// The request was answered.
    Accepted,
    /// The server ended the handshake with an alert.
    HandshakeRefused(String),
    /// The handshake was good, the identity check was not.
    PermissionDenied(String),
    /// The client does not trust the server.
    ServerNotTrusted(String),
    /// The client cannot load its own pair.
    CannotLoad(String),
}

impl CallOutcome {
    /// Whether the call went through.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        *self == Self::Accepted
    }
}

impl fmt::Display for CallOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::HandshakeRefused(why) => write!(f, "refused in the handshake: {why}"),
            Self::PermissionDenied(why) => write!(f, "refused: PERMISSION_DENIED, {why}"),
            Self::ServerNotTrusted(why) => write!(f, "refused: the server is not trusted: {why}"),
            Self::CannotLoad(why) => write!(f, "refused: UNAVAILABLE, {why}"),
        }
    }
}

/// A backend calls the orchestrator: a real handshake and one request.
#[must_use]
pub fn call(client: &BackendClient, server: &OrchestratorServer, now: time::OffsetDateTime) -> CallOutcome {
    let configs = client.config(Rules::Grpcio, now).and_then(|client_config| Ok((client_config, server.config(now)?)));
    match configs {
        Err(why) => CallOutcome::CannotLoad(why),
        Ok((client_config, server_config)) => {
            let answer = |sent: &[Certificate], header: &str| server.answer(sent, header);
            wire::exchange(client_config, server_config, client.host(), client.msp_id(), &answer)
        }
    }
}

/// The orchestrator's own health probe calls it: `grpc_health_probe` is a Go client, and the server's pair is its own.
///
/// # Errors
/// Why the kubelet would restart the pod.
pub fn probe(server: &OrchestratorServer, name: &str, now: time::OffsetDateTime) -> Result<(), String> {
    let client = server.probe_client(name);
    let configs = client.config(Rules::Go, now).and_then(|client_config| Ok((client_config, server.config(now)?)))?;
    // The health service is not behind the identity check.
    match wire::exchange(configs.0, configs.1, name, "", &|_, _| Ok(())) {
        CallOutcome::Accepted => Ok(()),
        refused => Err(refused.to_string()),
    }
}

/// A backend calls an impostor, which serves with a client's pair as if it were the orchestrator.
#[must_use]
pub fn call_impostor(client: &BackendClient, impostor: &PemPair, now: time::OffsetDateTime) -> CallOutcome {
    let configs =
        client.config(Rules::Grpcio, now).and_then(|config| Ok((config, orchestrator::open_config(impostor)?)));
    match configs {
        Err(why) => CallOutcome::CannotLoad(why),
        Ok((client_config, server_config)) => {
            wire::exchange(client_config, server_config, client.host(), client.msp_id(), &|_, _| Ok(()))
        }
    }
}
