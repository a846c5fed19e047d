//! Expressions of `satisfying`, `categorised_as` and care homes after parsing and typing.
//! Spec study-definitions.md 8.

use jiff::civil::Date;

use cohorts::DatePrecision;

use super::{ColumnType, Study, VariableId};

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

/// Type of a value in an expression, after what stands for a missing one is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExprType {
    /// Whole numbers, labels and yes-or-no columns: `/` cuts toward zero.
    Int,
    /// Any number with a point makes the whole calculation one.
    Float,
    /// Compared without case and without blanks at the end, or exactly for columns of a clinical `code`.
    Text {
        /// Case counts.
        exact: bool,
    },
    /// Compared as the text of the output.
    Date(DatePrecision),
}

impl ExprType {
    /// Texts, and dates, which are compared as texts.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Text { .. } | Self::Date(_))
    }
}

impl Arithmetic {
    /// As written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }

    /// The type of the result; `None` where the operands do not go together (SD505). A text beside a number is converted.
    pub const fn result(self, a: ExprType, b: ExprType) -> Option<ExprType> {
        match (a.is_text(), b.is_text()) {
            (true, true) => match self {
                Self::Add => Some(ExprType::Text { exact: false }),
                _ => None,
            },
            _ if matches!(a, ExprType::Float) || matches!(b, ExprType::Float) => Some(ExprType::Float),
            _ => Some(ExprType::Int),
        }
    }
}

impl Comparison {
    /// As written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

impl CareHomeColumn {
    /// Its type: the flag is the number of the address, the others are `Y`, `N` or null.
    pub const fn kind(self) -> ExprType {
        match self {
            Self::IsPotentialCareHome => ExprType::Int,
            _ => ExprType::Text { exact: false },
        }
    }
}

impl super::Variable {
    /// The type of its values in expressions.
    pub fn expr_type(&self) -> ExprType {
        match self.kind {
            ColumnType::Bool | ColumnType::Int | ColumnType::IntCategory { .. } => ExprType::Int,
            ColumnType::Float => ExprType::Float,
            ColumnType::Str => ExprType::Text { exact: self.query.is_clinical_code() },
            ColumnType::Date(precision) => ExprType::Date(precision),
        }
    }
}

impl Study {
    /// The type of a value; truth values count as [`ExprType::Int`].
    pub fn expr_type(&self, expr: &Expr) -> ExprType {
        match expr {
            Expr::Column(id) => self[*id].expr_type(),
            Expr::CareHome(column) => column.kind(),
            Expr::Float(_) => ExprType::Float,
            Expr::Text(_) => ExprType::Text { exact: false },
            Expr::Negate(inner) => self.expr_type(inner),
            Expr::Arithmetic(op, a, b) => {
                op.result(self.expr_type(a), self.expr_type(b)).unwrap_or(ExprType::Text { exact: false })
            }
            Expr::Int(_) | Expr::Compare(..) | Expr::Truth(_) | Expr::Not(_) | Expr::And(..) | Expr::Or(..) => {
                ExprType::Int
            }
        }
    }
}
