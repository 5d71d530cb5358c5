//! The edit of one file: settings become splices, and two gates prove the result before it leaves.

use super::{
    Change, Refusal, Scalar, Setting, apply, flow, insert, literal, read,
    read::{is_merge, key},
    refuse,
    setting::snippet,
    tree::{Kind, Node, Style, Tree},
};

/// Some bytes of a text give way to others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) at: usize,
    pub(super) removed: usize,
    pub(super) inserted: String,
}

/// A text, its tree and its habits.
pub(super) struct Document<'a> {
    pub(super) text: &'a str,
    pub(super) tree: Tree,
    pub(super) habits: insert::Habits,
}

/// The text with the settings, every other byte as it was; the same bytes when everything is so already.
///
/// # Errors
/// The text cannot be read, or a setting stands where it cannot be edited safely; the refusal has the YAML to paste.
pub fn edit(text: &[u8], settings: &[Setting]) -> Result<Vec<u8>, Refusal> {
    proven(text, settings).map_err(|refusal| Refusal { snippet: Some(snippet(settings)), ..refusal })
}

fn proven(text: &[u8], settings: &[Setting]) -> Result<Vec<u8>, Refusal> {
    let body = refuse::check(text)?;
    let mark = &text[..text.len() - body.len()];
    let (mut tree, mut value) = read::both(text)?;
    let meant = apply(&value, settings);
    let mut new = body.to_owned();
    for setting in settings {
        if setting.holds(&value) {
            continue;
        }
        new = edit_one(&new, tree, setting)?;
        (tree, value) = read::both(new.as_bytes()).map_err(|_| unproven())?;
    }
    // The gate of the tree. The gate of the bytes is passed at each splice.
    if value == meant { Ok([mark, new.as_bytes()].concat()) } else { Err(unproven()) }
}

fn edit_one(text: &str, tree: Tree, setting: &Setting) -> Result<String, Refusal> {
    let habits = insert::Habits::of(text, tree.root.as_ref());
    let splices = Document { text, tree, habits }.plan(setting)?;
    let new = splice(text, &splices);
    if unsplice(&new, &splices, text).as_deref() == Some(text) { Ok(new) } else { Err(unproven()) }
}

fn splice(text: &str, splices: &[Splice]) -> String {
    let mut new = String::with_capacity(text.len() + 200);
    let mut from = 0;
    for splice in splices {
        new.push_str(&text[from..splice.at]);
        new.push_str(&splice.inserted);
        from = splice.at + splice.removed;
    }
    new.push_str(&text[from..]);
    new
}

/// The gate of the bytes: the new text with the splices taken out again.
fn unsplice(new: &str, splices: &[Splice], old: &str) -> Option<String> {
    let mut text = String::with_capacity(old.len());
    let (mut from, mut shift) = (0, 0_isize);
    for splice in splices {
        let at = splice.at.checked_add_signed(shift)?;
        text.push_str(new.get(from..at)?);
        text.push_str(old.get(splice.at..splice.at + splice.removed)?);
        from = at + splice.inserted.len();
        if new.get(at..from)? != splice.inserted {
            return None;
        }
        shift += splice.inserted.len().cast_signed() - splice.removed.cast_signed();
    }
    text.push_str(new.get(from..)?);
    Some(text)
}

fn unproven() -> Refusal {
    Refusal::new("unproven", (0, 0), "the edit could not be proven to change nothing else")
}

