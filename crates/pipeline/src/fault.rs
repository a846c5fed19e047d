//! Putting a diagnostic together from offsets, and collecting many of them in bounded memory.
//! Spec project-yaml.md 11 and 14.

use std::cmp::Reverse;
use std::fmt::Write as _;

use crate::codes;
use crate::source::{Range, Source};
use crate::{ActionName, Applicability, Code, Diagnostic, Edit, Fix, Label, PathStep, Severity};

/// Diagnostics kept.
const MOST: usize = 10_000;
/// Second places kept for one diagnostic.
const MOST_LABELS: usize = 50;

/// A diagnostic under construction; places are offsets until it is pushed.
#[derive(Debug)]
pub(crate) struct Fault {
    code: &'static str,
    severity: Option<Severity>,
    range: Option<Range>,
    message: String,
    label: String,
    help: Option<String>,
    labels: Vec<(Range, String)>,
    at: Vec<PathStep>,
    action: Option<ActionName>,
    fixes: Vec<(String, Applicability, Vec<(Range, String)>)>,
}

impl Fault {
    /// A fault at a place.
    pub(crate) fn new(code: &'static str, range: Range, message: impl Into<String>) -> Self {
        Self { range: Some(range), ..Self::whole(code, message) }
    }

    /// A fault of the file as a whole.
    pub(crate) fn whole(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: None,
            range: None,
            message: message.into(),
            label: String::new(),
            help: None,
            labels: Vec::new(),
            at: Vec::new(),
            action: None,
            fixes: Vec::new(),
        }
    }

    /// Overrides what the table of rules says.
    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    pub(crate) fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Adds to the help, or begins it.
    pub(crate) fn also(mut self, text: &str) -> Self {
        self.help = Some(match self.help.take() {
            Some(help) => format!("{help}; {text}"),
            None => text.to_owned(),
        });
        self
    }

    /// A second place.
    pub(crate) fn see(mut self, range: Range, text: impl Into<String>) -> Self {
        if self.labels.len() < MOST_LABELS {
            self.labels.push((range, text.into()));
        }
        self
    }

    pub(crate) fn action(mut self, name: &str) -> Self {
        self.action = Some(ActionName::new(name));
        self
    }

    pub(crate) fn at(mut self, steps: impl IntoIterator<Item = PathStep>) -> Self {
        self.at = steps.into_iter().collect();
        self
    }

    pub(crate) fn sure(self, title: impl Into<String>, edits: Vec<(Range, String)>) -> Self {
        self.fix(title, Applicability::Sure, edits)
    }

    pub(crate) fn maybe(self, title: impl Into<String>, edits: Vec<(Range, String)>) -> Self {
        self.fix(title, Applicability::Maybe, edits)
    }

    pub(crate) fn fix(mut self, title: impl Into<String>, how: Applicability, edits: Vec<(Range, String)>) -> Self {
        self.fixes.push((title.into(), how, edits));
        self
    }
}

/// A step of the path of keys.
pub(crate) fn key(name: impl Into<String>) -> PathStep {
    PathStep::Key(name.into())
}

/// All diagnostics of one file so far.
#[derive(Debug)]
pub(crate) struct Faults<'s, 'a> {
    source: Option<&'s Source<'a>>,
    /// What gates compare with.
    pub(crate) version: f64,
    list: Vec<Diagnostic>,
    errors: usize,
}

impl<'s, 'a> Faults<'s, 'a> {
    pub(crate) fn new(source: Option<&'s Source<'a>>) -> Self {
        Self { source, version: 1.0, list: Vec::new(), errors: 0 }
    }

    /// Whether any error was pushed, kept or not.
    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Whether no more can be kept.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= 2 * MOST
    }

    /// Adds a fault with the severity that the rules give it at this version; nothing where the rule does not apply.
    pub(crate) fn push(&mut self, fault: Fault) {
        let Some(severity) = fault.severity.or_else(|| codes::severity(fault.code, self.version)) else { return };
        self.errors += usize::from(severity == Severity::Error);
        if self.is_full() {
            self.shrink();
        }
        let span = |range| self.source.map(|s| s.span(range)).unwrap_or_default();
        let diagnostic = Diagnostic {
            code: Code(fault.code),
            severity,
            message: fault.message,
            label: fault.label,
            help: fault.help,
            span: fault.range.map(span),
            labels: fault.labels.into_iter().map(|(r, message)| Label { span: span(r), message }).collect(),
            at: fault.at,
            action: fault.action,
            fixes: fault
                .fixes
                .into_iter()
                .map(|(title, applicability, edits)| Fix {
                    title,
                    applicability,
                    edits: edits.into_iter().map(|(r, text)| Edit { span: span(r), text }).collect(),
                })
                .collect(),
        };
        self.list.push(diagnostic);
    }

    /// Keeps the gravest.
    fn shrink(&mut self) {
        self.list.sort_by_key(|d| Reverse(d.severity));
        self.list.truncate(MOST);
    }

    /// Everything, ordered by offset, then code; repeats of the very same fault dropped.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        if self.list.len() > MOST {
            self.shrink();
        }
        let offset = |d: &Diagnostic| d.span.map(|s| s.start.offset);
        self.list.sort_by(|a, b| (offset(a), a.code).cmp(&(offset(b), b.code)));
        self.list.dedup_by(|a, b| a.code == b.code && a.span == b.span && a.message == b.message);
        self.list
    }

    /// Diagnostics so far, for filling in what is known only later.
    pub(crate) fn list_mut(&mut self) -> &mut [Diagnostic] {
        &mut self.list
    }
}

/// A piece of the file for use in a message: cut to a readable length, control characters made visible.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut out = String::from("`");
    for (i, c) in text.chars().enumerate() {
        if i == LONGEST {
            out.push('…');
            break;
        }
        if c.is_control() {
            // Writing to a string cannot fail.
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    out.push('`');
    out
}

/// "did you mean `a`, `b` or `c`?"
pub(crate) fn did_you_mean(words: &[String]) -> Option<String> {
    (!words.is_empty()).then(|| format!("did you mean {}?", one_of(words.iter().map(String::as_str))))
}

/// "`a`, `b` or `c`"
pub(crate) fn one_of<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.into_iter().map(quoted).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
