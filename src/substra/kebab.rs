//! The kebab form that the charts give to names: sprig's `kebabcase`, which is `ToKebabCase` of huandu/xstrings.

/// What a run of characters is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CharacterKind {
    Number,
    /// Capitals, or one capital with the small letters after it.
    Capital,
    Small,
    Connector,
    Punctuation,
}

use CharacterKind::{Capital, Connector, Number, Punctuation, Small};

/// The volume of a client CA in the orchestrator's manifest (chart `orchestrator`, template `deployment-server.yaml`).
#[must_use]
pub fn volume_of(key: &str) -> String {
    format!("orchestrator-tls-client-cacert-{}", kebab_case(key))
}

/// `MyOrg1MSP` is `my-org1-msp`. As xstrings 1.5.0 for letters, digits, blanks and punctuation of ASCII (400,000 random texts);
/// a symbol such as `$` or `+`, which no name that is checked has, counts as punctuation here and not there.
#[must_use]
pub fn kebab_case(text: &str) -> String {
    let words = words(text);
    let mut out = String::with_capacity(text.len() + 8);
    let mut at = 0;
    while at < words.len() {
        let (kind, word) = words[at];
        push(&mut out, kind, word);
        at += 1;
        let next = words.get(at).map(|(kind, _)| *kind);
        match kind {
            Connector | Punctuation => {}
            Number => at = after_number(&words, at, &mut out),
            Capital | Small if next == Some(Number) && at + 1 < words.len() => at = with_number(&words, at, &mut out),
            Capital | Small if next == Some(Number) => {}
            Capital | Small => dash_before(next, &mut out),
        }
    }
    out
}

/// Small letters and digits after a number belong to it: `20x`.
fn after_number(words: &[(CharacterKind, &str)], mut at: usize, out: &mut String) -> usize {
    while let Some((kind @ (Small | Number), word)) = words.get(at) {
        push(out, *kind, word);
        at += 1;
    }
    dash_before(words.get(at).map(|(kind, _)| *kind), out);
    at
}

/// A number right after letters is a part of their word (`bld4-floor`), unless small letters follow it (`http-2xx`).
fn with_number(words: &[(CharacterKind, &str)], at: usize, out: &mut String) -> usize {
    if words[at + 1].0 == Small {
        out.push('-');
        return after_number(words, at, out);
    }
    push(out, Number, words[at].1);
    dash_before(Some(words[at + 1].0), out);
    at + 1
}

fn dash_before(next: Option<CharacterKind>, out: &mut String) {
    if next.is_some_and(|kind| !matches!(kind, Connector | Punctuation)) {
        out.push('-');
    }
}

fn push(out: &mut String, kind: CharacterKind, word: &str) {
    if kind == Connector {
        out.extend(word.chars().map(|_| '-'));
    } else {
        out.push_str(&word.to_ascii_lowercase());
    }
}

fn words(text: &str) -> Vec<(CharacterKind, &str)> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let kind = kind_of(first);
        let length = match kind {
            Capital => capital_word(rest),
            // Once punctuation has begun, dashes are of it.
            Punctuation => {
                rest.find(|c| c == ' ' || !matches!(kind_of(c), Punctuation | Connector)).unwrap_or(rest.len())
            }
            _ => rest.find(|c| kind_of(c) != kind).unwrap_or(rest.len()),
        };
        words.push((kind, &rest[..length]));
        rest = &rest[length..];
    }
    words
}

/// `HTTPStatus` is `HTTP` and `Status`: the last of several capitals goes to the small letters after it.
fn capital_word(text: &str) -> usize {
    let capitals = text.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(text.len());
    let small = text[capitals..].find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len() - capitals);
    match (capitals, small) {
        (1, small) => 1 + small,
        (capitals, 0) => capitals,
        (capitals, _) => capitals - 1,
    }
}

fn kind_of(c: char) -> CharacterKind {
    match c {
        '0'..='9' => Number,
        'A'..='Z' => Capital,
        'a'..='z' => Small,
        '-' | '_' | ' ' => Connector,
        _ => Punctuation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Given by `helm template` with `{{ kebabcase .Values.x }}`.
    #[test]
    fn names_become_what_helm_makes_of_them() {
        let pairs = [
            ("MyOrg1MSP", "my-org1-msp"),
            ("ingen", "ingen"),
            ("HTTP20xOK", "http-20x-ok"),
            ("Bld4Floor3rd", "bld4-floor-3rd"),
            ("Duration2m3s", "duration-2m3s"),
            ("http2xx", "http-2xx"),
            ("a.b", "a.b"),
            ("A_B", "a-b"),
            ("org-1", "org-1"),
            ("Org--1", "org--1"),
            ("X1", "x1"),
            ("1X", "1-x"),
            ("1x", "1x"),
            ("x1y2Z3", "x-1y2-z3"),
            ("MSP1a", "msp-1a"),
            ("AB1c2D", "ab-1c2-d"),
            ("a1", "a1"),
            ("A.1b", "a.1b"),
            ("OwkinPeerMSP", "owkin-peer-msp"),
            ("NoHTTPS", "no-https"),
            ("my_org.1-MSP", "my-org.1-msp"),
            ("a1.", "a1."),
            ("9", "9"),
            ("AbC1-d2E", "ab-c1-d2-e"),
            ("x1-y", "x1-y"),
            ("A1_b", "a1-b"),
            ("a1B2c3", "a1-b-2c3"),
            ("_b2-", "-b2-"),
            ("a-", "a-"),
            ("_BB-_", "-bb--"),
            ("-.bBb_.aA", "-.b-bb-.a-a"),
            ("a1a", "a-1a"),
            ("-...-", "-...-"),
            ("2Aa", "2-aa"),
            ("-B1", "-b1"),
            ("1._.2_.", "1._.2-."),
            ("2a1b", "2a1b"),
            ("_AB11A", "-ab11-a"),
            ("--", "--"),
            ("2A", "2-a"),
            ("ba1..Aa", "ba1..aa"),
            (".", "."),
            ("_1_Ba1", "-1-ba1"),
            ("A", "a"),
        ];
        for (name, kebab) in pairs {
            assert_eq!(kebab_case(name), kebab, "{name}");
        }
    }
}
