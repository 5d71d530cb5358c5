//! What an edit asks for, and what the tree must be afterwards.

use serde_json::{Map, Value, json};

use super::style::{Addition, FileFormat};

/// A value of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// `true` or `false`.
    Bool(bool),
    /// A text.
    Text(String),
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Scalar {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl Scalar {
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Bool(value) => json!(value),
            Self::Text(text) => json!(text),
        }
    }
}

/// What happens at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The key has this value.
    Set(Scalar),
    /// The key's list holds this item; the list is made where it is missing.
    Include(String),
    /// The key is gone; the last key of a map leaves `{}`, since null would delete a chart's default.
    Remove,
}

/// One change at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The keys from the top, at least one.
    pub path: Vec<String>,
    /// What happens there.
    pub change: Change,
}

impl Setting {
    fn new(path: &[&str], change: Change) -> Self {
        Self { path: path.iter().map(|key| (*key).to_owned()).collect(), change }
    }

    /// The key at `path` has this value.
    pub fn set(path: &[&str], value: impl Into<Scalar>) -> Self {
        Self::new(path, Change::Set(value.into()))
    }

    /// The list at `path` holds this item.
    #[must_use]
    pub fn include(path: &[&str], item: &str) -> Self {
        Self::new(path, Change::Include(item.to_owned()))
    }

    /// The key at `path` is gone.
    #[must_use]
    pub fn remove(path: &[&str]) -> Self {
        Self::new(path, Change::Remove)
    }

    /// Whether a tree is so already.
    pub(super) fn holds(&self, tree: &Value) -> bool {
        let there = self.path.iter().try_fold(tree, |node, key| node.get(key));
        match (&self.change, there) {
            (Change::Set(value), Some(there)) => value.value() == *there,
            (Change::Include(item), Some(Value::Array(items))) => items.iter().any(|i| i == item),
            (Change::Remove, there) => there.is_none(),
            _ => false,
        }
    }
}

/// The YAML that a person would merge by hand, each key once.
pub(super) fn snippet(settings: &[Setting]) -> String {
    let (gone, there): (Vec<&Setting>, _) = settings.iter().partition(|setting| setting.change == Change::Remove);
    let additions: Vec<Addition<'_>> = there.iter().map(|setting| (setting.path.as_slice(), &setting.change)).collect();
    let lines = FileFormat::default().lines(&additions, 0).into_iter();
    let gone = gone.into_iter().map(|setting| format!("# take out: {}", setting.path.join(".")));
    lines.chain(gone).flat_map(|line| [line, "\n".to_owned()]).collect()
}

/// The tree after the settings: what the new text must read as.
#[must_use]
pub fn apply(tree: &Value, settings: &[Setting]) -> Value {
    let mut tree = tree.clone();
    for setting in settings {
        apply_one(&mut tree, &setting.path, &setting.change);
    }
    tree
}

fn apply_one(node: &mut Value, path: &[String], change: &Change) {
    let Some((key, rest)) = path.split_first() else { return };
    if !node.is_object() {
        *node = Value::Object(Map::new());
    }
    let Some(map) = node.as_object_mut() else { return };
    if !rest.is_empty() {
        if *change == Change::Remove && !map.get(key).is_some_and(Value::is_object) {
            return;
        }
        return apply_one(map.entry(key.clone()).or_insert(Value::Null), rest, change);
    }
    match change {
        Change::Set(value) => drop(map.insert(key.clone(), value.value())),
        Change::Remove => drop(map.remove(key)),
        Change::Include(item) => {
            let list = map.entry(key.clone()).or_insert(Value::Null);
            match list {
                Value::Array(items) if items.iter().any(|i| i == item) => {}
                Value::Array(items) => items.push(json!(item)),
                other => *other = json!([item]),
            }
        }
    }
}
