//! Hides the values of others' secrets in what is shown of values files.

use serde_json::Value;

/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";

/// Words that make a key's value a secret, compared in lower case without `-` and `_`.
const WORDS: [&str; 9] =
    ["password", "passwd", "passphrase", "secretkey", "token", "apikey", "privatekey", "credential", "dsn"];

/// Whether the value under a key of this name is to be hidden.
#[must_use]
pub fn is_secret(key: &str) -> bool {
    let plain: String = key.chars().filter(|c| !"-_".contains(*c)).flat_map(char::to_lowercase).collect();
    WORDS.iter().any(|word| plain.contains(word))
}

/// A value as JSON, hidden where a key on its path or inside it says that it is secret.
#[must_use]
pub fn value(path: &[String], value: &Value) -> String {
    if path.iter().any(|key| is_secret(key)) { HIDDEN.to_owned() } else { inside(value).to_string() }
}

fn inside(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(k, v)| (k.clone(), if is_secret(k) { Value::String(HIDDEN.into()) } else { inside(v) }))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(inside).collect()),
        Value::String(text) if text.contains("PRIVATE KEY") => Value::String(HIDDEN.into()),
        other => other.clone(),
    }
}

/// The text of a values file, line for line, with secret values hidden: after the key on its line, and the lines
/// below that stand deeper than it. Private keys in block text are hidden wherever they stand.
#[must_use]
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut deeper_than: Option<usize> = None;
    let mut in_key = false;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\r', '\n']);
        let end = &line[bare.len()..];
        let indent = bare.len() - bare.trim_start().len();
        in_key |= bare.contains("-----BEGIN") && bare.contains("PRIVATE KEY");
        if bare.trim().is_empty() {
            out.push_str(line);
        } else if in_key || deeper_than.is_some_and(|column| indent > column) {
            out.push_str(&bare[..indent]);
            out.push_str(HIDDEN);
            out.push_str(end);
        } else {
            deeper_than = None;
            match secret_key(bare) {
                Some(colon) => {
                    deeper_than = Some(indent);
                    out.push_str(&bare[..=colon]);
                    if !bare[colon + 1..].trim().is_empty() {
                        out.push(' ');
                        out.push_str(HIDDEN);
                    }
                    out.push_str(end);
                }
                None => out.push_str(line),
            }
        }
        in_key &= !bare.contains("-----END");
    }
    out
}

/// The place of the colon after a key whose value is secret; in flow style the rest of the line goes with it.
fn secret_key(line: &str) -> Option<usize> {
    line.match_indices(':').map(|(colon, _)| colon).find(|colon| {
        let before = &line[..*colon];
        let key = before.rsplit(['{', ',', ' ', '-', '[']).next().unwrap_or(before);
        let whole = before.trim_start_matches([' ', '-']).trim_matches(['"', '\'']);
        is_secret(key) || is_secret(whole.rsplit(['{', ',']).next().unwrap_or(whole))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_others_are_hidden_and_the_rest_is_not() {
        let shown = text(
            "auth:\n  password: hunter2 # old\n  user: me\ndb: {token: abc, x: 1}\ncert: |\n  -----BEGIN RSA PRIVATE KEY-----\n  QUJD\n  -----END RSA PRIVATE KEY-----\nsecretKey: >\n  one\n  two\nnext: 1\n",
        );
        assert_eq!(
            shown,
            "auth:\n  password: (hidden)\n  user: me\ndb: {token: (hidden)\ncert: |\n  (hidden)\n  (hidden)\n  (hidden)\nsecretKey: (hidden)\n  (hidden)\n  (hidden)\nnext: 1\n"
        );
    }
}