impl Document<'_> {
    /// Walks down the path as far as it is there, and changes or adds what is left of it.
    fn plan(&self, setting: &Setting) -> Result<Vec<Splice>, Refusal> {
        let Some(root) = &self.tree.root else { return self.append_to_empty(setting) };
        if root.is_unwritten() {
            return self.append_to_empty(setting);
        }
        let mut parent: Option<(&Node, &Node)> = None;
        let mut node = root;
        for (depth, name) in setting.path.iter().enumerate() {
            let rest = &setting.path[depth..];
            self.editable(node)?;
            let Kind::Map { pairs, .. } = &node.kind else {
                return self.fill(parent, node, rest, &setting.change);
            };
            let Some((key, value)) = find(pairs, name)? else {
                return self.add(parent.map(|(key, _)| key), node, rest, &setting.change);
            };
            self.after_colon(key)?;
            if rest.len() == 1 {
                return self.leaf(parent.map(|(key, _)| key), node, (key, value), &setting.change);
            }
            parent = Some((key, value));
            node = value;
        }
        Err(unproven())
    }

    /// Nodes on the path must be what they look like, and nobody else's.
    pub(super) fn editable(&self, node: &Node) -> Result<(), Refusal> {
        let refuse = |code, why: &str| Err(Refusal::new(code, node.at, why));
        if node.anchor != 0 && self.tree.referred.contains(&node.anchor) {
            return refuse("anchor", "an alias elsewhere refers to this: the edit would change that place too");
        }
        if node.tag.is_some() {
            return refuse("tag", "a tag stands here");
        }
        match &node.kind {
            Kind::Alias(_) => refuse("alias", "an alias stands here: its anchor is somewhere else"),
            Kind::Map { pairs, .. } if pairs.iter().any(|(key, _)| is_merge(key)) => {
                refuse("merge", "this map merges another one with <<, and the order decides which value wins")
            }
            _ => Ok(()),
        }
    }

    /// The key is not there.
    fn add(&self, parent: Option<&Node>, map: &Node, rest: &[String], change: &Change) -> Result<Vec<Splice>, Refusal> {
        let Kind::Map { pairs, flow } = &map.kind else { return Err(unproven()) };
        match (flow, pairs.is_empty()) {
            (false, _) => self.add_to_block(map, rest, change),
            (true, true) if self.is_bare(map) => self.open_block(parent, map, rest, change),
            (true, empty) => {
                let quoted = if empty { parent.is_some_and(|key| self.has_quotes(key)) } else { self.is_quoted(map) };
                self.add_to_flow(map, &flow::content(rest, change, quoted))
            }
        }
    }

    /// Where a map must be stands something else: null is filled, the rest is refused.
    fn fill(
        &self,
        parent: Option<(&Node, &Node)>,
        node: &Node,
        rest: &[String],
        change: &Change,
    ) -> Result<Vec<Splice>, Refusal> {
        if !node.is_null() || parent.is_none() {
            return Err(Refusal::new("not-a-map", node.at, "something else stands where a map must be"));
        }
        self.open_block(parent.map(|(key, _)| key), node, rest, change)
    }

    fn leaf(
        &self,
        parent: Option<&Node>,
        map: &Node,
        (key, value): (&Node, &Node),
        change: &Change,
    ) -> Result<Vec<Splice>, Refusal> {
        if *change == Change::Remove {
            return self.remove(parent, map, key, value);
        }
        self.editable(value)?;
        match (change, &value.kind) {
            (Change::Set(scalar), Kind::Scalar { style, .. }) => self.set(key, value, *style, scalar, map),
            (Change::Include(item), Kind::List { items, flow: false }) => self.add_item(value, items, item),
            (Change::Include(item), Kind::List { items, flow: true }) => {
                let quoted = items.iter().any(|item| self.has_quotes(item));
                self.add_to_flow(value, &literal::text(item, quoted))
            }
            (Change::Include(_), _) if value.is_null() => self.open_block(Some(key), value, &[], change),
            (Change::Include(_), _) => {
                Err(Refusal::new("not-a-list", value.at, "something else stands where a list must be"))
            }
            _ => Err(Refusal::new("not-a-value", value.at, "a map or list stands where a single value must be")),
        }
    }

    fn set(&self, key: &Node, value: &Node, style: Style, scalar: &Scalar, map: &Node) -> Result<Vec<Splice>, Refusal> {
        let written = &self.text[value.bytes.clone()];
        if style == Style::Block || written.contains('\n') {
            return Err(Refusal::new("several-lines", value.at, "the value goes over several lines"));
        }
        let flow = matches!(map.kind, Kind::Map { flow: true, .. });
        let new = literal::scalar(scalar, flow && self.is_quoted(map));
        if value.is_unwritten() {
            let at = self.after_colon(key)?;
            return Ok(vec![Splice { at, removed: 0, inserted: format!(" {new}") }]);
        }
        Ok(vec![Splice { at: value.bytes.start, removed: value.bytes.len(), inserted: new }])
    }

    /// The byte after the colon of a key.
    pub(super) fn after_colon(&self, key: &Node) -> Result<usize, Refusal> {
        let rest = &self.text[key.bytes.end..];
        let gap = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if rest[gap..].starts_with(':') && !self.text[..key.bytes.start].trim_end_matches(' ').ends_with('?') {
            Ok(key.bytes.end + gap + 1)
        } else {
            Err(Refusal::new("key-form", key.at, "the key is not written as `key:`"))
        }
    }
}

/// The pair of a key; twice the same key is refused, since the last one wins in silence.
fn find<'a>(pairs: &'a [(Node, Node)], name: &str) -> Result<Option<(&'a Node, &'a Node)>, Refusal> {
    let mut found = None;
    for (node, value) in pairs {
        if key(node)? == name {
            if found.is_some() {
                return Err(Refusal::new("key-twice", node.at, format!("the key {name} stands here a second time")));
            }
            found = Some((node, value));
        }
    }
    Ok(found)
}
