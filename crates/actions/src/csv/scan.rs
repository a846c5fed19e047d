//! Cuts a stream into records fast: most are one line without quotes and are handed out as they stand.
//! The rules are those of actions.md 3.2: line ends are LF or CRLF, and a CR elsewhere is text.

use std::io::Read;

use super::reader::{CsvError, MAX_FIELD, read_some};

const CHUNK: usize = 128 << 10;
/// Longest record that is held, in bytes; a field is shorter.
const MAX_RECORD: usize = 4 * MAX_FIELD;

/// A record without the end of its line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) bytes: &'a [u8],
    /// The line on which it begins, from 1.
    pub(crate) line: u64,
    /// There is a quote or a CR in it; otherwise its fields stand between its commas.
    pub(crate) odd: bool,
}

/// A csv file read from any stream, record by record. Blank lines are skipped, a byte order mark is dropped.
pub(crate) struct Scanner<R> {
    input: R,
    held: Vec<u8>,
    /// Where the next record begins.
    at: usize,
    filled: usize,
    /// The first quote, CR or NUL that is not yet handed out; `filled` if there is none.
    odd: usize,
    begun: bool,
    drained: bool,
    line: u64,
    /// Something in `held` is not ASCII.
    foreign: bool,
    not_utf8: bool,
}

impl<R: Read> Scanner<R> {
    pub(crate) fn new(input: R) -> Self {
        let held = vec![0; CHUNK];
        let (begun, drained, foreign, not_utf8) = (false, false, false, false);
        Self { input, held, at: 0, filled: 0, odd: 0, begun, drained, line: 1, foreign, not_utf8 }
    }

    /// Whether any record so far holds bytes that are not UTF-8.
    pub(crate) fn not_utf8(&self) -> bool {
        self.not_utf8
    }

    /// The next record, or `None` at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, CsvError> {
        loop {
            let rest = &self.held[self.at..self.filled];
            let end = memchr::memchr(b'\n', rest).map(|at| self.at + at);
            let line = self.line;
            let (from, mut to) = match end {
                Some(end) if end < self.odd || (end == self.odd + 1 && self.held[self.odd] == b'\r') => {
                    self.line += 1;
                    let from = std::mem::replace(&mut self.at, end + 1);
                    (from, end.min(self.odd))
                }
                // A last line without an end.
                None if self.drained && self.odd == self.filled => {
                    if rest.is_empty() {
                        return Ok(None);
                    }
                    (std::mem::replace(&mut self.at, self.filled), self.filled)
                }
                None if !self.drained && self.odd == self.filled => {
                    self.fill()?;
                    continue;
                }
                _ => match self.odd_end()? {
                    Some((end, next, lines)) => {
                        self.line += lines;
                        (std::mem::replace(&mut self.at, next), end)
                    }
                    None => {
                        self.fill()?;
                        continue;
                    }
                },
            };
            let first_odd = self.odd;
            if self.odd < self.at {
                self.find_odd(self.at);
            }
            if first_odd < to && self.held[to - 1] == b'\r' {
                to -= 1;
            }
            let odd = first_odd < to;
            if from == to {
                continue;
            }
            let bytes = &self.held[from..to];
            self.not_utf8 |= self.foreign && std::str::from_utf8(bytes).is_err();
            if bytes.len() > MAX_FIELD && longest_field(bytes, odd) > MAX_FIELD {
                return Err(CsvError::FieldTooLong { line });
            }
            return Ok(Some(Record { bytes, line, odd }));
        }
    }

    /// The end of a record that holds odd bytes, where the next begins, and its lines; `None` when more bytes are needed.
    fn odd_end(&self) -> Result<Option<(usize, usize, u64)>, CsvError> {
        let (mut state, mut lines, mut opened) = (State::Start, 0, self.line);
        for (at, byte) in (self.at..).zip(&self.held[self.at..self.filled]) {
            match byte {
                b'\n' => {
                    lines += 1;
                    if state != State::Quoted {
                        return Ok(Some((at, at + 1, lines)));
                    }
                }
                0 => return Err(CsvError::Nul { line: self.line + lines }),
                _ => {}
            }
            let next = state.after(*byte);
            if next == State::Quoted && state == State::Start {
                opened = self.line + lines;
            }
            state = next;
        }
        match (self.drained, state) {
            (false, _) => Ok(None),
            (true, State::Quoted) => Err(CsvError::OpenQuote { line: opened }),
            (true, _) => Ok(Some((self.filled, self.filled, lines))),
        }
    }

    fn find_odd(&mut self, from: usize) {
        let fresh = &self.held[from..self.filled];
        let quote_or_nul_or_cr = memchr::memchr3(b'"', b'\r', 0, fresh);
        self.odd = quote_or_nul_or_cr.map_or(self.filled, |at| from + at);
    }

    fn fill(&mut self) -> Result<(), CsvError> {
        self.held.copy_within(self.at..self.filled, 0);
        self.filled -= self.at;
        let no_odd_so_far = self.odd - self.at == self.filled;
        self.odd -= self.at;
        self.at = 0;
        if self.filled > MAX_RECORD {
            return Err(CsvError::FieldTooLong { line: self.line });
        }
        // A long record is looked at again from its beginning, so what is held doubles.
        if self.held.len() - self.filled < CHUNK / 2 {
            self.held.resize((self.held.len() * 2).min(MAX_RECORD + 1), 0);
        }
        let before = self.filled;
        let read = read_some(&mut self.input, &mut self.held[before..])?;
        (self.filled, self.drained) = (before + read, read == 0);
        // However small the pieces that the input gives.
        while before >= CHUNK && self.filled < self.held.len() && !self.drained {
            let read = read_some(&mut self.input, &mut self.held[self.filled..])?;
            (self.filled, self.drained) = (self.filled + read, read == 0);
        }
        while !self.begun && (1..3).contains(&self.filled) && !self.drained {
            let read = read_some(&mut self.input, &mut self.held[self.filled..])?;
            (self.filled, self.drained) = (self.filled + read, read == 0);
        }
        if !self.begun && self.held[..self.filled].starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
        }
        self.begun = true;
        if no_odd_so_far {
            self.find_odd(before.max(self.at));
        }
        self.foreign = !self.held[self.at..self.filled].is_ascii();
        Ok(())
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

