//! What value files give to dummy data: their patients and columns, over which the other columns are made.
//! Spec study-definitions.md 7.4 and 10.1.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, BooleanArray};
use flate2::read::MultiGzDecoder;

use super::dates::day_number;
use super::plan;
use crate::model::dates::iso_day;
use crate::model::{ColumnType, Query, Study, VariableId};

/// The patients of all value files together, with a column for each variable that reads one.
#[derive(Debug, Clone)]
pub struct FileColumns {
    /// Ascending, each once.
    pub patients: Vec<i64>,
    /// One value per patient, of the variable's type; NULL where its file has none.
    pub columns: Vec<(VariableId, ArrayRef)>,
}

/// A value file that cannot be used (D511). No text holds a value.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// It cannot be opened or read.
    #[error("D511: {path}: {source}")]
    Io {
        /// As the study writes it.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Neither csv nor csv.gz.
    #[error("D511: {path}: value files are .csv or .csv.gz")]
    Format {
        /// As the study writes it.
        path: String,
    },
    /// A column that it lacks.
    #[error("D511: {path} has no column {column}; it has {found}")]
    Column {
        /// As the study writes it.
        path: String,
        /// Wanted.
        column: String,
        /// Those it has.
        found: String,
    },
    /// A line that is no csv.
    #[error("D511: {path} line {line}: {reason}")]
    Line {
        /// As the study writes it.
        path: String,
        /// From 1, the header's.
        line: u64,
        /// What is wrong.
        reason: String,
    },
}

/// Reads the value files of the columns that dummy data have. `open` gives the bytes of a file that the study may read.
/// `None` when no column reads one. Several files: the patients of all of them.
///
/// # Errors
/// The first fault found, with file and line.
pub fn read_files(
    study: &Study,
    open: &dyn Fn(&str) -> io::Result<Box<dyn Read>>,
) -> Result<Option<FileColumns>, FileFault> {
    let wanted: Vec<(VariableId, &str, Option<&str>)> = plan::needed(study)
        .into_iter()
        .filter_map(|id| match &study[id].query {
            Query::ValueFromFile { path, column } => Some((id, path.as_str(), Some(column.as_str()))),
            Query::InFile { path } => Some((id, path.as_str(), None)),
            _ => None,
        })
        .collect();
    if wanted.is_empty() {
        return Ok(None);
    }
    let mut files: BTreeMap<&str, ValueFile> = BTreeMap::new();
    for (id, path, column) in &wanted {
        let file = files.entry(path).or_default();
        file.wanted.extend(column.map(|column| (column, study[*id].kind)).filter(|one| !file.wanted.contains(one)));
    }
    for (path, file) in &mut files {
        file.read(path, open)?;
    }
    let mut patients: Vec<i64> = files.values().flat_map(|file| file.rows.keys().copied()).collect();
    patients.sort_unstable();
    patients.dedup();
    let columns =
        wanted.iter().map(|(id, path, column)| (*id, files[path].column(*column, study[*id].kind, &patients)));
    let columns = columns.collect();
    Ok(Some(FileColumns { patients, columns }))
}

/// A value that was read, of the type wanted.
#[derive(Debug, Clone)]
enum Cell {
    Missing,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
    Day(i32),
}

#[derive(Debug, Default)]
struct ValueFile<'a> {
    wanted: Vec<(&'a str, ColumnType)>,
    /// By patient, in the order of `wanted`.
    rows: BTreeMap<i64, Box<[Cell]>>,
}

