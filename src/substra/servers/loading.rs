//! How Go and BoringSSL read PEM files: neither is as strict as this tool, both want boundaries on lines of their own.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::pki::{inspect::Certificate, key::PrivateKey};

/// A label that a certificate's block has.
const CERTIFICATE: &str = "CERTIFICATE";

/// The labels under which BoringSSL looks for certificates too (`pem.h`).
const OLD_LABELS: [&str; 2] = ["X509 CERTIFICATE", "TRUSTED CERTIFICATE"];

struct LenientBlock {
    label: String,
    /// Its lines between the boundaries.
    body: Zeroizing<String>,
    /// `None` where it is not base64.
    der: Option<Zeroizing<Vec<u8>>>,
    /// It has an empty line, not right after its beginning: Go skips it, BoringSSL does not.
    gap: bool,
}

impl LenientBlock {
    fn new(label: &str, body: &[&str]) -> Self {
        let text = Zeroizing::new(body.iter().flat_map(|line| line.chars()).filter(|c| *c != ' ').collect::<String>());
        Self {
            label: label.to_owned(),
            body: Zeroizing::new(body.join("\n")),
            der: STANDARD.decode(text.as_bytes()).ok().map(Zeroizing::new),
            gap: body.iter().skip(1).any(|line| line.is_empty()),
        }
    }

    fn certificate(&self) -> Option<Certificate> {
        Certificate::from_der(self.der.as_ref()?).ok()
    }
}

/// The blocks of a text. One that begins inside another replaces it; one with a wrong end has no bytes.
fn blocks(text: &[u8]) -> Vec<LenientBlock> {
    let text = Zeroizing::new(String::from_utf8_lossy(text).into_owned());
    let mut found = Vec::new();
    let mut open: Option<(&str, Vec<&str>)> = None;
    for line in text.lines().map(str::trim_end) {
        let bounded = |start| line.strip_prefix(start).and_then(|rest| rest.strip_suffix("-----"));
        if let Some(label) = bounded("-----BEGIN ") {
            open = Some((label, Vec::new()));
        } else if let Some(end) = bounded("-----END ") {
            found.extend(
                open.take().map(|(label, body)| LenientBlock::new(label, if end == label { &body } else { &["-"] })),
            );
        } else if let Some((_, body)) = &mut open {
            body.push(line);
        }
    }
    found
}

/// Go's `AppendCertsFromPEM`: every certificate that can be read; all else is skipped without a word.
pub(super) fn pool(text: &[u8]) -> Vec<Certificate> {
    blocks(text).iter().filter(|block| block.label == CERTIFICATE).filter_map(LenientBlock::certificate).collect()
}

/// The server's `getCAKeyID` (`server/common/tls.go`): the first block, whatever its label, has to be a certificate.
pub(super) fn first(text: &[u8]) -> Option<Certificate> {
    blocks(text).iter().find(|block| block.der.is_some())?.certificate()
}

/// BoringSSL's `PEM_read_bio_X509`, called until it fails: certificates up to the first that cannot be read, other blocks
/// skipped (measured with grpcio 1.66.2). A byte order mark hides the first block, since its line no longer begins it.
pub(super) fn chain(text: &[u8]) -> Vec<Certificate> {
    let found = blocks(text);
    let whole = found.iter().map_while(|block| Some(block).filter(|block| block.der.is_some() && !block.gap));
    let certificates = whole.filter(|block| block.label == CERTIFICATE || OLD_LABELS.contains(&block.label.as_str()));
    certificates.map_while(LenientBlock::certificate).collect()
}

/// The first private key, as both parties take it; other blocks are skipped, an encrypted key is refused.
pub(super) fn key(text: &[u8]) -> Option<PrivateKey> {
    let found = blocks(text);
    let block = found.iter().find(|block| block.label.ends_with("PRIVATE KEY")).filter(|block| !block.gap)?;
    let (label, body) = (&block.label, block.body.as_str());
    let alone = Zeroizing::new(format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"));
    PrivateKey::from_pem(alone.as_bytes(), None).ok()
}
