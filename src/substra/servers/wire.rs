//! The wire between a client and a server: TLS records in memory, one request, one answer.

use std::{
    io::{Read, Write},
    sync::Arc,
};

use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, Error, ServerConfig, ServerConnection,
    pki_types::ServerName,
};

use super::{CallOutcome, http2};
use crate::pki::inspect::Certificate;

/// How a server answers a request: the certificates that the client sent, and its header `mspid`.
pub(super) type AnswerRequest<'a> = &'a dyn Fn(&[Certificate], &str) -> Result<(), String>;

/// Shakes hands and makes one request. In TLS 1.3 a refused client learns of it with its first read, not before.
pub(super) fn exchange(
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    host: &str,
    header: &str,
    answer: AnswerRequest<'_>,
) -> CallOutcome {
    let Ok(name) = ServerName::try_from(host.to_owned()) else {
        return CallOutcome::ServerNotTrusted(format!("{host} is not a name that can be dialled"));
    };
    let connections =
        ClientConnection::new(client, name).and_then(|client| Ok((client, ServerConnection::new(server)?)));
    match connections {
        Ok((client, server)) => {
            let (request, reply) = (http2::Incoming::default(), http2::Incoming::default());
            InMemoryConnection { client, server, request, reply, answered: false }.run(host, header, answer)
        }
        Err(error) => CallOutcome::CannotLoad(error.to_string()),
    }
}

struct InMemoryConnection {
    client: ClientConnection,
    server: ServerConnection,
    request: http2::Incoming,
    reply: http2::Incoming,
    answered: bool,
}

impl InMemoryConnection {
    fn run(mut self, host: &str, header: &str, answer: AnswerRequest<'_>) -> CallOutcome {
        let mut asked = false;
        // A handshake takes a handful of turns; the bound is against a mistake of ours.
        for _ in 0..20 {
            if let Err(error) =
                carry(&mut |out| self.client.write_tls(out), &mut |mut bytes| self.server.read_tls(&mut bytes))
            {
                return CallOutcome::HandshakeRefused(error.to_string());
            }
            // The server's verdict goes to the client as an alert.
            let refused = self.server.process_new_packets().is_err();
            if !refused && !self.server.is_handshaking() {
                self.answer(answer);
            }
            if let Err(error) =
                carry(&mut |out| self.server.write_tls(out), &mut |mut bytes| self.client.read_tls(&mut bytes))
            {
                return CallOutcome::HandshakeRefused(error.to_string());
            }
            if let Err(error) = self.client.process_new_packets() {
                return refusal(&error);
            }
            if !asked && !self.client.is_handshaking() {
                asked = self.client.writer().write_all(&http2::request(host, header)).is_ok();
            }
            if let Some(answer) = self.heard() {
                return answer;
            }
        }
        CallOutcome::HandshakeRefused("no answer came".to_owned())
    }

    fn answer(&mut self, answer: AnswerRequest<'_>) {
        let mut bytes = Vec::new();
        drop(self.server.reader().read_to_end(&mut bytes));
        self.request.take(&bytes);
        let Some(header) = self.request.asked().filter(|_| !self.answered) else { return };
        let reply = reply(&self.server, &header, answer);
        self.answered = self.server.writer().write_all(&reply).is_ok();
    }

    fn heard(&mut self) -> Option<CallOutcome> {
        let mut bytes = Vec::new();
        drop(self.client.reader().read_to_end(&mut bytes));
        self.reply.take(&bytes);
        Some(self.reply.answered()?.unwrap_or_else(CallOutcome::HandshakeRefused))
    }
}

/// What a server sends to a client that shook hands.
pub(super) fn reply(server: &ServerConnection, header: &str, answer: AnswerRequest<'_>) -> Vec<u8> {
    let sent = server.peer_certificates().unwrap_or_default();
    let sent: Vec<Certificate> = sent.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
    http2::response(&answer(&sent, header))
}

/// Carries what one side writes to the other.
fn carry(
    write: &mut dyn FnMut(&mut Vec<u8>) -> std::io::Result<usize>,
    read: &mut dyn FnMut(&[u8]) -> std::io::Result<usize>,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    while write(&mut bytes)? > 0 {}
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        match read(rest)? {
            0 => break,
            taken => rest = &rest[taken..],
        }
    }
    Ok(())
}

/// BoringSSL's words for what it does not trust (`x509_txt.c`), as grpcio logs them.
fn distrust(reason: &CertificateError) -> &'static str {
    match reason {
        CertificateError::Expired => "certificate has expired",
        CertificateError::UnknownIssuer => "unable to get local issuer certificate",
        CertificateError::InvalidPurpose => "unsupported certificate purpose",
        CertificateError::NotValidForName => "Hostname Verification Check failed",
        _ => "certificate verify failed",
    }
}

/// Go's words for an alert (crypto/tls `alert.go`), as they come to the client's log.
pub(super) fn refusal(error: &Error) -> CallOutcome {
    let alert = match error {
        Error::AlertReceived(alert) => alert,
        Error::InvalidCertificate(reason) => return CallOutcome::ServerNotTrusted(distrust(reason).to_owned()),
        other => return CallOutcome::HandshakeRefused(other.to_string()),
    };
    CallOutcome::HandshakeRefused(match alert {
        AlertDescription::CertificateRequired => "certificate required".to_owned(),
        AlertDescription::BadCertificate => "bad certificate".to_owned(),
        AlertDescription::CertificateExpired => "expired certificate".to_owned(),
        AlertDescription::UnknownCA => "unknown certificate authority".to_owned(),
        other => format!("{other:?}"),
    })
}
