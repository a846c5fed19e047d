//! From parser events to the tree, within the limits of spec project-yaml.md 14.
//! Stops at a second document; follows no recursion.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as YamlSpan};

use super::input::Text;
use super::node::{Doc, Kind, Node, Style, Tag};
use crate::hash::HashMap;
use crate::source::{Range, Source};

/// Nodes after alias and merge expansion.
const MOST_NODES: u64 = 2_000_000;
/// Nesting of lists and mappings, aliases followed.
const DEEPEST: u32 = 64;

/// Why a text gives no tree.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// Not YAML. `offset` is where the parser noticed it.
    Syntax { info: String, offset: usize, open: Vec<usize> },
    /// An alias inside the value it stands for.
    AliasOfItself(Range),
    /// A limit is passed at this place (P007).
    Limit(Range, &'static str),
    /// There is no document at all.
    Empty,
}

/// A list or mapping that is not closed yet.
struct Open {
    id: u32,
    /// The bracket of a flow collection.
    bracket: Option<usize>,
    anchor: usize,
    /// Where its children begin among the pending ones.
    first: usize,
    size: u64,
    height: u32,
}

/// What is known of a finished node beside itself.
#[derive(Clone, Copy)]
struct Extent {
    size: u64,
    height: u32,
}

struct Reader<'s, 'a> {
    source: &'s Source<'s>,
    text: &'a str,
    nodes: Vec<Node<'a>>,
    stack: Vec<Open>,
    /// Children of all that is open, the outermost first.
    pending: Vec<u32>,
    anchors: HashMap<usize, (u32, Extent)>,
    root: Option<u32>,
}

/// Reads one document. `text` has the same length and lines as the text of `source`.
pub(crate) fn read<'a>(source: &Source<'_>, text: &'a str) -> Result<Doc<'a>, Unreadable> {
    let mut reader = Reader {
        source,
        text,
        nodes: Vec::with_capacity(text.len() / 24),
        stack: Vec::new(),
        pending: Vec::new(),
        anchors: HashMap::default(),
        root: None,
    };
    let mut parser = Parser::new(Text::new(text));
    let mut documents = 0;
    let mut second = None;
    while let Some(step) = parser.next_event() {
        let (event, span) = step.map_err(|e| Unreadable::Syntax {
            info: e.info().to_owned(),
            offset: source.offset_of_char(e.marker().index()),
            open: reader.stack.iter().filter_map(|o| o.bracket).collect(),
        })?;
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                second = Some(reader.range(span));
                break;
            }
        }
        reader.event(event, span)?;
    }
    match reader.root {
        Some(root) => Ok(Doc { nodes: reader.nodes, root, second }),
        None => Err(Unreadable::Empty),
    }
}

