//! Untrusted text, made fit for a terminal.

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
        if is_plain(c) { out.push(c) } else { out.extend(c.escape_unicode()) }
    }
    out
}

fn is_plain(c: char) -> bool {
    let steers_direction = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    !c.is_control() && !steers_direction && c != '\u{feff}'
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
