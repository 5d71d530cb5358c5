//! A key is taken out; the last one leaves `{}`.

use crate::failure::Code;
use std::ops::Range;

use super::{
    Refusal,
    flow::comma_after,
    plan::{ValuesDocument, not_a_map},
    splice::Splice,
    tree::{Node, NodeKind},
};

impl ValuesDocument<'_> {
    /// The lines of key and value go, comments above stay.
    pub(super) fn remove(
        &self,
        parent: Option<&Node>,
        map: &Node,
        key: &Node,
        value: &Node,
    ) -> Result<Vec<Splice>, Refusal> {
        let NodeKind::Map { pairs, flow } = &map.kind else {
            return Err(not_a_map(map));
        };
        if *flow {
            return self.remove_from_flow(pairs, key, value);
        }
        let mut start = self.line_start(key.bytes.start);
        if !self.text[start..key.bytes.start].trim().is_empty() {
            return Err(Refusal::new(Code::KeyForm, key.at, "the key does not stand on a line of its own"));
        }
        let end = self.line_after(self.content_end(value).max(self.after_colon(key)?));
        // Where the file has no last line end, the one before goes, so that it has none again.
        if end == self.text.len() && !self.text.ends_with('\n') {
            start = self.text[..start].trim_end_matches(['\n', '\r']).len();
        }
        let gone = Splice { at: start, removed: end - start, inserted: String::new() };
        match parent {
            Some(parent) if pairs.len() == 1 => {
                let empty = Splice { at: self.after_colon(parent)?, removed: 0, inserted: " {}".to_owned() };
                Ok(vec![empty, gone])
            }
            _ => Ok(vec![gone]),
        }
    }

    fn remove_from_flow(&self, pairs: &[(Node, Node)], key: &Node, value: &Node) -> Result<Vec<Splice>, Refusal> {
        let at = pairs.iter().position(|(other, _)| std::ptr::eq(other, key)).unwrap_or(0);
        let before = at.checked_sub(1).and_then(|before| pairs.get(before));
        let next = pairs.get(at + 1);
        if let Some(line) = self.own_line(key, value) {
            let is_last = next.is_none() && !self.text[value.bytes.end..line.end].trim_start().starts_with(',');
            let comma = before.filter(|_| is_last).and_then(|(_, b)| comma_after(self.text, b.bytes.end, line.start));
            let comma = comma.map(|at| Splice { at, removed: 1, inserted: String::new() });
            let line = Splice { at: line.start, removed: line.len(), inserted: String::new() };
            return Ok(comma.into_iter().chain([line]).collect());
        }
        let gone = match (before, next) {
            (_, Some((next, _))) => key.bytes.start..next.bytes.start,
            (Some((_, before)), None) => before.bytes.end..value.bytes.end,
            (None, None) => key.bytes.start..value.bytes.end,
        };
        if self.text[gone.clone()].contains(['#', '\n']) {
            let why = "a comment or a line end stands between the members here";
            return Err(Refusal::new(Code::FlowComment, key.at, why));
        }
        Ok(vec![Splice { at: gone.start, removed: gone.len(), inserted: String::new() }])
    }

    /// The lines of a member of a flow map, when nothing else stands on them but its comma and comment.
    fn own_line(&self, key: &Node, value: &Node) -> Option<Range<usize>> {
        let lines = self.line_start(key.bytes.start)..self.line_after(value.bytes.end);
        let before = self.text[lines.start..key.bytes.start].trim();
        let after = self.text[value.bytes.end..lines.end].trim();
        let after = after.strip_prefix(',').unwrap_or(after).trim_start();
        (before.is_empty() && (after.is_empty() || after.starts_with('#'))).then_some(lines)
    }
}
