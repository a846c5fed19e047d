//! Values of cells, constants, parameters and answers, and their types (warehouse.md 5.1).
//! NULL is a value of every type; floats compare by bits where identity is meant, by number where a question is meant.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

/// Type of a series. A set (right side of `in`) has the type of its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// TRUE or FALSE.
    Bool,
    /// Signed 64-bit integer.
    Int,
    /// Double; never infinite, never NaN.
    Float,
    /// Text; also every code.
    Str,
    /// Day from 0001-01-01 to 9999-12-31.
    Date,
    /// Day and time of day in microseconds, without zone; of columns only.
    DateTime,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Float => "float",
            Type::Str => "str",
            Type::Date => "date",
            Type::DateTime => "datetime",
        })
    }
}

/// One value.
#[derive(Debug, Clone)]
pub enum Value {
    /// Not known, not there.
    Null,
    /// TRUE or FALSE.
    Bool(bool),
    /// Integer.
    Int(i64),
    /// Double.
    Float(f64),
    /// Text.
    Str(Arc<str>),
    /// Day.
    Date(Date),
    /// Day and time.
    DateTime(DateTime),
}

impl Value {
    /// Text.
    pub fn text(text: impl AsRef<str>) -> Self {
        Value::Str(Arc::from(text.as_ref()))
    }

    /// Type, unless NULL.
    pub fn kind(&self) -> Option<Type> {
        Some(match self {
            Value::Null => return None,
            Value::Bool(_) => Type::Bool,
            Value::Int(_) => Type::Int,
            Value::Float(_) => Type::Float,
            Value::Str(_) => Type::Str,
            Value::Date(_) => Type::Date,
            Value::DateTime(_) => Type::DateTime,
        })
    }

    /// Whether it is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The moment of a day or a time; a day begins at midnight.
    pub fn moment(&self) -> Option<DateTime> {
        match self {
            Value::Date(day) => Some(DateTime::from(*day)),
            Value::DateTime(moment) => Some(*moment),
            _ => None,
        }
    }

    /// The number of an integer, such as an id.
    pub fn int(&self) -> Option<i64> {
        if let Value::Int(number) = self { Some(*number) } else { None }
    }

    /// Whether it is TRUE: what filter, case and population take.
    pub fn is_true(&self) -> bool {
        matches!(self, Value::Bool(true))
    }

    /// Order of sorts: NULL first, FALSE before TRUE, text by code point, both zeros equal.
    /// Values of different types are ordered by type; a validated graph never asks for that.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Float(a), Value::Float(b)) => zero(*a).total_cmp(&zero(*b)),
            (Value::Str(a), Value::Str(b)) => a.cmp(b),
            (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::DateTime(a), Value::DateTime(b)) => a.cmp(b),
            _ => self.kind().cmp(&other.kind()),
        }
    }
}

/// -0.0 as 0.0, so that both are one value in questions.
pub(crate) fn zero(number: f64) -> f64 {
    if number == 0.0 { 0.0 } else { number }
}

/// Identity: same type and same bits (0.0 and -0.0 are two constants).
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Null, Value::Null) => true,
            _ => self.kind() == other.kind() && self.kind().is_some() && self.order(other).is_eq(),
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind().hash(state);
        match self {
            Value::Null => {}
            Value::Bool(v) => v.hash(state),
            Value::Int(v) => v.hash(state),
            Value::Float(v) => v.to_bits().hash(state),
            Value::Str(v) => v.hash(state),
            Value::Date(v) => v.hash(state),
            Value::DateTime(v) => v.hash(state),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::text(value)
    }
}

impl From<Date> for Value {
    fn from(value: Date) -> Self {
        Value::Date(value)
    }
}

impl From<DateTime> for Value {
    fn from(value: DateTime) -> Self {
        Value::DateTime(value)
    }
}
