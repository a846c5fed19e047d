//! Faults and lints of study definitions: a code, words, the place in the Python source, and a fix.
//! Spec study-definitions.md 13.

mod codes;
mod kind;
mod place;
mod report;

use std::ops::Range;

pub use codes::{Rule, rule, rules};
pub use kind::Kind;
pub use report::{Entry, Texts, diagnostics, entries, human, of_python, silence, span};

use crate::recording::{SourceId, Variable};

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
    /// A second place that belongs to it: the other definition of a name.
    pub other: Option<(SourceId, String)>,
    /// What was expected, and what to do.
    pub fix: Option<String>,
}

/// Bytes of an excerpt, and of what is kept on both sides of the part in longer texts.
const LONGEST_EXCERPT: usize = 4_000;
const AROUND: usize = 200;

impl Fault {
    /// A fault with what the table of codes says of it: `SD9xx` are lints.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: if code.starts_with("SD9") { Severity::Lint } else { Severity::Fault },
            kind: rule(code).map_or(Kind::ValueError, |rule| rule.kind),
            message: message.into(),
            variable: None,
            argument: None,
            src: None,
            via: Vec::new(),
            part: None,
            excerpt: None,
            other: None,
            fix: None,
        }
    }

    /// It belongs to this call.
    pub fn at(mut self, variable: &Variable) -> Self {
        self.variable = Some(variable.name.clone());
        self.src = Some(variable.src);
        self.via.clone_from(&variable.via);
        self
    }

    /// It stands here.
    pub fn src(mut self, src: SourceId) -> Self {
        self.src = Some(src);
        self
    }

    /// Of a variable that is not that of the call.
    pub fn variable(mut self, name: &str) -> Self {
        self.variable = Some(name.to_owned());
        self
    }

    /// The argument.
    pub fn argument(mut self, name: &str) -> Self {
        self.argument = Some(name.to_owned());
        self
    }

    /// The part of an expression or date text that is meant.
    pub fn part(mut self, text: &str, range: Range<usize>) -> Self {
        // Of a long text only what stands around the part is kept: an expression may have thousands of faults.
        let mut start = if text.len() > LONGEST_EXCERPT { range.start.saturating_sub(AROUND) } else { 0 };
        let mut end =
            if text.len() > LONGEST_EXCERPT { (range.end + AROUND).min(start + LONGEST_EXCERPT) } else { text.len() };
        (start, end) = (start.min(text.len()), end.min(text.len()));
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.excerpt = Some(text[start..end].to_owned());
        self.part = Some((range.start - start, range.end.min(end) - start));
        self
    }

    /// The second place.
    pub fn other(mut self, src: SourceId, what: impl Into<String>) -> Self {
        self.other = Some((src, what.into()));
        self
    }

    /// What to do.
    pub fn fix(mut self, text: impl Into<String>) -> Self {
        self.fix = Some(text.into());
        self
    }

    /// What to do, where something is known.
    pub fn maybe(mut self, text: Option<String>) -> Self {
        self.fix = text.or(self.fix);
        self
    }

    /// Shown only, although its code is that of a fault.
    pub fn only_shown(mut self) -> Self {
        self.severity = Severity::Lint;
        self
    }

    /// The fault without anything that the study may have read: code, name, argument and place are left, the words are
    /// those of the code. Where the inputs of a recording may hold patients, only this may be shown (section 1.1).
    pub fn without_values(&self) -> Self {
        let message = rule(self.code).map_or("a fault", |rule| rule.title).to_owned();
        Self { message, part: None, excerpt: None, fix: None, other: None, ..self.clone() }
    }

    /// The class of Python that was raised.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }
}

/// "did you mean `a`, `b` or `c`?"; nothing without a name.
pub(crate) fn did_you_mean(names: &[String]) -> Option<String> {
    let (last, rest) = names.split_last()?;
    let last = format!("`{last}`");
    let rest: Vec<String> = rest.iter().map(|name| format!("`{name}`")).collect();
    Some(if rest.is_empty() {
        format!("did you mean {last}?")
    } else {
        format!("did you mean {} or {last}?", rest.join(", "))
    })
}
