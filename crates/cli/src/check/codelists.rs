//! The part `codelists` of `check`: the local checks of the codelists, as diagnostics of their files. Spec cli.md 3, 7.2.

use std::borrow::Cow;
use std::path::Path;

use codelists::{Fault, Project, Severity as Weight};
use pipeline::{Code, Diagnostic, Position, Severity, Span};

use crate::project::{read, shown};
use crate::terminal::program;

/// A file beside project.yaml, and what is wrong with it.
pub(super) struct Other {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// The faults of codelists.txt and of codelists.json; empty where nothing is wrong or there are no codelists.
pub(super) fn faults(folder: &Path) -> Vec<Other> {
    let report = match Project::at(folder).and_then(|project| project.check()) {
        Ok(report) => report,
        Err(error) => {
            let why = format!("cannot be read: {error}");
            codelists::Report { findings: vec![(Weight::Error, Fault::Listing { why })], ..Default::default() }
        }
    };
    let repair = report.repair().map(|repair| format!("run: {} {repair}", program()));
    let file = |name: &str, of_manifest: bool| {
        let path = folder.join("codelists").join(name);
        // What is wrong with the file is known by now; this is only for the underlined line.
        let text = if of_manifest { Vec::new() } else { read(&path).unwrap_or_default() };
        let text = String::from_utf8_lossy(&text).into_owned();
        let found = report.findings.iter().filter(|(_, fault)| fault.is_of_manifest() == of_manifest);
        let diagnostics = found.map(|(weight, fault)| diagnostic(*weight, fault, &text, repair.as_deref())).collect();
        Other { name: shown(&path), text, diagnostics }
    };
    let files = [file("codelists.txt", false), file("codelists.json", true)];
    files.into_iter().filter(|other| !other.diagnostics.is_empty()).collect()
}

fn diagnostic(weight: Weight, fault: &Fault, text: &str, repair: Option<&str>) -> Diagnostic {
    let repair = repair.filter(|_| fault.is_mended_by_update()).map(str::to_owned);
    let help = fault.help().map(Cow::into_owned).or(repair);
    Diagnostic {
        code: Code(fault.code()),
        severity: match weight {
            Weight::Note => Severity::Note,
            Weight::Warning => Severity::Warning,
            Weight::Error => Severity::Error,
        },
        message: fault.to_string(),
        label: String::new(),
        help,
        span: fault.line().and_then(|line| span(text, line)),
        labels: Vec::new(),
        at: Vec::new(),
        action: None,
        fixes: Vec::new(),
    }
}

/// What stands on a line, without the blanks around it.
fn span(text: &str, line: usize) -> Option<Span> {
    let mut offset = 0;
    let whole = text.split_inclusive('\n').nth(line.checked_sub(1)?)?;
    for before in text.split_inclusive('\n').take(line - 1) {
        offset += before.len();
    }
    let blanks = whole.len() - whole.trim_start().len();
    let at = |bytes: usize| {
        let column = whole[..bytes].chars().count() + 1;
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            offset: offset + bytes,
        }
    };
    Some(Span { start: at(blanks), end: at(blanks + whole.trim().len()) })
}
