//! New members inside `{ }` and `[ ]`.

use super::{
    Change, Refusal,
    edit::{Document, Splice},
    literal,
    tree::{Kind, Node},
};

/// A path that is not there yet, on one line: `tls: {mtls: {enabled: true}}`.
pub(super) fn content(path: &[String], change: &Change, quoted: bool) -> String {
    let Some((key, rest)) = path.split_first() else {
        return match change {
            Change::Set(value) => literal::scalar(value, quoted),
            Change::Include(item) => format!("[{}]", literal::text(item, quoted)),
            Change::Remove => String::new(),
        };
    };
    let inner = content(rest, change, quoted);
    let inner = if rest.is_empty() { inner } else { format!("{{{inner}}}") };
    format!("{}: {inner}", literal::text(key, quoted))
}

impl Document<'_> {
    /// Whether an empty flow map holds nothing but blanks, so that it can become a block.
    pub(super) fn is_bare(&self, map: &Node) -> bool {
        let inside = &self.text[map.bytes.start + 1..map.bytes.end - 1];
        inside.trim().is_empty() && !inside.contains('\n') && !self.is_inside_flow(map)
    }

    /// Whether keys of a flow map are written as in JSON.
    pub(super) fn is_quoted(&self, map: &Node) -> bool {
        match &map.kind {
            Kind::Map { pairs, .. } => pairs.iter().any(|(key, _)| self.has_quotes(key)),
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
        path: &[String],
        change: &Change,
    ) -> Result<Vec<Splice>, Refusal> {
        let quoted = self.has_quotes(key);
        let inner = content(path, change, quoted);
        let inner = if path.is_empty() { inner } else { format!("{{{inner}}}") };
        if value.is_unwritten() {
            return Ok(vec![Splice { at: self.after_colon(key)?, removed: 0, inserted: format!(" {inner}") }]);
        }
        Ok(vec![Splice { at: value.bytes.start, removed: value.bytes.len(), inserted: inner }])
    }

    /// One member more, before the closing bracket; over several lines on a line of its own.
    pub(super) fn add_to_flow(&self, node: &Node, content: &str) -> Result<Vec<Splice>, Refusal> {
        let close = node.bytes.end - 1;
        let Some((first, last)) = ends(node) else { return Ok(self.first_member(node, content)) };
        if last.is_unwritten() {
            return Err(Refusal::new("flow-null", last.at, "a value is missing at the end of this collection"));
        }
        let end = last.bytes.end;
        let comma = comma_after(self.text, end, close);
        let own_line = self.line_start(close);
        if own_line <= end || !self.text[own_line..close].trim().is_empty() {
            return Ok(match comma {
                // Who ends a collection with a comma goes on to do so.
                Some(comma) => vec![Splice { at: comma, removed: 0, inserted: format!(", {content}") }],
                None => vec![Splice { at: end, removed: 0, inserted: format!(", {content}") }],
            });
        }
        // The new line stands like the line of the first member.
        let line = &self.text[self.line_start(first.bytes.start)..];
        let mut indent = line.len() - line.trim_start_matches(' ').len();
        if self.line_start(first.bytes.start) <= node.bytes.start {
            indent = close - own_line + self.habits.step();
        }
        let last_comma = if comma.is_some() { "," } else { "" };
        let line = format!("{}{content}{last_comma}{}", " ".repeat(indent), self.habits.line_end());
        let line = Splice { at: own_line, removed: 0, inserted: line };
        let comma = comma.is_none().then(|| Splice { at: end, removed: 0, inserted: ",".to_owned() });
        Ok(comma.into_iter().chain([line]).collect())
    }

    fn first_member(&self, node: &Node, content: &str) -> Vec<Splice> {
        let close = node.bytes.end - 1;
        let own_line = self.line_start(close);
        if own_line <= node.bytes.start {
            return vec![Splice { at: node.bytes.start + 1, removed: 0, inserted: content.to_owned() }];
        }
        let indent = " ".repeat(close - own_line + self.habits.step());
        vec![Splice { at: own_line, removed: 0, inserted: format!("{indent}{content}{}", self.habits.line_end()) }]
    }
}

/// The first and the last node of a flow collection.
fn ends(node: &Node) -> Option<(&Node, &Node)> {
    match &node.kind {
        Kind::Map { pairs, .. } => Some((&pairs.first()?.0, &pairs.last()?.1)),
        Kind::List { items, .. } => Some((items.first()?, items.last()?)),
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
        Kind::Map { flow: true, .. } | Kind::List { flow: true, .. } => true,
        Kind::Map { pairs, .. } => pairs.iter().any(|(key, value)| encloses(key, node) || encloses(value, node)),
        Kind::List { items, .. } => items.iter().any(|item| encloses(item, node)),
        _ => false,
    }
}
