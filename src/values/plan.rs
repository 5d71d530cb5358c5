//! Where settings meet the tree, and which splices follow.

use crate::failure::Code;
use std::ptr;

use super::{
    Change, Refusal, Scalar, Setting, literal,
    read::{is_merge, key},
    splice::Splice,
    style::{Addition, FileFormat, members},
    tree::{Node, NodeKind, Style, Tree},
};

/// A text, its tree and its habits.
pub(super) struct ValuesDocument<'a> {
    pub(super) text: &'a str,
    pub(super) tree: Tree,
    pub(super) habits: FileFormat,
}

/// A place in the tree that changes.
enum EditPoint<'t> {
    /// The file has no content.
    Empty,
    /// A map or list, or a null in its stead, takes something new; with its key.
    Grows(Option<&'t Node>, &'t Node),
    /// A key is there, in a map that has the other key.
    Leaf { parent: Option<&'t Node>, map: &'t Node, key: &'t Node, value: &'t Node },
}

impl EditPoint<'_> {
    fn is_at(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Empty, Self::Empty) => true,
            (
                Self::Grows(_, node) | Self::Leaf { value: node, .. },
                Self::Grows(_, other) | Self::Leaf { value: other, .. },
            ) => ptr::eq(*node, *other),
            _ => false,
        }
    }
}

impl<'a> ValuesDocument<'a> {
    pub(super) fn new(text: &'a str, tree: Tree) -> Self {
        let habits = FileFormat::of(text, tree.root.as_ref());
        Self { text, tree, habits }
    }

    /// The splices for the first settings, in order, and for how many: those that would change one place twice wait.
    pub(super) fn plan(&self, settings: &[&Setting]) -> Result<(Vec<Splice>, usize), Refusal> {
        let mut places: Vec<(EditPoint<'_>, Vec<Addition<'_>>)> = Vec::new();
        let mut taken = 0;
        for setting in settings {
            let removes = setting.change == Change::Remove;
            if removes && taken > 0 {
                break;
            }
            let (place, rest) = self.walk(setting)?;
            match places.iter_mut().find(|(other, _)| other.is_at(&place)) {
                Some((EditPoint::Leaf { .. }, _)) => break,
                Some((_, additions)) => additions.push((rest, &setting.change)),
                None => places.push((place, vec![(rest, &setting.change)])),
            }
            taken += 1;
            if removes {
                break;
            }
        }
        let mut splices = Vec::new();
        for (place, additions) in places {
            splices.extend(self.change(&place, &additions)?);
        }
        splices.sort_by_key(Splice::order);
        Ok((splices, taken))
    }

