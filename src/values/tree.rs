//! The syntax tree of a values file: nodes with their bytes.

use std::{collections::BTreeSet, ops::Range};

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};

use super::{Refusal, refuse};

/// How deep maps and lists may stand in each other; beyond it, recursion could run out of stack.
const DEEPEST: usize = 200;

/// One node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Its bytes: of a collection, from its first to its last node or bracket.
    pub(super) bytes: Range<usize>,
    /// Line and column of its start, from 1.
    pub(super) at: (usize, usize),
    /// Not 0 where it has an anchor.
    pub(super) anchor: usize,
    /// The suffix of its tag, with `!!` for one of YAML's own.
    pub(super) tag: Option<String>,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Kind {
    Scalar { text: String, style: Style },
    List { items: Vec<Node>, flow: bool },
    Map { pairs: Vec<(Node, Node)>, flow: bool },
    Alias(usize),
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
    Block,
}

/// A file's tree.
#[derive(Debug)]
pub(super) struct Tree {
    /// `None` for a file of comments only.
    pub(super) root: Option<Node>,
    /// Anchors that some alias refers to.
    pub(super) referred: BTreeSet<usize>,
}

impl Node {
    /// Where its last content ends; a collection's own bytes may run into what follows it.
    pub(super) fn end(&self) -> usize {
        match &self.kind {
            Kind::Map { pairs, flow: false } => {
                pairs.last().map_or(self.bytes.end, |(key, value)| value.end().max(key.end()))
            }
            Kind::List { items, flow: false } => items.last().map_or(self.bytes.end, Node::end),
            _ => self.bytes.end,
        }
    }

    /// Whether it is a null that is not written at all.
    pub(super) fn is_unwritten(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { style: Style::Plain, .. }) && self.bytes.is_empty()
    }
}

/// Parses a text that passed the checks of `refuse`.
pub(super) fn parse(text: &str) -> Result<Tree, Refusal> {
    let options = granit_parser::options! { block_scalar_eof_without_line_feed: true };
    let mut builder =
        Builder { text, events: Parser::new_from_str_with_options(text, options), referred: BTreeSet::new(), flows: 0 };
    let root = builder.document()?;
    Ok(Tree { root, referred: builder.referred })
}

struct Builder<'a> {
    text: &'a str,
    events: Parser<'a, granit_parser::StrInput<'a>>,
    referred: BTreeSet<usize>,
    /// How many flow collections are open.
    flows: usize,
}

