//! Expressions of `satisfying`, `categorised_as` and care homes: read, understood, typed.
//! Spec study-definitions.md 8. Positions are bytes of the expression as written.

mod ast;
mod parse;
mod tokens;
mod typing;
mod words;

use std::ops::Range;

pub(crate) use ast::{Node, NodeKind};
pub(crate) use parse::parse;
pub(crate) use typing::{Lookup, truth};

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) range: Range<usize>,
    pub(crate) fix: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: &'static str, range: Range<usize>, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), range, fix: None }
    }

    pub(crate) fn fix(mut self, text: impl Into<String>) -> Self {
        self.fix = Some(text.into());
        self
    }
}

#[cfg(test)]
mod tests;
