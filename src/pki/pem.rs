//! PEM blocks in a text, found without trusting what is around them (RFC 7468).

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::{Zeroize, Zeroizing};

/// One block.
pub(super) struct Block {
    pub(super) label: String,
    /// `None` where it is not base64, or has headers.
    pub(super) der: Option<Zeroizing<Vec<u8>>>,
    /// Lines such as `Proc-Type: 4,ENCRYPTED` stand before the base64.
    pub(super) has_headers: bool,
}

/// All blocks of a text, and whether other text than blanks stands around them.
pub(super) struct Found {
    pub(super) blocks: Vec<Block>,
    pub(super) text_around: bool,
    /// A block begins and does not end.
    pub(super) torn: bool,
}

/// Finds the blocks. Anything may stand around them; lines may end with CR LF.
pub(super) fn blocks(bytes: &[u8]) -> Found {
    let text = String::from_utf8_lossy(bytes);
    let mut found = Found { blocks: Vec::new(), text_around: false, torn: false };
    let mut open: Option<(String, Zeroizing<String>, bool)> = None;
    for line in text.lines().map(str::trim_end) {
        match &mut open {
            None => match boundary(line, "-----BEGIN ") {
                Some(label) => {
                    open = Some((label.to_owned(), Zeroizing::new(String::with_capacity(text.len())), false));
                }
                None => found.text_around |= !line.trim().is_empty(),
            },
            Some((label, body, has_headers)) => match boundary(line, "-----END ") {
                Some(end) => {
                    let der = if end == label && !*has_headers { decode(body) } else { None };
                    found.blocks.push(Block { label: std::mem::take(label), der, has_headers: *has_headers });
                    open = None;
                }
                None if line.contains(':') => *has_headers = true,
                None => body.push_str(line.trim()),
            },
        }
    }
    found.torn = open.is_some();
    if let std::borrow::Cow::Owned(mut text) = text {
        text.zeroize();
    }
    found
}

fn boundary<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    line.strip_prefix(start)?.strip_suffix("-----")
}

fn decode(body: &str) -> Option<Zeroizing<Vec<u8>>> {
    STANDARD.decode(body).ok().filter(|der| !der.is_empty()).map(Zeroizing::new)
}

/// One block: 64 columns, LF, no headers.
pub(crate) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut out = Zeroizing::new(String::with_capacity(body.len() + body.len() / 64 + 2 * label.len() + 64));
    for part in ["-----BEGIN ", label, "-----\n"] {
        out.push_str(part);
    }
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    for part in ["-----END ", label, "-----\n"] {
        out.push_str(part);
    }
    out
}
