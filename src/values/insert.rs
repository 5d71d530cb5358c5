//! New lines in block style.

use super::{Refusal, plan::ValuesDocument, splice::Splice, style::Addition, tree::Node};
use crate::failure::Code;

impl ValuesDocument<'_> {
    /// A file without content.
    pub(super) fn fill_empty(&self, additions: &[Addition<'_>]) -> Splice {
        self.lines_at(self.document_end(), &self.habits.lines(additions, 0))
    }

    /// New keys in a block map: after its last child and the comments right below that belong to it; at the top after
    /// everything.
    pub(super) fn add_to_block(&self, map: &Node, additions: &[Addition<'_>]) -> Splice {
        let column = map.at.1 - 1;
        let is_root = self.tree.root.as_ref().is_some_and(|root| std::ptr::eq(root, map));
        let at = if is_root {
            self.document_end()
        } else {
            self.after_comments(self.line_after(self.content_end(map)), column)
        };
        self.lines_at(at, &self.habits.lines(additions, column))
    }

    /// A null or an empty `{}` after a key becomes a block below it; the token goes, spacing and comments stay.
    pub(super) fn open_block(
        &self,
        key: Option<&Node>,
        value: &Node,
        additions: &[Addition<'_>],
    ) -> Result<Vec<Splice>, Refusal> {
        let in_place = |column| {
            let text = self.habits.lines(additions, column).join(self.habits.line_end);
            Splice { at: value.bytes.start, removed: value.bytes.len(), inserted: text.trim_start().to_owned() }
        };
        // The whole file is `{}`.
        let Some(key) = key else { return Ok(vec![in_place(value.at.1 - 1)]) };
        if self.is_inside_flow(key) {
            return self.open_flow(key, value, additions);
        }
        let column = key.at.1 - 1;
        let lines = self.habits.lines(additions, column + self.habits.step_into(additions));
        if value.is_unwritten() {
            let at = self.after_comments(self.line_after(self.after_colon(key)?), column + 1);
            return Ok(vec![self.lines_at(at, &lines)]);
        }
        if value.at.0 != key.at.0 {
            // `{}` on a line of its own: the block takes its place, at its column.
            return Ok(vec![in_place(value.at.1 - 1)]);
        }
        let after = self.line_after(value.bytes.end);
        let rest_is_blank = self.text[value.bytes.end..after].trim().is_empty();
        let start = if rest_is_blank { self.after_colon(key)? } else { value.bytes.start };
        let gone = Splice { at: start, removed: value.bytes.end - start, inserted: String::new() };
        Ok(vec![gone, self.lines_at(self.after_comments(after, column + 1), &lines)])
    }

    /// More items of a block list.
    pub(super) fn add_items(
        &self,
        node: &Node,
        items: &[Node],
        additions: &[Addition<'_>],
    ) -> Result<Vec<Splice>, Refusal> {
        let unfit = || Refusal::new(Code::ListForm, node.at, "the list is not written as one `- item` a line");
        let last = items.last().ok_or_else(unfit)?;
        let before_dash = &self.text[self.line_start(last.bytes.start)..last.bytes.start];
        let column = before_dash.len() - before_dash.trim_start_matches(' ').len();
        if last.is_unwritten() || last.is_block_text() || before_dash.trim() != "-" {
            return Err(unfit());
        }
        let lines = self.habits.lines(additions, column);
        Ok(vec![self.lines_at(self.line_after(self.content_end(last)), &lines)])
    }

    /// Whole lines at the start of a line, or after a last line that has no end.
    pub(super) fn lines_at(&self, at: usize, lines: &[String]) -> Splice {
        let end = self.habits.line_end;
        let text = lines.join(end);
        let open = at > 0 && !self.text[..at].ends_with('\n');
        Splice { at, removed: 0, inserted: if open { format!("{end}{text}") } else { format!("{text}{end}") } }
    }

    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |i| i + 1)
    }

    /// The start of the line after the one that holds `at`.
    pub(super) fn line_after(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |i| at + i + 1)
    }

    /// Past the comment lines from `at` on that stand at `column` or deeper.
    fn after_comments(&self, mut at: usize, column: usize) -> usize {
        while at < self.text.len() {
            let end = self.line_after(at);
            let line = &self.text[at..end];
            let indent = line.len() - line.trim_start_matches(' ').len();
            if indent < column || !line[indent..].starts_with('#') {
                break;
            }
            at = end;
        }
        at
    }

    /// The end of the text, or the line `...` that ends the document.
    fn document_end(&self) -> usize {
        let mut at = self.tree.root.as_ref().map_or(0, |root| self.line_after(self.content_end(root)));
        while at < self.text.len() {
            let end = self.line_after(at);
            if self.text[at..end].trim_end() == "..." {
                return at;
            }
            at = end;
        }
        at
    }

    /// Where a node's last content ends; kept blank lines are a part of a `|+` text.
    pub(super) fn content_end(&self, node: &Node) -> usize {
        let end = node.end();
        match node.last_scalar() {
            Some(last) if last.header(self.text).contains('+') => {
                let rest = &self.text[end..];
                let blank = rest.split_inclusive('\n').skip(1).take_while(|line| line.trim().is_empty());
                let kept: usize = blank.map(str::len).sum();
                let line = self.line_after(end);
                if kept == 0 { end } else { line + kept - 1 }
            }
            _ => end,
        }
    }
}
