//! Whether a file that a researcher made can stand for the rows of a study: its columns and the form of every cell.
//! Spec study-definitions.md 9.3. All faults are found in one pass; nothing is kept but the first of them.

mod cell;
mod finding;
mod form;

use std::collections::HashSet;

use arrow_array::ArrayRef;

use self::cell::cell;
pub use self::finding::{BadCell, Finding};
use self::form::Verdict;
use crate::read::{Column, Input, Limits, Notes, ReadError, Reader, Rows};
use crate::{Field, Format, Schema, write};

/// How many bad cells are shown.
pub const SHOWN: usize = 20;
/// The first row is below a header, and rows are counted from 1.
const FIRST_ROW: u64 = 2;
/// Repeats are no longer looked for beyond so many patients.
const MOST_PATIENTS: usize = 20_000_000;

/// What was found in a file.
#[derive(Debug, Default)]
pub struct Report {
    /// Rows that were looked at.
    pub rows: u64,
    /// Faults and warnings, in the order in which they are told.
    pub findings: Vec<Finding>,
    /// What is odd about the file.
    pub notes: Notes,
}

impl Report {
    /// No fault; there may be warnings.
    pub fn is_fine(&self) -> bool {
        !self.findings.iter().any(Finding::is_fault)
    }
}

/// Checks a file for a study: `name` is that of the file, `output` the format that is asked for, `schema` the visible columns
/// with patient_id. The name must have the ending of the output, `.csv.gz` being one. A file that cannot be read is a finding.
pub fn file(name: &str, output: Format, input: impl Input + 'static, limits: Limits, schema: &Schema) -> Report {
    if let Some(wrong) = ending(name, output) {
        return Report { findings: vec![wrong], ..Report::default() };
    }
    match Reader::open(output, input, limits) {
        Ok(reader) => rows(reader, schema),
        Err(error) => Report { findings: vec![Finding::Unreadable(error)], ..Report::default() },
    }
}

/// The fault of a file whose name says another format than the output's (SD611).
pub fn ending(name: &str, output: Format) -> Option<Finding> {
    let given = Format::of_name(name).map(|(_, format)| format);
    (given != Some(output)).then(|| Finding::WrongFormat { name: name.to_owned(), given, expected: output })
}

/// Checks what a reader gives.
pub fn rows(mut reader: Reader, schema: &Schema) -> Report {
    let mut checking = Checking::new(&reader, schema);
    reader.keep(&checking.places.iter().map(|(place, _)| *place).collect::<Vec<_>>());
    let columns = reader.columns().to_vec();
    let format = reader.format();
    let mut unreadable = None;
    for rows in &mut reader {
        match rows {
            Ok(rows) => checking.see(&rows, &columns, format),
            Err(error) => unreadable = Some(error),
        }
    }
    checking.done(unreadable, reader.notes())
}

struct Checking {
    /// Columns of the file by their place, with what they should hold.
    places: Vec<(usize, Field)>,
    columns: Option<Finding>,
    shown: Vec<BadCell>,
    bad: u64,
    rows: u64,
    /// For every column the number of fractions and the row of the first one.
    fractions: Vec<(u64, u64)>,
    patients: HashSet<i64, foldhash::fast::RandomState>,
    repeated: u64,
}

impl Checking {
    fn new(reader: &Reader, schema: &Schema) -> Self {
        let mut expected = schema.fields.clone();
        if matches!(reader.format(), Format::Dta | Format::DtaGz) {
            // A Stata file has the names that it would be written with.
            let (names, _) = write::dta::names::fitting(&expected);
            expected.iter_mut().zip(names).for_each(|(field, name)| field.name = name);
        }
        let (mut places, mut unexpected, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
        for (place, column) in reader.columns().iter().enumerate() {
            let name = column.name();
            match expected.iter().find(|field| field.name == name) {
                None => unexpected.push(name.into_owned()),
                Some(field) if places.iter().any(|(_, seen): &(_, Field)| seen.name == field.name) => {
                    repeated.push(name.into_owned());
                }
                Some(field) => places.push((place, field.clone())),
            }
        }
        let missing: Vec<String> = expected
            .into_iter()
            .map(|field| field.name)
            .filter(|name| !places.iter().any(|(_, field)| field.name == *name))
            .collect();
        let odd = !(missing.is_empty() && unexpected.is_empty() && repeated.is_empty());
        Self {
            columns: odd.then_some(Finding::Columns { missing, unexpected, repeated }),
            fractions: vec![(0, 0); places.len()],
            places,
            shown: Vec::new(),
            bad: 0,
            rows: 0,
            patients: HashSet::default(),
            repeated: 0,
        }
    }

    fn see(&mut self, rows: &Rows, columns: &[Column], format: Format) {
        let cells: Vec<(&ArrayRef, Option<&Column>)> =
            rows.columns.iter().zip(&self.places).map(|(array, (place, _))| (array, columns.get(*place))).collect();
        for at in 0..rows.len {
            let row = rows.before + at as u64 + FIRST_ROW;
            for (nth, (array, column)) in cells.iter().enumerate() {
                let Some((_, field)) = self.places.get(nth) else { continue };
                let cell = cell(array.as_ref(), at, column.and_then(|c| c.labels.as_deref()), format);
                let is_patient = field.name == "patient_id";
                let verdict =
                    if is_patient { form::patient(&cell, format) } else { form::of(field.kind, &cell, format) };
                match verdict {
                    Verdict::Fine => {}
                    Verdict::Fraction => {
                        if let Some((count, first)) = self.fractions.get_mut(nth) {
                            *first = if *count == 0 { row } else { *first };
                            *count += 1;
                        }
                    }
                    Verdict::Patient(id) => {
                        let new = self.patients.len() >= MOST_PATIENTS || self.patients.insert(id);
                        self.repeated += u64::from(!new);
                    }
                    Verdict::Bad => {
                        self.bad += 1;
                        if self.shown.len() < SHOWN {
                            let expected =
                                if is_patient { "a whole number in every row" } else { form::name(field.kind) };
                            self.shown.push(BadCell { column: field.name.clone(), row, value: cell.shown(), expected });
                        }
                    }
                }
            }
        }
        self.rows += rows.len as u64;
    }

    fn done(self, unreadable: Option<ReadError>, notes: Notes) -> Report {
        let mut findings: Vec<Finding> = unreadable.map(Finding::Unreadable).into_iter().collect();
        findings.extend(self.columns);
        if self.bad > 0 {
            findings.push(Finding::BadValues { count: self.bad, shown: self.shown });
        }
        for ((_, field), (count, first)) in self.places.into_iter().zip(self.fractions) {
            if count > 0 {
                findings.push(Finding::Fractions { column: field.name, count, first_row: first });
            }
        }
        if self.repeated > 0 {
            findings.push(Finding::RepeatedPatients { count: self.repeated });
        }
        Report { rows: self.rows, findings, notes }
    }
}

#[cfg(test)]
mod tests;
