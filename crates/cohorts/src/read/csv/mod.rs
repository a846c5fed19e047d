//! A csv file as the bytes of its fields: nothing is inferred, trimmed or taken for missing.
//! Rules of actions.md 3.2.

use std::io::Read;
use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use super::input::{Unpacked, is_gzip};
use super::{Column, Input, Limits, Notes, Place, ReadError, Rows, Table};
use crate::Format;

const ROWS: usize = 8_192;
/// Bytes of all cells after which a batch ends, however few rows it has.
const BYTES: usize = 8 << 20;
const CHUNK: usize = 1 << 17;

pub(super) struct Csv {
    records: Records,
    columns: Vec<Column>,
    /// For every column of the file the places where rows have it.
    kept: Vec<Vec<usize>>,
    width: usize,
    rows: u64,
    notes: Notes,
}

/// The cells of a column, one after another.
#[derive(Clone)]
struct Cells {
    bytes: Vec<u8>,
    ends: Vec<i32>,
}

impl Csv {
    pub(super) fn open(format: Format, mut input: Box<dyn Input>, limits: Limits) -> Result<Self, ReadError> {
        let packed = is_gzip(input.as_mut())?;
        let notes = Notes { plain_under_gz: format == Format::CsvGz && !packed, ..Notes::default() };
        let stream: Box<dyn Read + Send> =
            if packed && format == Format::CsvGz { Box::new(Unpacked::new(input, limits)) } else { Box::new(input) };
        let mut records = Records::new(stream, limits.record);
        records.skip_mark()?;
        let mut names: Vec<Vec<u8>> = Vec::new();
        let Some(header) = records.next()? else {
            return Err(malformed(1, "the file is empty; a first line with the names of columns is needed"));
        };
        each_field(header, |_, field| {
            let place = Place::Header;
            if names.len() == limits.columns {
                return Err(ReadError::TooLarge { what: "the number of columns", most: limits.columns as u64, place });
            }
            names.push(field.to_vec());
            Ok(())
        })?;
        let columns: Vec<Column> = names.into_iter().map(|name| Column::new(name, DataType::Binary)).collect();
        let kept = (0..columns.len()).map(|at| vec![at]).collect();
        Ok(Self { records, width: columns.len(), columns, kept, rows: 0, notes })
    }
}

impl Table for Csv {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn keep(&mut self, columns: Vec<usize>) {
        self.kept = vec![Vec::new(); self.columns.len()];
        self.width = columns.len();
        for (to, from) in columns.into_iter().enumerate() {
            if let Some(places) = self.kept.get_mut(from) {
                places.push(to);
            }
        }
    }

    fn next(&mut self) -> Result<Option<Rows>, ReadError> {
        let mut cells = vec![Cells { bytes: Vec::new(), ends: vec![0] }; self.width];
        let (mut len, mut bytes) = (0, 0);
        while len < ROWS && bytes < BYTES {
            let Some(record) = self.records.next()? else { break };
            let line = record.line;
            // A cell takes room even when it is empty.
            bytes += record.bytes.len() + self.width * size_of::<i32>();
            self.notes.not_utf8 |= std::str::from_utf8(record.bytes).is_err();
            let mut found = 0;
            each_field(record, |at, field| {
                found = at + 1;
                let Some(places) = self.kept.get(at) else {
                    let why = format!("more fields than the {} of the header", self.kept.len());
                    return Err(malformed(line, &why));
                };
                for place in places {
                    if let Some(cells) = cells.get_mut(*place) {
                        cells.bytes.extend_from_slice(field);
                    }
                }
                Ok(())
            })?;
            if found < self.kept.len() {
                self.notes.short_records += 1;
            }
            for cells in &mut cells {
                // No more than a record and the bytes of a batch.
                cells.ends.push(i32::try_from(cells.bytes.len()).map_err(|_| malformed(line, "too long"))?);
            }
            len += 1;
        }
        if len == 0 {
            return Ok(None);
        }
        let before = self.rows;
        self.rows += len as u64;
        let columns = cells.into_iter().map(Cells::array).collect::<Result<_, _>>()?;
        Ok(Some(Rows { before, len, columns, packed: None }))
    }

    fn notes(&self) -> Notes {
        self.notes
    }
}

impl Cells {
    fn array(self) -> Result<ArrayRef, ReadError> {
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        BinaryArray::try_new(ends, Buffer::from_vec(self.bytes), None)
            .map(|array| Arc::new(array) as ArrayRef)
            .map_err(|error| malformed(0, &error.to_string()))
    }
}

fn malformed(line: u64, why: &str) -> ReadError {
    ReadError::Malformed { format: "csv", place: Place::Line(line), why: why.to_owned() }
}

/// A record without the end of its line.
#[derive(Clone, Copy)]
struct Record<'a> {
    bytes: &'a [u8],
    quoted: bool,
    /// Where it begins, from 1.
    line: u64,
}

