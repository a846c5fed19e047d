//! The checks of a moderately sensitive file at collection, in the order of spec jobs.md 12.
//! Reads the file only if its size and type allow it, once, as a stream.

use std::collections::HashSet;
use std::hash::Hash;
use std::io::{self, Read};

use crate::{ALLOWED_TYPES, Reason, Scan, scan};

/// The limits of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `level4_max_filesize` in bytes; equal is fine.
    pub max_filesize: u64,
    /// `level4_max_csv_rows`; equal is fine.
    pub max_csv_rows: u64,
}

impl Default for Limits {
    /// 16 MiB and 5,000 rows (spec jobs.md 23).
    fn default() -> Self {
        Self { max_filesize: 16 << 20, max_csv_rows: 5_000 }
    }
}

/// What the checks found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// Why the file is kept out of the medium store; empty if nothing speaks against it.
    pub excluded: Vec<Reason>,
    /// Data records after the header; `None` for other types than csv and for files that were not read to the end.
    pub row_count: Option<u64>,
    /// Distinct header names, and one more if the first record is longer than the header; 0 without data.
    pub col_count: Option<u64>,
}

impl Checked {
    /// All reasons, joined by a comma; `None` if there is none.
    pub fn message(&self) -> Option<String> {
        let texts: Vec<String> = self.excluded.iter().map(Reason::to_string).collect();
        (!texts.is_empty()).then(|| texts.join(","))
    }
}

/// Checks one file: `name` is its path or file name, `size` its size in bytes, `open` gives its bytes and is called only
/// when they are needed.
///
/// # Errors
/// Only what reading the bytes says; a csv file that makes no sense is a [`Reason`], not an error.
pub fn check<R: Read>(
    name: &str,
    size: u64,
    open: impl FnOnce() -> io::Result<R>,
    limits: &Limits,
) -> io::Result<Checked> {
    let excluded = |reason| Ok(Checked { excluded: vec![reason], ..Checked::default() });
    if size > limits.max_filesize {
        return excluded(Reason::Size { size, limit: limits.max_filesize });
    }
    let extension = extension(name);
    if !ALLOWED_TYPES.contains(&extension) {
        return excluded(Reason::Type { extension: extension.to_owned() });
    }
    if extension != ".csv" {
        return Ok(Checked::default());
    }
    let mut checked = Checked::default();
    match scan(open()?)? {
        Scan::Read(facts) => {
            if facts.patient_id {
                checked.excluded.push(Reason::PatientId);
            }
            if facts.rows > limits.max_csv_rows {
                checked.excluded.push(Reason::Rows { rows: facts.rows, limit: limits.max_csv_rows });
            }
            checked.row_count = Some(facts.rows);
            checked.col_count = Some(facts.columns);
        }
        Scan::Unreadable { why, patient_id } => {
            if patient_id {
                checked.excluded.push(Reason::PatientId);
            }
            checked.excluded.push(Reason::Unreadable(why));
        }
    }
    Ok(checked)
}

/// The copied-data rule: a file whose bytes are those of an input that was stored as highly sensitive, told by hash.
pub fn check_copied<H: Eq + Hash>(hash: &H, protected: &HashSet<H>) -> Option<Reason> {
    protected.contains(hash).then_some(Reason::CopiedData)
}

/// From the last dot of the last segment on; empty if there is none or it begins or ends the name.
fn extension(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    match file.rfind('.') {
        Some(dot) if dot > 0 && dot + 1 < file.len() => &file[dot..],
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, bytes: &[u8]) -> Checked {
        check(name, bytes.len() as u64, || Ok(bytes), &Limits { max_filesize: 40, max_csv_rows: 2 }).unwrap()
    }

    #[test]
    fn types_are_the_last_extension_as_written() {
        for (name, fine) in [
            ("a.csv", true),
            ("x.y/a.html", true),
            ("a.b.md", true),
            ("a.CSV", false),
            ("a.csv.gz", false),
            ("a", false),
            (".csv", false),
            ("x/.txt", false),
            ("a.", false),
            ("x.csv/a", false),
            ("a.xml", false),
            ("a.tsv", false),
        ] {
            assert_eq!(of(name, b"").excluded.is_empty(), fine, "{name}");
        }
    }

    #[test]
    fn size_comes_first_and_nothing_is_read_then() {
        let limits = Limits { max_filesize: 4, max_csv_rows: 2 };
        let never = || -> io::Result<&[u8]> { Err(io::Error::other("opened")) };
        let checked = check("a.exe", 5, never, &limits).unwrap();
        assert_eq!(checked.excluded, [Reason::Size { size: 5, limit: 4 }]);
        assert_eq!((checked.row_count, checked.col_count), (None, None));
        assert!(check("a.txt", 4, never, &limits).unwrap().excluded.is_empty());
        assert!(check("a.csv", 4, never, &limits).is_err());
    }

    #[test]
    fn both_csv_reasons_are_told() {
        let checked = of("a.csv", b"patient_id,x\n1,2\n1,2\n1,2\n");
        assert_eq!(checked.excluded, [Reason::PatientId, Reason::Rows { rows: 3, limit: 2 }]);
        let message = checked.message().unwrap();
        assert!(message.ends_with(",row count (3) is above the limit (2)"), "{message}");
        assert_eq!(of("a.csv", b"x\n1\n2\n").excluded, []);
    }

    #[test]
    fn copies_of_protected_data_are_told_by_hash() {
        let protected = HashSet::from([7u8]);
        assert_eq!(check_copied(&7, &protected), Some(Reason::CopiedData));
        assert_eq!(check_copied(&8, &protected), None);
    }
}
