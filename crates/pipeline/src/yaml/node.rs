//! The tree of a document: nodes in one arena, aliases as references, merges flattened on reading.
//! Spec project-yaml.md 2.

use std::borrow::Cow;

use super::scalar::{Plain, resolve};
use crate::hash::HashMap;
use crate::source::Range;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Single,
    Double,
    /// `|` or `>`.
    Block,
}

/// The tag of a node that has one, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tag {
    /// A tag of the core schema: `str`, `int`, `map` and so on.
    Core(Box<str>),
    /// Any other; the value is of no usable type. Holds the tag as shown to people.
    Foreign(Box<str>),
}

/// What a node is.
#[derive(Debug)]
pub(crate) enum Kind<'a> {
    Scalar(Cow<'a, str>, Style),
    Seq(Vec<u32>),
    Map(Vec<(u32, u32)>),
    /// The number of the node it stands for, never an alias itself.
    Alias(u32),
}

/// One node with its range in the source.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) kind: Kind<'a>,
    pub(crate) range: (u32, u32),
    /// Rare, and boxed so that nodes are small.
    pub(crate) tag: Option<Box<Tag>>,
}

/// A whole document.
#[derive(Debug)]
pub(crate) struct Doc<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
    pub(crate) root: u32,
    /// Where a second document begins (P003).
    pub(crate) second: Option<Range>,
}

/// A value in terms of spec project-yaml.md 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'d> {
    Null,
    Bool(bool),
    /// As written; [`super::scalar::decimal`] gives its digits.
    Int(&'d str),
    Float(f64),
    /// A date or timestamp as written.
    Date(&'d str),
    Text(&'d str),
    Seq,
    Map,
    /// Carries a tag that constructs nothing.
    Unusable(&'d str),
}

impl Value<'_> {
    /// What a person calls it.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Value::Null => "empty",
            Value::Bool(_) => "true or false",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Date(_) => "a date",
            Value::Text(_) => "text",
            Value::Seq => "a list",
            Value::Map => "a mapping",
            Value::Unusable(_) => "a value with a tag",
        }
    }
}

/// A node as seen from its place: aliases followed, the place of the outermost one remembered.
#[derive(Clone, Copy)]
pub(crate) struct View<'d, 'a> {
    doc: &'d Doc<'a>,
    pub(crate) id: u32,
    /// The alias through which it was reached.
    via: Option<(u32, u32)>,
}

/// One key with its value.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'d, 'a> {
    pub(crate) key: View<'d, 'a>,
    pub(crate) value: View<'d, 'a>,
    /// It came in by `<<`.
    pub(crate) merged: bool,
}

impl<'a> Doc<'a> {
    pub(crate) fn root(&self) -> View<'_, 'a> {
        self.view(self.root, None)
    }

    fn view(&self, id: u32, via: Option<(u32, u32)>) -> View<'_, 'a> {
        match self.nodes[id as usize].kind {
            Kind::Alias(target) => View { doc: self, id: target, via: via.or(Some(self.nodes[id as usize].range)) },
            _ => View { doc: self, id, via },
        }
    }
}

impl<'d, 'a> View<'d, 'a> {
    pub(crate) fn node(&self) -> &'d Node<'a> {
        &self.doc.nodes[self.id as usize]
    }

    /// Where it is written.
    pub(crate) fn range(&self) -> Range {
        let (start, end) = self.node().range;
        (start as usize, end as usize)
    }

    /// Where it is used: the alias, if it came through one.
    pub(crate) fn use_range(&self) -> Range {
        self.via.map_or_else(|| self.range(), |(start, end)| (start as usize, end as usize))
    }

    /// Text and style of a scalar.
    pub(crate) fn scalar(&self) -> Option<(&'d str, Style)> {
        match &self.node().kind {
            Kind::Scalar(text, style) => Some((text, *style)),
            _ => None,
        }
    }

