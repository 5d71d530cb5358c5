//! The syntax tree of a values file: nodes with their bytes.

use crate::failure::Code;
use std::{collections::BTreeSet, ops::Range};

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle, Tag};

use super::{Refusal, refuse, scalar};

/// How deep maps and lists may stand in each other; beyond it, recursion could run out of stack.
const DEEPEST: usize = 200;

/// One node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    /// Its bytes: of a collection, from its first to its last node or bracket.
    pub(super) bytes: Range<usize>,
    /// Line and column of its start, from 1.
    pub(super) at: (usize, usize),
    /// Not 0 where it has an anchor.
    pub(super) anchor: usize,
    /// Its tag as it is written.
    pub(super) tag: Option<String>,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum NodeKind {
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
            NodeKind::Map { pairs, flow: false } => {
                pairs.last().map_or(self.bytes.end, |(key, value)| value.end().max(key.end()))
            }
            NodeKind::List { items, flow: false } => items.last().map_or(self.bytes.end, Node::end),
            _ => self.bytes.end,
        }
    }

    /// The scalar, or bracketed collection, that it ends with.
    pub(super) fn last_scalar(&self) -> Option<&Self> {
        match &self.kind {
            NodeKind::Map { pairs, flow: false } => pairs.last().and_then(|(_, value)| value.last_scalar()),
            NodeKind::List { items, flow: false } => items.last().and_then(Self::last_scalar),
            _ => Some(self),
        }
    }

    /// The signs after the `|` or `>` of a block text, with the sign itself; else nothing.
    pub(super) fn header<'a>(&self, text: &'a str) -> &'a str {
        if !self.is_block_text() {
            return "";
        }
        let line = &text[text[..self.bytes.start].rfind('\n').map_or(0, |i| i + 1)..self.bytes.start];
        let words: Vec<&str> = line.split_whitespace().collect();
        let at_end = |at: usize| words.get(at + 1).is_none_or(|next| next.starts_with('#'));
        let header = words.iter().enumerate().find(|(at, word)| is_header(word) && at_end(*at));
        header.map_or("", |(_, word)| word)
    }

    /// Whether it is written with `|` or `>`.
    pub(super) fn is_block_text(&self) -> bool {
        matches!(self.kind, NodeKind::Scalar { style: Style::Block, .. })
    }

    /// Whether it is a block text whose last line end is a part of it.
    pub(super) fn keeps_line_ends(&self, text: &str) -> bool {
        let header = self.header(text);
        !header.is_empty() && !header.contains('-')
    }

    /// Whether it is null, written or not.
    pub(super) fn is_null(&self) -> bool {
        let NodeKind::Scalar { text, style: Style::Plain } = &self.kind else { return false };
        scalar::resolve(text) == Ok(serde_json::Value::Null)
    }

    /// Whether it is a null that is not written at all.
    pub(super) fn is_unwritten(&self) -> bool {
        matches!(&self.kind, NodeKind::Scalar { style: Style::Plain, .. }) && self.bytes.is_empty()
    }
}

