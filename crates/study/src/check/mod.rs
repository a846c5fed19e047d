//! From a recording to a study: every fault of it at once, and the study when there is none.
//! Spec study-definitions.md 2, 5-8 and 13.

mod build;
mod call;
mod cases;
mod codelists;
mod dates;
pub(crate) mod expression;
mod measures;
mod order;
pub(crate) mod plan;
mod recorded;
mod released;
pub(crate) mod scope;

use jiff::civil::Date;

use crate::fault::{Fault, Severity};
use crate::model::{Measure, Study};
use crate::recording::{Recording, Value};
pub use released::released;
use scope::Scope;

/// Which tables a study is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Flavour {
    /// All functions.
    #[default]
    Tpp,
    /// Functions that EMIS has (section 4).
    Emis,
}

/// What is known about the run beside the study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckOptions {
    /// Tables.
    pub flavour: Flavour,
    /// What `today` means.
    pub today: Date,
    /// The index dates that the command gives; each takes the place of the study's own.
    pub index_dates: Vec<Date>,
    /// One dummy data file stands for every date.
    pub dummy_file: bool,
}

impl CheckOptions {
    /// A study by itself, on this day.
    pub const fn new(today: Date) -> Self {
        Self { flavour: Flavour::Tpp, today, index_dates: Vec::new(), dummy_file: false }
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// Present exactly when no fault of the study (lints and SD701 of measures aside) is among `faults`.
    pub study: Option<Study>,
    /// Of the module, where they are sound.
    pub measures: Vec<Measure>,
    /// Faults and lints, in the order of the source.
    pub faults: Vec<Fault>,
}

/// Checks a recording of a module that should have a study.
///
/// A module without one gives SD004; callers that go on to the next module look at [`Recording::study`] first.
pub fn check(recording: &Recording, options: &CheckOptions) -> Checked {
    let mut faults = recorded::faults(recording);
    let study = recording.study.as_ref().and_then(|call| {
        let mut scope = Scope::new(recording, options, call);
        let study = scope.study();
        faults.append(&mut scope.faults);
        Some(study).filter(|_| faults.iter().all(|f| f.severity < Severity::Fault))
    });
    if recording.study.is_none() && recording.exception.is_none() {
        faults.push(
            Fault::new("SD004", format!("{} has no variable `study`", recording.file))
                .fix("end the module with `study = StudyDefinition(…)`"),
        );
    }
    let measures = measures::check(recording, &mut faults);
    order::sort(recording, &mut faults);
    Checked { study, measures, faults }
}

/// Whether Python takes a value as true.
pub(crate) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Int(i) => *i != 0,
        Value::Float(x) => *x != 0.0,
        Value::Str(s) => !s.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Map(entries) => !entries.is_empty(),
        Value::Codelist(_) | Value::Date(_) | Value::Unsupported(_) => true,
    }
}

/// A value in words, for messages: its kind, and a text or number as it is.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(i) => i.to_string(),
        Value::Float(x) => format!("{x:?}"),
        Value::Str(s) => {
            let mut text: String = s.chars().take(60).collect();
            if text.len() < s.len() {
                text.push('…');
            }
            format!("\"{text}\"")
        }
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a dictionary".to_owned(),
        Value::Codelist(_) => "a codelist".to_owned(),
        Value::Date(day) => day.to_string(),
        Value::Unsupported(kind) => format!("a value of type {kind}"),
    }
}

#[cfg(test)]
mod tests;
