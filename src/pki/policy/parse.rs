//! `request-holds-private-key` to `request-not-strict-der`, `proof-form` to `proof-signature`: the bytes of a request.

use der::{Decode, Encode};
use x509_cert::request::CertReq;

use super::finding;
use crate::{
    command_line::CommandLine,
    failure::{Code, Failure, Next},
    pki::{
        pem::{self, PemBlock},
        proof::{self, Proof},
        request::LABELS,
    },
    plain::excerpt,
};

/// More than any request of one key and a few names needs, with its proof.
const LARGEST: usize = 16 * 1024;

/// For the operator, whose own slip it is.
const GIVE_THE_REQUEST: &str = "give the request, MyOrg1MSP.csr, and not the certificate, MyOrg1MSP.crt";
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
    /// Verified to be over this request.
    pub(super) proof: Option<Proof>,
}

/// What a file holds.
struct RequestFile {
    request: Vec<u8>,
    proof: Option<Vec<u8>>,
    text_around: bool,
}

/// Parses the request.
pub(super) fn read(bytes: &[u8]) -> Result<ParsedRequest, Failure> {
    // In the raw bytes and first: a key is burnt whatever else is wrong with the file.
    if pem::shows_private_key(bytes) {
        return Err(finding(Code::RequestHoldsPrivateKey, "it holds a private key")
            .why("a private key that left its machine is compromised: anyone who read the mail can act as the organization")
            .next(
                Next::from("tell the sender to destroy this key and to make a new request with ")
                    .command(CommandLine::enroll_anew()),
            ));
    }
    let RequestFile { request: der, proof, text_around } = blocks(bytes).map_err(|why| {
        finding(Code::RequestNotOnePem, "it is not one certificate signing request in PEM form")
            .why(why)
            .next(if is_certificate(bytes) { GIVE_THE_REQUEST } else { SEND_A_NEW_ONE })
    })?;
    let request = CertReq::from_der(&der).ok().filter(|request| request.to_der().ok().as_deref() == Some(&der[..]));
    let info = request.as_ref().and_then(|request| request.info.to_der().ok());
    let spki = request.as_ref().and_then(|request| request.info.public_key.to_der().ok());
    let (Some(request), Some(info), Some(spki)) = (request, info, spki) else {
        return Err(finding(Code::RequestNotStrictDer, "its content is not a request in strict DER")
            .why("two programs could read it in two ways, or it was damaged on its way")
            .next(SEND_A_NEW_ONE));
    };
    let proof = proof.map(|proof| proof::read(&der, &proof)).transpose()?;
    let note = "text outside of the request was ignored: only the request itself counts".to_owned();
    Ok(ParsedRequest { request, info, spki, notes: text_around.then_some(note).into_iter().collect(), proof })
}

fn blocks(bytes: &[u8]) -> Result<RequestFile, String> {
    if bytes.len() > LARGEST {
        return Err(format!("it has {} bytes, more than the {LARGEST} that a request may have", bytes.len()));
    }
    if bytes.contains(&0) || bytes.starts_with(b"\xef\xbb\xbf") {
        return Err("it is binary, or starts with a byte order mark".to_owned());
    }
    let scan = pem::scan(bytes).map_err(|_| "a block is cut off or is not base64".to_owned())?;
    let (request, proof) = match scan.blocks.as_slice() {
        [request] => (request, None),
        [request, proof] => (request, Some(proof)),
        blocks => {
            return Err(format!("it has {} PEM blocks: a request is one, and a proof may follow it", blocks.len()));
        }
    };
    Ok(RequestFile {
        request: labelled(request, "first", &LABELS)?,
        proof: proof.map(|proof| labelled(proof, "second", &[proof::LABEL])).transpose()?,
        text_around: scan.text_around,
    })
}

/// The answer was given in the place of the question: nobody has to send anything.
fn is_certificate(bytes: &[u8]) -> bool {
    pem::scan(bytes).is_ok_and(|scan| scan.blocks.first().is_some_and(|block| block.label == "CERTIFICATE"))
}

fn labelled(block: &PemBlock, which: &str, labels: &[&str]) -> Result<Vec<u8>, String> {
    if !labels.contains(&block.label.as_str()) {
        return Err(format!("its {which} block is {}, not {}", excerpt(&block.label), labels[0]));
    }
    if block.headers {
        return Err(format!("its {which} block has header lines"));
    }
    Ok(block.der.to_vec())
}
