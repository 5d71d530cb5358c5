//! The same handshakes and requests over a stream, such as a connection to the real server.

use std::{
    io::{ErrorKind, Read, Write},
    sync::Arc,
};

use rustls::{ClientConnection, ServerConnection, Stream, pki_types::ServerName};
use time::OffsetDateTime;

use super::{BackendClient, CallOutcome, OrchestratorServer, chain::Rules, http2, wire};
use crate::pki::inspect::Certificate;

/// The protocol that gRPC asks for (ALPN); newer servers insist on it.
const H2: &[u8] = b"h2";

/// A backend calls the other end, and verifies it as grpcio does: a handshake and one request. In TLS 1.3 the
/// refusal of a client comes with its first read, so nothing is known before the answer.
///
/// # Errors
/// No TLS or no gRPC server is there, or it does not answer in the time that the stream allows.
pub fn talk<S: Read + Write>(
    client: &BackendClient,
    mut stream: S,
    now: OffsetDateTime,
) -> Result<CallOutcome, String> {
    let mut config = match client.config(Rules::Grpcio, now) {
        Ok(config) => Arc::unwrap_or_clone(config),
        Err(why) => return Ok(CallOutcome::CannotLoad(why)),
    };
    config.alpn_protocols = vec![H2.to_vec()];
    let host = client.host();
    let name =
        ServerName::try_from(host.to_owned()).map_err(|_| format!("{host} is not a name that can be dialled"))?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|e| e.to_string())?;
    let mut tls = Stream::new(&mut connection, &mut stream);
    // A server that refuses the client may have closed the stream already: its reason is still to be read.
    let written = tls.write_all(&http2::request(host, client.msp_id())).and_then(|()| tls.flush());
    if let Some(answer) = written.as_ref().err().and_then(verdict) {
        return Ok(answer);
    }
    if let Some(late) = written.as_ref().err().filter(|error| is_late(error)) {
        return Err(reason(late));
    }
    let mut incoming = http2::Incoming::default();
    let mut bytes = [0; 4096];
    // An answer comes in a handful of reads; the bound is against a server that never ends.
    for _ in 0..1000 {
        match tls.read(&mut bytes) {
            Ok(0) => return Err("the connection was closed without an answer".to_owned()),
            Ok(count) => incoming.take(&bytes[..count]),
            Err(error) => return verdict(&error).ok_or_else(|| reason(written.as_ref().err().unwrap_or(&error))),
        }
        if let Some(answer) = incoming.answered() {
            return answer;
        }
    }
    Err("no end of the answer came".to_owned())
}

/// What TLS itself says of it.
fn verdict(error: &std::io::Error) -> Option<CallOutcome> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    matches!(error, rustls::Error::AlertReceived(_) | rustls::Error::InvalidCertificate(_))
        .then(|| wire::refusal(error))
}

fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        _ if is_late(error) => "no answer came in time".to_owned(),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
            "the connection was closed without an answer".to_owned()
        }
        ErrorKind::InvalidData => format!("what answers speaks no TLS: {error}"),
        _ => error.to_string(),
    }
}

/// The orchestrator answers one client on a stream.
///
/// # Errors
/// The client is refused, or goes away.
pub fn serve<S: Read + Write>(server: &OrchestratorServer, mut stream: S, now: OffsetDateTime) -> Result<(), String> {
    let mut config = Arc::unwrap_or_clone(server.config(now)?);
    config.alpn_protocols = vec![H2.to_vec()];
    let mut connection = ServerConnection::new(Arc::new(config)).map_err(|e| e.to_string())?;
    let mut incoming = http2::Incoming::default();
    let mut bytes = [0; 4096];
    let header = loop {
        let count = Stream::new(&mut connection, &mut stream).read(&mut bytes);
        match count.map_err(|e| e.to_string())? {
            0 => return Err("the client went away".to_owned()),
            count => incoming.take(&bytes[..count]),
        }
        if let Some(header) = incoming.asked() {
            break header;
        }
    };
    let answer = |sent: &[Certificate], header: &str| server.answer(sent, header);
    let reply = wire::reply(&connection, &header, &answer);
    let mut tls = Stream::new(&mut connection, &mut stream);
    tls.write_all(&reply).and_then(|()| tls.flush()).map_err(|e| e.to_string())
}