/// Cuts a stream into records.
struct Records {
    stream: Box<dyn Read + Send>,
    held: Vec<u8>,
    at: usize,
    ended: bool,
    longest: usize,
    line: u64,
}

/// How far a record goes.
enum End {
    /// Bytes without and with the end of the line, and the lines.
    At(usize, usize, u64),
    /// More bytes are needed; whether a quote is open.
    Open(bool),
}

impl Records {
    const fn new(stream: Box<dyn Read + Send>, longest: usize) -> Self {
        Self { stream, held: Vec::new(), at: 0, ended: false, longest, line: 1 }
    }

    /// A byte order mark is no part of the first name.
    fn skip_mark(&mut self) -> Result<(), ReadError> {
        while self.held.len() < 3 && !self.ended {
            self.fill()?;
        }
        if self.held.starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<(), ReadError> {
        self.held.drain(..self.at);
        self.at = 0;
        let place = Place::Line(self.line);
        if self.held.len() > self.longest {
            return Err(ReadError::TooLarge { what: "a record", most: self.longest as u64, place });
        }
        let before = self.held.len();
        // A long record is looked at again from its beginning, so what is held doubles.
        self.held.resize(before + CHUNK.max(before), 0);
        let read = self.stream.read(self.held.get_mut(before..).unwrap_or_default());
        let read = read.map_err(|error| ReadError::at(error, place));
        self.held.truncate(before + read.as_ref().copied().unwrap_or(0));
        self.ended = read? == 0;
        Ok(())
    }

    /// The next record that is not a blank line.
    fn next(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        loop {
            let rest = self.held.get(self.at..).unwrap_or_default();
            if rest.is_empty() && self.ended {
                return Ok(None);
            }
            let (quoted, end) = record_end(rest);
            let (len, with_end, lines) = match end {
                End::At(len, with_end, lines) => (len, with_end, lines),
                End::Open(true) if self.ended => {
                    return Err(malformed(self.line, "a quote is opened and never closed"));
                }
                End::Open(_) if self.ended => (rest.len(), rest.len(), 1),
                End::Open(_) => {
                    self.fill()?;
                    continue;
                }
            };
            let from = self.at;
            let line = self.line;
            self.at += with_end;
            self.line += lines;
            let rest = self.held.get(from..from + len).unwrap_or_default();
            let len = if rest.ends_with(b"\r") { len - 1 } else { len };
            if len == 0 {
                continue;
            }
            let bytes = self.held.get(from..from + len).unwrap_or_default();
            if memchr::memchr(0, bytes).is_some() {
                return Err(malformed(line, "a zero byte; this is no text"));
            }
            return Ok(Some(Record { bytes, quoted, line }));
        }
    }
}

fn record_end(rest: &[u8]) -> (bool, End) {
    match memchr::memchr2(b'\n', b'"', rest) {
        None => (false, End::Open(false)),
        Some(at) if rest.get(at) == Some(&b'\n') => (false, End::At(at, at + 1, 1)),
        Some(_) => (true, quoted_end(rest)),
    }
}

/// Where a byte of a record stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a field.
    Start,
    /// In a field without quotes, where a quote is a byte like any other.
    Plain,
    Quoted,
    /// After a quote inside a quoted field: its end, or the first of two that stand for one.
    Closed,
}

impl State {
    const fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Start | Self::Closed, b'"') => Self::Quoted,
            (Self::Quoted, b'"') => Self::Closed,
            (Self::Quoted, _) => Self::Quoted,
            (_, b',') => Self::Start,
            _ => Self::Plain,
        }
    }
}

fn quoted_end(rest: &[u8]) -> End {
    let (mut state, mut lines) = (State::Start, 1);
    for (at, byte) in rest.iter().enumerate() {
        if *byte == b'\n' {
            if state != State::Quoted {
                return End::At(at, at + 1, lines);
            }
            lines += 1;
        }
        state = state.after(*byte);
    }
    End::Open(state == State::Quoted)
}

/// Calls with the place of each field and its text.
fn each_field(
    record: Record<'_>,
    mut each: impl FnMut(usize, &[u8]) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    if !record.quoted {
        return record.bytes.split(|byte| *byte == b',').enumerate().try_for_each(|(at, field)| each(at, field));
    }
    let (mut state, mut at, mut field) = (State::Start, 0, Vec::new());
    for byte in record.bytes {
        let next = state.after(*byte);
        match (state, next) {
            (State::Start | State::Plain | State::Closed, State::Start) => {
                each(at, &field)?;
                at += 1;
                field.clear();
            }
            // Quotes around a field are none of it.
            (State::Start, State::Quoted) | (State::Quoted, State::Closed) => {}
            _ => field.push(*byte),
        }
        state = next;
    }
    each(at, &field)
}

#[cfg(test)]
mod tests;
