//! A csv file in one pass: every field is shown to its column, and kept by none (actions.md 3.2, 5.2).
//! A record with fewer fields than the header has blanks at its end.

use std::collections::HashSet;
use std::io::Write;

use crate::csv::{CsvError, Fields, MAX_COLUMNS, MAX_HEADER_NAME, Record, Scanner};
use crate::fault::{Fault, FaultCode};
use crate::files::{Opened, csv_fault, data_fault};
use crate::text::{about, warn};

use super::ahead::Ahead;
use super::detail::Detail;
use super::guess::Guess;
use super::survey::{Column, Survey, pair};
use super::{PATIENT_ID, detail};

/// A column while the file is read.
struct Seen {
    name: String,
    guess: Guess,
    detail: Option<Box<Detail>>,
}

pub(super) fn survey(opened: Opened, with_detail: bool, stderr: &mut dyn Write) -> Result<Survey, Fault> {
    let (name, packed) = (opened.name.clone(), opened.packed);
    let bytes = opened.bytes();
    let bytes = match packed {
        true => Box::new(Ahead::new(bytes).map_err(|error| csv_fault(&name, &CsvError::Io(error)))?),
        false => bytes,
    };
    let mut scanner = Scanner::new(bytes);
    let mut fields = Fields::default();
    let header = scanner.next().map_err(|error| csv_fault(&name, &error))?.ok_or_else(|| {
        let fault = data_fault(FaultCode::MalformedCsv, format!("{name} is empty"));
        fault.help("a csv file begins with a line that names its columns")
    })?;
    fields.split(header);
    let mut columns = columns(&fields, &name, with_detail)?;
    let mut budget = detail::Budget::default();
    let (mut rows, mut short) = (0_u64, 0_u64);
    while let Some(record) = scanner.next().map_err(|error| csv_fault(&name, &error))? {
        let found = record_seen(record, &mut columns, &mut fields, &mut budget).ok_or_else(|| {
            let line = record.line;
            let message = format!("{name}: line {line} has more fields than the {} of the header", columns.len());
            data_fault(FaultCode::MalformedCsv, message).help("put fields that hold a comma in quotes")
        })?;
        if found < columns.len() {
            short += 1;
            columns.iter_mut().skip(found).for_each(|column| column.see(b"", &mut budget));
        }
        rows += 1;
    }
    if scanner.not_utf8() {
        warn(stderr, &format!("{name} holds bytes that are not UTF-8"));
    }
    if short > 0 {
        let short = about(short);
        warn(stderr, &format!("{name}: {short} lines have fewer fields than the header; the missing ones are blank"));
    }
    Ok(Survey { rows, columns: columns.into_iter().map(|column| column.end(rows)).collect() })
}

fn columns(header: &Fields, name: &str, with_detail: bool) -> Result<Vec<Seen>, Fault> {
    if header.len() > MAX_COLUMNS || header.iter().any(|column| column.len() > MAX_HEADER_NAME) {
        let message =
            format!("{name}: more than {MAX_COLUMNS} columns, or a name of more than {MAX_HEADER_NAME} bytes");
        return Err(data_fault(FaultCode::TooLarge, message));
    }
    let columns = names(header).into_iter().map(|name| {
        let detail = (with_detail && name != PATIENT_ID).then(Box::default);
        Seen { name, guess: Guess::default(), detail }
    });
    Ok(columns.collect())
}

/// Names as a Python reader has them: an empty one is called after its place, a repeated one gets a number.
fn names(header: &Fields) -> Vec<String> {
    let given = header.iter().enumerate().map(|(at, name)| match name {
        [] => format!("Unnamed: {at}"),
        name => String::from_utf8_lossy(name).into_owned(),
    });
    let given: Vec<String> = given.collect();
    let mut taken: HashSet<String> = given.iter().cloned().collect();
    let mut seen: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    let mut names = Vec::with_capacity(given.len());
    for name in given {
        let again = seen.entry(name.clone()).or_insert(0);
        let mut unique = name.clone();
        if *again > 0 {
            loop {
                unique = format!("{name}.{again}");
                if taken.insert(unique.clone()) {
                    break;
                }
                *again += 1;
            }
        }
        *again += 1;
        names.push(unique);
    }
    names
}

/// Shows each field to its column and gives their number; `None` if there are more fields than columns.
fn record_seen(
    record: Record<'_>,
    columns: &mut [Seen],
    fields: &mut Fields,
    budget: &mut detail::Budget,
) -> Option<usize> {
    let mut found = 0;
    let mut see = |field: &[u8]| {
        let column = columns.get_mut(found)?;
        column.see(field, budget);
        found += 1;
        Some(())
    };
    if record.odd {
        fields.split(record);
        fields.iter().try_for_each(&mut see)?;
    } else {
        record.bytes.split(|byte| *byte == b',').try_for_each(&mut see)?;
    }
    Some(found)
}

impl Seen {
    fn see(&mut self, field: &[u8], budget: &mut detail::Budget) {
        self.guess.see(field);
        if let Some(detail) = &mut self.detail {
            detail.see(field, budget);
        }
    }

    fn end(self, rows: u64) -> Column {
        let (kind, empty) = (self.guess.kind(rows), self.guess.is_empty(rows));
        let told = match self.guess.pair(rows) {
            _ if rows == 0 || self.name == PATIENT_ID => None,
            Some(counts) => Some(pair(&kind, counts.missing, counts.no, counts.yes)),
            None => self.detail.map(|detail| match self.guess.nullable_pair() {
                Some(counts) => pair(&kind, counts.missing, counts.no, counts.yes),
                None => detail.of_csv(&kind),
            }),
        };
        Column { name: self.name, kind, empty, told }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(header: &str) -> Vec<String> {
        let mut fields = Fields::default();
        fields.split(Record { bytes: header.as_bytes(), line: 1, odd: false });
        names(&fields)
    }

    /// Made with pandas.
    #[test]
    fn names_are_made_unique_as_a_python_reader_does() {
        assert_eq!(named("a,b"), ["a", "b"]);
        assert_eq!(named(",a,"), ["Unnamed: 0", "a", "Unnamed: 2"]);
        assert_eq!(named("a,a,a"), ["a", "a.1", "a.2"]);
        assert_eq!(named("a,a,a.1"), ["a", "a.2", "a.1"]);
    }
}
