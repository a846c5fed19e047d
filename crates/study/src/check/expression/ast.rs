//! The tree of an expression as written, with places; chains of AND and OR are flat.
//! Printing puts parentheses only where they are needed, and reading what was printed gives the same tree.

use std::fmt;
use std::ops::Range;

use crate::model::{Arithmetic, Comparison};

/// A part of an expression. Two are equal when they say the same, wherever they stand.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) range: Range<usize>,
    /// Whether it stands in parentheses of its own.
    pub(crate) enclosed: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NodeKind {
    Name(String),
    Int(i64),
    Float(f64),
    Text(String),
    Negate(Box<Node>),
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    Not(Box<Node>),
    /// At least two.
    And(Vec<Node>),
    /// At least two.
    Or(Vec<Node>),
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Node {
    pub(crate) fn new(kind: NodeKind, range: Range<usize>) -> Self {
        Self { kind, range, enclosed: false }
    }

    /// How tightly it binds: higher is tighter.
    const fn level(&self) -> u8 {
        match self.kind {
            NodeKind::Or(_) => 1,
            NodeKind::And(_) => 2,
            NodeKind::Not(_) => 3,
            NodeKind::Compare(..) => 4,
            NodeKind::Arithmetic(Arithmetic::Add | Arithmetic::Subtract, ..) => 5,
            NodeKind::Arithmetic(..) => 6,
            NodeKind::Negate(_) => 7,
            _ => 8,
        }
    }

    /// Prints it as an operand of something that needs operands of at least `level`.
    fn operand(&self, f: &mut fmt::Formatter<'_>, level: u8) -> fmt::Result {
        if self.level() < level { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            NodeKind::Name(name) => f.write_str(name),
            NodeKind::Int(number) => write!(f, "{number}"),
            NodeKind::Float(number) => {
                let text = number.to_string();
                let point = if text.contains('.') { "" } else { ".0" };
                write!(f, "{text}{point}")
            }
            NodeKind::Text(text) => write!(f, "'{text}'"),
            NodeKind::Negate(inner) => {
                f.write_str("-")?;
                inner.operand(f, 8)
            }
            NodeKind::Arithmetic(op, a, b) => {
                a.operand(f, self.level())?;
                write!(f, " {} ", op.symbol())?;
                b.operand(f, self.level() + 1)
            }
            NodeKind::Compare(op, a, b) => {
                a.operand(f, 5)?;
                write!(f, " {} ", op.symbol())?;
                b.operand(f, 5)
            }
            NodeKind::Not(inner) => {
                f.write_str("NOT ")?;
                inner.operand(f, 3)
            }
            NodeKind::And(parts) => joined(f, parts, " AND ", 3),
            NodeKind::Or(parts) => joined(f, parts, " OR ", 2),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Node], between: &str, level: u8) -> fmt::Result {
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        part.operand(f, level)?;
    }
    Ok(())
}
