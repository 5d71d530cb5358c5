//! Text of others, made fit for a terminal, a pipe and one line: the one place that escapes.

use std::borrow::Cow;

/// One line of text: what steers a terminal, and what nobody sees, is written as `\u{1b}`; line ends too.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_plain, |c| c.escape_unicode().to_string())
}

/// Several lines of ours: the same, and line feeds stay.
#[must_use]
pub fn block(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n' || is_plain(c), |c| c.escape_unicode().to_string())
}

/// A JSON document: its strings say the same, and no byte of it steers a terminal that it is shown on.
#[must_use]
pub fn json(text: &str) -> Cow<'_, str> {
    let units = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    escaped(text, |c| c == '\n' || is_plain(c), units)
}

/// The longest piece of a foreign text that is shown.
const EXCERPT: usize = 120;

/// Untrusted `text` with control and direction characters escaped, cut where it is long.
#[must_use]
pub fn excerpt(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(EXCERPT));
    for (i, c) in text.chars().enumerate() {
        if i == EXCERPT {
            out.push_str("...");
            break;
        }
        out.push_str(&line(c.encode_utf8(&mut [0; 4])));
    }
    out
}

fn escaped(text: &str, stays: fn(char) -> bool, escape: impl Fn(char) -> String) -> Cow<'_, str> {
    if text.chars().all(stays) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if stays(c) { Cow::Owned(c.into()) } else { Cow::Owned(escape(c)) }).collect())
}

/// Whether a character is seen, and moves nothing but itself.
pub(crate) fn is_plain(c: char) -> bool {
    !c.is_control() && !is_unseen(c)
}

/// `Default_Ignorable_Code_Point` (Unicode 16, `DerivedCoreProperties`), the separators of lines and paragraphs, and the
/// annotation characters: among them all that turn the direction of writing.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_is_not_seen_is_escaped() {
        for (given, shown) in [
            ("a\x1b[2Jb", "a\\u{1b}[2Jb"),
            ("\u{202e}\u{61c}\u{9b}\u{7f}\t\r", "\\u{202e}\\u{61c}\\u{9b}\\u{7f}\\u{9}\\u{d}"),
            ("x\u{e0041}\u{ad}", "x\\u{e0041}\\u{ad}"),
            ("Ørg 医院 é", "Ørg 医院 é"),
        ] {
            assert_eq!((line(given).as_ref(), block(given).as_ref()), (shown, shown));
        }
        assert_eq!((line("a\nb").as_ref(), block("a\nb").as_ref()), ("a\\u{a}b", "a\nb"));
    }

    #[test]
    fn a_json_document_says_the_same_and_steers_nothing() {
        let given = serde_json::json!({"k\u{202e}": "a\u{1b}\u{9b}\u{e0041}é\n"});
        let text = given.to_string();
        let shown = json(&text);
        assert!(shown.chars().all(is_plain), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), given);
    }

    #[test]
    fn a_terminal_is_not_steered_by_what_it_shows() {
        assert_eq!(excerpt("a\x1b[2Jb\n\u{202e}c"), "a\\u{1b}[2Jb\\u{a}\\u{202e}c");
        assert_eq!(excerpt("Ørg"), "Ørg");
        assert_eq!(excerpt(&"x".repeat(1000)).len(), EXCERPT + 3);
    }
}
