//! Reads records field by field, with the faults and limits of this program.
//! The grammar is csv-core's; what it lets pass in silence (an open quote at the end, a NUL) is caught here.

use std::io::{self, Read};

use csv_core::ReadFieldResult;

/// Longest field, in bytes (actions.md 10).
pub(crate) const MAX_FIELD: usize = 16 << 20;
/// Most columns of a file.
pub(crate) const MAX_COLUMNS: usize = 20_000;
/// Longest name of a column, in bytes.
pub(crate) const MAX_HEADER_NAME: usize = 1 << 10;

const CHUNK: usize = 64 << 10;

/// Why a file cannot be read further. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CsvError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("line {line} holds a NUL byte, so this is not a text file")]
    Nul { line: u64 },
    #[error("a quote opened on line {line} is never closed")]
    OpenQuote { line: u64 },
    #[error("line {line} has a field of more than {} MiB", MAX_FIELD >> 20)]
    FieldTooLong { line: u64 },
}

/// One field; the last of its record or not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) last: bool,
    /// The line on which it begins.
    pub(crate) line: u64,
}

/// A csv file read from any stream. Blank lines are skipped, a byte order mark is dropped.
pub(crate) struct CsvReader<R> {
    input: R,
    core: csv_core::Reader,
    chunk: Vec<u8>,
    at: usize,
    filled: usize,
    field: Vec<u8>,
    state: State,
    at_record_start: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Middle,
    /// All bytes are read, and a line end has been added so that an open quote shows.
    Drained,
}

impl<R: Read> CsvReader<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            core: csv_core::Reader::new(),
            chunk: vec![0; CHUNK],
            at: 0,
            filled: 0,
            field: vec![0; 4 << 10],
            state: State::Start,
            at_record_start: true,
        }
    }

    /// Line ends that stand before the record that comes next: of blank lines, or of the record before.
    fn line_ends_ahead(&self) -> u64 {
        if !self.at_record_start {
            return 0;
        }
        let ahead = self.chunk[self.at..self.filled].iter().take_while(|b| matches!(b, b'\r' | b'\n'));
        ahead.filter(|b| **b == b'\n').count() as u64
    }

    /// The next field, or `None` at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<Field<'_>>, CsvError> {
        let mut length = 0;
        while self.at == self.filled && self.state != State::Drained {
            self.fill()?;
        }
        let line = self.core.line() + self.line_ends_ahead();
        let last = loop {
            while self.at == self.filled && self.state != State::Drained {
                self.fill()?;
            }
            let drained = self.state == State::Drained && self.at == self.filled;
            let (result, read, written) =
                self.core.read_field(&self.chunk[self.at..self.filled], &mut self.field[length..]);
            let adding = self.state == State::Drained && !drained;
            self.at += read;
            length += written;
            match result {
                ReadFieldResult::InputEmpty if adding && written > 0 => return Err(CsvError::OpenQuote { line }),
                ReadFieldResult::InputEmpty => {}
                ReadFieldResult::OutputFull if self.field.len() >= MAX_FIELD => {
                    return Err(CsvError::FieldTooLong { line });
                }
                ReadFieldResult::OutputFull => self.field.resize((self.field.len() * 2).min(MAX_FIELD), 0),
                ReadFieldResult::Field { record_end } => {
                    self.at_record_start = record_end;
                    break record_end;
                }
                ReadFieldResult::End => return Ok(None),
            }
        };
        Ok(Some(Field { bytes: &self.field[..length], last, line }))
    }

    fn fill(&mut self) -> Result<(), CsvError> {
        self.at = 0;
        self.filled = read_some(&mut self.input, &mut self.chunk)?;
        if self.state == State::Start {
            while (1..3).contains(&self.filled) {
                match read_some(&mut self.input, &mut self.chunk[self.filled..])? {
                    0 => break,
                    n => self.filled += n,
                }
            }
            if self.chunk[..self.filled].starts_with(b"\xef\xbb\xbf") {
                self.at = 3;
            }
            self.state = State::Middle;
        }
        let fresh = &self.chunk[self.at..self.filled];
        if let Some(nul) = fresh.iter().position(|b| *b == 0) {
            let before = fresh[..nul].iter().filter(|b| **b == b'\n').count() as u64;
            return Err(CsvError::Nul { line: self.core.line() + before });
        }
        if self.filled == 0 {
            (self.chunk[0], self.filled, self.state) = (b'\n', 1, State::Drained);
        }
        Ok(())
    }
}