/// Parses a text that passed the checks of `refuse`.
pub(super) fn parse(text: &str) -> Result<Tree, Refusal> {
    let options = granit_parser::options! { block_scalar_eof_without_line_feed: true, emit_anchor_events: true };
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

impl<'a> Builder<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Refusal> {
        loop {
            match self.events.next_event() {
                None => return Err(Refusal::new(Code::Yaml, (0, 0), "the file ends early")),
                Some(Err(error)) => {
                    let at = (error.marker().line(), error.marker().col() + 1);
                    return Err(Refusal::new(Code::Yaml, at, refuse::without_quotes(&error.info())));
                }
                Some(Ok((Event::Comment(..), span))) => self.comment(&span)?,
                Some(Ok((Event::Anchor(_, name), span))) => anchor_name(&name, &span)?,
                Some(Ok(found)) => return Ok(found),
            }
        }
    }

    /// Helm reads a tab before a comment only where a value could go on: a new line above it can make it unreadable.
    fn comment(&self, span: &Span) -> Result<(), Refusal> {
        let before = &self.text[..offset(&span.start)];
        let indentation = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
        if indentation.contains('\t') && indentation.trim().is_empty() {
            return Err(Refusal::new(Code::Tab, place(span), "a tab stands before this comment"));
        }
        Ok(())
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
                        Code::Documents,
                        place(&span),
                        "Helm 3 reads the first of several documents only, Helm 4 all of them",
                    ));
                }
                Event::DocumentStart(..) => {
                    let first = self.next()?;
                    root = Some(self.node(first, 0)?);
                }
                _ => return Err(Refusal::new(Code::Yaml, place(&span), "content after the document")),
            }
        }
    }

    fn node(&mut self, (event, span): (Event<'a>, Span), depth: usize) -> Result<Node, Refusal> {
        let at = place(&span);
        if depth > DEEPEST {
            return Err(Refusal::new(
                Code::Depth,
                at,
                format!("maps and lists stand more than {DEEPEST} deep in each other"),
            ));
        }
        let bytes = offset(&span.start)..offset(&span.end);
        let (kind, anchor, tag, bytes) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    _ => Style::Block,
                };
                let unwritten = style == Style::Plain && bytes.is_empty();
                let text = if unwritten { String::new() } else { text.into_owned() };
                let bytes = self.scalar_bytes(style, &text, bytes);
                (NodeKind::Scalar { text, style }, anchor, tag, bytes)
            }
            Event::Alias(id) => {
                anchor_name(self.text[bytes.clone()].trim_start_matches('*'), &span)?;
                self.referred.insert(id);
                (NodeKind::Alias(id), 0, None, bytes)
            }
            Event::SequenceStart(style, anchor, tag) => {
                let flow = style == StructureStyle::Flow;
                let (items, end) = self.within(flow, |builder| builder.items(depth))?;
                (NodeKind::List { items, flow }, anchor, tag, bytes.start..end.max(bytes.start))
            }
            Event::MappingStart(style, anchor, tag) => {
                let flow = style == StructureStyle::Flow;
                let (pairs, end) = self.within(flow, |builder| builder.pairs(depth))?;
                (NodeKind::Map { pairs, flow }, anchor, tag, bytes.start..end.max(bytes.start))
            }
            _ => return Err(Refusal::new(Code::Yaml, at, "a value is missing here")),
        };
        let tag = tag.map(|tag| raw_tag(self.text, &tag, &span));
        if tag.is_some() && self.flows > 0 {
            // For Helm the comma after a tag can be a part of it.
            return Err(Refusal::new(Code::Tag, at, "a tag stands inside { } or [ ]"));
        }
        Ok(Node { kind, bytes, at, anchor, tag })
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

    /// In `{tls:}` and `{tls :}` the colon is a part of the key for Helm.
    fn colon(&self, key: &Node, value: &Node) -> Result<(), Refusal> {
        let rest = self.text[key.bytes.end..].trim_start();
        let glued = rest.strip_prefix(':').is_some_and(|rest| rest.starts_with([',', '}', ']']));
        if self.flows > 0 && value.is_unwritten() && glued {
            return Err(Refusal::new(Code::FlowColon, key.at, "Helm takes the colon for a part of this key"));
        }
        Ok(())
    }

    /// Block text: from the end of its header's line to its last letter, since the parser's span begins below the
    /// header and its blank lines, and may end past the blank lines after the text.
    fn scalar_bytes(&self, style: Style, text: &str, bytes: Range<usize>) -> Range<usize> {
        if style != Style::Block {
            return bytes;
        }
        let rest = &self.text[bytes.start..];
        if text.trim().is_empty() && rest.starts_with(['|', '>']) {
            // Without a letter up to the end of the file, the parser's span begins at the header itself.
            let header = bytes.start + rest.lines().next().unwrap_or_default().trim_end().len();
            return header..header;
        }
        let header = self.text[..bytes.start].trim_end().len();
        let letters = self.text[bytes.clone()].trim_end_matches([' ', '\n', '\r', '\t']).len();
        header..if letters == 0 { header } else { bytes.start + letters }
    }
}

/// `|`, `>-`, `|2+` and so on.
pub(super) fn is_header(word: &str) -> bool {
    word.strip_prefix(['|', '>']).is_some_and(|signs| signs.bytes().all(|b| b"+-123456789".contains(&b)))
}

fn offset(marker: &granit_parser::Marker) -> usize {
    marker.byte_offset().unwrap_or(0)
}

/// Helm ends the name of an anchor at the first other character.
fn anchor_name(name: &str, span: &Span) -> Result<(), Refusal> {
    if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        return Ok(());
    }
    Err(Refusal::new(Code::AnchorName, place(span), "an anchor's name has letters, digits, _ and - only"))
}

fn raw_tag(text: &str, tag: &Tag, span: &Span) -> String {
    let written = span.tag_span().and_then(|span| span.slice(text));
    written.map_or_else(|| tag.original(), str::to_owned)
}

fn place(span: &Span) -> (usize, usize) {
    (span.start.line(), span.start.col() + 1)
}
