//! What is wrong with a file, where, why and what to do: the data that every form (human, JSON, GitHub, SARIF) prints.
//! Spec project-yaml.md 11 and 12.1.

use serde::Serialize;

use crate::ActionName;

/// A stable fault code such as `P404`. Never reused, never renumbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Code(pub &'static str);

/// How much a diagnostic matters. Only errors stop anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Shown, nothing more.
    Note,
    /// Will hurt later.
    Warning,
    /// The file is never planned.
    Error,
}

/// A place in the source. Lines and columns from 1; columns count Unicode scalar values; offset in bytes from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// From 1, in Unicode scalar values.
    pub column: u32,
    /// In bytes from 0.
    pub offset: usize,
}

/// A range of the source: exactly the key, the value or the word; `end` is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
pub struct Span {
    /// First position.
    pub start: Position,
    /// Just after the last.
    pub end: Position,
}

/// A second place that belongs to a diagnostic: the other duplicate, a step of a cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What stands there.
    pub message: String,
}

/// One step of the path of keys that leads to a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PathStep {
    /// A key of a mapping.
    Key(String),
    /// A position in a list, from 0.
    Index(usize),
}

/// Whether a fix may be applied without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Applicability {
    /// Applied by `check --fix`.
    Sure,
    /// Only shown: it changes what runs.
    Maybe,
}

/// Replaces a range by a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// By what.
    pub text: String,
}

/// A way to mend a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What the fix does, as an order.
    pub title: String,
    /// Whether it may be applied without asking.
    pub applicability: Applicability,
    /// The edits, not overlapping.
    pub edits: Vec<Edit>,
}

/// One fault, or one remark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable code.
    pub code: Code,
    /// Error, warning or note.
    pub severity: Severity,
    /// What is wrong, with the offending text.
    pub message: String,
    /// What stands at `span`, in a few words; printed beside the underline.
    pub label: String,
    /// What was expected, the likely cause, what to do.
    pub help: Option<String>,
    /// Where. `None` for the file as a whole (it is empty, too large).
    pub span: Option<Span>,
    /// Other places.
    pub labels: Vec<Label>,
    /// The path of keys.
    pub at: Vec<PathStep>,
    /// The action it belongs to.
    pub action: Option<ActionName>,
    /// Ways to mend it.
    pub fixes: Vec<Fix>,
}
