//! The document `cloister.check/1` that `check --format json` prints.
//! Spec project-yaml.md 12.1: fields are only ever added within `/1`.

use serde::Serialize;

use super::{Counts, in_order};
use crate::{Applicability, Code, Diagnostic, PathStep, Project, Severity, Span, Version};

/// What the document says of the project itself; the caller leaves it out where P001-P004 apply.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProjectInfo {
    /// Path of the file as given.
    pub path: String,
    /// SHA-256 of its bytes, lower-case hex.
    pub sha256: String,
    /// The version as written; `None` where it could not be read.
    pub version: Option<String>,
    /// The version that gates compare.
    pub version_number: Option<f64>,
    /// Number of actions.
    pub actions: usize,
    /// Number of needs, all actions together.
    pub edges: usize,
    /// Actions on the longest chain of needs.
    pub depth: usize,
    /// Sorted unique `name:tag`, `latest` shown as `v1`.
    pub images: Vec<String>,
}

impl ProjectInfo {
    /// The part of the information that the project itself holds (complete or partial, even with a cycle of needs).
    pub fn of(project: &Project, path: impl Into<String>, sha256: impl Into<String>) -> Self {
        let Version { text, number } = project.version.clone();
        Self {
            path: path.into(),
            sha256: sha256.into(),
            version: Some(text),
            version_number: Some(number),
            actions: project.actions.len(),
            edges: project.edges(),
            depth: project.depth(),
            images: project.images(),
        }
    }
}

/// All that the document needs.
#[derive(Debug, Clone, Copy)]
pub struct CheckDocument<'a> {
    /// Version of this program.
    pub program: &'a str,
    /// The verdict: whether `check` exits 0 (warnings count where the user asked for it).
    pub ok: bool,
    /// Path of the file, for every diagnostic.
    pub path: &'a str,
    /// `None` where P001-P004 apply.
    pub project: Option<&'a ProjectInfo>,
    /// In any order.
    pub diagnostics: &'a [Diagnostic],
    /// Path and diagnostics of other files that belong to the study.
    pub others: &'a [(&'a str, &'a [Diagnostic])],
}

/// The document as one line of JSON with a line end.
pub fn json(document: &CheckDocument<'_>) -> String {
    let files = || std::iter::once((document.path, document.diagnostics)).chain(document.others.iter().copied());
    let summary = files().map(|(_, diagnostics)| Counts::of(diagnostics)).fold(Counts::default(), Counts::and);
    let entries = files().flat_map(|(path, all)| in_order(all).into_iter().map(move |d| Entry::of(d, path)));
    let out = Document {
        schema: "cloister.check/1",
        program: document.program,
        ok: document.ok,
        project: document.project,
        summary,
        diagnostics: entries.collect(),
    };
    // Maps with text keys, numbers and texts: serialising them cannot fail.
    serde_json::to_string(&out).unwrap_or_default() + "\n"
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    program: &'a str,
    ok: bool,
    project: Option<&'a ProjectInfo>,
    summary: Counts,
    diagnostics: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    code: Code,
    severity: Severity,
    message: &'a str,
    help: Option<&'a str>,
    path: &'a str,
    action: Option<&'a str>,
    at: &'a [PathStep],
    range: Option<Span>,
    labels: Vec<Place<'a>>,
    fixes: Vec<Remedy<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    path: &'a str,
    range: Span,
    message: &'a str,
}

#[derive(Serialize)]
struct Remedy<'a> {
    title: &'a str,
    applicability: Applicability,
    edits: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    path: &'a str,
    range: Span,
    text: &'a str,
}

impl<'a> Entry<'a> {
    fn of(d: &'a Diagnostic, path: &'a str) -> Self {
        Self {
            code: d.code,
            severity: d.severity,
            message: &d.message,
            help: d.help.as_deref(),
            path,
            action: d.action.as_ref().map(crate::ActionName::as_str),
            at: &d.at,
            range: d.span,
            labels: d.labels.iter().map(|l| Place { path, range: l.span, message: &l.message }).collect(),
            fixes: d
                .fixes
                .iter()
                .map(|f| Remedy {
                    title: &f.title,
                    applicability: f.applicability,
                    edits: f.edits.iter().map(|e| Change { path, range: e.span, text: &e.text }).collect(),
                })
                .collect(),
        }
    }
}
