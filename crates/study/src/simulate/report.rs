//! What the expectations of each column say, what simulated patients reach, and why not.
//! Spec study-definitions.md 10.2.5.

use std::fmt;

use query::reference::{PatientRow, Value};
use serde::Serialize;

use super::scene::Scene;
use crate::expectations::period;
use crate::expectations::settings::Settings;
use crate::model::{ColumnType, DateBase, Part, Query, VariableId};
use crate::recording::Value as Label;

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnShare {
    /// Its name.
    pub column: String,
    /// Share of patients with a value, by the expectations; absent where they say nothing.
    pub expected: Option<f64>,
    /// Share of patients with a value, in the population.
    pub reached: Option<f64>,
    /// Why both may differ.
    pub why: Option<String>,
    #[serde(skip)]
    missing: Option<i64>,
    /// Patients with a value.
    #[serde(skip)]
    there: u64,
}

/// All columns of one index date in the order of the file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Patients in the population.
    pub patients: u64,
    /// Columns.
    pub columns: Vec<ColumnShare>,
}

impl ColumnShare {
    /// How far the reached share is from the expected one.
    pub fn distance(&self) -> f64 {
        self.expected.zip(self.reached).map_or(0.0, |(expected, reached)| (expected - reached).abs())
    }
}

impl fmt::Display for ColumnShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (expected, reached) = (percent(self.expected), percent(self.reached));
        write!(f, "{}: {reached} instead of {expected}", self.column)?;
        self.why.as_ref().map_or(Ok(()), |why| write!(f, ", {why}"))
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

impl Report {
    pub(super) fn expected(scene: &Scene) -> Self {
        let study = scene.study;
        let columns = study.columns().map(|id| {
            let variable = &study[id];
            let expected = share(scene, id);
            let missing = match variable.kind {
                // Nobody is without an age.
                ColumnType::Int if matches!(variable.query, Query::AgeAsOf(_)) => Some(i64::MIN),
                ColumnType::IntCategory { missing } => Some(missing),
                _ => None,
            };
            ColumnShare {
                column: variable.name.clone(),
                expected,
                reached: None,
                why: why(scene, id),
                missing,
                there: 0,
            }
        });
        Self { patients: 0, columns: columns.collect() }
    }

    /// Counts rows of the file.
    pub(super) fn count(&mut self, rows: &[PatientRow]) {
        self.patients += rows.len() as u64;
        for (place, share) in self.columns.iter_mut().enumerate() {
            let missing = share.missing;
            let there = |row: &&PatientRow| row.values.get(place).is_some_and(|value| !is_empty(value, missing));
            share.there += rows.iter().filter(there).count() as u64;
        }
    }

    /// Compares, once all rows are counted.
    pub(super) fn reached(&mut self) {
        let patients = self.patients as f64;
        for share in &mut self.columns {
            share.reached = (self.patients > 0).then(|| share.there as f64 / patients);
            let near = share.expected.zip(share.reached).is_none_or(|(expected, reached)| {
                (expected - reached).abs() <= 3.0 * (expected * (1.0 - expected) / patients.max(1.0)).sqrt() + 1e-9
            });
            if near {
                share.why = None;
            } else if share.why.is_none() {
                share.why =
                    Some("the population, periods, or other variables over the same rows decide as well".to_owned());
            }
        }
    }
}

/// Share of patients with a value: the incidence, less labels that stand for no value; a sign only where its source is.
fn share(scene: &Scene, id: VariableId) -> Option<f64> {
    let variable = &scene.study[id];
    let (of, other) = match variable.query {
        Query::ValueFrom { source, part: Part::Date } => return share(scene, source),
        Query::ValueFrom { source, .. } => (variable, share(scene, source)?),
        _ => (variable, 1.0),
    };
    let settings = Settings::new(&scene.study.default_expectations, &of.expectations).ok()?;
    let incidence = settings.incidence().ok()?.unwrap_or(1.0);
    let labelled = matches!(of.kind, ColumnType::Str | ColumnType::IntCategory { .. });
    let nothing = |label: &Label| *label == Label::Null || *label == Label::Str(String::new());
    let empty: f64 = match labelled {
        true => settings
            .ratios()
            .unwrap_or_default()
            .iter()
            .filter(|(label, _)| nothing(label))
            .map(|(_, ratio)| ratio)
            .sum(),
        false => 0.0,
    };
    Some(incidence * (1.0 - empty) * other)
}

fn why(scene: &Scene, id: VariableId) -> Option<String> {
    let query = &scene.study[id].query;
    if let Some(study) = scene.census.other(query, scene.module) {
        return Some(format!("people are the same in all studies, and {study} says how they are"));
    }
    let text = match query {
        Query::ValueFrom { source, .. } => return why(scene, *source),
        Query::Categorised(_) | Query::Aggregate { .. } | Query::Fixed(_) | Query::AllPatients => {
            "computed from other columns: its expectations are only a target"
        }
        Query::RandomSample { .. } => "patients are sampled by their number",
        Query::ValueFromFile { .. } | Query::InFile { .. } => "the file decides",
        _ => {
            let period = period::of(query)?;
            let column = [&period.from, &period.to].into_iter().flatten().find_map(|end| match end.base {
                DateBase::Column(id) => Some(scene.study[id].name.as_str()),
                _ => None,
            });
            return column.map(|column| format!("its period hangs on {column}, which not everybody has"));
        }
    };
    Some(text.to_owned())
}

fn is_empty(value: &Value, missing: Option<i64>) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Int(value) => *value == missing.unwrap_or(0),
        Value::Float(value) => *value == 0.0,
        Value::Str(text) => text.is_empty(),
        Value::Date(_) | Value::DateTime(_) => false,
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.columns.iter().map(|share| share.column.chars().count()).max().unwrap_or(0).max(6);
        writeln!(f, "{} patients in the population", self.patients)?;
        writeln!(f, "{:width$}  {:>8}  {:>8}", "column", "expected", "reached")?;
        for share in &self.columns {
            write!(f, "{:width$}  {:>8}  {:>8}", share.column, percent(share.expected), percent(share.reached))?;
            writeln!(f, "{}", share.why.as_ref().map_or_else(String::new, |why| format!("  {why}")))?;
        }
        Ok(())
    }
}
