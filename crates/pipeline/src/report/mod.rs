//! Every form in which diagnostics leave the program: for people, for editors and scripts, for workflow logs.
//! Spec project-yaml.md 11 and 12.1. Pure text in, text out; nothing a file holds can steer a terminal or a workflow.

mod diff;
mod fixes;
mod fold;
mod github;
mod human;
mod json;
mod sarif;
mod short;
mod snippet;
mod source;
mod style;
mod visible;
mod wrap;

use crate::{Diagnostic, Severity};

pub use diff::diff;
pub use fixes::{Fixed, apply_fixes};
pub use github::github;
pub use human::{HumanOptions, human};
pub use json::{CheckDocument, ProjectInfo, json};
pub use sarif::sarif;
pub use short::short;
pub use visible::visible;

pub(crate) use style::{Style, paint};
pub(crate) use wrap::wrap;

/// How many diagnostics of each severity there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    /// Errors: the file is never planned.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
}

impl Counts {
    /// Counts them.
    pub fn of(diagnostics: &[Diagnostic]) -> Self {
        let mut counts = Self::default();
        for diagnostic in diagnostics {
            match diagnostic.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                Severity::Note => counts.notes += 1,
            }
        }
        counts
    }

    /// The sum of two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            errors: self.errors + other.errors,
            warnings: self.warnings + other.warnings,
            notes: self.notes + other.notes,
        }
    }
}

/// The word for a severity, in every form but GitHub's.
pub(crate) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Diagnostics in the order of every machine form: by offset, then code; those of the whole file first (spec 12.1).
pub(crate) fn in_order(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|d| (d.span.map_or(0, |s| s.start.offset), d.code));
    sorted
}
