//! What is shown of a values file: its keys, its switches and the settings that are ours; all else is hidden.

use std::ops::Range;

use serde_json::Value;

use super::{
    read, refuse, scalar,
    tree::{self, Node, NodeKind, Style},
};

/// What stands in the place of what is hidden.
pub const HIDDEN: &str = "(hidden)";

/// The place of a value: the keys down to it, `None` for an item of a list.
pub type KeyPath = [Option<String>];

/// A text line for line, with every value hidden but booleans, null and those whose place `is_ours`; every comment too.
/// `None` for a text that cannot be read: nobody knows what is a value there.
#[must_use]
pub fn masked(bytes: &[u8], is_ours: &dyn Fn(&KeyPath) -> bool) -> Option<String> {
    let text = refuse::check(bytes).ok()?;
    let tree = tree::parse(text).ok()?;
    let mut mask = Mask { text, is_ours, shown: String::with_capacity(text.len()), from: 0 };
    if let Some(root) = &tree.root {
        mask.node(root, &mut Vec::new());
    }
    mask.between(text.len());
    Some(mask.shown)
}

struct Mask<'a> {
    text: &'a str,
    is_ours: &'a dyn Fn(&KeyPath) -> bool,
    shown: String,
    /// Up to here the text is told.
    from: usize,
}

impl Mask<'_> {
    fn node(&mut self, node: &Node, place: &mut Vec<Option<String>>) {
        match &node.kind {
            NodeKind::Map { pairs, .. } => {
                for (key, value) in pairs {
                    self.leaf(&key.bytes, true);
                    place.push(Some(read::key(key).unwrap_or_default()));
                    self.node(value, place);
                    place.pop();
                }
            }
            NodeKind::List { items, .. } => {
                place.push(None);
                items.iter().for_each(|item| self.node(item, place));
                place.pop();
            }
            NodeKind::Scalar { text, style } => {
                let is_switch = *style == Style::Plain && node.tag.is_none() && is_switch(text);
                self.leaf(&node.bytes, is_switch || (self.is_ours)(place));
            }
            NodeKind::Alias(_) => self.leaf(&node.bytes, false),
        }
    }

    fn leaf(&mut self, bytes: &Range<usize>, is_shown: bool) {
        self.between(bytes.start);
        let Some(leaf) = self.text.get(self.from..bytes.end) else { return };
        if is_shown {
            self.shown.push_str(leaf);
        } else {
            hide(leaf, &mut self.shown);
        }
        self.from = bytes.end;
    }

    /// What stands between two values: white space and signs are shown, and nothing else that could be somebody's word
    /// (comments, anchors, tags).
    fn between(&mut self, to: usize) {
        let Some(gap) = self.text.get(self.from..to) else { return };
        self.from = to;
        for line in gap.split_inclusive('\n') {
            let bare = line.trim_end_matches(['\r', '\n']);
            let (signs, comment) = bare.split_once('#').map_or((bare, None), |(signs, rest)| (signs, Some(rest)));
            for word in signs.split_inclusive([' ', '\t']) {
                self.word(word);
            }
            match comment.map(str::trim) {
                None => {}
                Some("") => self.shown.push('#'),
                Some(_) => self.shown.extend(["# ", HIDDEN]),
            }
            self.shown.push_str(&line[bare.len()..]);
        }
    }

    fn word(&mut self, word: &str) {
        let bare = word.trim_end();
        let is_sign = bare.chars().all(|c| "-:{}[],?".contains(c)) || bare == "..." || tree::is_header(bare);
        self.shown.push_str(if is_sign { bare } else { HIDDEN });
        self.shown.push_str(&word[bare.len()..]);
    }
}

fn is_switch(text: &str) -> bool {
    matches!(scalar::resolve(text), Ok(Value::Bool(_) | Value::Null))
}

/// Each line of a value by itself, so that the lines are as many as they were.
fn hide(value: &str, shown: &mut String) {
    for line in value.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\r', '\n']);
        let words = bare.trim_start_matches([' ', '\t']);
        shown.push_str(&bare[..bare.len() - words.len()]);
        shown.push_str(if words.is_empty() { "" } else { HIDDEN });
        shown.push_str(&line[bare.len()..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let is_ours = |place: &KeyPath| place.first() == Some(&Some("ours".to_owned()));
        masked(text.as_bytes(), &is_ours).unwrap()
    }

    #[test]
    fn keys_switches_and_our_own_settings_are_shown_and_nothing_else() {
        for (text, meant) in [
            ("# a comment\nkey: value # and one\n", "# (hidden)\nkey: (hidden) # (hidden)\n"),
            ("on: yes\noff: ~\nn: 770001\ne:\n", "on: yes\noff: ~\nn: (hidden)\ne:\n"),
            (
                "ours: {a: mine, b: [x, 7]}\nyours: {a: \"x y\", b: ['x', 7, true]}\n",
                "ours: {a: mine, b: [x, 7]}\nyours: {a: (hidden), b: [(hidden), (hidden), true]}\n",
            ),
            (
                "b: |2- # c\n    one\n\n    two # no comment\nc: >\n  x\n",
                "b: |2- # (hidden)\n    (hidden)\n\n    (hidden)\nc: >\n  (hidden)\n",
            ),
            (
                "p: one\n  two\n  # c\nq: 'one\n\n  two'\n",
                "p: (hidden)\n  (hidden)\n  # (hidden)\nq: (hidden)\n\n  (hidden)\n",
            ),
            (
                "a: &anchor {x: 1}\nb: *anchor\nc: !tag word\nd: !!str true\n",
                "a: (hidden) {x: (hidden)}\nb: (hidden)\nc: (hidden) (hidden)\nd: (hidden) (hidden)\n",
            ),
            ("--- # c\n- 1\n", "--- # (hidden)\n- (hidden)\n"),
            ("a: 1\r\nb: x # c\r\n#\r\n", "a: (hidden)\r\nb: (hidden) # (hidden)\r\n#\r\n"),
            ("users:\n- name: me\n  secret: s\n- x\n", "users:\n- name: (hidden)\n  secret: (hidden)\n- (hidden)\n"),
            (
                "\"a key\": v\n? k\n: v\n\"tr\\u0075e\": \"true\"\n",
                "\"a key\": (hidden)\n? k\n: (hidden)\n\"tr\\u0075e\": (hidden)\n",
            ),
            ("# only a comment", "# (hidden)"),
        ] {
            assert_eq!(shown(text), meant, "{text}");
        }
    }

    #[test]
    fn a_text_that_cannot_be_read_is_not_shown() {
        for text in ["a: [1\n", "a: b: c\n", "a: \u{7}\n"] {
            assert_eq!(masked(text.as_bytes(), &|_| true), None, "{text}");
        }
        assert_eq!(masked(b"a: \xff\n", &|_| true), None);
    }
}
