//! What the two parties make of PEM files: neither is as strict as this tool.

use x509_parser::pem::Pem;
use zeroize::Zeroizing;

use crate::pki::{inspect::Certificate, key::PrivateKey, pem};

/// A label that a certificate's block has.
const CERTIFICATE: &str = "CERTIFICATE";

/// Go's `AppendCertsFromPEM`: every certificate that can be read; all else is skipped without a word.
pub(super) fn pool(text: &[u8]) -> Vec<Certificate> {
    let blocks = Pem::iter_from_buffer(text).filter_map(Result::ok);
    blocks
        .filter(|block| block.label == CERTIFICATE)
        .filter_map(|block| Certificate::from_der(&block.contents).ok())
        .collect()
}

/// The server's `getCAKeyID` (`server/common/tls.go`): the first block, whatever its label, has to be a certificate.
pub(super) fn first(text: &[u8]) -> Option<Certificate> {
    let block = Pem::iter_from_buffer(text).find_map(Result::ok)?;
    Certificate::from_der(&block.contents).ok()
}

/// BoringSSL's `PEM_read_bio_X509`, called until it fails: certificates up to the first that cannot be read, other blocks
/// skipped (measured with grpcio 1.66.2). A byte order mark hides the first block, since its line no longer begins it.
pub(super) fn chain(text: &[u8]) -> Vec<Certificate> {
    let blocks = Pem::iter_from_buffer(text).map_while(Result::ok);
    let certificates = blocks.filter(|block| block.label == CERTIFICATE);
    certificates.map_while(|block| Certificate::from_der(&block.contents).ok()).collect()
}

/// The first private key, as both parties take it; other blocks are skipped, an encrypted key is refused.
pub(super) fn key(text: &[u8]) -> Option<PrivateKey> {
    let blocks = Pem::iter_from_buffer(text).map_while(Result::ok);
    let (label, der) = blocks
        .map(|block| (block.label, Zeroizing::new(block.contents)))
        .find(|(label, _)| label.ends_with("PRIVATE KEY"))?;
    let label = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"].into_iter().find(|known| *known == label)?;
    let one = Zeroizing::new(pem::write(label, &der).ok()?);
    PrivateKey::from_pem(one.as_bytes(), None).ok()
}
