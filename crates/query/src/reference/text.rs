//! Text (warehouse.md 5.3): by code point and without trimming; collation `ci` knows no case in ASCII and Latin-1.
//! Every character stands for itself.

use std::borrow::Cow;
use std::rc::Rc;

use foldhash::HashSet;

use super::frames::Row;
use super::patient::{Found, Patient, Set};
use super::truth::member;
use crate::graph::{Collation, Find, NodeId, Op, Series};
use crate::value::Value;

/// Longest text in bytes.
const LONGEST: usize = 1 << 20;

impl<'a> Patient<'a> {
    pub(super) fn text(&mut self, node: NodeId, op: &Op, row: Option<&Rc<Row<'a>>>) -> Found<Value> {
        match op {
            Op::Find { how, of, text, collation } => self.find(node, *how, *of, *text, *collation, row),
            Op::Concat { of } => {
                let mut whole = String::new();
                for series in of {
                    match self.value(*series, row)? {
                        Value::Str(text) if whole.len() <= LONGEST => whole.push_str(&text),
                        Value::Str(_) => {}
                        Value::Null => return Ok(Value::Null),
                        _ => return self.unsound(node),
                    }
                }
                Ok(self.bounded(node, whole))
            }
            Op::Replace { of, from, to, collation } => {
                match (self.value(*of, row)?, self.value(*from, row)?, self.value(*to, row)?) {
                    (Value::Str(of), Value::Str(from), Value::Str(to)) => {
                        let replaced = replace(&of, &from, &to, *collation);
                        Ok(self.bounded(node, replaced))
                    }
                    (of, from, to) if of.is_null() || from.is_null() || to.is_null() => Ok(Value::Null),
                    _ => self.unsound(node),
                }
            }
            Op::Trim { of } => match self.value(*of, row)? {
                Value::Str(text) => Ok(Value::text(text.trim_matches(' '))),
                Value::Null => Ok(Value::Null),
                _ => self.unsound(node),
            },
            Op::KnownParts { of, separator, known, other } => {
                let known = self.set(*known, Collation::Ci)?;
                let text = match self.value(*of, row)? {
                    Value::Str(text) => text,
                    Value::Null => return Ok(Value::Null),
                    _ => return self.unsound(node),
                };
                let mut parts: Vec<&str> = Vec::new();
                for part in text.split(separator.as_str()) {
                    let part = part.trim_matches(' ');
                    let part = if known.contains(&Value::text(fold(part))) { part } else { other };
                    if !parts.contains(&part) {
                        parts.push(part);
                    }
                }
                Ok(Value::text(parts.join(separator)))
            }
            _ => self.unsound(node),
        }
    }

    /// A text out of range, as a number can be: NULL, counted.
    fn bounded(&mut self, node: NodeId, text: String) -> Value {
        if text.len() > LONGEST { self.doubt(node) } else { Value::text(text) }
    }

    fn find(
        &mut self,
        node: NodeId,
        how: Find,
        of: Series,
        text: Series,
        collation: Collation,
        row: Option<&Rc<Row<'a>>>,
    ) -> Found<Value> {
        let wanted: Set = if self.prepared.graph.op(text).is_some_and(Op::is_set) {
            self.set(text, collation)?
        } else {
            let text = self.value(text, row)?;
            if text.is_null() {
                return Ok(Value::Null);
            }
            Rc::new(HashSet::from_iter([member(text, collation)]))
        };
        if wanted.is_empty() {
            return Ok(Value::Bool(false));
        }
        let of = match self.value(of, row)? {
            Value::Str(text) => text,
            Value::Null => return Ok(Value::Null),
            _ => return self.unsound(node),
        };
        let of = form(&of, collation);
        for wanted in wanted.iter() {
            match wanted {
                Value::Str(wanted) if holds(&of, wanted, how) => return Ok(Value::Bool(true)),
                Value::Str(_) => {}
                _ => return self.unsound(node),
            }
        }
        Ok(Value::Bool(false))
    }
}

impl Op {
    /// Whether it is a set.
    fn is_set(&self) -> bool {
        use crate::graph::Aggregate;
        matches!(self, Op::Values { .. } | Op::Codelist { .. } | Op::Aggregate { function: Aggregate::Set, .. })
    }
}

fn holds(of: &str, wanted: &str, how: Find) -> bool {
    match how {
        Find::StartsWith => of.starts_with(wanted),
        Find::Contains => of.contains(wanted),
        Find::ContainsAfterBoundary => {
            let boundary = |c: &(usize, char)| !c.1.is_alphanumeric();
            let mut places = of.char_indices().filter(boundary);
            places.any(|(at, c)| of[at + c.len_utf8()..].starts_with(wanted))
        }
    }
}

fn replace(of: &str, from: &str, to: &str, collation: Collation) -> String {
    if from.is_empty() {
        return of.to_owned();
    }
    // folding keeps the length of every character, so places are the same in both
    let (folded, wanted) = (form(of, collation), form(from, collation));
    let mut result = String::new();
    let mut at = 0;
    // beyond the longest text the result is NULL whatever follows
    while let Some(next) = folded[at..].find(&wanted).filter(|_| result.len() <= LONGEST) {
        result.push_str(&of[at..at + next]);
        result.push_str(to);
        at += next + wanted.len();
    }
    result.push_str(&of[at..]);
    result
}

fn form(text: &str, collation: Collation) -> String {
    match collation {
        Collation::Exact => text.to_owned(),
        Collation::Ci => fold(text).into_owned(),
    }
}

/// ASCII and Latin-1 capitals as small letters; nothing else changes, accents least of all.
pub(super) fn fold(text: &str) -> Cow<'_, str> {
    let fold = |c: char| match c {
        'A'..='Z' => c.to_ascii_lowercase(),
        // the multiplication sign lies among the letters
        'À'..='Ö' | 'Ø'..='Þ' => char::from_u32(u32::from(c) + 32).unwrap_or(c),
        _ => c,
    };
    match text.chars().any(|c| fold(c) != c) {
        true => Cow::Owned(text.chars().map(fold).collect()),
        false => Cow::Borrowed(text),
    }
}
