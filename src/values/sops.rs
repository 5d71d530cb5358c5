//! Files that SOPS has encrypted: how they are known.

use serde_json::Value;

use super::{
    refuse,
    tree::{self, Node, NodeKind},
};

/// Whether SOPS has encrypted a file: a key `sops` at the top with a `mac` below it (sops, `stores/yaml`).
#[must_use]
pub fn is_encrypted(text: &[u8]) -> bool {
    // Most files are told without parsing them once more.
    if !text.windows(4).any(|word| word == b"sops") {
        return false;
    }
    let root = refuse::check(text).ok().and_then(|text| tree::parse(text).ok()).and_then(|tree| tree.root);
    root.as_ref().and_then(|root| at(root, "sops")).and_then(|sops| at(sops, "mac")).is_some()
}

/// Every value that stands in a file, encrypted or not, as a list.
#[must_use]
pub fn words(text: &[u8]) -> Value {
    let root = refuse::check(text).ok().and_then(|text| tree::parse(text).ok()).and_then(|tree| tree.root);
    let mut found = Vec::new();
    if let Some(root) = &root {
        collect(root, &mut found);
    }
    Value::Array(found)
}

fn collect(node: &Node, found: &mut Vec<Value>) {
    match &node.kind {
        NodeKind::Scalar { text, .. } => found.push(Value::from(text.as_str())),
        NodeKind::List { items, .. } => items.iter().for_each(|item| collect(item, found)),
        NodeKind::Map { pairs, .. } => pairs.iter().for_each(|(_, value)| collect(value, found)),
        NodeKind::Alias(_) => {}
    }
}

fn at<'a>(node: &'a Node, wanted: &str) -> Option<&'a Node> {
    let NodeKind::Map { pairs, .. } = &node.kind else { return None };
    let is = |key: &Node| matches!(&key.kind, NodeKind::Scalar { text, .. } if text == wanted);
    pairs.iter().find(|(key, _)| is(key)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_file_are_its_values() {
        let words = words(b"a: ENC[x]\nb: [one, 2]\nsops:\n    mac: m\n");
        assert_eq!(words, serde_json::json!(["ENC[x]", "one", "2", "m"]));
    }

    #[test]
    fn a_mac_below_sops_at_the_top_tells() {
        assert!(is_encrypted(b"a: ENC[x]\nsops:\n    mac: ENC[y]\n    version: 3.13.3\n"));
        for text in ["sops: true\n", "sops: {age: []}\n", "a:\n  sops:\n    mac: x\n", "a: {{ b }}\n", ""] {
            assert!(!is_encrypted(text.as_bytes()), "{text}");
        }
    }
}