    /// Walks down the path as far as it is there; the rest is what must be added.
    fn walk<'t>(&'t self, setting: &'t Setting) -> Result<(EditPoint<'t>, &'t [String]), Refusal> {
        let Some(root) = self.tree.root.as_ref().filter(|root| !root.is_unwritten()) else {
            return Ok((EditPoint::Empty, &setting.path));
        };
        let (mut parent, mut node, mut rest) = (None, root, setting.path.as_slice());
        self.editable(root)?;
        while let Some((name, below)) = rest.split_first() {
            let NodeKind::Map { pairs, .. } = &node.kind else { break };
            let Some((key, value)) = find(pairs, name)? else { break };
            self.after_colon(key)?;
            if below.is_empty() && setting.change == Change::Remove {
                return Ok((EditPoint::Leaf { parent, map: node, key, value }, below));
            }
            self.editable(value)?;
            if below.is_empty() && matches!(setting.change, Change::Set(_)) {
                return Ok((EditPoint::Leaf { parent, map: node, key, value }, below));
            }
            (parent, node, rest) = (Some(key), value, below);
        }
        Ok((EditPoint::Grows(parent, node), rest))
    }

    /// Nodes on the path must be what they look like, and nobody else's.
    pub(super) fn editable(&self, node: &Node) -> Result<(), Refusal> {
        let refuse = |code, why: &str| Err(Refusal::new(code, node.at, why));
        if node.anchor != 0 && self.tree.referred.contains(&node.anchor) {
            return refuse(Code::Anchor, "an alias elsewhere refers to this: the edit would change that place too");
        }
        if node.tag.is_some() {
            return refuse(Code::Tag, "a tag stands here");
        }
        match &node.kind {
            NodeKind::Alias(_) => refuse(Code::Alias, "an alias stands here: its anchor is somewhere else"),
            NodeKind::Map { pairs, .. } if pairs.iter().any(|(key, _)| is_merge(key)) => {
                refuse(Code::Merge, "this map merges another one with <<, and the order decides which value wins")
            }
            _ => Ok(()),
        }
    }

    fn change(&self, place: &EditPoint<'_>, additions: &[Addition<'_>]) -> Result<Vec<Splice>, Refusal> {
        match (place, additions) {
            (EditPoint::Empty, _) => Ok(vec![self.fill_empty(additions)]),
            (EditPoint::Grows(key, node), _) => self.grow(*key, node, additions),
            (EditPoint::Leaf { map, key, value, .. }, [(_, Change::Set(scalar))]) => {
                Ok(vec![self.set(key, value, scalar, map)?])
            }
            (EditPoint::Leaf { parent, map, key, value }, _) => self.remove(*parent, map, key, value),
        }
    }

    fn grow(&self, key: Option<&Node>, node: &Node, additions: &[Addition<'_>]) -> Result<Vec<Splice>, Refusal> {
        let wants_list = additions.iter().any(|(path, _)| path.is_empty());
        match &node.kind {
            NodeKind::Map { flow: false, .. } if !wants_list => Ok(vec![self.add_to_block(node, additions)]),
            NodeKind::Map { pairs, .. } if !wants_list => {
                if pairs.is_empty() && self.is_bare(node) {
                    return self.open_block(key, node, additions);
                }
                let empty = pairs.is_empty() && key.is_some_and(|key| self.has_quotes(key));
                self.add_to_flow(node, &members(additions, empty || self.is_quoted(node)))
            }
            NodeKind::List { items, flow: false } if wants_list => self.add_items(node, items, additions),
            NodeKind::List { items, flow: true } if wants_list => {
                let quoted = items.iter().any(|item| self.has_quotes(item));
                self.add_to_flow(node, &members(additions, quoted))
            }
            _ if node.is_null() && key.is_some() => self.open_block(key, node, additions),
            _ if wants_list => Err(Refusal::new(Code::NotAList, node.at, "something else stands where a list must be")),
            _ => Err(not_a_map(node)),
        }
    }

    fn set(&self, key: &Node, value: &Node, scalar: &Scalar, map: &Node) -> Result<Splice, Refusal> {
        let NodeKind::Scalar { style, .. } = &value.kind else {
            return Err(Refusal::new(Code::NotAValue, value.at, "a map or list stands where a single value must be"));
        };
        if *style == Style::Block || self.text[value.bytes.clone()].contains('\n') {
            return Err(Refusal::new(Code::SeveralLines, value.at, "the value has several lines"));
        }
        let flow = matches!(map.kind, NodeKind::Map { flow: true, .. });
        let new = literal::scalar(scalar, flow && self.is_quoted(map));
        if value.is_unwritten() {
            return Ok(Splice { at: self.after_colon(key)?, removed: 0, inserted: format!(" {new}") });
        }
        Ok(Splice { at: value.bytes.start, removed: value.bytes.len(), inserted: new })
    }

    /// The byte after the colon of a key.
    pub(super) fn after_colon(&self, key: &Node) -> Result<usize, Refusal> {
        let rest = &self.text[key.bytes.end..];
        let gap = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if rest[gap..].starts_with(':') && !self.text[..key.bytes.start].trim_end_matches(' ').ends_with('?') {
            Ok(key.bytes.end + gap + 1)
        } else {
            Err(Refusal::new(Code::KeyForm, key.at, "the key is not written as `key:`"))
        }
    }
}

/// Where keys are to be added or taken out, something else stands.
pub(super) fn not_a_map(node: &Node) -> Refusal {
    Refusal::new(Code::NotAMap, node.at, "something else stands where a map must be")
}

/// The pair of a key; twice the same key is refused, since the last one wins in silence.
fn find<'a>(pairs: &'a [(Node, Node)], name: &str) -> Result<Option<(&'a Node, &'a Node)>, Refusal> {
    let mut found = None;
    for (node, value) in pairs {
        if key(node)? == name {
            if found.is_some() {
                return Err(Refusal::new(Code::KeyTwice, node.at, format!("the key {name} stands here a second time")));
            }
            found = Some((node, value));
        }
    }
    Ok(found)
}
