//! One gRPC request and its answer over HTTP/2 (RFC 9113), both ways, as bytes.

mod hpack;
mod huffman;

use super::CallOutcome;
use hpack::{Field, NO_DYNAMIC_TABLE};

/// What a client says first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A method without parameters that every organization may call; it is behind the identity check (orchestrator,
/// `lib/asset/info.proto`).
const METHOD: &str = "/orchestrator.InfoService/QueryVersion";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 32;

/// gRPC's status for a client that may not.
const PERMISSION_DENIED: &str = "7";

/// What is missing in our request, in the orchestrator's words.
const NO_CHANNEL: &str = "header 'channel'";

/// More than any answer to our request.
const MAX_ANSWER: usize = 1 << 20;

/// The only request of a connection. Until a peer has read our settings its headers may use a dynamic table, which
/// cannot be read here: so they come first, and it has read them before it answers.
pub(super) fn request(authority: &str, msp_id: &str) -> Vec<u8> {
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", METHOD),
        (":authority", authority),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("mspid", msp_id),
    ];
    // An empty message: not compressed, of length 0.
    let message = [0; 5];
    let frames = [
        frame(SETTINGS, 0, 0, NO_DYNAMIC_TABLE),
        frame(HEADERS, END_HEADERS, 1, &hpack::encode(&fields)),
        frame(DATA, END_STREAM, 1, &message),
    ];
    [PREFACE.to_vec(), frames.concat()].concat()
}

