//! The reading of a values file as Helm's `-f` gives it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    Refusal, refuse, scalar,
    tree::{self, Kind, Node, Style, Tree},
};

/// How many nodes aliases may multiply a file to, against alias bombs.
const MOST_NODES: usize = 1_000_000;

/// The values of a file; one without content is `{}`.
///
/// # Errors
/// Helm cannot read the text, or Helm 3 and Helm 4 read it differently.
pub fn read(text: &[u8]) -> Result<Value, Refusal> {
    let text = refuse::check(text)?;
    value(&tree::parse(text)?)
}

/// The values of a tree.
pub(super) fn value(tree: &Tree) -> Result<Value, Refusal> {
    let Some(root) = &tree.root else { return Ok(Value::Object(Map::new())) };
    let mut reader = Reader { anchors: BTreeMap::new(), nodes: 0 };
    match reader.node(root)? {
        Value::Null => Ok(Value::Object(Map::new())),
        value @ Value::Object(_) => Ok(value),
        _ => Err(Refusal::new("top", root.at, "the top of a values file must be a map")),
    }
}

/// A key as Helm reads it.
pub(super) fn key(node: &Node) -> Result<String, Refusal> {
    let value = match &node.kind {
        Kind::Scalar { text, style } => scalar_value(node, text, *style)?,
        _ => return Err(Refusal::new("key", node.at, "a key must be a single word or text")),
    };
    scalar::key(&value).ok_or_else(|| Refusal::new("key", node.at, "Helm cannot use this as a key"))
}

/// Whether a key merges another map into its own.
pub(super) fn is_merge(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar { text, style: Style::Plain } if text == "<<")
        || node.tag.as_deref() == Some("!!merge")
}

struct Reader {
    anchors: BTreeMap<usize, Value>,
    nodes: usize,
}

impl Reader {
    fn node(&mut self, node: &Node) -> Result<Value, Refusal> {
        self.count(1, node)?;
        let value = match &node.kind {
            Kind::Scalar { text, style } => scalar_value(node, text, *style)?,
            Kind::List { items, .. } => {
                collection_tag(node, "!!seq")?;
                Value::Array(items.iter().map(|item| self.node(item)).collect::<Result<_, _>>()?)
            }
            Kind::Map { pairs, .. } => {
                collection_tag(node, "!!map")?;
                self.map(pairs)?
            }
            Kind::Alias(id) => {
                let value = self.anchors.get(id).cloned();
                let value = value.ok_or_else(|| Refusal::new("alias", node.at, "an alias inside its own anchor"))?;
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
            return Err(Refusal::new("alias-bomb", node.at, "aliases multiply the file beyond a million values"));
        }
        Ok(())
    }

    fn map(&mut self, pairs: &[(Node, Node)]) -> Result<Value, Refusal> {
        let mut map = Map::new();
        for (name, node) in pairs {
            if is_merge(name) {
                // In file order: what the merged map has overwrites what stands above.
                let merged = self.node(node)?;
                merge_into(&mut map, merged, node)?;
                continue;
            }
            let key = key(name)?;
            if name.anchor != 0 {
                self.anchors.insert(name.anchor, Value::String(key.clone()));
            }
            let value = self.node(node)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

fn merge_into(map: &mut Map<String, Value>, merged: Value, node: &Node) -> Result<(), Refusal> {
    match merged {
        Value::Object(other) => map.extend(other),
        Value::Array(items) if items.iter().all(Value::is_object) => {
            for item in items.into_iter().rev() {
                merge_into(map, item, node)?;
            }
        }
        _ => return Err(Refusal::new("merge", node.at, "<< takes a map or a list of maps")),
    }
    Ok(())
}

fn scalar_value(node: &Node, text: &str, style: Style) -> Result<Value, Refusal> {
    match node.tag.as_deref() {
        None if style == Style::Plain => scalar::resolve(text).map_err(|why| Refusal::new("number", node.at, why)),
        None | Some("!!str" | "!") => Ok(Value::String(text.to_owned())),
        Some("!!null") if text.is_empty() || text == "~" || text == "null" => Ok(Value::Null),
        Some(tag) if tag.starts_with("!!") || tag.starts_with("!<") || tag.contains(',') => {
            Err(Refusal::new("tag", node.at, format!("the tag {} is not understood", refuse::printable(tag))))
        }
        // A tag of another program: Helm keeps the text.
        Some(_) => Ok(Value::String(text.to_owned())),
    }
}

fn collection_tag(node: &Node, own: &str) -> Result<(), Refusal> {
    match node.tag.as_deref() {
        None => Ok(()),
        Some(tag) if tag == own => Ok(()),
        Some(tag) => Err(Refusal::new("tag", node.at, format!("the tag {} is not understood", refuse::printable(tag)))),
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(size).sum::<usize>(),
        _ => 1,
    }
}
