//! `request-holds-private-key`, `request-not-one-pem`, `request-not-strict-der`: the bytes of a request.

use der::{Decode, Encode};
use x509_cert::request::CertReq;

use super::finding;
use crate::{
    command_line::CommandLine,
    failure::{Code, Failure, Next},
    pki::{pem, request::LABELS},
    plain::excerpt,
};

/// More than any request of one key and a few names needs.
const LARGEST: usize = 16 * 1024;

pub(super) const SEND_A_NEW_ONE: &str = "ask the sender for a new request, made by enroll and sent as an attachment";

pub(super) const ITS_OWN_HOST: &str = "ask for a request that names the backend's own host";

/// A request that is well formed; nothing it says is believed yet.
pub(super) struct ParsedRequest {
    pub(super) request: CertReq,
    /// The raw `CertificationRequestInfo`, which the signature covers.
    pub(super) info: Vec<u8>,
    /// The raw `SubjectPublicKeyInfo`.
    pub(super) spki: Vec<u8>,
    pub(super) notes: Vec<String>,
}

/// Parses the request.
pub(super) fn read(bytes: &[u8]) -> Result<ParsedRequest, Failure> {
    // In the raw bytes and first: a key is burnt whatever else is wrong with the file.
    if pem::shows_private_key(bytes) {
        return Err(finding(Code::RequestHoldsPrivateKey, "it holds a private key")
            .why("a private key that left its machine is burnt: whoever read the mail can act as the organization")
            .next(
                Next::from("tell the sender to destroy this key and to make a new request with ")
                    .command(CommandLine::enroll_anew()),
            ));
    }
    let (der, text_around) = single_block(bytes).map_err(|why| {
        finding(Code::RequestNotOnePem, "it is not one certificate signing request in PEM form")
            .why(why)
            .next(SEND_A_NEW_ONE)
    })?;
    let request = CertReq::from_der(&der).ok().filter(|request| request.to_der().ok().as_deref() == Some(&der[..]));
    let info = request.as_ref().and_then(|request| request.info.to_der().ok());
    let spki = request.as_ref().and_then(|request| request.info.public_key.to_der().ok());
    let (Some(request), Some(info), Some(spki)) = (request, info, spki) else {
        return Err(finding(Code::RequestNotStrictDer, "its content is not a request in strict DER")
            .why("two programs could read it in two ways, or it was damaged on its way")
            .next(SEND_A_NEW_ONE));
    };
    let note = "text outside of the request was ignored: only the request itself counts".to_owned();
    Ok(ParsedRequest { request, info, spki, notes: text_around.then_some(note).into_iter().collect() })
}

fn single_block(bytes: &[u8]) -> Result<(Vec<u8>, bool), String> {
    if bytes.len() > LARGEST {
        return Err(format!("it has {} bytes, more than the {LARGEST} that a request may have", bytes.len()));
    }
    if bytes.contains(&0) || bytes.starts_with(b"\xef\xbb\xbf") {
        return Err("it is binary, or starts with a byte order mark".to_owned());
    }
    let scan = pem::scan(bytes).map_err(|_| "a block is cut off or is not base64".to_owned())?;
    let [block] = scan.blocks.as_slice() else {
        return Err(format!("it has {} PEM blocks instead of one", scan.blocks.len()));
    };
    if !LABELS.contains(&block.label.as_str()) {
        return Err(format!("its block is a {}", excerpt(&block.label)));
    }
    if block.headers {
        return Err("its block has header lines".to_owned());
    }
    Ok((block.der.to_vec(), scan.text_around))
}
