//! Why a file cannot be read, and where in it.
//! Texts name places and kinds of faults, never a value of the file.

use std::fmt;
use std::io;

/// Where in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before the first row.
    Header,
    /// A line of a csv file, from 1.
    Line(u64),
    /// A row, from 1, the header not counted.
    Row(u64),
    /// A batch of rows of a feather file, from 1.
    Batch(u64),
    /// A list of values of a feather file, from 1.
    Dictionary(u64),
    /// A named part of the file.
    Section(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("in the header"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
            Self::Batch(batch) => write!(f, "batch {batch}"),
            Self::Dictionary(dictionary) => write!(f, "dictionary {dictionary}"),
            Self::Section(name) => write!(f, "in {name}"),
        }
    }
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system says no.
    #[error("cannot read the file: {0}")]
    Io(io::Error),
    /// The bytes are not what the format says.
    #[error("malformed {format}, {place}: {why}")]
    Malformed {
        /// The ending of the file's name.
        format: &'static str,
        /// Where.
        place: Place,
        /// In words.
        why: String,
    },
    /// The file ends too early.
    #[error("the file ends too early, {place}; it may not have been copied whole")]
    Truncated {
        /// Where.
        place: Place,
    },
    /// A right file that is not read here.
    #[error("{what} cannot be read; {instead}")]
    Unsupported {
        /// What it has.
        what: String,
        /// What its author can do.
        instead: &'static str,
    },
    /// A compressed file that would fill any disk.
    #[error("the file unpacks to far more than its size allows")]
    UnpacksTooFar,
    /// More than a reader holds in memory.
    #[error("{what} is larger than {most} bytes, {place}")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// Bytes that are allowed.
        most: u64,
        /// Where.
        place: Place,
    },
}

/// Marks the error of a stream that unpacks to too much.
#[derive(Debug, thiserror::Error)]
#[error("it unpacks to far more than its size allows")]
pub(super) struct TooFar;

/// Marks the error of a stream that cannot be unpacked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadGzip(pub(super) io::Error);

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::at(error, Place::Section("the file"))
    }
}

impl ReadError {
    /// What an error of reading means at a place.
    pub(super) fn at(error: io::Error, place: Place) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated { place },
            _ if error.get_ref().is_some_and(|inner| inner.is::<TooFar>()) => Self::UnpacksTooFar,
            _ if error.get_ref().is_some_and(|inner| inner.is::<BadGzip>()) => {
                Self::Malformed { format: "gzip", place, why: error.to_string() }
            }
            // Only a place that a file names itself can be one that no file has.
            io::ErrorKind::InvalidInput => {
                Self::Malformed { format: "file", place, why: "it points outside of itself".to_owned() }
            }
            _ => Self::Io(error),
        }
    }
}
