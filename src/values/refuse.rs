//! What is refused before anything is parsed: texts that Helm 3 and Helm 4 read differently, or that hide something.

use super::{
    Refusal,
    tree::{Node, NodeKind, Tree},
};
use crate::failure::Code;

/// Helm 4 adds the missing line end, and with it a line end to the text; Helm 3 does not.
const BLOCK_TEXT_END: &str =
    "the file ends inside this block text without a line end: Helm 3 and 4 read it differently";

/// The text, without its byte order mark.
///
/// Refused are: bytes that are not UTF-8, control characters, line ends that only some programs see, SOPS files (a
/// plain edit would break their checksum), directives, and text after `---`.
pub(super) fn check(bytes: &[u8]) -> Result<&str, Refusal> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        Refusal::new(Code::NotUtf8, (before.split(|b| *b == b'\n').count(), 1), "the file is not UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        // A carriage return is a part of a line end only before a line feed.
        let bare = line.strip_suffix("\r\n").or_else(|| line.strip_suffix('\n')).unwrap_or(line);
        check_line(bare).map_err(|(code, column, why)| Refusal::new(code, (number + 1, column), why))?;
    }
    Ok(text)
}

type LineFault = (Code, usize, &'static str);

fn check_line(bare: &str) -> Result<(), LineFault> {
    if !bare.is_ascii() || bare.bytes().any(|b| b < b' ' || b == 0x7f) {
        check_characters(bare)?;
    }
    if bare.trim_start_matches(' ').starts_with('\t') && bare.trim().is_empty() {
        return Err((Code::Tab, 1, "a tab stands in an otherwise blank line"));
    }
    if bare.starts_with('%') {
        return Err((Code::Directive, 1, "Helm 4 cannot read a % directive"));
    }
    // Helm 4 sees a new document where `---` is followed by any white space or `#`, Helm 3 only after a blank.
    if let Some(rest) = bare.strip_prefix("---")
        && !rest.trim_matches([' ', '\t']).is_empty()
        && !(rest.starts_with([' ', '\t']) && rest.trim_start_matches([' ', '\t']).starts_with('#'))
    {
        return Err((Code::TextAfterDashes, 4, "Helm 3 and Helm 4 read text after --- differently"));
    }
    Ok(())
}

fn check_characters(line: &str) -> Result<(), LineFault> {
    for (column, c) in line.chars().enumerate() {
        let why = match c {
            '\r' => "a carriage return stands inside the line: some programs see a line end there",
            '\u{85}' | '\u{2028}' | '\u{2029}' => "a character stands here that some programs take for a line end",
            '\u{feff}' => "a byte order mark stands inside the text",
            '\u{fffe}' | '\u{ffff}' => "Helm cannot read this character",
            '\t' => continue,
            c if c.is_control() => "a control character stands here",
            _ => continue,
        };
        return Err((Code::ControlCharacter, column + 1, why));
    }
    Ok(())
}

/// What the tree shows: a SOPS file, a block text at the end of the file that lacks a line end, and `...` after nothing.
pub(super) fn check_tree(text: &str, tree: &Tree) -> Result<(), Refusal> {
    if tree.root.as_ref().is_none_or(Node::is_unwritten) {
        return check_empty(text);
    }
    tree.root.as_ref().map_or(Ok(()), |root| check_tabs(text, root))?;
    let Some(Node { kind: NodeKind::Map { pairs, .. }, .. }) = &tree.root else { return Ok(()) };
    let is_sops = |key: &Node| matches!(&key.kind, NodeKind::Scalar { text, .. } if text == "sops");
    if let Some((key, _)) = pairs.iter().find(|(key, _)| is_sops(key)) {
        let why = "the file is encrypted by SOPS, and an edit from outside would break its checksum";
        return Err(Refusal::new(Code::Sops, key.at, why));
    }
    let last = tree.root.as_ref().and_then(Node::last_scalar);
    let open = last.filter(|last| !text.ends_with('\n') && last.keeps_line_ends(text));
    match open.filter(|last| text[last.bytes.end..].trim().is_empty()) {
        Some(last) => Err(Refusal::new(Code::BlockTextEnd, last.at, BLOCK_TEXT_END)),
        None => Ok(()),
    }
}

/// Helm takes no tab for indentation: neither before a line's first node, after its dashes, nor before a block text's first
/// line. Between brackets, and within texts, it does.
fn check_tabs(text: &str, node: &Node) -> Result<(), Refusal> {
    let line = text[..node.bytes.start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line..node.bytes.start];
    let signs = before.trim_start_matches([' ', '\t', '-', '?', ':']);
    let indents = before[..before.len() - signs.len()].contains('\t');
    let block = text[node.bytes.clone()].split_inclusive('\n').skip(1).find(|line| !line.trim().is_empty());
    let block = block.filter(|_| node.is_block_text() && !node.header(text).bytes().any(|b| b.is_ascii_digit()));
    let in_block = block.is_some_and(|line| line.trim_start_matches(' ').starts_with('\t'));
    if (indents && !node.is_unwritten()) || in_block {
        return Err(Refusal::new(Code::Tab, node.at, "a tab stands where Helm wants blanks for indentation"));
    }
    match &node.kind {
        NodeKind::Map { pairs, flow: false } => {
            pairs.iter().try_for_each(|(key, value)| check_tabs(text, key).and_then(|()| check_tabs(text, value)))
        }
        NodeKind::List { items, flow: false } => items.iter().try_for_each(|item| check_tabs(text, item)),
        _ => Ok(()),
    }
}

/// Helm 4 cuts the text at `---` and cannot read a piece that begins with `...`.
fn check_empty(text: &str) -> Result<(), Refusal> {
    match text.lines().position(|line| line.trim_end() == "...") {
        Some(line) => Err(Refusal::new(Code::Documents, (line + 1, 1), "Helm 4 cannot read `...` below nothing")),
        None => Ok(()),
    }
}

/// A tag of another program, such as `!vault`.
pub(super) fn is_foreign_tag(tag: &str) -> bool {
    let name = tag.strip_prefix('!').unwrap_or_default();
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:/.".contains(&b))
}

/// The parser's words on one line, without what they quote of the file.
pub(super) fn without_quotes(text: &str) -> String {
    let words = text.lines().next().unwrap_or_default();
    words.split(": `").next().unwrap_or_default().to_owned()
}
