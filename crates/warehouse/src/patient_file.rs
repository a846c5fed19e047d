//! A file with one row per patient that a study names (`with_value_from_file`, `which_exist_in_file`;
//! study-definitions.md 7.4): csv or csv.gz with `patient_id`, faults are D511 with line.

use std::collections::HashSet;
use std::io::{BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use query::reference::Rows;
use query::{DateFormat, Inline, Type, Value, spelling};

use crate::cell;
use crate::csv::{Record, Records};
use crate::fault::{Code, Fault, Faults};
use crate::folder::limited;
use crate::table::csv_fault;

/// Column of patients.
const ID: &str = "patient_id";
/// Rows that are taken (study-definitions.md 14).
const ROWS: usize = 100_000_000;

/// Reads the rows that a graph asks for of one file: `patient_id` and the columns of `inline`, with blank cells NULL.
/// `input` is the opened file, unpacked here if its name ends in `.gz`.
///
/// # Errors
/// D511, all at once: missing columns, cells of another type, patients that are missing or stand twice.
pub fn read_patient_file(inline: &Inline, input: impl Read) -> Result<Rows, Faults> {
    if inline.file.ends_with(".gz") {
        read(inline, MultiGzDecoder::new(BufReader::new(input)))
    } else {
        read(inline, input)
    }
}

fn read(inline: &Inline, input: impl Read) -> Result<Rows, Faults> {
    let file = &inline.file;
    let broken = |error| Faults::one(Fault { code: Code::D511, ..csv_fault(file, error) });
    let mut records = Records::new(BufReader::new(limited(input))).map_err(broken)?;
    let mut record = Record::default();
    if !records.next(&mut record).map_err(broken)? {
        return Err(Faults::one(Fault::of_file(Code::D511, file, "no header")));
    }
    let header: Vec<String> = record.cells().map(|(bytes, _)| String::from_utf8_lossy(bytes).into_owned()).collect();
    let mut faults = Faults::default();
    let mut wanted: Vec<(&str, Type, usize)> = Vec::new();
    let columns = inline.columns.iter().map(|(name, kind)| (name.as_str(), *kind));
    for (name, kind) in [(ID, Type::Int)].into_iter().chain(columns) {
        let mut places = header.iter().enumerate().filter(|(_, column)| *column == name).map(|(at, _)| at);
        match (places.next(), places.next()) {
            (Some(at), None) => wanted.push((name, kind, at)),
            (None, _) => {
                faults.push(at_column(file, name, format!("the column is missing; there are {}", header.join(", "))))
            }
            (Some(_), Some(_)) => faults.push(at_column(file, name, "the column stands twice".to_owned())),
        }
    }
    faults.or(())?;
    let mut faults = Faults::default();
    let mut known = HashSet::new();
    let mut rows = Vec::new();
    while records.next(&mut record).map_err(broken)? {
        let at = |message: String| Fault { line: Some(record.line), ..Fault::of_file(Code::D511, file, message) };
        if record.len() != header.len() {
            faults.push(at(format!("{} cells, the header has {}", record.len(), header.len())));
            continue;
        }
        let mut row = Vec::with_capacity(wanted.len());
        for (name, kind, place) in &wanted {
            match value(record.cell(*place).map_or(&[], |(bytes, _)| bytes), *kind) {
                Ok(value) => row.push(value),
                Err(message) => faults.push(Fault { column: Some((*name).to_owned()), ..at(message.to_owned()) }),
            }
        }
        match row.first() {
            Some(Value::Int(id)) if !known.insert(*id) => {
                faults.push(at("the patient stands here a second time".into()))
            }
            Some(Value::Null) => faults.push(at("a row without patient_id".into())),
            _ if row.len() == wanted.len() => rows.push(row),
            _ => {}
        }
        if rows.len() > ROWS {
            faults.push(at(format!("over {ROWS} rows")));
            break;
        }
    }
    faults.or(Rows { columns: wanted.into_iter().map(|(name, _, _)| name.to_owned()).collect(), rows })
}

fn at_column(file: &str, column: &str, message: String) -> Fault {
    Fault { column: Some(column.to_owned()), ..Fault::of_file(Code::D511, file, message) }
}

/// A cell; blank is NULL, quoted or not. Days may be cut to months and years, as files of patients have them.
fn value(bytes: &[u8], kind: Type) -> Result<Value, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "text that is not UTF-8")?;
    if text.trim_matches(' ').is_empty() {
        return Ok(Value::Null);
    }
    if kind == Type::Date {
        let formats = [DateFormat::Day, DateFormat::Month, DateFormat::Year];
        if let Some(day) = formats.into_iter().find_map(|format| spelling::day(text, format)) {
            return Ok(Value::Date(day));
        }
    }
    cell::typed(text, kind).map_err(|wrong| wrong.message)
}
