//! Faults and lints of study definitions: a code, words, the place in the Python source, and a fix.
//! Spec study-definitions.md 13.

use crate::recording::SourceId;

/// The class of Python that today's tool raises for a fault: scripts that read them go on working.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are Python's")]
pub enum Kind {
    ValueError,
    KeyError,
    TypeError,
    AssertionError,
    IndexError,
    InvalidExpressionError,
    RuntimeError,
    NotImplementedError,
    MissingParameterError,
    DummyDataValidationError,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Shown; never blocks. `# cloister: ignore SD9xx` on the line silences it.
    Lint,
    /// The study does not run.
    Fault,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Such as `SD501`.
    pub code: &'static str,
    /// Whether it stops the study.
    pub severity: Severity,
    /// The class of today.
    pub kind: Kind,
    /// What is wrong, in words; no patient value.
    pub message: String,
    /// The variable.
    pub variable: Option<String>,
    /// Its argument.
    pub argument: Option<String>,
    /// The call, or the keyword.
    pub src: Option<SourceId>,
    /// Outer lines for helpers and loops.
    pub via: Vec<SourceId>,
    /// Bytes of the expression or date text that are meant, within `excerpt`.
    pub part: Option<(usize, usize)>,
    /// The expression or date text that `part` points into.
    pub excerpt: Option<String>,
    /// What was expected, and what to do.
    pub fix: Option<String>,
}
