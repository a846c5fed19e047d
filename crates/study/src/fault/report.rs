//! Faults for people and for programs, with the lines of the Python source that they are about.
//! Spec study-definitions.md 13 and cli.md 2; the drawing is that of project.yaml.

use std::collections::BTreeMap;

use pipeline::report::HumanOptions;
use pipeline::{Code, Diagnostic, Label, Position, Span};
use serde::Serialize;

use super::place::find;
use super::{Fault, Severity};
use crate::recording::{Recording, Source, SourceId};

/// The text of Python files, by the path that the recording gives them. Files that are not there are told by line only.
#[derive(Debug, Clone, Default)]
pub struct Texts(BTreeMap<String, String>);

impl Texts {
    /// Reads the files that these faults are about; `read` gives the text of a path of the recording, or nothing.
    pub fn read(recording: &Recording, faults: &[Fault], read: impl Fn(&str) -> Option<String>) -> Self {
        let mut texts = BTreeMap::new();
        for fault in faults {
            let others = fault.other.iter().map(|(src, _)| *src);
            for source in fault.src.into_iter().chain(others).filter_map(|src| source(recording, src)) {
                if !texts.contains_key(&source.file)
                    && let Some(text) = read(&source.file)
                {
                    texts.insert(source.file.clone(), text);
                }
            }
        }
        Self(texts)
    }

    fn get(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(String::as_str)
    }
}

/// A fault for programs: the object of `--format json` (section 13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Such as `SD501`.
    pub code: &'static str,
    /// The class of Python of today.
    pub kind: &'static str,
    /// `fault` or `lint`.
    pub severity: &'static str,
    /// In words.
    pub message: String,
    /// The variable.
    pub variable: Option<String>,
    /// Its argument.
    pub argument: Option<String>,
    /// Relative to the repository.
    pub file: Option<String>,
    /// From 1.
    pub line: Option<u32>,
    /// From 1, in characters.
    pub column: Option<u32>,
    /// What to do.
    pub fix: Option<String>,
}

/// Faults for programs.
pub fn entries(recording: &Recording, faults: &[Fault], texts: &Texts) -> Vec<Entry> {
    let entry = |fault: &Fault| {
        let place = place(recording, fault, texts);
        let source = fault.src.and_then(|src| source(recording, src));
        let start = place.as_ref().and_then(|place| place.span).map(|span| span.start);
        Entry {
            code: fault.code,
            kind: fault.kind.name(),
            severity: if fault.severity == Severity::Lint { "lint" } else { "fault" },
            message: fault.message.clone(),
            variable: fault.variable.clone(),
            argument: fault.argument.clone(),
            file: source.map(|s| s.file.clone()),
            line: start.map(|at| at.line).or(source.map(|s| s.line)),
            column: start.map(|at| at.column),
            fix: fault.fix.clone(),
        }
    };
    faults.iter().map(entry).collect()
}

/// Faults for people: code, words, the lines with the part underlined, what to do; empty without any.
pub fn human(recording: &Recording, faults: &[Fault], texts: &Texts, options: &HumanOptions) -> String {
    let mut blocks: Vec<String> = Vec::new();
    let file = |fault: &Fault| fault.src.and_then(|src| source(recording, src)).map(|source| source.file.as_str());
    for group in faults.chunk_by(|a, b| file(a) == file(b)) {
        let path = group.first().and_then(file).unwrap_or(&recording.file);
        let (placed, other): (Vec<Diagnostic>, Vec<Diagnostic>) =
            group.iter().map(|fault| diagnostic(recording, fault, texts)).partition(|d| d.span.is_some());
        // Without its text a file has no lines to draw: the place is said in words.
        for (diagnostic, fault) in other.iter().zip(group.iter().filter(|f| place(recording, f, texts).is_none())) {
            let source = fault.src.and_then(|src| source(recording, src));
            let place = source.map_or_else(|| path.to_owned(), |source| format!("{}:{}", source.file, source.line));
            blocks.push(pipeline::report::human("", &place, std::slice::from_ref(diagnostic), options));
        }
        if !placed.is_empty() {
            blocks.push(pipeline::report::human(texts.get(path).unwrap_or_default(), path, &placed, options));
        }
    }
    blocks.join("\n")
}

/// Takes lints away that a comment `# cloister: ignore SD9xx` on a line of their call silences.
pub fn silence(recording: &Recording, faults: &mut Vec<Fault>, texts: &Texts) {
    faults.retain(|fault| {
        if fault.severity != Severity::Lint {
            return true;
        }
        let Some(source) = fault.src.and_then(|src| source(recording, src)) else { return true };
        let Some(text) = texts.get(&source.file) else { return true };
        let place = place(recording, fault, texts).and_then(|place| place.span).map_or(source.line, |s| s.start.line);
        !text
            .lines()
            .enumerate()
            .filter(|(i, _)| [source.line, place].contains(&(u32::try_from(*i).unwrap_or(0) + 1)))
            .any(|(_, line)| ignores(line, fault.code))
    });
}