pub(super) fn read_some(input: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buf) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hands out its bytes a few at a time, so that every boundary falls inside something.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(buf.len());
            buf[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn read(bytes: &[u8], step: usize) -> Result<Vec<Vec<Vec<u8>>>, CsvError> {
        let mut reader = CsvReader::new(Drip(bytes, step));
        let (mut records, mut record) = (Vec::new(), Vec::new());
        while let Some(field) = reader.next()? {
            record.push(field.bytes.to_vec());
            if field.last {
                records.push(std::mem::take(&mut record));
            }
        }
        assert!(record.is_empty(), "the last record is complete");
        Ok(records)
    }

    fn text(bytes: &str) -> Vec<Vec<String>> {
        let mut all = [1, 2, 3, 1000].map(|step| read(bytes.as_bytes(), step).unwrap()).to_vec();
        all.dedup();
        assert_eq!(all.len(), 1, "the step must not matter");
        let string = |field: &Vec<u8>| String::from_utf8(field.clone()).unwrap();
        all[0].iter().map(|record| record.iter().map(string).collect()).collect()
    }

    #[test]
    fn records_are_their_text() {
        let none: Vec<Vec<String>> = Vec::new();
        assert_eq!(text(""), none);
        assert_eq!(text("\u{feff}"), none);
        assert_eq!(text("\n\r\n\n"), none);
        assert_eq!(text("\u{feff}a,b"), [["a", "b"]]);
        assert_eq!(text("a,b\r\n\r\n 1 ,\n"), [["a", "b"], [" 1 ", ""]]);
        assert_eq!(text("\"a\"\"b\",\"c\r\nd\"\n\"\"\n"), vec![vec!["a\"b", "c\r\nd"], vec![""]]);
        assert_eq!(text("a\"b,c"), [["a\"b", "c"]]);
    }

    fn fault(bytes: &[u8]) -> String {
        read(bytes, 1000).unwrap_err().to_string()
    }

    #[test]
    fn faults_name_their_line() {
        assert_eq!(fault(b"a,b\n1,\"2\n3,4\n"), "a quote opened on line 2 is never closed");
        assert_eq!(fault(b"a\r\n\r\n\"x"), "a quote opened on line 3 is never closed");
        assert_eq!(fault(b"a\n\"\n"), "a quote opened on line 2 is never closed");
        assert_eq!(fault(b"a\n\""), "a quote opened on line 2 is never closed");
        assert!(fault(b"a\nb\nc\0").starts_with("line 3 holds a NUL"));
        let long = [b"a\n".to_vec(), vec![b'x'; MAX_FIELD + 1]].concat();
        assert!(fault(&long).starts_with("line 2 has a field of more than 16 MiB"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn what_is_written_reads_back(table in prop::collection::vec(prop::collection::vec("[a\",\r\n é]{0,4}", 1..4), 0..6), step in 1_usize..9) {
            let mut writer = super::super::RecordWriter::new(Vec::new(), super::super::LineEnd::CrLf);
            for record in &table {
                writer.record(record.iter().map(String::as_bytes)).unwrap();
            }
            let back = read(&writer.into_inner(), step).unwrap();
            let table: Vec<Vec<Vec<u8>>> = table.into_iter().map(|r| r.into_iter().map(String::into_bytes).collect()).collect();
            prop_assert_eq!(back, table);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(prop::sample::select(b"a,\"\r\n\0\xef\xbb\xbf".to_vec()), 0..40), step in 1_usize..9) {
            let drip = read(&bytes, step).ok();
            prop_assert_eq!(drip, read(&bytes, 1000).ok());
        }
    }
}