/// A server's answer: `Ok` is gRPC's OK, else `PERMISSION_DENIED` with these words.
pub(super) fn response(answer: &Result<(), String>) -> Vec<u8> {
    let (status, message) = match answer {
        Ok(()) => ("0", String::new()),
        Err(words) => (PERMISSION_DENIED, words.replace('%', "%25")),
    };
    let fields =
        [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", status), ("grpc-message", &message)];
    let headers = frame(HEADERS, END_HEADERS | END_STREAM, 1, &hpack::encode(&fields));
    [frame(SETTINGS, 0, 0, NO_DYNAMIC_TABLE), headers].concat()
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// What came in so far on one side of a connection.
#[derive(Default)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    /// The pieces of a header block whose end has not come.
    block: Vec<u8>,
    fields: Vec<Field>,
    ended: Option<String>,
}

impl Incoming {
    /// Takes more bytes.
    pub(super) fn take(&mut self, more: &[u8]) {
        self.bytes.extend_from_slice(more);
    }

    /// As the server: the header `mspid` of the request, once it is there.
    pub(super) fn asked(&mut self) -> Option<String> {
        if let Some(rest) = self.bytes.strip_prefix(PREFACE) {
            self.bytes = rest.to_vec();
        }
        self.read();
        self.field("mspid")
    }

    /// As the client: the answer, once it is there. To an admitted client it is OK, or that its request names no
    /// channel, which the orchestrator checks after the identity (`server/common/interceptors/channel.go`).
    ///
    /// # Errors
    /// What answers is no gRPC server, or none that an orchestrator is.
    pub(super) fn answered(&mut self) -> Option<Result<CallOutcome, String>> {
        self.read();
        if let Some(status) = self.field("grpc-status") {
            let words = self.field("grpc-message").unwrap_or_default();
            let words = unescaped(&words);
            return Some(match status.as_str() {
                "0" => Ok(CallOutcome::Accepted),
                // UNKNOWN, and FAILED_PRECONDITION where the error has a kind.
                "2" | "9" if words.contains(NO_CHANNEL) => Ok(CallOutcome::Accepted),
                PERMISSION_DENIED => Ok(CallOutcome::PermissionDenied(words)),
                other => Err(format!("grpc-status {other:?} came, which no orchestrator gives here: {words:?}")),
            });
        }
        let status = self.field(":status").filter(|status| status != "200");
        let odd = status.map(|status| format!("HTTP status {status} came in place of a gRPC answer"));
        let too_much = (self.bytes.len() > MAX_ANSWER).then(|| "no end of the answer came".to_owned());
        odd.or_else(|| self.ended.clone()).or(too_much).map(Err)
    }

    fn field(&self, name: &str) -> Option<String> {
        self.fields.iter().find(|(one, _)| one == name).map(|(_, value)| value.clone())
    }

    fn read(&mut self) {
        while let Some((kind, flags, payload)) = self.frame() {
            match kind {
                HEADERS | CONTINUATION => {
                    let piece = if kind == HEADERS { headers(flags, &payload) } else { Some(payload.as_slice()) };
                    self.block.extend_from_slice(piece.unwrap_or_default());
                    if flags & END_HEADERS != 0 {
                        let block = std::mem::take(&mut self.block);
                        match hpack::decode(&block) {
                            Some(fields) => self.fields.extend(fields),
                            None => self.ended = Some("the answer's headers cannot be read".to_owned()),
                        }
                    }
                }
                RST_STREAM => self.ended = Some("the server reset the request".to_owned()),
                GOAWAY => self.ended = Some("the server closed the connection".to_owned()),
                _ => {}
            }
        }
    }

    /// The next whole frame: kind, flags, payload.
    fn frame(&mut self) -> Option<(u8, u8, Vec<u8>)> {
        let head = self.bytes.get(..9)?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let (kind, flags) = (head[3], head[4]);
        let payload = self.bytes.get(9..9 + length)?.to_vec();
        self.bytes.drain(..9 + length);
        Some((kind, flags, payload))
    }
}

/// The header block of a frame, without padding and priority.
fn headers(flags: u8, payload: &[u8]) -> Option<&[u8]> {
    let mut block = payload;
    let mut padding = 0;
    if flags & PADDED != 0 {
        let (first, rest) = block.split_first()?;
        (padding, block) = (usize::from(*first), rest);
    }
    if flags & PRIORITY != 0 {
        block = block.get(5..)?;
    }
    block.get(..block.len().checked_sub(padding)?)
}

/// gRPC escapes its message with percent signs.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(byte) => (bytes.push(byte), rest = &after[2..]).0,
            None => (bytes.push(*first), rest = after).0,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;

    #[test]
    fn a_request_and_its_answer_arrive_in_any_pieces() {
        for size in [1, 7, 10_000] {
            let mut server = Incoming::default();
            let asked = request("orc.example.org", "MyOrg1MSP").chunks(size).find_map(|piece| {
                server.take(piece);
                server.asked()
            });
            assert_eq!(asked.as_deref(), Some("MyOrg1MSP"), "{size}");
            for (said, heard) in [
                (Ok(()), CallOutcome::Accepted),
                (Err("50% \"x\"".to_owned()), CallOutcome::PermissionDenied("50% \"x\"".into())),
            ] {
                let mut client = Incoming::default();
                let answer = response(&said).chunks(size).find_map(|piece| {
                    client.take(piece);
                    client.answered()
                });
                assert_eq!(answer, Some(Ok(heard)));
            }
        }
    }

    #[test]
    fn headers_data_and_trailers_are_an_answer_too() {
        let mut client = Incoming::default();
        client.take(&frame(HEADERS, END_HEADERS, 1, &hpack::encode(&[(":status", "200")])));
        client.take(&frame(DATA, 0, 1, &[0; 5]));
        assert_eq!(client.answered(), None);
        let padded = [&[2, 0, 0, 0, 0, 0][..], &hpack::encode(&[("grpc-status", "0")]), &[0, 0]].concat();
        client.take(&frame(HEADERS, PADDED | PRIORITY | END_STREAM, 1, &padded));
        client.take(&frame(CONTINUATION, END_HEADERS, 1, &[]));
        assert_eq!(client.answered(), Some(Ok(CallOutcome::Accepted)));
    }

    #[test]
    fn only_what_an_orchestrator_says_lets_in() {
        let heard = |status: &str, words: &str| {
            let mut client = Incoming::default();
            let fields = [(":status", "200"), ("grpc-status", status), ("grpc-message", words)];
            client.take(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &hpack::encode(&fields)));
            client.answered().unwrap()
        };
        assert_eq!(heard("0", ""), Ok(CallOutcome::Accepted));
        for status in ["2", "9"] {
            assert_eq!(heard(status, "missing or invalid header 'channel'"), Ok(CallOutcome::Accepted));
        }
        assert_eq!(heard("7", "no"), Ok(CallOutcome::PermissionDenied("no".into())));
        for status in ["14", "16", "12", "2", "9", "banana", "", "00", "0 "] {
            let why = heard(status, "proxy").unwrap_err();
            assert!(why.contains(&format!("{status:?}")) && why.contains("proxy"), "{why}");
        }
    }

    #[test]
    fn what_is_no_grpc_server_is_told() {
        for (bytes, words) in [
            (frame(HEADERS, END_HEADERS, 1, &hpack::encode(&[(":status", "502")])), "HTTP status 502"),
            (frame(GOAWAY, 0, 0, &[0; 8]), "closed the connection"),
            (frame(RST_STREAM, 0, 1, &[0; 4]), "reset the request"),
            (frame(HEADERS, END_HEADERS, 1, &[0xff]), "cannot be read"),
        ] {
            let mut client = Incoming::default();
            client.take(&bytes);
            assert!(client.answered().unwrap().unwrap_err().contains(words), "{words}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_server_sends_is_read_to_the_same_end_in_any_pieces(
            changes in vec((any::<Index>(), any::<u8>()), 0..4),
            cuts in vec(1..40_usize, 1..40),
            more in vec(any::<u8>(), 0..60),
        ) {
            let mut bytes = response(&Err("no".to_owned()));
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.extend(more);
            let mut whole = Incoming::default();
            whole.take(&bytes);
            let mut rest = bytes.as_slice();
            let mut pieces = Incoming::default();
            for cut in cuts.iter().cycle() {
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                pieces.take(piece);
                pieces.read();
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(pieces.answered(), whole.answered());
        }
    }
}
