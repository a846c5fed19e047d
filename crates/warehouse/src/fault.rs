//! What can be wrong with supplied tables, and where: file, line or row, column. All faults of a folder are told at once.
//! A fault never shows a cell: rows of patients do not belong into messages.

use std::fmt;

/// Kind of a fault (warehouse.md 12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A cell of another type, or a row without patient.
    D101,
    /// Two different rows of a patient where there is one.
    D102,
    /// Columns: missing, repeated, or a row of another length.
    D103,
    /// Text that is not UTF-8, holds NUL, or a code that is too long.
    D104,
    /// A day or time that does not exist or is spelled in another way.
    D105,
    /// A file that cannot be read.
    D203,
    /// Too large for a folder.
    D309,
    /// A privacy filter that cannot decide.
    D401,
    /// A file of patients of a study: repeated ids, wrong types.
    D511,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Kind.
    pub code: Code,
    /// File, as its name in the folder or as the study names it.
    pub file: String,
    /// Line from 1; of Parquet the row from 1.
    pub line: Option<u64>,
    /// Column.
    pub column: Option<String>,
    /// In words.
    pub message: String,
}

/// At least one fault; of many the first thousand, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults {
    /// In order of files and lines.
    pub shown: Vec<Fault>,
    /// All of them.
    pub count: u64,
}

impl std::error::Error for Faults {}

/// Faults that are kept; the others are counted.
const SHOWN: usize = 1_000;

impl Faults {
    pub(crate) fn push(&mut self, fault: Fault) {
        self.count += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(fault);
        }
    }

    pub(crate) fn one(fault: Fault) -> Self {
        Faults { shown: vec![fault], count: 1 }
    }

    pub(crate) fn append(&mut self, other: Faults) {
        self.count += other.count;
        let room = SHOWN.saturating_sub(self.shown.len());
        self.shown.extend(other.shown.into_iter().take(room));
    }

    /// The value, unless there is a fault.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Faults> {
        if self.count == 0 { Ok(value) } else { Err(self) }
    }
}

impl Fault {
    pub(crate) fn of_file(code: Code, file: &str, message: impl Into<String>) -> Self {
        Fault { code, file: file.to_owned(), line: None, column: None, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.code, self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.shown.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        match self.count.saturating_sub(self.shown.len() as u64) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}
