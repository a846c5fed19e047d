//! The codelist of a report: the codes of a csv file's column `code`, trimmed, without blanks, each once (actions.md 8).
//! Nothing here is a fault of data: a file that cannot be used ends the action with exit code 10.

use std::collections::HashMap;
use std::io::{BufReader, Read};
use std::path::Path;

use foldhash::fast::RandomState;

use crate::csv::{CsvError, CsvReader, MAX_COLUMNS, MAX_HEADER_NAME};
use crate::fault::{Exit, Fault, FaultCode};
use crate::workspace::Workspace;

use super::snomed;

/// Most codes of a list (actions.md 10).
const MOST: usize = 100_000;
/// Longest code that is kept, in bytes: SNOMED identifiers have at most 18 digits, and no event has a longer one.
const LONGEST: usize = 64;
/// Codes that are told of one by one.
const SHOWN: usize = 20;
const COLUMN: &str = "code";

/// Codes in the order of the file, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Codelist {
    codes: Vec<String>,
    positions: HashMap<String, u32, RandomState>,
}

impl Codelist {
    /// Adds a code unless it is there; whether it was new.
    fn add(&mut self, code: &str) -> bool {
        if self.positions.contains_key(code) {
            return false;
        }
        let Ok(position) = u32::try_from(self.codes.len()) else { return false };
        self.positions.insert(code.to_owned(), position);
        self.codes.push(code.to_owned());
        true
    }

    pub(crate) fn position(&self, code: &str) -> Option<u32> {
        self.positions.get(code).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.codes.iter().map(String::as_str)
    }
}

impl<'a> FromIterator<&'a str> for Codelist {
    fn from_iter<I: IntoIterator<Item = &'a str>>(codes: I) -> Self {
        let mut list = Self::default();
        for code in codes {
            list.add(code);
        }
        list
    }
}

/// A list that was read, and the codes in it that are no SNOMED identifiers.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) list: Codelist,
    /// The first of them, with their lines.
    pub(crate) odd: Vec<(u64, String)>,
    /// How many others there are.
    pub(crate) more_odd: u64,
}

impl Found {
    fn is_odd(&mut self, line: u64, code: &str) {
        if self.odd.len() < SHOWN {
            let shown: String = code.chars().take(LONGEST).collect();
            let more = if shown.len() < code.len() { "…" } else { "" };
            self.odd.push((line, shown + more));
        } else {
            self.more_odd += 1;
        }
    }
}

pub(crate) fn open(workspace: &Workspace, path: &Path) -> Result<Found, Fault> {
    let file = workspace.open(path, "the codelist", Exit::Unreadable)?;
    read(BufReader::new(file), &path.display().to_string())
}

fn bad(code: FaultCode, message: String) -> Fault {
    Fault::new(code, Exit::Unreadable, message)
}

fn of_csv(name: &str, error: &CsvError) -> Fault {
    match error {
        CsvError::Io(error) => bad(FaultCode::IoError, format!("cannot read the codelist {name}: {error}")),
        CsvError::FieldTooLong { .. } => bad(FaultCode::TooLarge, format!("the codelist {name}: {error}")),
        CsvError::Nul { .. } | CsvError::OpenQuote { .. } => {
            let fault = bad(FaultCode::MalformedCsv, format!("the codelist {name}: {error}"));
            fault.help("save it again as csv in UTF-8")
        }
    }
}

fn read(input: impl Read, name: &str) -> Result<Found, Fault> {
    let mut csv = CsvReader::new(input);
    let header = header(&mut csv, name)?;
    let at = column(&header, name)?;
    let mut found = Found::default();
    let mut place = 0;
    while let Some(field) = csv.next().map_err(|error| of_csv(name, &error))? {
        let (line, last) = (field.line, field.last);
        if place == at {
            take(field.bytes, line, name, &mut found)?;
        }
        if place >= header.len() {
            let message = format!("the codelist {name}: line {line} has more fields than the {} columns", header.len());
            let fault = bad(FaultCode::MalformedCsv, message);
            return Err(fault.help("a text with a comma in it stands in quotes: 1234567,\"asthma, severe\""));
        }
        place = if last { 0 } else { place + 1 };
    }
    if found.list.len() == 0 {
        let message = format!("the codelist {name} has no code in its column `{COLUMN}`");
        return Err(bad(FaultCode::MalformedFile, message).help("write at least one code below the header"));
    }
    Ok(found)
}

/// Adds a code; what can be no code of any event is told of and left out.
fn take(bytes: &[u8], line: u64, name: &str, found: &mut Found) -> Result<(), Fault> {
    let code = match std::str::from_utf8(bytes).map(str::trim) {
        Ok(code) if code.len() <= LONGEST => code,
        _ => {
            found.is_odd(line, &String::from_utf8_lossy(bytes));
            return Ok(());
        }
    };
    if code.is_empty() || !found.list.add(code) {
        return Ok(());
    }
    if found.list.len() > MOST {
        let message = format!("the codelist {name} has more than {MOST} codes");
        return Err(bad(FaultCode::TooLarge, message).help("split it, and make a report of each part"));
    }
    if !snomed::is_identifier(code) {
        found.is_odd(line, code);
    }
    Ok(())
}

