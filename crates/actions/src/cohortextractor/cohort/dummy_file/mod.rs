//! `--dummy-data-file`: rows of the researcher's own, checked against the study and copied byte for byte.
//! Spec study-definitions.md 9.3. They are dummy data, so that values may be shown.

mod cell;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};
use std::io::BufReader;
use std::path::Path;

use cohorts::Format;
use cohorts::read::{Limits, Reader};
use study::model::{ColumnType, Study};

use crate::fault::{Exit, Fault, FaultCode};
use crate::text::warn;
use crate::workspace::Workspace;
use crate::{Context, Outcome};

use super::super::measures::unreadable;
use super::{Job, Sound};

use cell::{Expected, Verdict};

/// Bad cells that are shown; all are counted.
const SHOWN: usize = 20;
const WHAT: &str = "--dummy-data-file";

pub(crate) fn check(
    path: &Path,
    format: Format,
    sound: &Sound,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Outcome {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let of_name = Format::of_name(name).map(|(_, format)| format);
    if of_name != Some(format) {
        let message = format!("{WHAT} {} is not of the format of the output, {}", path.display(), format.extension());
        let fault = Fault::new(FaultCode::Study("SD611"), Exit::DummyBad, message);
        return Err(vec![match of_name {
            Some(other) => {
                fault.help(format!("give a .{} file, or --output-format {}", format.extension(), other.extension()))
            }
            None => fault.help(format!("give a .{} file", format.extension())),
        }]);
    }
    let file = workspace.open(path, WHAT, Exit::DummyBad).map_err(|mut fault| {
        if fault.code == FaultCode::FileNotFound {
            fault.code = FaultCode::Study("SD610");
        }
        vec![fault]
    })?;
    let shown = path.display().to_string();
    let unread = |error: &cohorts::read::ReadError| {
        let mut fault = unreadable(error, &shown);
        fault.exit = Exit::DummyBad;
        vec![fault]
    };
    let reader = Reader::open(format, BufReader::with_capacity(64 << 10, file), Limits::default());
    let mut reader = reader.map_err(|error| unread(&error))?;
    let expected = expected(&sound.study);
    let places = places(&reader, &expected, &shown).map_err(|fault| vec![fault])?;
    reader.keep(&places);
    let mut found = Found::default();
    let mut patients = HashSet::new();
    let mut repeated = false;
    for rows in &mut reader {
        let rows = rows.map_err(|error| unread(&error))?;
        for (array, (name, wanted)) in rows.columns.iter().zip(&expected) {
            for at in 0..rows.len {
                match cell::check(array, at, *wanted, format) {
                    Verdict::Good => {}
                    Verdict::Patient(id) => repeated |= !patients.insert(id),
                    Verdict::Fraction => {
                        found.fractions.extend((!found.fractions.contains(name)).then(|| name.clone()))
                    }
                    Verdict::Bad(value) => found.bad(name, rows.before + at as u64 + 2, &value, *wanted),
                }
            }
        }
    }
    if repeated {
        warn(
            context.stderr,
            &format!("{shown}: a patient_id stands in several rows; real data have one row for each patient"),
        );
    }
    for name in &found.fractions {
        warn(context.stderr, &format!("{shown}: column {name} is of whole numbers and has fractions"));
    }
    found.outcome(&shown)
}

/// What each column must hold.
fn expected(study: &Study) -> Vec<(String, Expected)> {
    let of = |kind: ColumnType| match kind {
        ColumnType::Bool => Expected::Truth,
        ColumnType::Int | ColumnType::IntCategory { .. } => Expected::Whole,
        ColumnType::Float => Expected::Float,
        ColumnType::Str => Expected::Text,
        ColumnType::Date(precision) => Expected::Date(precision),
    };
    let columns = study.columns().map(|id| (study[id].name.clone(), of(study[id].kind)));
    std::iter::once(("patient_id".to_owned(), Expected::Patient)).chain(columns).collect()
}

/// Where the expected columns stand in the file; what is missing or unexpected is told at once.
fn places(reader: &Reader, expected: &[(String, Expected)], shown: &str) -> Result<Vec<usize>, Fault> {
    let found: Vec<String> = reader.columns().iter().map(|column| column.name().into_owned()).collect();
    let known: BTreeSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    let missing: Vec<&str> =
        expected.iter().map(|(name, _)| name.as_str()).filter(|name| !found.iter().any(|f| f == name)).collect();
    let unexpected: Vec<&str> = found.iter().map(String::as_str).filter(|name| !known.contains(name)).collect();
    let twice: Vec<&str> =
        known.iter().copied().filter(|name| found.iter().filter(|f| f == name).count() > 1).collect();
    let mut wrong = Vec::new();
    for (names, what) in [(missing, "lacks"), (unexpected, "should not have"), (twice, "has more than once")] {
        if !names.is_empty() {
            wrong.push(format!("{what} {}", names.join(", ")));
        }
    }
    if !wrong.is_empty() {
        let message = format!("{shown} does not have the columns of the study: it {}", wrong.join("; it "));
        let fault = Fault::new(FaultCode::Study("SD612"), Exit::DummyBad, message);
        return Err(fault
            .help("its columns are patient_id and the columns of the study, in any order; hidden ones are left out"));
    }
    Ok(expected.iter().filter_map(|(name, _)| found.iter().position(|f| f == name)).collect())
}

/// What is wrong with cells.
#[derive(Debug, Default)]
struct Found {
    bad: u64,
    shown: Vec<String>,
    /// Columns of whole numbers with fractions.
    fractions: Vec<String>,
}

impl Found {
    fn bad(&mut self, column: &str, row: u64, value: &str, wanted: Expected) {
        self.bad += 1;
        if self.shown.len() < SHOWN {
            let value: String = value.chars().take(60).collect();
            self.shown.push(format!("row {row}, column {column}: '{value}' is no {}", wanted.words()));
        }
    }

    fn outcome(self, shown: &str) -> Outcome {
        if self.bad == 0 {
            return Ok(());
        }
        let more = if self.bad > self.shown.len() as u64 {
            format!("\n  … and {} more", self.bad - self.shown.len() as u64)
        } else {
            String::new()
        };
        let message = format!("{shown} has {} bad values\n  {}{more}", self.bad, self.shown.join("\n  "));
        let fault = Fault::new(FaultCode::Study("SD613"), Exit::DummyBad, message);
        Err(vec![fault.help("rows count from 2, the row after the names of columns; empty cells are allowed")])
    }
}

/// The file for every date.
pub(crate) fn copy(path: &Path, jobs: &[Job], workspace: &Workspace, context: &mut Context<'_>) -> Outcome {
    for job in jobs {
        if workspace.identify(path).is_some() && workspace.identify(path) == workspace.identify(&job.path) {
            warn(context.stderr, "the output is the dummy data file itself; it is left as it is");
            continue;
        }
        let copied = workspace.open(path, WHAT, Exit::DummyBad).and_then(|mut file| {
            let mut staged = workspace.stage(&job.path, "the file of patients")?;
            let what = staged.what().to_owned();
            std::io::copy(&mut file, staged.file()).map_err(|error| Fault::writing(&what, &error))?;
            staged.sync()?;
            staged.publish()
        });
        copied.map_err(|fault| vec![fault])?;
        context.log(&format!("wrote {} (a copy of {})", job.path.display(), path.display()));
    }
    Ok(())
}