impl Builder<'_> {
    fn next(&mut self) -> Result<(Event<'static>, Span), Refusal> {
        loop {
            let next = self.events.next_event();
            let (event, span) = match next {
                None => return Err(Refusal::new("yaml", (0, 0), "the file ends early")),
                Some(Err(error)) => {
                    let at = (error.marker().line(), error.marker().col() + 1);
                    return Err(Refusal::new("yaml", at, refuse::printable(&error.to_string())));
                }
                Some(Ok(found)) => found,
            };
            match event {
                Event::Comment(..) => {}
                Event::Scalar(text, style, anchor, tag) => {
                    let tag = tag.map(|tag| std::borrow::Cow::Owned(tag.into_owned()));
                    return Ok((Event::Scalar(text.into_owned().into(), style, anchor, tag), span));
                }
                Event::SequenceStart(style, anchor, tag) => {
                    return Ok((
                        Event::SequenceStart(style, anchor, tag.map(|tag| std::borrow::Cow::Owned(tag.into_owned()))),
                        span,
                    ));
                }
                Event::MappingStart(style, anchor, tag) => {
                    return Ok((
                        Event::MappingStart(style, anchor, tag.map(|tag| std::borrow::Cow::Owned(tag.into_owned()))),
                        span,
                    ));
                }
                Event::Alias(id) => return Ok((Event::Alias(id), span)),
                Event::StreamStart => return Ok((Event::StreamStart, span)),
                Event::StreamEnd => return Ok((Event::StreamEnd, span)),
                Event::DocumentStart(explicit, version) => return Ok((Event::DocumentStart(explicit, version), span)),
                Event::DocumentEnd => return Ok((Event::DocumentEnd, span)),
                Event::SequenceEnd => return Ok((Event::SequenceEnd, span)),
                Event::MappingEnd => return Ok((Event::MappingEnd, span)),
                _ => return Err(Refusal::new("yaml", place(&span), "a part of YAML that this tool does not know")),
            }
        }
    }

    fn document(&mut self) -> Result<Option<Node>, Refusal> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(Refusal::new(
                        "documents",
                        place(&span),
                        "Helm 3 reads the first of several documents only, Helm 4 all of them",
                    ));
                }
                Event::DocumentStart(..) => {
                    let first = self.next()?;
                    root = Some(self.node(first, 0)?);
                }
                _ => return Err(Refusal::new("yaml", place(&span), "content after the document")),
            }
        }
    }

    fn node(&mut self, (event, span): (Event<'static>, Span), depth: usize) -> Result<Node, Refusal> {
        let at = place(&span);
        if depth > DEEPEST {
            return Err(Refusal::new(
                "depth",
                at,
                format!("maps and lists stand more than {DEEPEST} deep in each other"),
            ));
        }
        let start = offset(&span.start);
        let (kind, anchor, tag, end) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    _ => Style::Block,
                };
                let unwritten = style == Style::Plain && offset(&span.end) == start;
                let text = if unwritten { String::new() } else { text.into_owned() };
                (Kind::Scalar { text, style }, anchor, tag, self.scalar_end(style, start, offset(&span.end)))
            }
            Event::Alias(id) => {
                self.referred.insert(id);
                (Kind::Alias(id), 0, None, offset(&span.end))
            }
            Event::SequenceStart(style, anchor, tag) => {
                let flow = style == StructureStyle::Flow;
                let (items, end) = self.within(flow, |builder| builder.items(depth))?;
                (Kind::List { items, flow }, anchor, tag, end)
            }
            Event::MappingStart(style, anchor, tag) => {
                let flow = style == StructureStyle::Flow;
                let (pairs, end) = self.within(flow, |builder| builder.pairs(depth))?;
                (Kind::Map { pairs, flow }, anchor, tag, end)
            }
            _ => return Err(Refusal::new("yaml", at, "a value is missing here")),
        };
        let tag = tag.map(|tag| tag.core_suffix().map_or_else(|| tag.original(), |suffix| format!("!!{suffix}")));
        if tag.is_some() && self.flows > 0 {
            // For Helm the comma after a tag can be a part of it.
            return Err(Refusal::new("tag", at, "a tag stands inside { } or [ ]"));
        }
        Ok(Node { kind, bytes: start..end.max(start), at, anchor, tag })
    }

    fn within<T>(&mut self, flow: bool, work: impl FnOnce(&mut Self) -> Result<T, Refusal>) -> Result<T, Refusal> {
        self.flows += usize::from(flow);
        let done = work(self);
        self.flows -= usize::from(flow);
        done
    }

    fn items(&mut self, depth: usize) -> Result<(Vec<Node>, usize), Refusal> {
        let mut items = Vec::new();
        loop {
            let next = self.next()?;
            if next.0 == Event::SequenceEnd {
                return Ok((items, offset(&next.1.end)));
            }
            items.push(self.node(next, depth + 1)?);
        }
    }

    fn pairs(&mut self, depth: usize) -> Result<(Vec<(Node, Node)>, usize), Refusal> {
        let mut pairs = Vec::new();
        loop {
            let next = self.next()?;
            if next.0 == Event::MappingEnd {
                return Ok((pairs, offset(&next.1.end)));
            }
            let key = self.node(next, depth + 1)?;
            let value = self.next()?;
            let value = self.node(value, depth + 1)?;
            self.colon(&key, &value)?;
            pairs.push((key, value));
        }
    }

    /// In `{tls:}` the colon is a part of the key for Helm.
    fn colon(&self, key: &Node, value: &Node) -> Result<(), Refusal> {
        let rest = &self.text[key.bytes.end..];
        let glued = rest.strip_prefix(':').is_some_and(|rest| rest.starts_with([',', '}', ']']));
        if self.flows > 0 && value.is_unwritten() && glued {
            return Err(Refusal::new("flow-colon", key.at, "Helm takes the colon for a part of this key"));
        }
        Ok(())
    }

    /// The parser's end of block text may lie past the blank lines after it.
    fn scalar_end(&self, style: Style, start: usize, end: usize) -> usize {
        match style {
            Style::Block => start + self.text[start..end].trim_end_matches([' ', '\n', '\r', '\t']).len(),
            _ => end,
        }
    }
}

fn offset(marker: &granit_parser::Marker) -> usize {
    marker.byte_offset().unwrap_or(0)
}

fn place(span: &Span) -> (usize, usize) {
    (span.start.line(), span.start.col() + 1)
}