impl ValueFile<'_> {
    fn read(&mut self, path: &str, open: &dyn Fn(&str) -> io::Result<Box<dyn Read>>) -> Result<(), FileFault> {
        let io = |source| FileFault::Io { path: path.to_owned(), source };
        let lower = path.to_ascii_lowercase();
        let bytes: Box<dyn Read> = match () {
            () if lower.ends_with(".csv") => open(path).map_err(io)?,
            () if lower.ends_with(".csv.gz") => Box::new(MultiGzDecoder::new(open(path).map_err(io)?)),
            () => return Err(FileFault::Format { path: path.to_owned() }),
        };
        let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
        let line = |line: u64, reason: &str| FileFault::Line { path: path.to_owned(), line, reason: reason.to_owned() };
        let unread = |fault: csv::Error| {
            let at = fault.position().map_or(1, csv::Position::line);
            match fault.into_kind() {
                csv::ErrorKind::Io(source) => io(source),
                csv::ErrorKind::Utf8 { .. } => line(at, "the text is not UTF-8"),
                csv::ErrorKind::UnequalLengths { .. } => line(at, "it has not as many cells as the header"),
                _ => line(at, "it is no csv"),
            }
        };
        let header = reader.headers().map_err(unread)?.clone();
        let place = |wanted: &str| {
            let found = header.iter().position(|name| name.trim_start_matches('\u{feff}').trim() == wanted);
            let missing = || FileFault::Column {
                path: path.to_owned(),
                column: wanted.to_owned(),
                found: header.iter().take(50).collect::<Vec<_>>().join(", "),
            };
            found.ok_or_else(missing)
        };
        let patient = place("patient_id")?;
        let places = self.wanted.iter().map(|(name, _)| place(name)).collect::<Result<Vec<_>, _>>()?;
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(unread)? {
            let at = record.position().map_or(0, csv::Position::line);
            let id = record.get(patient).and_then(|id| id.trim().parse().ok());
            let id: i64 = id.ok_or_else(|| line(at, "patient_id is no whole number"))?;
            let cell = |(place, (name, kind)): (&usize, &(&str, ColumnType))| {
                let text = record.get(*place).unwrap_or_default();
                parse(text, *kind).ok_or_else(|| line(at, &format!("the value of {name} is no {}", words(*kind))))
            };
            let cells = places.iter().zip(&self.wanted).map(cell).collect::<Result<Box<[Cell]>, _>>()?;
            if self.rows.insert(id, cells).is_some() {
                return Err(line(at, "a patient of an earlier line comes again; each may have one row"));
            }
        }
        Ok(())
    }

    /// One variable's values for these patients; without a column, who is in the file.
    fn column(&self, column: Option<&str>, kind: ColumnType, patients: &[i64]) -> ArrayRef {
        let place = column.and_then(|column| self.wanted.iter().position(|(name, of)| *name == column && *of == kind));
        let Some(place) = place else {
            return Arc::new(patients.iter().map(|id| Some(self.rows.contains_key(id))).collect::<BooleanArray>());
        };
        let cells = patients.iter().map(|id| self.rows.get(id).and_then(|row| row.get(place)));
        macro_rules! build {
            ($builder:expr, $cell:pat => $value:expr) => {{
                let mut builder = $builder;
                cells.for_each(|cell| builder.append_option(if let Some($cell) = cell { Some($value) } else { None }));
                Arc::new(builder.finish())
            }};
        }
        match kind {
            ColumnType::Bool => build!(BooleanBuilder::new(), Cell::Bool(value) => *value),
            ColumnType::Int | ColumnType::IntCategory { .. } => build!(Int64Builder::new(), Cell::Int(value) => *value),
            ColumnType::Float => build!(Float64Builder::new(), Cell::Float(value) => *value),
            ColumnType::Str => build!(StringBuilder::new(), Cell::Text(value) => value),
            ColumnType::Date(_) => build!(Date32Builder::new(), Cell::Day(value) => *value),
        }
    }
}

fn words(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Bool => "truth value (0, 1, True or False)",
        ColumnType::Int | ColumnType::IntCategory { .. } => "whole number",
        ColumnType::Float => "number",
        ColumnType::Str => "text",
        ColumnType::Date(_) => "date (YYYY-MM-DD)",
    }
}

/// A cell; blank ones are missing. `None` when it is not of the type.
fn parse(text: &str, kind: ColumnType) -> Option<Cell> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Some(Cell::Missing);
    }
    Some(match kind {
        ColumnType::Str => Cell::Text(text.into()),
        ColumnType::Bool => match trimmed {
            "1" | "1.0" | "True" | "true" | "TRUE" => Cell::Bool(true),
            "0" | "0.0" | "False" | "false" | "FALSE" => Cell::Bool(false),
            _ => return None,
        },
        ColumnType::Int | ColumnType::IntCategory { .. } => match trimmed.parse() {
            Ok(number) => Cell::Int(number),
            // Whole numbers with missing ones among them are written as 12.0 by many tools.
            Err(_) => Cell::Int(trimmed.strip_suffix(".0")?.parse().ok()?),
        },
        ColumnType::Float => Cell::Float(trimmed.parse().ok()?),
        ColumnType::Date(_) => {
            let day = match trimmed.len() {
                4 => format!("{trimmed}-01-01"),
                7 => format!("{trimmed}-01"),
                _ => trimmed.split(['T', ' ']).next().unwrap_or_default().to_owned(),
            };
            Cell::Day(day_number(iso_day(&day)?))
        }
    })
}
