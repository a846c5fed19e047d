//! Records of a CSV text after RFC 4180, keeping what libraries drop: whether a cell was quoted, since an unquoted empty
//! cell is NULL and `""` is empty text (warehouse.md 4.1). One record in memory at a time.

use std::io::{self, BufRead, Chain, Cursor, Read};

/// Longest record.
const LONGEST: usize = 16 << 20;

/// One record after the other.
pub(crate) struct Records<R> {
    /// What was read in search of a byte order mark, then the rest.
    input: Chain<Cursor<Vec<u8>>, R>,
    line: u64,
}

/// Cells of one record.
#[derive(Debug, Default)]
pub(crate) struct Record {
    bytes: Vec<u8>,
    /// End of each cell in `bytes`, and whether it was quoted.
    cells: Vec<(usize, bool)>,
    /// Where it begins, from 1.
    pub(crate) line: u64,
}

/// Why there is no further record.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CsvError {
    #[error("{0}")]
    Read(#[from] io::Error),
    #[error("{what}")]
    Form { line: u64, what: &'static str },
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Begin,
    Plain,
    Quoted,
    /// After a quote inside a quoted cell: the end of it, or the first half of a doubled one.
    Quote,
    /// After the CR that follows a quoted cell: only LF may come.
    QuoteCr,
}

impl<R: BufRead> Records<R> {
    /// A byte order mark at the start is dropped.
    pub(crate) fn new(mut input: R) -> Result<Self, CsvError> {
        let mut head = Vec::new();
        input.by_ref().take(3).read_to_end(&mut head)?;
        if head == "\u{feff}".as_bytes() {
            head.clear();
        }
        Ok(Records { input: Cursor::new(head).chain(input), line: 1 })
    }

    /// Reads the next record that is not an empty line; `false` at the end.
    pub(crate) fn next(&mut self, record: &mut Record) -> Result<bool, CsvError> {
        loop {
            record.bytes.clear();
            record.cells.clear();
            record.line = self.line;
            if !self.read(record)? {
                return Ok(false);
            }
            if !(record.cells.len() == 1 && record.cells[0] == (0, false)) {
                return Ok(true);
            }
        }
    }

    fn read(&mut self, record: &mut Record) -> Result<bool, CsvError> {
        let (mut state, mut quoted, mut any) = (State::Begin, false, false);
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                if state == State::Quoted {
                    return Err(CsvError::Form { line: record.line, what: "a quoted cell that does not end" });
                }
                if any {
                    record.end_of_line(state, quoted);
                }
                return Ok(any);
            }
            let mut used = 0;
            let mut done = false;
            for byte in buffer {
                used += 1;
                any = true;
                self.line += u64::from(*byte == b'\n');
                match (state, *byte) {
                    (State::Quoted, b'"') => state = State::Quote,
                    (State::Quoted, byte) => record.bytes.push(byte),
                    (State::Quote, b'"') => {
                        record.bytes.push(b'"');
                        state = State::Quoted;
                    }
                    (State::Begin, b'"') => (state, quoted) = (State::Quoted, true),
                    (State::QuoteCr, byte) if byte != b'\n' => {
                        return Err(CsvError::Form { line: record.line, what: "text after the end of a quoted cell" });
                    }
                    (_, b',') => {
                        record.end(quoted);
                        (state, quoted) = (State::Begin, false);
                    }
                    (_, b'\n') => {
                        record.end_of_line(state, quoted);
                        done = true;
                        break;
                    }
                    (State::Quote, b'\r') => state = State::QuoteCr,
                    (State::Quote | State::QuoteCr, _) => {
                        return Err(CsvError::Form { line: record.line, what: "text after the end of a quoted cell" });
                    }
                    (State::Begin | State::Plain, byte) => {
                        record.bytes.push(byte);
                        state = State::Plain;
                    }
                }
                if record.bytes.len() > LONGEST {
                    return Err(CsvError::Form { line: record.line, what: "a record of over 16 MiB" });
                }
            }
            self.input.consume(used);
            if done {
                return Ok(true);
            }
        }
    }
}

impl Record {
    fn end(&mut self, quoted: bool) {
        self.cells.push((self.bytes.len(), quoted));
    }

    /// A CR before the end of the line belongs to it.
    fn end_of_line(&mut self, state: State, quoted: bool) {
        if state == State::Plain && self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
        self.end(quoted);
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Bytes of a cell, and whether it was quoted.
    pub(crate) fn cell(&self, at: usize) -> Option<(&[u8], bool)> {
        let (end, quoted) = *self.cells.get(at)?;
        let start = at.checked_sub(1).and_then(|before| self.cells.get(before)).map_or(0, |before| before.0);
        Some((self.bytes.get(start..end)?, quoted))
    }

    pub(crate) fn cells(&self) -> impl Iterator<Item = (&[u8], bool)> {
        (0..self.len()).filter_map(|at| self.cell(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Cells = Vec<(String, bool)>;

    fn read(text: &str, buffer: usize) -> Result<Vec<(u64, Cells)>, String> {
        let mut records =
            Records::new(io::BufReader::with_capacity(buffer, text.as_bytes())).map_err(|e| e.to_string())?;
        let (mut record, mut all) = (Record::default(), Vec::new());
        while records.next(&mut record).map_err(|e| e.to_string())? {
            let cells = record.cells().map(|(b, q)| (String::from_utf8(b.to_vec()).unwrap(), q)).collect();
            all.push((record.line, cells));
        }
        Ok(all)
    }

    fn plain(text: &str) -> Vec<Vec<String>> {
        let mark = |(text, quoted): (String, bool)| if quoted { format!("[{text}]") } else { text };
        let small = read(text, 1).unwrap();
        assert_eq!(small, read(text, 1 << 10).unwrap());
        small.into_iter().map(|(_, cells)| cells.into_iter().map(mark).collect()).collect()
    }

    #[test]
    fn quoted_and_unquoted_empty_cells_differ() {
        assert_eq!(
            plain("a,\"\",\n\"b\",\"c,\"\"d\"\"\ne\",f"),
            [vec!["a", "[]", ""], vec!["[b]", "[c,\"d\"\ne]", "f"]]
        );
    }

    #[test]
    fn ends_of_lines() {
        assert_eq!(plain("\u{feff}a\r\nb\n\n\r\n\"c\"\r\nd\r"), [["a"], ["b"], ["[c]"], ["d"]]);
        assert_eq!(plain("a\rb,\r"), [["a\rb", ""]]);
        assert_eq!(plain(",\n"), [["", ""]]);
        assert_eq!(plain(""), Vec::<Vec<String>>::new());
        let lines: Vec<u64> = read("a\n\"b\n\"\n\nc", 3).unwrap().into_iter().map(|r| r.0).collect();
        assert_eq!(lines, [1, 2, 5]);
    }

    #[test]
    fn broken_quotes() {
        for text in ["\"a", "\"a\"b", "\"a\"\rb", "a\n\"\"\"", "\"a\"\r,"] {
            assert!(read(text, 1).is_err(), "{text:?}");
        }
        assert_eq!(plain("a\"b"), [["a\"b"]]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(proptest::sample::select(b"a,\"\r\n\xff".to_vec()), 0..40)) {
            let mut records = Records::new(io::BufReader::with_capacity(2, bytes.as_slice())).unwrap();
            let mut record = Record::default();
            while matches!(records.next(&mut record), Ok(true)) {
                assert!(record.len() > 0);
            }
        }
    }
}
