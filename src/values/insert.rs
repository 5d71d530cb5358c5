//! New lines in block style, in the file's own habits: indentation, dashes, line ends.

use std::collections::BTreeMap;

use super::{
    Change, Refusal, Setting,
    edit::{Document, Splice},
    literal,
    tree::{Kind, Node},
};

/// How a file is written.
pub(super) struct Habits {
    /// `\n` or `\r\n`, the commoner one.
    line_end: &'static str,
    /// How far a map stands inside its parent, the commonest.
    step: usize,
    /// How far a dash stands inside its key, the commonest.
    dash: usize,
}

impl Habits {
    pub(super) fn of(text: &str, root: Option<&Node>) -> Self {
        let (all, dos) = (text.matches('\n').count(), text.matches("\r\n").count());
        let (mut steps, mut dashes) = (BTreeMap::new(), BTreeMap::new());
        if let Some(root) = root {
            count(text, root, &mut steps, &mut dashes);
        }
        let commonest =
            |counts: &BTreeMap<usize, usize>| counts.iter().max_by_key(|(_, n)| **n).map(|(width, _)| *width);
        let step = commonest(&steps).unwrap_or(2);
        Self { line_end: if dos * 2 > all { "\r\n" } else { "\n" }, step, dash: commonest(&dashes).unwrap_or(step) }
    }

    pub(super) fn line_end(&self) -> &'static str {
        self.line_end
    }

    pub(super) fn step(&self) -> usize {
        self.step
    }

    /// The lines of a path that is not there yet, from a column on.
    fn lines(&self, path: &[String], change: &Change, column: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let mut at = column;
        for (depth, key) in path.iter().enumerate() {
            let value = match change {
                Change::Set(value) if depth + 1 == path.len() => format!(" {}", literal::scalar(value, false)),
                _ => String::new(),
            };
            lines.push(format!("{}{}:{value}", " ".repeat(at), literal::text(key, false)));
            at += if depth + 1 == path.len() { self.dash } else { self.step };
        }
        if let Change::Include(item) = change {
            lines.push(format!("{}- {}", " ".repeat(at), literal::text(item, false)));
        }
        lines
    }
}

fn count(text: &str, node: &Node, steps: &mut BTreeMap<usize, usize>, dashes: &mut BTreeMap<usize, usize>) {
    match &node.kind {
        Kind::Map { pairs, flow: false } => {
            for (key, value) in pairs {
                let inside = value.at.1.saturating_sub(key.at.1);
                match &value.kind {
                    Kind::Map { flow: false, .. } if inside > 0 => *steps.entry(inside).or_default() += 1,
                    Kind::List { items, flow: false } => {
                        let dash = items.first().map(|item| indent_of_line(text, item.bytes.start) + 1);
                        let inside = dash.and_then(|dash| dash.checked_sub(key.at.1));
                        inside.into_iter().for_each(|inside| *dashes.entry(inside).or_default() += 1);
                    }
                    _ => {}
                }
                count(text, value, steps, dashes);
            }
        }
        Kind::List { items, flow: false } => items.iter().for_each(|item| count(text, item, steps, dashes)),
        _ => {}
    }
}

fn indent_of_line(text: &str, at: usize) -> usize {
    let line = &text[text[..at].rfind('\n').map_or(0, |i| i + 1)..];
    line.len() - line.trim_start_matches(' ').len()
}

impl Document<'_> {
    /// A file without content.
    pub(super) fn append_to_empty(&self, setting: &Setting) -> Result<Vec<Splice>, Refusal> {
        if setting.change == Change::Remove {
            return Ok(Vec::new());
        }
        let lines = self.habits.lines(&setting.path, &setting.change, 0);
        Ok(vec![self.lines_at(self.document_end(), &lines)])
    }

    /// A new key in a block map: after its last child and the comments right below that belong to it; at the top
    /// after everything.
    pub(super) fn add_to_block(&self, map: &Node, path: &[String], change: &Change) -> Result<Vec<Splice>, Refusal> {
        if *change == Change::Remove {
            return Ok(Vec::new());
        }
        let column = map.at.1 - 1;
        let is_root = self.tree.root.as_ref().is_some_and(|root| std::ptr::eq(root, map));
        let at = if is_root {
            self.document_end()
        } else {
            self.after_comments(self.line_after(self.content_end(map)), column)
        };
        Ok(vec![self.lines_at(at, &self.habits.lines(path, change, column))])
    }

    /// A null or an empty `{}` after a key becomes a block below it; the token goes, spacing and comments stay.
    /// With an empty path the block is a list.
    pub(super) fn open_block(
        &self,
        key: Option<&Node>,
        value: &Node,
        path: &[String],
        change: &Change,
    ) -> Result<Vec<Splice>, Refusal> {
        let Some(key) = key else { return self.open_root(value, path, change) };
        if self.is_inside_flow(key) {
            return self.open_flow(key, value, path, change);
        }
        let column = key.at.1 - 1;
        let inside = column + if path.is_empty() { self.habits.dash } else { self.habits.step };
        let lines = self.habits.lines(path, change, inside);
        if value.is_unwritten() {
            let at = self.after_comments(self.line_after(self.after_colon(key)?), column + 1);
            return Ok(vec![self.lines_at(at, &lines)]);
        }
        if value.at.0 != key.at.0 {
            // `{}` on a line of its own: the block takes its place, at its column.
            let lines = self.habits.lines(path, change, value.at.1 - 1);
            let text = lines.join(self.habits.line_end).trim_start().to_owned();
            return Ok(vec![Splice { at: value.bytes.start, removed: value.bytes.len(), inserted: text }]);
        }
        let after = self.line_after(value.bytes.end);
        let rest_is_blank = self.text[value.bytes.end..after].trim().is_empty();
        let start = if rest_is_blank { self.after_colon(key)? } else { value.bytes.start };
        let gone = Splice { at: start, removed: value.bytes.end - start, inserted: String::new() };
        Ok(vec![gone, self.lines_at(self.after_comments(after, column + 1), &lines)])
    }

    /// The whole file is `{}`.
    fn open_root(&self, value: &Node, path: &[String], change: &Change) -> Result<Vec<Splice>, Refusal> {
        if *change == Change::Remove {
            return Ok(Vec::new());
        }
        let text = self.habits.lines(path, change, 0).join(self.habits.line_end);
        Ok(vec![Splice { at: value.bytes.start, removed: value.bytes.len(), inserted: text }])
    }

    /// One more item of a block list.
    pub(super) fn add_item(&self, list: &Node, items: &[Node], item: &str) -> Result<Vec<Splice>, Refusal> {
        let odd = || Refusal::new("list-form", list.at, "the list is not written as one `- item` a line");
        let last = items.last().ok_or_else(odd)?;
        let line = self.line_start(last.bytes.start);
        let before = &self.text[line..last.bytes.start];
        let column = before.len() - before.trim_start_matches(' ').len();
        if last.is_unwritten() || last.is_block_text() || before.trim() != "-" {
            return Err(odd());
        }
        let at = self.line_after(self.content_end(last));
        Ok(vec![self.lines_at(at, &[format!("{}- {}", " ".repeat(column), literal::text(item, false))])])
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
