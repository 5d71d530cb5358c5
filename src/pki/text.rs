//! Untrusted text, made fit for a terminal and cut.

use crate::plain;

/// The longest piece of a foreign text that is shown.
const SHOWN: usize = 120;

/// `text` with control and direction characters escaped, cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(SHOWN));
    for (i, c) in text.chars().enumerate() {
        if i == SHOWN {
            out.push_str("...");
            break;
        }
        out.push_str(&plain::line(c.encode_utf8(&mut [0; 4])));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_steered_by_what_it_shows() {
        assert_eq!(shown("a\x1b[2Jb\n\u{202e}c"), "a\\u{1b}[2Jb\\u{a}\\u{202e}c");
        assert_eq!(shown("Ørg"), "Ørg");
        assert_eq!(shown(&"x".repeat(1000)).len(), SHOWN + 3);
    }
}