fn ignores(line: &str, code: &str) -> bool {
    let Some((_, comment)) = line.split_once('#') else { return false };
    let mut parts = comment.split("cloister:");
    parts.next();
    parts.any(|part| {
        let mut words = part.split([' ', ',', '\t']).filter(|word| !word.is_empty());
        words.next() == Some("ignore") && words.any(|word| word == code)
    })
}

/// Where a fault stands.
struct Place {
    span: Option<Span>,
    /// Whether what is underlined is the very part that is meant.
    exact: bool,
}

/// `None` without the text of the file.
fn place(recording: &Recording, fault: &Fault, texts: &Texts) -> Option<Place> {
    let source = fault.src.and_then(|src| source(recording, src))?;
    let text = texts.get(&source.file)?;
    let (range, exact) = find(text, source, fault);
    Some(Place { span: Some(span(text, range)), exact })
}

fn diagnostic(recording: &Recording, fault: &Fault, texts: &Texts) -> Diagnostic {
    let place = place(recording, fault, texts);
    let here = fault.src.and_then(|src| source(recording, src));
    let mut help: Vec<String> = fault.fix.iter().cloned().collect();
    let exact = place.as_ref().is_some_and(|place| place.exact);
    let said = |excerpt: &str| fault.message.contains(excerpt);
    if let Some(excerpt) = fault.excerpt.as_deref().filter(|excerpt| !exact && !said(excerpt)) {
        help.push(meant(excerpt, fault.part));
    }
    let mut labels = Vec::new();
    if let Some((src, what)) = &fault.other
        && let Some(other) = source(recording, *src)
    {
        match texts.get(&other.file).filter(|_| here.is_some_and(|here| here.file == other.file)) {
            Some(text) => labels.push(Label { span: line(text, other), message: what.clone() }),
            None => help.push(format!("{what}: {}:{}", other.file, other.line)),
        }
    }
    let mut outer: Vec<String> = Vec::new();
    for source in fault.via.iter().filter_map(|src| source(recording, *src)) {
        let text = texts.get(&source.file).filter(|_| here.is_some_and(|here| here.file == source.file));
        match text.filter(|_| here.is_some_and(|here| here.line != source.line)) {
            Some(text) => labels.push(Label { span: line(text, source), message: "called from here".to_owned() }),
            None => outer.push(format!("{}:{}", source.file, source.line)),
        }
    }
    outer.dedup();
    if !outer.is_empty() {
        help.push(format!("called from {}", outer.join(", ")));
    }
    Diagnostic {
        code: Code(fault.code),
        severity: match fault.severity {
            Severity::Fault => pipeline::Severity::Error,
            Severity::Lint => pipeline::Severity::Warning,
        },
        message: match &fault.variable {
            Some(variable) => format!("{variable}: {}", fault.message),
            None => fault.message.clone(),
        },
        label: String::new(),
        help: (!help.is_empty()).then(|| help.join("\n")),
        span: place.and_then(|place| place.span),
        labels,
        at: Vec::new(),
        action: None,
        fixes: Vec::new(),
    }
}

/// The expression with the part that is meant, where the file does not hold it as it is.
fn meant(excerpt: &str, part: Option<(usize, usize)>) -> String {
    let shown = |text: &str| -> String { text.split_whitespace().collect::<Vec<_>>().join(" ") };
    let word = part.and_then(|(from, to)| excerpt.get(from..to)).map(shown).filter(|word| !word.is_empty());
    let (mut whole, full) = (shown(excerpt), shown(excerpt).chars().count());
    if full > 300 {
        whole = format!("{}…", whole.chars().take(300).collect::<String>());
    }
    match (word, part) {
        (Some(word), Some((from, _))) if word != whole => {
            let at = excerpt.get(..from).map_or(0, |before| before.chars().count()) + 1;
            format!("in {whole:?}, {word:?} at character {at}")
        }
        _ => format!("in {whole:?}"),
    }
}

fn source(recording: &Recording, src: SourceId) -> Option<&Source> {
    recording.sources.get(src.0 as usize)
}

/// The first line of a place.
fn line(text: &str, source: &Source) -> Span {
    let (range, _) = find(text, source, &Fault::new("", ""));
    span(text, range)
}

fn span(text: &str, range: std::ops::Range<usize>) -> Span {
    Span { start: position(text, range.start), end: position(text, range.end) }
}

fn position(text: &str, offset: usize) -> Position {
    let before = &text[..offset];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position {
        line: count(before.bytes().filter(|b| *b == b'\n').count() + 1),
        column: count(before[start..].chars().count() + 1),
        offset,
    }
}
