//! Expressions of `satisfying`, `categorised_as` and care homes after parsing and typing.
//! Spec study-definitions.md 8.

use jiff::civil::Date;

use super::VariableId;

/// A value of Python as it stands in an output: keys of categories, fixed values.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Scalar {
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    Date(Date),
}

/// Categories: the first expression that is true gives the value.
#[derive(Debug, Clone, PartialEq)]
pub struct Cases {
    /// In definition order, without the default.
    pub branches: Vec<(Scalar, Expr)>,
    /// Where none is true.
    pub default: Scalar,
}

/// Columns that only care home expressions have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CareHomeColumn {
    /// PatientAddress_ID of the care home row, or 0.
    IsPotentialCareHome,
    /// Y, N or null.
    LocationRequiresNursing,
    /// Y, N or null.
    LocationDoesNotRequireNursing,
}

/// An expression. Types are right by construction of the checker: `And`, `Or`, `Not`, `Compare` and `Truth` are truth values, the
/// others are values.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// The filled value of an earlier variable.
    Column(VariableId),
    /// Only in care home expressions.
    CareHome(CareHomeColumn),
    /// A whole number.
    Int(i64),
    /// A number with a point.
    Float(f64),
    /// A text.
    Text(String),
    /// `-x`.
    Negate(Box<Expr>),
    /// `a + b` and so on; `+` of two texts joins them.
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// `a < b` and so on.
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// A value where a truth value is needed: `x != empty` by its type.
    Truth(Box<Expr>),
    /// NOT.
    Not(Box<Expr>),
    /// AND; stops at the first false one.
    And(Box<Expr>, Box<Expr>),
    /// OR; stops at the first true one.
    Or(Box<Expr>, Box<Expr>),
}

/// Operators on values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// Operators that give truth values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}
