//! The codes of what stops a run, as they are shown and looked up.
//! Spec study-definitions.md 13, warehouse.md 5.3 and 12.

/// Kind of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunCode {
    /// The graph is not valid, or a binding lacks a parameter.
    D304,
    /// A column was not supplied.
    D305,
    /// More rows of one patient than any patient has.
    D309,
    /// Two different values where one is expected.
    D510,
    /// Two rows of a patient where one is expected.
    D511,
    /// Division by zero.
    D512,
    /// Text that is no number or day.
    D513,
    /// A day that does not exist, in the mode that refuses it.
    D514,
}

impl RunCode {
    /// As it is shown and looked up.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::D304 => "D304",
            Self::D305 => "D305",
            Self::D309 => "D309",
            Self::D510 => "D510",
            Self::D511 => "D511",
            Self::D512 => "D512",
            Self::D513 => "D513",
            Self::D514 => "D514",
        }
    }
}
