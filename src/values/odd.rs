//! Words that Helm reads otherwise than they look: YAML 1.1 against what people and newer programs take them for.

use std::fmt;

use serde_json::Value;

use super::{
    read, scalar,
    tree::{Node, NodeKind, Style},
};

/// One such word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmbiguousScalar {
    /// Its line and column, from 1.
    pub at: (usize, usize),
    /// The keys down to it.
    pub path: String,
    /// How it is written.
    text: String,
    /// How Helm reads it.
    reading: String,
}

/// Said of its path: a switch is shown, a number is not.
impl fmt::Display for AmbiguousScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self.reading.as_str(), "true" | "false") {
            return write!(f, "is {}, which Helm reads as {}", self.text, self.reading);
        }
        f.write_str("is written so that Helm reads another number than newer programs do")
    }
}

/// Every plain word of a file that is a boolean or another number for Helm and not for YAML 1.2: `yes`, `on`, `0123`,
/// `1_000`. Switches that are meant as booleans (`enabled: yes`) are none. A file that cannot be read has none.
#[must_use]
pub fn odd(text: &[u8]) -> Vec<AmbiguousScalar> {
    let Ok((tree, _)) = read::both(text) else { return Vec::new() };
    let mut found = Vec::new();
    if let Some(root) = &tree.root {
        walk(root, &mut Vec::new(), &mut found);
    }
    found
}

fn walk(node: &Node, path: &mut Vec<String>, found: &mut Vec<AmbiguousScalar>) {
    match &node.kind {
        NodeKind::Scalar { text, style: Style::Plain } if node.tag.is_none() => {
            let meant = path.last().is_some_and(|key| key.ends_with("nabled") || key.starts_with("verify"));
            found.extend(
                reading(text)
                    .filter(|reading| !(meant && reading.starts_with(['t', 'f'])))
                    .map(|reading| AmbiguousScalar { at: node.at, path: path.join("."), text: text.clone(), reading }),
            );
        }
        NodeKind::List { items, .. } => items.iter().for_each(|item| walk(item, path, found)),
        NodeKind::Map { pairs, .. } => {
            for (key, value) in pairs {
                let name = read::key(key).unwrap_or_default();
                if !read::is_merge(key) {
                    path.push("(key)".to_owned());
                    walk(key, path, found);
                    path.pop();
                }
                path.push(name);
                walk(value, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// Helm's reading where YAML 1.2 has another.
fn reading(text: &str) -> Option<String> {
    match scalar::resolve(text).ok()? {
        Value::Bool(value) => {
            (!matches!(text.to_ascii_lowercase().as_str(), "true" | "false")).then(|| value.to_string())
        }
        Value::Number(number) => {
            let unsigned = text.trim_start_matches(['-', '+']);
            // YAML 1.2 takes the octal 0123 for 123, and 0b11 or 1_000 for texts.
            let octal = unsigned.len() > 1 && unsigned.starts_with('0') && unsigned.bytes().all(|b| b.is_ascii_digit());
            let differs = octal && unsigned.parse::<f64>().ok() != number.as_f64().map(f64::abs);
            (differs || text.contains('_') || unsigned.starts_with("0b")).then(|| number.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_helm_reads_otherwise_are_found_and_meant_switches_are_not() {
        let text = b"on: 1\na: {b: 0123, c: yes, enabled: yes, d: 'no'}\nlist: [y, 1_000, 08, 0x1f, true, Norway, NO]\nverifyClientMSPID: on\n";
        let words: Vec<String> =
            odd(text).iter().map(|o| format!("{}:{} {} {}={}", o.at.0, o.at.1, o.path, o.text, o.reading)).collect();
        assert_eq!(
            words,
            [
                "1:1 (key) on=true",
                "2:8 a.b 0123=83",
                "2:17 a.c yes=true",
                "3:8 list y=true",
                "3:11 list 1_000=1000",
                "3:42 list NO=false"
            ]
        );
    }
}
