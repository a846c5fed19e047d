//! Faults for people and for programs, with the lines of the Python source that they are about.
//! Spec study-definitions.md 13 and cli.md 2; the drawing is that of project.yaml.

use std::collections::BTreeMap;

use pipeline::report::HumanOptions;
use pipeline::{Code, Diagnostic, Label, Span};
use serde::Serialize;

use super::place::{Text, find};
use super::{Fault, Severity, rule};
use crate::record::RecordFault;
use crate::recording::{Recording, Source, SourceId};

/// The text of Python files, by the path that the recording gives them. Files that are not there are told by line only.
#[derive(Debug, Clone, Default)]
pub struct Texts(BTreeMap<String, Text>);

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
                    texts.insert(source.file.clone(), Text::new(text));
                }
            }
        }
        Self(texts)
    }

    fn get(&self, file: &str) -> Option<&Text> {
        self.0.get(file)
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
        let source = source_of(recording, fault);
        let start = place.as_ref().map(|place| place.span.start);
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

/// Faults drawn for people; the form for programs has all of them.
const MOST: usize = 200;
/// Lints of one code that are drawn; of the others only the places are told.
const ALIKE: usize = 5;

/// Faults for people: code, words, the lines with the part underlined, what to do; empty without any.
pub fn human(recording: &Recording, faults: &[Fault], texts: &Texts, options: &HumanOptions) -> String {
    let mut blocks: Vec<String> = Vec::new();
    let mut drawn: BTreeMap<&str, usize> = BTreeMap::new();
    let mut alike: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    let mut left = 0;
    for fault in faults {
        let count = drawn.entry(fault.code).or_default();
        *count += 1;
        let found = source_of(recording, fault);
        if fault.severity == Severity::Lint && *count > ALIKE {
            let line = place(recording, fault, texts).map(|place| place.span.start.line).or(found.map(|s| s.line));
            let file = found.map_or(recording.file.as_str(), |source| &source.file);
            alike.entry(fault.code).or_default().push(line.map_or(file.to_owned(), |line| format!("{file}:{line}")));
        } else if blocks.len() >= MOST {
            left += 1;
        } else {
            blocks.push(block(recording, fault, texts, options));
        }
    }
    for (code, mut places) in alike {
        let count = places.len();
        places.dedup();
        let more = if places.len() > MOST { ", …" } else { "" };
        places.truncate(MOST);
        blocks.push(format!("warning[{code}]: the same {count} more times, at {}{more}\n", places.join(", ")));
    }
    if left > 0 {
        blocks.push(format!("{left} more are not shown; `--format json` lists all of them\n"));
    }
    blocks.join("\n")
}

/// Faults as diagnostics of the files that they stand in; the module's own file where a fault has no place.
pub fn diagnostics(recording: &Recording, faults: &[Fault], texts: &Texts) -> Vec<(String, Diagnostic)> {
    let one = |fault| {
        let file = source_of(recording, fault).map_or(&recording.file, |source| &source.file);
        (file.clone(), diagnostic(recording, fault, texts))
    };
    faults.iter().map(one).collect()
}

/// What ended a recording as a diagnostic of the file that it stands in, if that is known. `read` is as for [`Texts`].
pub fn of_python(fault: &RecordFault, read: impl Fn(&str) -> Option<String>) -> (Option<String>, Diagnostic) {
    let of = Fault::new(rule(&fault.code).map_or("SD005", |rule| rule.code), fault.message.clone());
    let place = fault.place();
    let text = place.and_then(|source| Some((read(&source.file).map(Text::new)?, source)));
    let mut help: Vec<String> = fault.fix.iter().cloned().collect();
    let outer: Vec<String> =
        fault.frames.iter().rev().skip(1).take(5).map(|source| format!("{}:{}", source.file, source.line)).collect();
    if !outer.is_empty() {
        help.push(format!("called from {}", outer.join(", ")));
    }
    let made = Diagnostic {
        code: Code(of.code),
        severity: pipeline::Severity::Error,
        message: of.message.clone(),
        label: String::new(),
        help: (!help.is_empty()).then(|| help.join("\n")),
        span: text.map(|(text, source)| text.span(find(&text, source, &of).0)),
        labels: Vec::new(),
        at: Vec::new(),
        action: None,
        fixes: Vec::new(),
    };
    (place.map(|source| source.file.clone()), made)
}

fn block(recording: &Recording, fault: &Fault, texts: &Texts, options: &HumanOptions) -> String {
    let diagnostic = diagnostic(recording, fault, texts);
    let source = source_of(recording, fault);
    let file = source.map_or(recording.file.as_str(), |source| &source.file);
    let (text, place) = match (texts.get(file).filter(|_| diagnostic.span.is_some()), source) {
        (Some(text), _) => (text.text(), file.to_owned()),
        // Without its text a file has no lines to draw: the place is said in words.
        (None, Some(source)) => ("", format!("{file}:{}", source.line)),
        (None, None) => ("", file.to_owned()),
    };
    pipeline::report::human(text, &place, std::slice::from_ref(&diagnostic), options)
}

/// The part of the Python source that a fault is about; nothing without the text of its file.
pub fn span(recording: &Recording, fault: &Fault, texts: &Texts) -> Option<Span> {
    place(recording, fault, texts).map(|place| place.span)
}

/// Takes lints away that a comment `# cloister: ignore SD9xx` on a line of their call silences.
pub fn silence(recording: &Recording, faults: &mut Vec<Fault>, texts: &Texts) {
    faults.retain(|fault| {
        if fault.severity != Severity::Lint {
            return true;
        }
        let Some(source) = source_of(recording, fault) else { return true };
        let Some(text) = texts.get(&source.file) else { return true };
        let place = place(recording, fault, texts).map_or(source.line, |place| place.span.start.line);
        ![source.line, place].iter().any(|number| ignores(text.line(*number), fault.code))
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
    span: Span,
    /// Whether what is underlined is the very part that is meant.
    exact: bool,
}

/// `None` without the text of the file.
fn place(recording: &Recording, fault: &Fault, texts: &Texts) -> Option<Place> {
    let source = source_of(recording, fault)?;
    let text = texts.get(&source.file)?;
    let (range, exact) = find(text, source, fault);
    Some(Place { span: text.span(range), exact })
}

fn diagnostic(recording: &Recording, fault: &Fault, texts: &Texts) -> Diagnostic {
    let place = place(recording, fault, texts);
    let here = source_of(recording, fault);
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
        message: message(fault),
        label: String::new(),
        help: (!help.is_empty()).then(|| help.join("\n")),
        span: place.map(|place| place.span),
        labels,
        at: Vec::new(),
        action: None,
        fixes: Vec::new(),
    }
}

/// The words, with the variable in front unless they name it themselves.
fn message(fault: &Fault) -> String {
    let named = |variable: &str| {
        let name: String = variable.chars().take(40).collect();
        fault.message.starts_with(&format!("`{name}"))
            || fault.message.starts_with(&format!("{variable}: "))
            || fault.message.contains(&format!("`{variable}`"))
    };
    match fault.variable.as_deref().filter(|variable| !named(variable)) {
        Some(variable) => format!("{variable}: {}", fault.message),
        None => fault.message.clone(),
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

fn source_of<'r>(recording: &'r Recording, fault: &Fault) -> Option<&'r Source> {
    source(recording, fault.src?)
}

fn source(recording: &Recording, src: SourceId) -> Option<&Source> {
    recording.sources.get(src.0 as usize)
}

/// The first line of a place.
fn line(text: &Text, source: &Source) -> Span {
    let (range, _) = find(text, source, &Fault::new("", ""));
    text.span(range)
}