/// The fields of one record, without quotes around them.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Fields {
    /// Takes a record apart, in place of what was here.
    pub(crate) fn split(&mut self, record: Record<'_>) {
        self.text.clear();
        self.ends.clear();
        if !record.odd {
            for field in record.bytes.split(|byte| *byte == b',') {
                self.text.extend_from_slice(field);
                self.ends.push(self.text.len());
            }
            return;
        }
        let mut state = State::Start;
        for byte in record.bytes {
            let next = state.after(*byte);
            match (state, next) {
                (State::Start | State::Plain | State::Closed, State::Start) => self.ends.push(self.text.len()),
                // Quotes around a field are none of it.
                (State::Start, State::Quoted) | (State::Quoted, State::Closed) => {}
                _ => self.text.push(*byte),
            }
            state = next;
        }
        self.ends.push(self.text.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field by its place; blank beyond the last.
    pub(crate) fn get(&self, at: usize) -> &[u8] {
        let Some(end) = self.ends.get(at) else { return &[] };
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..*end]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|at| self.get(at))
    }
}

fn longest_field(bytes: &[u8], odd: bool) -> usize {
    let mut fields = Fields::default();
    fields.split(Record { bytes, line: 0, odd });
    fields.iter().map(<[u8]>::len).max().unwrap_or(0)
}

