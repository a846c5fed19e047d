//! One pass over a csv file that counts what the checks ask for and keeps at most one record.
//! Quoting as the common csv dialect has it; a record above 1 MiB, a NUL or an open quote ends the reading.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use crate::header::is_patient_id;

/// The longest record that is read, in bytes without its line end.
pub const MAX_RECORD: usize = 1 << 20;

/// Why a csv file could not be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreadable {
    /// A quote was opened and the file ended.
    OpenQuote,
    /// A NUL byte: not text, or text in UTF-16.
    Nul,
    /// A record above [`MAX_RECORD`].
    LongRecord,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenQuote => "a quote is opened and never closed",
            Self::Nul => "it contains a NUL byte; save it as plain UTF-8 text",
            Self::LongRecord => "one record is longer than 1 MiB",
        })
    }
}

/// What a csv file says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CsvFacts {
    /// Whether a header cell names the patient identifier.
    pub patient_id: bool,
    /// Records after the header; empty lines do not count.
    pub rows: u64,
    /// Distinct header names, one more if the first record is longer than the header; 0 if there is no record.
    pub columns: u64,
}

/// The outcome of [`scan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// Read to the end.
    Read(CsvFacts),
    /// Not read to the end.
    Unreadable {
        /// Why.
        why: Unreadable,
        /// Whether the header, if it was complete by then, names the patient identifier.
        patient_id: bool,
    },
}

/// Reads a csv file. Comma-separated; `"` quotes, `""` inside quotes is a quote; CR, LF or CRLF ends a record; the header
/// is the first line that is not empty. Memory: one header record and one buffer.
///
/// # Errors
/// What `input` says.
pub fn scan(mut input: impl Read) -> io::Result<Scan> {
    let mut scanner = Scanner::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let got = match input.read(&mut buffer) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if got == 0 {
            return Ok(scanner.end());
        }
        for byte in &buffer[..got] {
            if let Err(why) = scanner.byte(*byte) {
                return Ok(Scan::Unreadable { why, patient_id: scanner.facts.patient_id });
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    RecordStart,
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside quotes: its end, or the first half of `""`.
    QuoteSeen,
}

#[derive(Default)]
struct Scanner {
    state: State,
    /// How much of a byte-order mark has been seen; beyond 3: the file has begun.
    mark: usize,
    /// Bytes of the current record.
    length: usize,
    /// Fields of the current record that are complete.
    fields: u64,
    /// Of the header only.
    cell: Vec<u8>,
    names: HashSet<Vec<u8>>,
    header_fields: Option<u64>,
    facts: CsvFacts,
}

const MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

impl Scanner {
    fn byte(&mut self, byte: u8) -> Result<(), Unreadable> {
        if self.mark < MARK.len() {
            if byte == MARK[self.mark] {
                self.mark += 1;
                return Ok(());
            }
            // Not a mark after all: what looked like one belongs to the first field.
            let seen = std::mem::replace(&mut self.mark, usize::MAX);
            for b in &MARK[..seen] {
                self.text(*b)?;
            }
        }
        self.text(byte)
    }

    fn text(&mut self, byte: u8) -> Result<(), Unreadable> {
        if byte == 0 {
            return Err(Unreadable::Nul);
        }
        let ends = matches!(byte, b'\n' | b'\r') && self.state != State::Quoted;
        if ends {
            self.end_record();
            return Ok(());
        }
        self.length += 1;
        if self.length > MAX_RECORD {
            return Err(Unreadable::LongRecord);
        }
        self.state = match (self.state, byte) {
            (State::Quoted, b'"') => State::QuoteSeen,
            (State::Quoted, _) => self.keep(byte, State::Quoted),
            (State::QuoteSeen, b'"') => self.keep(byte, State::Quoted),
            (_, b',') => {
                self.end_field();
                State::FieldStart
            }
            (State::RecordStart | State::FieldStart, b'"') => State::Quoted,
            _ => self.keep(byte, State::Plain),
        };
        Ok(())
    }

    fn keep(&mut self, byte: u8, next: State) -> State {
        if self.header_fields.is_none() {
            self.cell.push(byte);
        }
        next
    }

    fn end_field(&mut self) {
        self.fields += 1;
        if self.header_fields.is_none() {
            let cell = std::mem::take(&mut self.cell);
            self.facts.patient_id |= is_patient_id(&cell);
            self.names.insert(cell);
        }
    }

    fn end_record(&mut self) {
        if std::mem::take(&mut self.state) == State::RecordStart {
            return;
        }
        self.end_field();
        match self.header_fields {
            None => self.header_fields = Some(self.fields),
            Some(header) => {
                if self.facts.rows == 0 {
                    self.facts.columns = self.names.len() as u64 + u64::from(self.fields > header);
                    self.names = HashSet::new();
                }
                self.facts.rows += 1;
            }
        }
        self.fields = 0;
        self.length = 0;
    }

    fn end(mut self) -> Scan {
        if self.state == State::Quoted {
            return Scan::Unreadable { why: Unreadable::OpenQuote, patient_id: self.facts.patient_id };
        }
        self.end_record();
        Scan::Read(self.facts)
    }
}
