//! The reading of a values file as Helm's `-f` gives it.

use crate::failure::Code;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    Refusal, refuse, scalar,
    tree::{self, Node, NodeKind, Style, Tree},
};

/// How many nodes aliases may multiply a file to, against alias bombs.
const MOST_NODES: usize = 1_000_000;

/// The values of a file; one without content is `{}`.
///
/// # Errors
/// Helm cannot read the text, or Helm 3 and Helm 4 read it differently.
pub fn read(text: &[u8]) -> Result<Value, Refusal> {
    Ok(both(text)?.1)
}

/// The syntax tree and the values of a file.
pub(super) fn both(bytes: &[u8]) -> Result<(Tree, Value), Refusal> {
    let text = refuse::check(bytes)?;
    let tree = tree::parse(text)?;
    refuse::check_tree(text, &tree)?;
    let value = value(&tree)?;
    Ok((tree, value))
}

/// The values of a tree.
pub(super) fn value(tree: &Tree) -> Result<Value, Refusal> {
    let Some(root) = &tree.root else { return Ok(Value::Object(Map::new())) };
    let mut reader = Reader { anchors: BTreeMap::new(), nodes: 0 };
    match reader.node(root)? {
        Value::Null => Ok(Value::Object(Map::new())),
        value @ Value::Object(_) => Ok(value),
        _ => Err(Refusal::new(Code::Top, root.at, "the top of a values file must be a map")),
    }
}

/// A key as Helm reads it.
pub(super) fn key(node: &Node) -> Result<String, Refusal> {
    Ok(typed_key(node)?.0)
}

/// A key as text, and before Helm makes a text of it.
fn typed_key(node: &Node) -> Result<(String, Value), Refusal> {
    let value = match &node.kind {
        NodeKind::Scalar { text, style } => scalar_value(node, text, *style)?,
        _ => return Err(Refusal::new(Code::Key, node.at, "a key must be a single word or text")),
    };
    let key = scalar::key(&value).ok_or_else(|| Refusal::new(Code::Key, node.at, "Helm cannot use this as a key"))?;
    Ok((key, value))
}

/// Whether a key merges another map into its own.
pub(super) fn is_merge(node: &Node) -> bool {
    let NodeKind::Scalar { text, style } = &node.kind else { return false };
    text == "<<" && (node.tag.as_deref() == Some("!!merge") || (*style == Style::Plain && node.tag.is_none()))
}

struct Reader {
    anchors: BTreeMap<usize, Value>,
    nodes: usize,
}

impl Reader {
    fn node(&mut self, node: &Node) -> Result<Value, Refusal> {
        self.count(1, node)?;
        let value = match &node.kind {
            NodeKind::Scalar { text, style } => scalar::settle(scalar_value(node, text, *style)?),
            NodeKind::List { items, .. } => {
                collection_tag(node, "!!seq")?;
                Value::Array(items.iter().map(|item| self.node(item)).collect::<Result<_, _>>()?)
            }
            NodeKind::Map { pairs, .. } => {
                collection_tag(node, "!!map")?;
                self.map(pairs)?
            }
            NodeKind::Alias(id) => {
                let value = self.anchors.get(id).cloned();
                let value =
                    value.ok_or_else(|| Refusal::new(Code::Alias, node.at, "an alias inside its own anchor"))?;
                self.count(size(&value), node)?;
                value
            }
        };
        if node.anchor != 0 {
            self.anchors.insert(node.anchor, value.clone());
        }
        Ok(value)
    }

    fn count(&mut self, more: usize, node: &Node) -> Result<(), Refusal> {
        self.nodes += more;
        if self.nodes > MOST_NODES {
            return Err(Refusal::new(Code::AliasBomb, node.at, "aliases multiply the file beyond a million values"));
        }
        Ok(())
    }

    fn map(&mut self, pairs: &[(Node, Node)]) -> Result<Value, Refusal> {
        let mut map = Map::new();
        // Keys that are no text for YAML, since `1` and `"1"` are two keys until Helm makes one of them, by chance.
        let mut odd = BTreeMap::new();
        for (name, node) in pairs {
            self.count(1, name)?;
            if is_merge(name) {
                // In file order: what the merged map has overwrites what stands above.
                let merged = self.merged(node)?;
                map.extend(merged);
                continue;
            }
            let (key, typed) = typed_key(name)?;
            let there = odd.get(&key).or_else(|| map.contains_key(&key).then_some(&Value::Null));
            let same = there.is_none_or(|there| *there == typed || (there.is_null() && typed.is_string()));
            if !same {
                return Err(Refusal::new(
                    Code::KeyTwice,
                    name.at,
                    "this key and another one are the same text for Helm",
                ));
            }
            if name.anchor != 0 {
                self.anchors.insert(name.anchor, scalar::settle(typed.clone()));
            }
            if !typed.is_string() {
                odd.insert(key.clone(), typed);
            }
            let value = self.node(node)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }

    /// What `<<` takes: a map, an alias of one, or a list of these, of which the first wins.
    fn merged(&mut self, node: &Node) -> Result<Map<String, Value>, Refusal> {
        let items = match &node.kind {
            NodeKind::List { items, .. } => items.iter().rev().collect(),
            _ => vec![node],
        };
        let mut merged = Map::new();
        for item in items {
            match (&item.kind, self.node(item)?) {
                (NodeKind::Map { .. } | NodeKind::Alias(_), Value::Object(map)) => merged.extend(map),
                _ => return Err(Refusal::new(Code::Merge, item.at, "<< takes a map or a list of maps")),
            }
        }
        Ok(merged)
    }
}

/// A scalar before JSON, where integers and floats differ.
fn scalar_value(node: &Node, text: &str, style: Style) -> Result<Value, Refusal> {
    match node.tag.as_deref() {
        None if style == Style::Plain => scalar::resolve(text).map_err(|why| Refusal::new(Code::Number, node.at, why)),
        None | Some("!!str") => Ok(Value::String(text.to_owned())),
        Some("!!null") if text.is_empty() || text == "~" || text == "null" => Ok(Value::Null),
        // A tag of another program: Helm keeps the text.
        Some(tag) if refuse::is_foreign_tag(tag) => Ok(Value::String(text.to_owned())),
        Some(_) => Err(unknown_tag(node)),
    }
}

/// Helm looks at no tag of a map or list.
fn collection_tag(node: &Node, own: &str) -> Result<(), Refusal> {
    match node.tag.as_deref() {
        Some(tag) if tag != own && !refuse::is_foreign_tag(tag) => Err(unknown_tag(node)),
        _ => Ok(()),
    }
}

fn unknown_tag(node: &Node) -> Refusal {
    Refusal::new(Code::Tag, node.at, "the tag that stands here is not understood")
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(size).sum::<usize>(),
        _ => 1,
    }
}
