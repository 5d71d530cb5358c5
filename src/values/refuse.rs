//! What is refused before anything is parsed: texts that Helm 3 and Helm 4 read differently, or that hide something.

use super::Refusal;

/// The text, without its byte order mark.
///
/// Refused are: bytes that are not UTF-8, control characters, line ends that only some programs see, SOPS files (a
/// plain edit would break their checksum), directives, and text after `---`.
pub(super) fn check(bytes: &[u8]) -> Result<&str, Refusal> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        Refusal::new("not-utf8", (before.iter().filter(|b| **b == b'\n').count() + 1, 1), "the file is not UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in text.split('\n').enumerate() {
        check_line(line).map_err(|(code, column, why)| Refusal::new(code, (number + 1, column), why))?;
    }
    Ok(text)
}

type Finding = (&'static str, usize, &'static str);

fn check_line(line: &str) -> Result<(), Finding> {
    let bare = line.strip_suffix('\r').unwrap_or(line);
    if !bare.is_ascii() || bare.bytes().any(|b| b < b' ' || b == 0x7f) {
        check_characters(bare)?;
    }
    if bare.trim_start_matches(' ').starts_with('\t') && bare.trim().is_empty() {
        return Err(("tab", 1, "a tab stands in an otherwise blank line"));
    }
    if bare.starts_with('%') {
        return Err(("directive", 1, "Helm 4 cannot read a % directive"));
    }
    if let Some(rest) = bare.strip_prefix("---")
        && rest.starts_with([' ', '\t'])
        && !rest.trim_start().is_empty()
        && !rest.trim_start().starts_with('#')
    {
        return Err(("text-after-dashes", 4, "Helm 4 cannot read text after ---"));
    }
    if bare.starts_with("sops:") || bare.starts_with("\"sops\":") {
        return Err(("sops", 1, "the file is encrypted by SOPS, and an edit from outside would break its checksum"));
    }
    Ok(())
}

fn check_characters(line: &str) -> Result<(), Finding> {
    for (column, c) in line.chars().enumerate() {
        let why = match c {
            '\r' => "a carriage return stands inside the line: some programs see a line end there",
            '\u{85}' | '\u{2028}' | '\u{2029}' => "a character stands here that some programs take for a line end",
            '\u{feff}' => "a byte order mark stands inside the text",
            '\t' => continue,
            c if c.is_control() => "a control character stands here",
            _ => continue,
        };
        return Err(("control-character", column + 1, why));
    }
    Ok(())
}

/// The parser's words on one line, without what could move a terminal's cursor.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
