//! Faults and warnings of a dummy data file, with their codes (study-definitions.md 9.3, 13).
//! The file is made up by its author, so its values may be shown.

use std::fmt;

use crate::Format;
use crate::read::ReadError;

/// A cell that has not the form of its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadCell {
    /// The column's name.
    pub column: String,
    /// Counted as a person sees it in a table: the header is row 1, the first patient row 2, in binary files too.
    pub row: u64,
    /// What stands there, shortened.
    pub value: String,
    /// What should stand there.
    pub expected: &'static str,
}

impl fmt::Display for BadCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, row {}: {:?} is not {}", self.column, self.row, self.value, self.expected)
    }
}

/// Something about a dummy data file.
#[derive(Debug, thiserror::Error)]
pub enum Finding {
    /// SD611: its name has another ending than the output.
    #[error("{}", wrong_format(name, *given, *expected))]
    WrongFormat {
        /// Of the file.
        name: String,
        /// What its name says.
        given: Option<Format>,
        /// That of the output.
        expected: Format,
    },
    /// SD611: its bytes are not those of its format, or it cannot be read.
    #[error("the dummy data file cannot be read as its name says: {0}")]
    Unreadable(#[source] ReadError),
    /// SD612.
    #[error("{}", wrong_columns(missing, unexpected, repeated))]
    Columns {
        /// Columns of the study that it lacks.
        missing: Vec<String>,
        /// Columns that the study does not have.
        unexpected: Vec<String>,
        /// Columns that it has twice.
        repeated: Vec<String>,
    },
    /// SD613.
    #[error("{}", bad_values(*count, shown))]
    BadValues {
        /// All of them.
        count: u64,
        /// The first ones, row by row.
        shown: Vec<BadCell>,
    },
    /// A warning: whole numbers were expected.
    #[error(
        "{column} holds whole numbers, but {count} of the dummy data file have a fraction, the first in row {first_row}"
    )]
    Fractions {
        /// The column's name.
        column: String,
        /// How many.
        count: u64,
        /// Counted as in [`BadCell::row`].
        first_row: u64,
    },
    /// A warning: a patient has several rows.
    #[error("{count} rows of the dummy data file repeat a patient_id; real files have one row for each patient")]
    RepeatedPatients {
        /// Rows beyond the first one of each patient.
        count: u64,
    },
}

impl Finding {
    /// The code of a fault; warnings have none.
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::WrongFormat { .. } | Self::Unreadable(_) => Some("SD611"),
            Self::Columns { .. } => Some("SD612"),
            Self::BadValues { .. } => Some("SD613"),
            Self::Fractions { .. } | Self::RepeatedPatients { .. } => None,
        }
    }

    /// Whether the file cannot be used.
    pub const fn is_fault(&self) -> bool {
        self.code().is_some()
    }
}

fn wrong_format(name: &str, given: Option<Format>, expected: Format) -> String {
    let expected = expected.extension();
    let is =
        given.map_or_else(|| "has an ending that is not known".to_owned(), |g| format!("is a .{} file", g.extension()));
    format!("{name} {is}, and the output is .{expected}; give a .{expected} file, or ask for another output format")
}

fn wrong_columns(missing: &[String], unexpected: &[String], repeated: &[String]) -> String {
    let part = |what: &str, names: &[String]| (!names.is_empty()).then(|| format!("{what}: {}", names.join(", ")));
    let parts = [part("missing", missing), part("not in the study", unexpected), part("twice", repeated)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("the columns of the dummy data file are not those of the study; {}", parts.join("; "))
}

fn bad_values(count: u64, shown: &[BadCell]) -> String {
    let values = if count == 1 { "value" } else { "values" };
    let mut text = format!("the dummy data file has {count} bad {values}");
    for cell in shown {
        text.push_str(&format!("\n  {cell}"));
    }
    let more = count - (shown.len() as u64).min(count);
    if more > 0 {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}
