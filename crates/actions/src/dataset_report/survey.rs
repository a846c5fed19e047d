//! What is known of a file after one pass: types, and exact counts that must not leave this room as they are.
//! Its size depends on the columns and not on the rows.

use super::kind::Kind;

/// A file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Survey {
    pub(super) rows: u64,
    /// In the order of the file.
    pub(super) columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Every value is missing; so it is in a file without rows.
    pub(super) empty: bool,
    /// What is told of its values, if anything.
    pub(super) told: Option<Counted>,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Counted {
    /// How often each occurs; together they are all rows.
    Values(Values),
    Numbers(Numbers),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Values {
    /// None is 0. In the order of the page.
    pub(super) rows: Vec<(Label, u64)>,
    /// How many different values there are, where a person could not count them.
    pub(super) distinct: Option<Distinct>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distinct {
    Exactly(u64),
    /// More than are kept apart, so that none is listed.
    Many,
}

/// What stands at the head of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    Missing,
    Value(String),
    /// All values that have no row of their own.
    Other,
}

impl Label {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Missing => "NaN",
            Self::Value(value) => value,
            Self::Other => "other",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Numbers {
    pub(super) missing: u64,
    pub(super) present: u64,
    /// Only from 100 values on, and not of numbers that are too many to keep apart.
    pub(super) deciles: Option<[f64; 9]>,
}

/// The counts of truth values, or of 0 and 1: missing first, then ascending; what does not occur has no row.
pub(super) fn pair(kind: &Kind, missing: u64, no: u64, yes: u64) -> Counted {
    let (low, high) = match kind {
        Kind::Bool | Kind::Object => ("False", "True"),
        Kind::Float(_) => ("0.0", "1.0"),
        _ => ("0", "1"),
    };
    let value = |text: &str| Label::Value(text.to_owned());
    let rows = [(Label::Missing, missing), (value(low), no), (value(high), yes)];
    let rows = rows.into_iter().filter(|(_, count)| *count > 0).collect();
    Counted::Values(Values { rows, distinct: None })
}
