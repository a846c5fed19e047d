//! A csv file of either side, row by row as the line that a result has of it.
//! Most lines are handed on as they stand; those with quotes are written anew with as few as can be (actions.md 3.2).

use std::io::{Read, Write};
use std::ops::Range;
use std::path::Path;

use crate::csv::{Fields, MAX_COLUMNS, MAX_HEADER_NAME, Scanner, push_field};
use crate::fault::{Fault, FaultCode};
use crate::files::{Opened, csv_fault, data_fault};
use crate::text::{about, warn};
use crate::workspace::Workspace;

use super::columns::Header;
use super::original;
use super::trouble::Trouble;

/// An open csv file whose header is read.
pub(super) struct CsvSide {
    scanner: Scanner<Box<dyn Read + Send>>,
    name: String,
    pub(super) header: Header,
    short: u64,
}

/// One row.
pub(super) struct Row<'a> {
    /// All fields, blanks where the file has too few, quoted where they must be, without a line end.
    pub(super) line: &'a [u8],
    /// Where `patient_id` stands in it, with its quotes.
    key_at: Range<usize>,
    /// Its text.
    pub(super) key: &'a [u8],
}

impl Row<'_> {
    /// Adds the line without `patient_id`, a comma before every field.
    pub(super) fn carry(&self, out: &mut Vec<u8>) {
        let (before, after) = (&self.line[..self.key_at.start], &self.line[self.key_at.end..]);
        if let Some((_comma, before)) = before.split_last() {
            out.push(b',');
            out.extend_from_slice(before);
        }
        out.extend_from_slice(after);
    }
}

impl CsvSide {
    /// Opens the file and reads its header; `original`: its names are made unique, as the original does.
    pub(super) fn open(
        workspace: &Workspace,
        path: &Path,
        part: &str,
        original: bool,
        stderr: &mut dyn Write,
    ) -> Result<Self, Fault> {
        let opened = Opened::open(workspace, path, part, stderr)?;
        let name = opened.name.clone();
        let mut scanner = Scanner::new(opened.bytes());
        let mut fields = Fields::default();
        match scanner.next().map_err(|error| csv_fault(&name, &error))? {
            Some(record) => fields.split(record),
            None => {
                let fault = data_fault(FaultCode::MalformedCsv, format!("{name} is empty; not even a header is there"));
                return Err(fault.help("its first line names the columns, patient_id among them"));
            }
        }
        if fields.len() > MAX_COLUMNS || fields.iter().any(|name| name.len() > MAX_HEADER_NAME) {
            let message =
                format!("{name}: more than {MAX_COLUMNS} columns, or a name of more than {MAX_HEADER_NAME} bytes");
            return Err(data_fault(FaultCode::TooLarge, message));
        }
        let names = fields.iter().map(<[u8]>::to_vec).collect();
        let header = Header::new(if original { original::names(names) } else { names }, &name)?;
        Ok(Self { scanner, name, header, short: 0 })
    }

    /// Goes over all rows.
    pub(super) fn each(&mut self, mut each: impl FnMut(&Row<'_>) -> Result<(), Trouble>) -> Result<(), Trouble> {
        let (columns, key) = (self.header.names.len(), self.header.key);
        let (mut fields, mut line) = (Fields::default(), Vec::new());
        loop {
            let Some(record) = self.scanner.next().map_err(|error| csv_fault(&self.name, &error))? else {
                return Ok(());
            };
            if !record.odd && memchr::memchr_iter(b',', record.bytes).count() + 1 == columns {
                let key_at = nth_field(record.bytes, key);
                each(&Row { line: record.bytes, key: &record.bytes[key_at.clone()], key_at })?;
                continue;
            }
            fields.split(record);
            if fields.len() > columns {
                return Err(too_many(&self.name, record.line, columns).into());
            }
            self.short += u64::from(fields.len() < columns);
            line.clear();
            let mut key_at = 0..0;
            for at in 0..columns {
                if at > 0 {
                    line.push(b',');
                }
                let start = line.len();
                push_field(&mut line, fields.get(at));
                if at == key {
                    key_at = start..line.len();
                }
            }
            each(&Row { line: &line, key_at, key: fields.get(key) })?;
        }
    }

    /// Goes over all rows, taken apart; a row may have fewer fields than the header.
    pub(super) fn each_fields(&mut self, mut each: impl FnMut(&Fields) -> Result<(), Trouble>) -> Result<(), Trouble> {
        let columns = self.header.names.len();
        let mut fields = Fields::default();
        while let Some(record) = self.scanner.next().map_err(|error| csv_fault(&self.name, &error))? {
            fields.split(record);
            if fields.len() > columns {
                return Err(too_many(&self.name, record.line, columns).into());
            }
            self.short += u64::from(fields.len() < columns);
            each(&fields)?;
        }
        Ok(())
    }

    /// Says what was odd about the file; after all rows.
    pub(super) fn tell(&self, stderr: &mut dyn Write) {
        let name = &self.name;
        if self.short > 0 {
            warn(stderr, &format!("{name}: rows with too few fields were filled with blanks: {}", about(self.short)));
        }
        if self.scanner.not_utf8() {
            warn(stderr, &format!("{name} holds bytes that are not UTF-8; they are kept as they are"));
        }
    }
}

fn too_many(name: &str, line: u64, columns: usize) -> Fault {
    let message = format!("{name}: line {line} has more fields than the header's {columns}");
    data_fault(FaultCode::MalformedCsv, message).help("a comma inside a field needs quotes round it")
}

/// Where a field of a line without quotes stands.
fn nth_field(line: &[u8], at: usize) -> Range<usize> {
    let start = match at.checked_sub(1) {
        None => 0,
        Some(before) => memchr::memchr_iter(b',', line).nth(before).map_or(line.len(), |comma| comma + 1),
    };
    let end = memchr::memchr(b',', &line[start..]).map_or(line.len(), |length| start + length);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_and_left_out() {
        let line = b"a,,c";
        let rows = [(0, "a", ",,c"), (1, "", ",a,c"), (2, "c", ",a,")];
        for (at, key, rest) in rows {
            let key_at = nth_field(line, at);
            let row = Row { line, key: &line[key_at.clone()], key_at };
            let mut carried = Vec::new();
            row.carry(&mut carried);
            assert_eq!((row.key, carried.as_slice()), (key.as_bytes(), rest.as_bytes()));
        }
    }
}
