//! PEM (RFC 7468): finds the blocks of a file, strictly inside a block and patiently around it.

use base64::{Engine, engine::general_purpose::STANDARD};
use der::pem::LineEnding;
use zeroize::Zeroizing;

use crate::failure::{Code, Exit, Failure};

/// Marks of a private key in raw bytes: the ends of the labels of PEM, PGP and SSH2, the first word of `PuTTY`'s format.
const KEY_SIGNS: [&[u8]; 4] =
    [b"PRIVATE KEY-----", b"PRIVATE KEY BLOCK-----", b"PRIVATE KEY ----", b"PuTTY-User-Key-File-"];

/// Whether a private key is in `bytes`, in whatever state: a torn one is still a key.
pub(crate) fn shows_private_key(bytes: &[u8]) -> bool {
    KEY_SIGNS.iter().any(|sign| bytes.windows(sign.len()).any(|window| window == *sign))
}

/// What a file is that was given as something else; nothing where it cannot be told.
pub(crate) fn held(bytes: &[u8]) -> Option<&'static str> {
    let begins = |label: &str| {
        let mark = format!("-----BEGIN {label}-----");
        bytes.windows(mark.len()).any(|window| window == mark.as_bytes())
    };
    // Each chart's values have one of these at the beginning of a line.
    let has_line = |key: &[u8]| bytes.split(|&byte| byte == b'\n').any(|line| line.starts_with(key));
    if shows_private_key(bytes) {
        Some("a private key")
    } else if begins("CERTIFICATE REQUEST") || begins("NEW CERTIFICATE REQUEST") {
        Some("a certificate signing request")
    } else if begins("CERTIFICATE") {
        Some("a certificate")
    } else if [&b"orchestrator:"[..], b"channels:", b"server:"].into_iter().any(has_line) {
        Some("Helm values")
    } else {
        None
    }
}

/// One block of a PEM file.
pub(super) struct PemBlock {
    /// The text between `BEGIN` and the dashes, for example `CERTIFICATE`.
    pub(super) label: String,
    /// Whether the block has header lines (RFC 1421), as old encrypted keys have.
    pub(super) headers: bool,
    /// The decoded content; it may be a key.
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// What a PEM file holds.
#[derive(Default)]
pub(super) struct PemScan {
    /// The blocks in the file's order.
    pub(super) blocks: Vec<PemBlock>,
    /// Whether there is anything but white space outside of them.
    pub(super) text_around: bool,
}

/// A file with a block that cannot be read: no end, a wrong end, or not base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DamagedPem;

/// Reads all blocks. Lines may end in LF or CRLF.
pub(super) fn scan(bytes: &[u8]) -> Result<PemScan, DamagedPem> {
    let mut scan = PemScan::default();
    let mut lines = bytes.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end);
    // Sized once, so that it never grows and leaves copies of a key behind; and one for all blocks, as wiping one of
    // this size for each block makes a file of many small blocks cost the square of its size.
    let mut body = Zeroizing::new(Vec::with_capacity(bytes.len()));
    while let Some(line) = lines.next() {
        if let Some(label) = boundary(line, b"-----BEGIN ") {
            body.clear();
            scan.blocks.push(block(label, &mut lines, &mut body)?);
        } else if line.starts_with(b"-----BEGIN") || line.starts_with(b"-----END") {
            return Err(DamagedPem);
        } else {
            scan.text_around |= !line.is_empty();
        }
    }
    Ok(scan)
}

fn block<'a>(
    label: &[u8],
    lines: &mut impl Iterator<Item = &'a [u8]>,
    body: &mut Vec<u8>,
) -> Result<PemBlock, DamagedPem> {
    let mut headers = false;
    for line in lines {
        if let Some(end) = boundary(line, b"-----END ") {
            if end != label {
                return Err(DamagedPem);
            }
            let der = if headers { Vec::new() } else { STANDARD.decode(&*body).map_err(|_| DamagedPem)? };
            let label = String::from_utf8_lossy(label).into_owned();
            return Ok(PemBlock { label, headers, der: Zeroizing::new(der) });
        }
        headers |= line.contains(&b':');
        body.extend_from_slice(line);
    }
    Err(DamagedPem)
}

fn boundary<'a>(line: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(start)?.strip_suffix(b"-----").filter(|label| !label.is_empty())
}

/// Writes one block: 64 columns, LF, no headers.
pub(crate) fn write(label: &'static str, der: &[u8]) -> Result<String, Failure> {
    der::pem::encode_string(label, LineEnding::LF, der).map_err(|_| {
        Failure::new(Exit::Failed, Code::PemNotWritten, "a PEM block could not be written")
            .why(format!("{} bytes are too many for a block of {label}", der.len()))
            .next("report this as a bug")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_blocks_with_crlf_and_text_around_and_says_so() {
        let scan = scan(b"hello\r\n-----BEGIN A B-----\r\nAQID\r\nBA==\r\n-----END A B-----\r\n").ok().unwrap();
        assert!(scan.text_around);
        assert_eq!((scan.blocks[0].label.as_str(), scan.blocks[0].der.as_slice()), ("A B", &[1, 2, 3, 4][..]));
    }

    #[test]
    fn a_mail_around_a_block_is_text() {
        let mail = b"-----Original Message-----\n-----\n-----BEGIN A-----\nAQID\n-----END A-----\n";
        let scan = scan(mail).ok().unwrap();
        assert!(scan.text_around && scan.blocks.len() == 1);
    }

    #[test]
    fn a_file_of_many_blocks_is_read_to_its_end() {
        // With a buffer of the file's size for each block these 10 MiB would take minutes.
        let many = "-----BEGIN A-----\nAAAA\n-----END A-----\n".repeat(1 << 18);
        assert_eq!(scan(many.as_bytes()).ok().unwrap().blocks.len(), 1 << 18);
    }

    #[test]
    fn refuses_torn_blocks_and_sloppy_base64() {
        for bad in [
            "-----BEGIN A-----\nAQID",
            "-----BEGIN A-----\nAQID\n-----END B-----",
            "-----BEGIN A-----\nAQ ID\n-----END A-----",
            "-----BEGIN A-----\nAQIDB\n-----END A-----",
            "-----BEGIN A-----\nAQIDBB==\n-----END A-----",
            "-----BEGIN A----\nAQID\n-----END A-----",
            "-----BEGIN A-----\nAQID\n-----BEGIN A-----\nAQID\n-----END A-----",
        ] {
            assert!(scan(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn writes_64_columns_and_reads_them_back() {
        let pem = write("CERTIFICATE", &[7; 100]).unwrap();
        assert_eq!(pem.lines().nth(1).unwrap().len(), 64);
        assert!(pem.ends_with("-----END CERTIFICATE-----\n"));
        assert_eq!(scan(pem.as_bytes()).ok().unwrap().blocks[0].der.as_slice(), [7; 100]);
    }
}
