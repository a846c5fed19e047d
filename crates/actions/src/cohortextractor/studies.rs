//! The part `studies` of `cloister check`: every study definition that an action names is recorded and checked, without
//! data. Spec cli.md 3, study-definitions.md 13.

use std::collections::BTreeMap;

use pipeline::{Diagnostic, Project, Severity};
use study::fault::Texts;
use study::model::Study;
use study::record::{RecordError, Recorded, Request};
use study::recording::Recording;
use study::{CheckOptions, Checked, expectations};

use super::names::{self, Choice, Module};
use super::options::Rows;
use super::record::text_of;
use super::uses::{self, Use, What};
use crate::Context;

/// A Python file of a study, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyFile {
    /// Relative to the study's folder.
    pub name: String,
    /// What it holds; empty where it cannot be read.
    pub text: String,
    /// In source order. Lints are notes.
    pub diagnostics: Vec<Diagnostic>,
}

type Recordings = BTreeMap<(Module, Vec<(String, String)>), Result<Recorded, RecordError>>;
type Found = Vec<(String, Diagnostic)>;

/// Checks the study definitions that the actions of a project name, each as its actions would run it.
///
/// # Errors
/// Why study definitions cannot be read on this machine; then nothing is known of them.
pub fn check_studies(project: &Project, context: &mut Context<'_>) -> Result<Vec<StudyFile>, String> {
    let mut recordings = Recordings::new();
    let mut found = Found::new();
    for one in uses::of(project, context.today) {
        match names::chosen(context.cwd, &one.study) {
            Ok(modules) => {
                for module in modules {
                    of_module(&module, &one, &mut recordings, &mut found, context)?;
                }
            }
            // As for scripts that are not there: an action may make them.
            Err(faults) => found.extend(faults.into_iter().map(|fault| {
                let mut made = plain(fault.code.as_str(), Severity::Warning, fault.message);
                made.help = fault.help;
                ("analysis".to_owned(), made)
            })),
        }
    }
    Ok(by_file(found, context))
}

fn of_module(
    module: &Module,
    one: &Use,
    recordings: &mut Recordings,
    found: &mut Found,
    context: &Context<'_>,
) -> Result<(), String> {
    let key = (module.clone(), one.params.clone());
    if !recordings.contains_key(&key) {
        let fence = (context.fence)()?;
        let (root, backend) = (context.cwd, context.backend.as_str());
        let request = Request { root, module: module.name(), params: &one.params, backend };
        recordings.insert(key.clone(), study::record::record(&request, fence.as_ref()));
    }
    match recordings.get(&key) {
        Some(Ok(recorded)) => found.extend(of_recording(module, one, &recorded.recording, context)),
        Some(Err(RecordError::Fault(fault))) => {
            let (file, mut made) = study::fault::of_python(fault, |file| text_of(file, context));
            // What an earlier action makes is not there before its first run; a package may be in the image only.
            if fault.code == "SD003" || (one.has_needs && fault.code == "SD005" && fault.kind == "FileNotFoundError") {
                made.severity = Severity::Note;
            }
            found.push((file.unwrap_or_else(|| format!("analysis/{}.py", module.name())), made));
        }
        Some(Err(error)) => return Err(error.to_string()),
        None => {}
    }
    Ok(())
}

fn of_recording(module: &Module, one: &Use, recording: &Recording, context: &Context<'_>) -> Found {
    let all = one.study == Choice::All;
    let left_out = match one.what {
        What::Cohort { .. } => recording.study.is_none(),
        What::Measures { .. } => recording.measures.is_none(),
    };
    if left_out && all {
        return Found::new();
    }
    let mut faults = match &one.what {
        What::Cohort { dates, rows } => {
            let dummy_file = matches!(rows, Rows::File(_));
            let options = CheckOptions { index_dates: dates.clone(), dummy_file, ..CheckOptions::new(context.today) };
            let Checked { study, mut faults, .. } = study::check(recording, &options);
            if let (Some(study), Rows::Expectations { .. }) = (&study, rows) {
                faults.extend(of_expectations(study, recording, dates.first().copied(), context));
            }
            faults
        }
        What::Measures { folder, released } => {
            let Checked { measures, faults, .. } = study::check(recording, &CheckOptions::new(context.today));
            let mut faults: Vec<_> = faults.into_iter().filter(|fault| fault.code.starts_with("SD7")).collect();
            faults.extend(study::released(&measures, &folder.to_string_lossy(), released));
            if left_out {
                let file = format!("analysis/{}.py", module.name());
                let made = plain("SD004", Severity::Error, format!("{file} has no list `measures`"));
                return vec![(file, made)];
            }
            faults
        }
    };
    let texts = Texts::read(recording, &faults, |file| text_of(file, context));
    study::fault::silence(recording, &mut faults, &texts);
    let mut found = study::fault::diagnostics(recording, &faults, &texts);
    for (_, made) in found.iter_mut().filter(|(_, made)| made.severity == Severity::Warning) {
        made.severity = Severity::Note;
    }
    found
}

/// What is wrong with the expectations of a sound study (SD6xx), for one index date: the others have the same columns.
pub(crate) fn of_expectations(
    study: &Study,
    recording: &Recording,
    date: Option<jiff::civil::Date>,
    context: &Context<'_>,
) -> Vec<study::fault::Fault> {
    let index_date = date.or(study.index_date);
    let (today, patients, seed) = (context.today, 1_000, expectations::SEED);
    expectations::check(study, recording, &expectations::Settings { index_date, today, patients, seed })
}

fn plain(code: &'static str, severity: Severity, message: String) -> Diagnostic {
    Diagnostic {
        code: pipeline::Code(code),
        severity,
        message,
        label: String::new(),
        help: None,
        span: None,
        labels: Vec::new(),
        at: Vec::new(),
        action: None,
        fixes: Vec::new(),
    }
}

/// What several actions find in one file is told once.
fn by_file(found: Found, context: &Context<'_>) -> Vec<StudyFile> {
    let mut files: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
    for (name, made) in found {
        let diagnostics = files.entry(name).or_default();
        if !diagnostics.contains(&made) {
            diagnostics.push(made);
        }
    }
    let file = |(name, mut diagnostics): (String, Vec<Diagnostic>)| {
        diagnostics.sort_by_key(|made| made.span.map(|span| (span.start.line, span.start.column)));
        let text = text_of(&name, context).unwrap_or_default();
        StudyFile { name, text, diagnostics }
    };
    files.into_iter().map(file).collect()
}