/// A field in quotes where it could not be read without them.
pub(crate) fn push_field(out: &mut Vec<u8>, field: &[u8]) {
    if !field.iter().any(|b| matches!(b, b',' | b'"' | b'\r' | b'\n')) {
        out.extend_from_slice(field);
        return;
    }
    out.push(b'"');
    for byte in field {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hands out its bytes a few at a time, so that every boundary falls inside something.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            let n = self.1.min(self.0.len()).min(buf.len());
            buf[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    type Table = Vec<(u64, Vec<Vec<u8>>)>;

    fn read(bytes: &[u8], step: usize) -> Result<Table, String> {
        let mut scanner = Scanner::new(Drip(bytes, step));
        let (mut records, mut fields) = (Vec::new(), Fields::default());
        while let Some(record) = scanner.next().map_err(|error| error.to_string())? {
            assert_eq!(record.odd, record.bytes.iter().any(|b| matches!(b, b'"' | b'\r')));
            fields.split(record);
            records.push((record.line, fields.iter().map(<[u8]>::to_vec).collect()));
        }
        Ok(records)
    }

    fn text(bytes: &str) -> Vec<(u64, Vec<String>)> {
        let read = [1, 2, 3, 1000].map(|step| read(bytes.as_bytes(), step).unwrap());
        assert!(read.windows(2).all(|two| two[0] == two[1]), "the step must not matter");
        let string = |field: &Vec<u8>| String::from_utf8(field.clone()).unwrap();
        read[0].iter().map(|(line, record)| (*line, record.iter().map(string).collect())).collect()
    }

    fn rows(rows: &[(u64, &[&str])]) -> Vec<(u64, Vec<String>)> {
        rows.iter().map(|(line, row)| (*line, row.iter().map(|field| (*field).to_owned()).collect())).collect()
    }

    #[test]
    fn records_are_their_text() {
        assert_eq!(text(""), rows(&[]));
        assert_eq!(text("\u{feff}"), rows(&[]));
        assert_eq!(text("\n\r\n\n"), rows(&[]));
        assert_eq!(text("\u{feff}a,b"), rows(&[(1, &["a", "b"])]));
        assert_eq!(text("a,b\r\n\r\n 1 ,\n"), rows(&[(1, &["a", "b"]), (3, &[" 1 ", ""])]));
        let quoted = "\"a\"\"b\",\"c\r\nd\"\n\"\"\nx";
        assert_eq!(text(quoted), rows(&[(1, &["a\"b", "c\r\nd"]), (3, &[""]), (4, &["x"])]));
        assert_eq!(text("a\"b,c\n\"a\"b,\n"), rows(&[(1, &["a\"b", "c"]), (2, &["ab", ""])]));
        // A CR that ends no line is text.
        assert_eq!(text("a\rb,c\nd\r"), rows(&[(1, &["a\rb", "c"]), (2, &["d"])]));
    }

    fn fault(bytes: &[u8]) -> String {
        let faults = [1, 7, 1000].map(|step| read(bytes, step).unwrap_err());
        assert!(faults.windows(2).all(|two| two[0] == two[1]));
        faults[0].clone()
    }

    #[test]
    fn faults_name_their_line() {
        assert_eq!(fault(b"a,b\n1,\"2\n3,4\n"), "a quote opened on line 2 is never closed");
        assert_eq!(fault(b"a\r\n\r\n\"x"), "a quote opened on line 3 is never closed");
        assert_eq!(fault(b"a\n\"\n"), "a quote opened on line 2 is never closed");
        assert!(fault(b"a\nb\nc\0").starts_with("line 3 holds a NUL"));
        assert!(fault(b"a\n\"b\nc\0\"\n").starts_with("line 3 holds a NUL"));
        let long = [b"a\n".to_vec(), vec![b'x'; MAX_FIELD + 1]].concat();
        assert!(read(&long, 1 << 20).unwrap_err().starts_with("line 2 has a field of more than 16 MiB"));
        let many = [b"a\n\"".to_vec(), vec![b','; MAX_RECORD + 9]].concat();
        assert!(read(&many, 1 << 20).unwrap_err().starts_with("line 2 has a field of more than 16 MiB"));
    }

    #[test]
    fn a_field_of_the_greatest_length_is_read() {
        let long = [b"a,b\n1,".to_vec(), vec![b'x'; MAX_FIELD], b"\n2,3\n".to_vec()].concat();
        assert_eq!(read(&long, usize::MAX).unwrap().len(), 3);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_noticed_and_kept() {
        let mut scanner = Scanner::new(&b"a\n\xff\n"[..]);
        let mut last = Vec::new();
        while let Some(record) = scanner.next().unwrap() {
            last = record.bytes.to_vec();
        }
        assert_eq!(last, b"\xff");
        assert!(scanner.not_utf8());
        let mut scanner = Scanner::new("é\n".as_bytes());
        assert!(scanner.next().unwrap().is_some() && !scanner.not_utf8());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_written_reads_back(table in prop::collection::vec(prop::collection::vec("[a\",\r\n é]{0,4}", 1..4), 0..6), step in 1_usize..9) {
            let mut written = Vec::new();
            for record in &table {
                let start = written.len();
                for (at, field) in record.iter().enumerate() {
                    if at > 0 {
                        written.push(b',');
                    }
                    push_field(&mut written, field.as_bytes());
                }
                if written.len() == start {
                    written.extend_from_slice(b"\"\"");
                }
                written.push(b'\n');
            }
            let back: Vec<Vec<Vec<u8>>> = read(&written, step).unwrap().into_iter().map(|(_, record)| record).collect();
            let table: Vec<Vec<Vec<u8>>> = table.into_iter().map(|r| r.into_iter().map(String::into_bytes).collect()).collect();
            prop_assert_eq!(back, table);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(prop::sample::select(b"a,\"\r\n\0\xef\xbb\xbf".to_vec()), 0..40), step in 1_usize..9) {
            prop_assert_eq!(read(&bytes, step).ok(), read(&bytes, 1000).ok());
        }
    }
}