    /// The value with its tag respected.
    pub(crate) fn value(&self) -> Value<'d> {
        let node = self.node();
        match (node.tag.as_deref(), &node.kind) {
            (Some(Tag::Foreign(name)), _) => Value::Unusable(name),
            (None, Kind::Scalar(text, Style::Plain)) => match resolve(text) {
                Plain::Null => Value::Null,
                Plain::Bool(b) => Value::Bool(b),
                Plain::Int => Value::Int(text),
                Plain::Float(f) => Value::Float(f),
                Plain::Date => Value::Date(text),
                Plain::Text => Value::Text(text),
            },
            (None, Kind::Scalar(text, _)) => Value::Text(text),
            (Some(Tag::Core(name)), Kind::Scalar(text, _)) => core_scalar(name, text),
            (None, Kind::Seq(_)) => Value::Seq,
            (None, Kind::Map(_)) => Value::Map,
            (Some(Tag::Core(name)), Kind::Seq(_)) if &**name == "seq" => Value::Seq,
            (Some(Tag::Core(name)), Kind::Map(_)) if &**name == "map" => Value::Map,
            (Some(Tag::Core(name)), _) => Value::Unusable(name),
            // A view never rests on an alias.
            (None, Kind::Alias(_)) => Value::Null,
        }
    }

    /// The text of a scalar that is text, or a date, which counts as text.
    pub(crate) fn text(&self) -> Option<&'d str> {
        match self.value() {
            Value::Text(t) | Value::Date(t) => Some(t),
            _ => None,
        }
    }

    /// The items of a list; none for anything else.
    pub(crate) fn items(&self) -> Vec<View<'d, 'a>> {
        match &self.node().kind {
            Kind::Seq(items) => items.iter().map(|&id| self.doc.view(id, self.via)).collect(),
            _ => Vec::new(),
        }
    }

    /// Keys as written, `<<` not yet flattened.
    pub(crate) fn raw_entries(&self) -> Vec<Entry<'d, 'a>> {
        let Kind::Map(pairs) = &self.node().kind else { return Vec::new() };
        let view = |id| self.doc.view(id, self.via);
        pairs.iter().map(|&(k, v)| Entry { key: view(k), value: view(v), merged: false }).collect()
    }

    /// Whether this key asks for a merge.
    pub(crate) fn is_merge_key(&self) -> bool {
        let node = self.node();
        matches!(&node.kind, Kind::Scalar(text, Style::Plain) if text == "<<") && node.tag.is_none()
    }

    /// The keys with merges flattened: merged keys first, own keys win, of several merged mappings the earlier wins.
    /// Duplicates among own keys stay, so that they can be reported.
    pub(crate) fn entries(&self) -> Vec<Entry<'d, 'a>> {
        let raw = self.raw_entries();
        if !raw.iter().any(|e| e.key.is_merge_key()) {
            return raw;
        }
        let mut merged: Vec<Entry<'d, 'a>> = Vec::new();
        let mut places: HashMap<&'d str, usize> = HashMap::default();
        for entry in raw.iter().filter(|e| e.key.is_merge_key()) {
            let sources = if entry.value.value() == Value::Seq { entry.value.items() } else { vec![entry.value] };
            for source in sources {
                for inner in source.entries() {
                    let Some((text, _)) = inner.key.scalar() else { continue };
                    places.entry(text).or_insert_with(|| {
                        merged.push(Entry { merged: true, ..inner });
                        merged.len() - 1
                    });
                }
            }
        }
        let mut own = Vec::new();
        for entry in raw.into_iter().filter(|e| !e.key.is_merge_key()) {
            match entry.key.scalar().and_then(|(text, _)| places.remove(text)) {
                Some(place) => merged[place] = entry,
                None => own.push(entry),
            }
        }
        merged.extend(own);
        merged
    }
}

/// A scalar with a tag of the core schema.
fn core_scalar<'d>(tag: &'d str, text: &'d str) -> Value<'d> {
    match (tag, resolve(text)) {
        ("str", _) => Value::Text(text),
        ("null", Plain::Null) => Value::Null,
        ("bool", Plain::Bool(b)) => Value::Bool(b),
        ("int", Plain::Int) => Value::Int(text),
        ("float", Plain::Float(f)) => Value::Float(f),
        ("float", Plain::Int) => text.replace('_', "").parse().map_or(Value::Unusable(tag), Value::Float),
        _ => Value::Unusable(tag),
    }
}
