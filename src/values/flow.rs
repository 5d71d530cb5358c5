//! New members inside `{ }` and `[ ]`.

use super::{
    Refusal,
    plan::ValuesDocument,
    splice::Splice,
    style::{Addition, collection},
    tree::{Node, NodeKind},
};
use crate::failure::Code;

impl ValuesDocument<'_> {
    /// Whether an empty flow map holds nothing but blanks, so that it can become a block.
    pub(super) fn is_bare(&self, map: &Node) -> bool {
        let inside = &self.text[map.bytes.start + 1..map.bytes.end - 1];
        inside.trim().is_empty() && !inside.contains('\n') && !self.is_inside_flow(map)
    }

    /// Whether keys of a flow map are written as in JSON.
    pub(super) fn is_quoted(&self, map: &Node) -> bool {
        match &map.kind {
            NodeKind::Map { pairs, .. } => pairs.iter().any(|(key, _)| self.has_quotes(key)),
            _ => false,
        }
    }

    /// Whether a scalar is written in double quotes.
    pub(super) fn has_quotes(&self, node: &Node) -> bool {
        self.text[node.bytes.start..].starts_with('"')
    }

    /// Whether some flow collection encloses a node.
    pub(super) fn is_inside_flow(&self, node: &Node) -> bool {
        self.tree.root.as_ref().is_some_and(|root| encloses(root, node))
    }

    /// A null inside a flow map gets its value in place.
    pub(super) fn open_flow(
        &self,
        key: &Node,
        value: &Node,
        additions: &[Addition<'_>],
    ) -> Result<Vec<Splice>, Refusal> {
        let inner = collection(additions, self.has_quotes(key));
        if value.is_unwritten() {
            return Ok(vec![Splice { at: self.after_colon(key)?, removed: 0, inserted: format!(" {inner}") }]);
        }
        Ok(vec![Splice { at: value.bytes.start, removed: value.bytes.len(), inserted: inner }])
    }

    /// More members, before the closing bracket; over several lines on lines of their own.
    pub(super) fn add_to_flow(&self, node: &Node, members: &[String]) -> Result<Vec<Splice>, Refusal> {
        let close = node.bytes.end - 1;
        let Some((first, last)) = ends(node) else { return Ok(vec![self.first_members(node, members)]) };
        if last.is_unwritten() {
            return Err(Refusal::new(Code::FlowNull, last.at, "a value is missing at the end of this collection"));
        }
        let end = last.bytes.end;
        let comma = comma_after(self.text, end, close);
        let own_line = self.line_start(close);
        if own_line <= end || !self.text[own_line..close].trim().is_empty() {
            // Keep a trailing comma.
            let at = comma.unwrap_or(end);
            return Ok(vec![Splice { at, removed: 0, inserted: format!(", {}", members.join(", ")) }]);
        }
        // The new lines stand like the line of the first member.
        let line = &self.text[self.line_start(first.bytes.start)..];
        let mut indent = line.len() - line.trim_start_matches(' ').len();
        if self.line_start(first.bytes.start) <= node.bytes.start {
            indent = close - own_line + self.habits.step;
        }
        let last_comma = if comma.is_some() { "," } else { "" };
        let lines = self.member_lines(indent, members, last_comma);
        let comma = comma.is_none().then(|| Splice { at: end, removed: 0, inserted: ",".to_owned() });
        Ok(comma.into_iter().chain([Splice { at: own_line, removed: 0, inserted: lines }]).collect())
    }

    fn first_members(&self, node: &Node, members: &[String]) -> Splice {
        let close = node.bytes.end - 1;
        let own_line = self.line_start(close);
        if own_line <= node.bytes.start {
            return Splice { at: node.bytes.start + 1, removed: 0, inserted: members.join(", ") };
        }
        let lines = self.member_lines(close - own_line + self.habits.step, members, "");
        Splice { at: own_line, removed: 0, inserted: lines }
    }

    fn member_lines(&self, indent: usize, members: &[String], last_comma: &str) -> String {
        let (indent, end) = (" ".repeat(indent), self.habits.line_end);
        format!("{indent}{}{last_comma}{end}", members.join(&format!(",{end}{indent}")))
    }
}

/// The first and the last node of a flow collection.
fn ends(node: &Node) -> Option<(&Node, &Node)> {
    match &node.kind {
        NodeKind::Map { pairs, .. } => Some((&pairs.first()?.0, &pairs.last()?.1)),
        NodeKind::List { items, .. } => Some((items.first()?, items.last()?)),
        _ => None,
    }
}

/// The comma between the last member and the closing bracket, comments passed over.
pub(super) fn comma_after(text: &str, end: usize, close: usize) -> Option<usize> {
    let mut in_comment = false;
    for (at, c) in text[end..close].char_indices() {
        match c {
            '\n' => in_comment = false,
            '#' => in_comment = true,
            ',' if !in_comment => return Some(end + at),
            _ => {}
        }
    }
    None
}

fn encloses(outer: &Node, node: &Node) -> bool {
    if std::ptr::eq(outer, node)
        || !(outer.bytes.start <= node.bytes.start && node.bytes.start < outer.bytes.end.max(outer.end() + 1))
    {
        return false;
    }
    match &outer.kind {
        NodeKind::Map { flow: true, .. } | NodeKind::List { flow: true, .. } => true,
        NodeKind::Map { pairs, .. } => pairs.iter().any(|(key, value)| encloses(key, node) || encloses(value, node)),
        NodeKind::List { items, .. } => items.iter().any(|item| encloses(item, node)),
        _ => false,
    }
}