fn header(csv: &mut CsvReader<impl Read>, name: &str) -> Result<Vec<String>, Fault> {
    let mut header = Vec::new();
    while let Some(field) = csv.next().map_err(|error| of_csv(name, &error))? {
        if field.bytes.len() > MAX_HEADER_NAME || header.len() >= MAX_COLUMNS {
            let message = format!("the codelist {name}: its first line has too many columns, or too long ones");
            return Err(bad(FaultCode::TooLarge, message).help("the first line names the columns, such as code,term"));
        }
        header.push(String::from_utf8_lossy(field.bytes).into_owned());
        if field.last {
            return Ok(header);
        }
    }
    let message = format!("the codelist {name} is empty");
    Err(bad(FaultCode::MalformedCsv, message).help("the first line names the columns, such as code,term"))
}

/// Where the codes stand.
fn column(header: &[String], name: &str) -> Result<usize, Fault> {
    let mut places = header.iter().enumerate().filter(|(_, column)| *column == COLUMN).map(|(at, _)| at);
    match (places.next(), places.next()) {
        (Some(at), None) => Ok(at),
        (Some(_), Some(_)) => {
            let message = format!("the codelist {name} has more than one column `{COLUMN}`");
            Err(bad(FaultCode::BadColumns, message).help("keep one of them"))
        }
        (None, _) => {
            let shown: Vec<&str> = header.iter().take(10).map(String::as_str).collect();
            let more = if header.len() > shown.len() { ", …" } else { "" };
            let message = format!("the codelist {name} has no column `{COLUMN}`; it has {}{more}", shown.join(", "));
            let near = header.iter().find(|column| column.to_lowercase().contains(COLUMN));
            Err(bad(FaultCode::MissingColumn, message).help(match near {
                Some(near) => format!("rename `{near}` to `{COLUMN}`"),
                None => format!("name the column with the codes `{COLUMN}`"),
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &[u8]) -> Result<Vec<String>, (&'static str, String)> {
        match read(text, "x.csv") {
            Ok(found) => Ok(found.list.iter().map(str::to_owned).collect()),
            Err(fault) => {
                assert_eq!(fault.exit, Exit::Unreadable);
                Err((fault.code.as_str(), fault.message))
            }
        }
    }

    #[test]
    fn lists_as_they_are_found() {
        let long = format!("code,term\n22298006,{}\n195967001,b\n", "x".repeat(1 << 20));
        let rows: &[(&[u8], &[&str])] = &[
            (b"code\n1\n2\n", &["1", "2"]),
            (b"\xef\xbb\xbfcode,term\r\n22298006,a\r\n195967001,b\r\n", &["22298006", "195967001"]),
            (b"term,code\n\"a, b\", 22298006 \n", &["22298006"]),
            (b"code,term\n22298006,a\n\n,b\n  ,c\n22298006,d\n1,e", &["22298006", "1"]),
            (b"code,term\n007,a\n7,b\n", &["007", "7"]),
            (b"term,code\nonly a term\nx,5\n", &["5"]),
            (b"code,term\n5,caf\xe9\n", &["5"]),
            (b"code,term\n5,\"two\nlines\"\n6,x\n", &["5", "6"]),
            (long.as_bytes(), &["22298006", "195967001"]),
        ];
        for (text, expected) in rows {
            assert_eq!(codes(text).unwrap(), *expected);
        }
    }

    #[test]
    fn what_is_no_list() {
        let many: String = (0..=MOST).fold("code\n".to_owned(), |text, n| text + &format!("{n}\n"));
        let long = format!("code\n{}\n", "1".repeat(1 << 20));
        let rows: &[(&[u8], &str, &str)] = &[
            (b"", "malformed_csv", "is empty"),
            (b"\n\n", "malformed_csv", "is empty"),
            (b"code\n", "malformed_file", "no code"),
            (b"code,term\n,a\n ,b\n", "malformed_file", "no code"),
            (b"term\n1\n", "missing_column", "it has term"),
            (b"Code,term\n1,a\n", "missing_column", "it has Code, term"),
            (b" code\n1\n", "missing_column", "it has  code"),
            (b"code,code\n1,2\n", "bad_columns", "more than one"),
            (b"code,term\n1,a,b\n", "malformed_csv", "line 2"),
            (b"code\n1\n\"2\n", "malformed_csv", "line 3"),
            (b"code\n1\0\n", "malformed_csv", "NUL"),
            (b"\x1f\x8b\x08\x00\x00", "malformed_csv", "NUL"),
            (b"code\n\xff\xfe\n", "malformed_file", "no code"),
            (long.as_bytes(), "malformed_file", "no code"),
            (many.as_bytes(), "too_large", "100000"),
        ];
        for (text, code, part) in rows {
            let (found, message) = codes(text).unwrap_err();
            assert_eq!(found, *code, "{message}");
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn codes_that_are_no_identifiers_are_told_with_their_line() {
        let found = read(&b"code\n22298006\n22298007\n\nXaJ4P\n22298007\n"[..], "x.csv").unwrap();
        assert_eq!(found.odd, [(3, "22298007".to_owned()), (5, "XaJ4P".to_owned())]);
        let text = [&b"code\n\xff\n"[..], "1".repeat(1 << 20).as_bytes(), b"\n22298006\n"].concat();
        let found = read(&text[..], "x.csv").unwrap();
        assert_eq!(found.list.iter().collect::<Vec<_>>(), ["22298006"], "what can be no code is left out");
        assert_eq!(found.odd, [(2, "\u{fffd}".to_owned()), (3, "1".repeat(64) + "…")]);
        let many: String = (0..100).fold("code\n".to_owned(), |text, n| text + &format!("x{n}\n"));
        let found = read(many.as_bytes(), "x.csv").unwrap();
        assert_eq!((found.list.len(), found.odd.len(), found.more_odd), (100, 20, 80));
    }
}