impl<'a> Reader<'_, 'a> {
    fn range(&self, span: YamlSpan) -> Range {
        (self.source.offset_of_char(span.start.index()), self.source.offset_of_char(span.end.index()))
    }

    fn event(&mut self, event: Event<'a>, span: YamlSpan) -> Result<(), Unreadable> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let range = self.scalar_range(span, style, &text);
                let text = self.borrowed(text, range, style);
                self.finish(Kind::Scalar(text, style), range, tag.map(core_tag), anchor, Extent { size: 1, height: 0 })
            }
            Event::Alias(anchor) => {
                let range = self.trimmed(self.range(span));
                let Some(&(target, extent)) = self.anchors.get(&anchor) else {
                    return Err(Unreadable::AliasOfItself(range));
                };
                self.finish(Kind::Alias(target), range, None, 0, extent)
            }
            Event::SequenceStart(anchor, tag) => self.open(Kind::Seq(Vec::new()), span, anchor, tag),
            Event::MappingStart(anchor, tag) => self.open(Kind::Map(Vec::new()), span, anchor, tag),
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            _ => Ok(()),
        }
    }

    fn open(
        &mut self,
        kind: Kind<'a>,
        span: YamlSpan,
        anchor: usize,
        tag: Option<Cow<'a, saphyr_parser::Tag>>,
    ) -> Result<(), Unreadable> {
        let range = self.range(span);
        let start = self.after_properties(range.0, anchor > 0 || tag.is_some());
        if self.stack.len() >= DEEPEST as usize {
            return Err(Unreadable::Limit((start, start + 1), "is nested more than 64 levels deep"));
        }
        let bracket = matches!(self.text.as_bytes().get(start), Some(b'[' | b'{')).then_some(start);
        let id = self.push(kind, (start, start), tag.map(core_tag));
        self.stack.push(Open { id, bracket, anchor, first: self.pending.len(), size: 1, height: 1 });
        Ok(())
    }

    fn close(&mut self, span: YamlSpan) -> Result<(), Unreadable> {
        let Some(open) = self.stack.pop() else { return Ok(()) };
        let children = self.pending.get(open.first..).unwrap_or_default();
        let end = match (open.bracket, children.last()) {
            (None, Some(&last)) => self.nodes[last as usize].range.1,
            _ => narrow(self.range(span).1),
        };
        let node = &mut self.nodes[open.id as usize];
        node.range.1 = end.max(node.range.0);
        match &mut node.kind {
            Kind::Map(pairs) => *pairs = children.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect(),
            kind => *kind = Kind::Seq(children.to_vec()),
        }
        self.pending.truncate(open.first);
        self.attach(open.id, open.anchor, Extent { size: open.size, height: open.height })
    }

    fn push(&mut self, kind: Kind<'a>, range: Range, tag: Option<Box<Tag>>) -> u32 {
        let id = narrow(self.nodes.len());
        self.nodes.push(Node { kind, range: (narrow(range.0), narrow(range.1)), tag });
        id
    }

    fn finish(
        &mut self,
        kind: Kind<'a>,
        range: Range,
        tag: Option<Box<Tag>>,
        anchor: usize,
        e: Extent,
    ) -> Result<(), Unreadable> {
        let id = self.push(kind, range, tag);
        self.attach(id, anchor, e)
    }

    /// Hangs a finished node under the open one and counts what it brings.
    fn attach(&mut self, id: u32, anchor: usize, extent: Extent) -> Result<(), Unreadable> {
        let node = &self.nodes[id as usize];
        let range = (node.range.0 as usize, node.range.1 as usize);
        if anchor > 0 {
            let target = if let Kind::Alias(target) = node.kind { target } else { id };
            self.anchors.insert(anchor, (target, extent));
        }
        let depth = narrow(self.stack.len());
        let Some(parent) = self.stack.last_mut() else {
            self.root = Some(id);
            return Ok(());
        };
        self.pending.push(id);
        parent.size = parent.size.saturating_add(extent.size);
        parent.height = parent.height.max(extent.height + 1);
        if parent.size > MOST_NODES {
            return Err(Unreadable::Limit(range, "has more than 2,000,000 values once its aliases are followed"));
        }
        if depth + extent.height > DEEPEST {
            return Err(Unreadable::Limit(range, "is nested more than 64 levels deep"));
        }
        Ok(())
    }

    /// The parser reports anchors and tags as part of a node; the value begins after them.
    fn after_properties(&self, start: usize, has: bool) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = start;
        while has && matches!(bytes.get(at), Some(b'&' | b'!')) {
            while bytes.get(at).is_some_and(|b| !b.is_ascii_whitespace()) {
                at += 1;
            }
            while bytes.get(at).is_some_and(|b| matches!(b, b' ' | b'\t')) {
                at += 1;
            }
        }
        at
    }

    /// Where a scalar stands: without the blanks after it that the parser counts in.
    fn scalar_range(&self, span: YamlSpan, style: Style, text: &str) -> Range {
        let (start, end) = self.range(span);
        if text.is_empty() && style == Style::Plain {
            return (start, start);
        }
        let quoted = matches!(style, Style::Single | Style::Double);
        let starts_like_it = matches!(self.text.as_bytes().get(start), Some(b'&' | b'!'));
        let start = self.after_properties(start, starts_like_it && (quoted || !text.starts_with(['&', '!'])));
        self.trimmed((start, end.max(start)))
    }

    /// Most values are written as they are read; those need no memory of their own.
    fn borrowed(&self, value: Cow<'a, str>, (start, end): Range, style: Style) -> Cow<'a, str> {
        let written = match style {
            Style::Plain => self.text.get(start..end),
            Style::Single | Style::Double => self.text.get(start + 1..end.saturating_sub(1)),
            Style::Block => None,
        };
        written.filter(|written| *written == value).map_or(value, Cow::Borrowed)
    }

    fn trimmed(&self, (start, end): Range) -> Range {
        let inside = self.text.get(start..end).unwrap_or_default();
        (start, start + inside.trim_end_matches([' ', '\t', '\r', '\n']).len())
    }
}

/// Sorts a tag into what can be used and what cannot.
fn core_tag(tag: Cow<'_, saphyr_parser::Tag>) -> Box<Tag> {
    Box::new(sorted(&tag))
}

fn sorted(tag: &saphyr_parser::Tag) -> Tag {
    if tag.handle == "tag:yaml.org,2002:" {
        return match tag.suffix.as_str() {
            "str" | "int" | "float" | "bool" | "null" | "seq" | "map" => Tag::Core(tag.suffix.as_str().into()),
            other => Tag::Foreign(format!("!!{other}").into()),
        };
    }
    match (tag.handle.as_str(), tag.suffix.as_str()) {
        ("" | "!", "" | "!") => Tag::Core("str".into()),
        ("", suffix) if suffix.starts_with("tag:yaml.org,2002:") => {
            let name = suffix.trim_start_matches("tag:yaml.org,2002:");
            match name {
                "str" | "int" | "float" | "bool" | "null" | "seq" | "map" => Tag::Core(name.into()),
                other => Tag::Foreign(format!("!!{other}").into()),
            }
        }
        (handle, suffix) => Tag::Foreign(format!("{handle}{suffix}").into()),
    }
}

/// Files are at most 8 MiB, so nothing is cut.
fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
