//! What every release says before the rows, whatever its layout.
//! The releases differ in widths only, and in whether sections have tags.

use std::io::SeekFrom;

use arrow_schema::{DataType, TimeUnit};

use super::bytes::Order;
use super::{malformed, old, tagged};
use crate::read::{Input, Limits, Place, ReadError};

/// Types of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    Byte,
    Int,
    Long,
    Float,
    Double,
    /// So many bytes, ended by a zero when shorter.
    Text(u16),
    /// A reference to a text elsewhere.
    LongText,
}

impl Stored {
    pub(super) const fn width(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Int => 2,
            Self::Long | Self::Float => 4,
            Self::Double | Self::LongText => 8,
            Self::Text(width) => width as usize,
        }
    }

    /// Whether its values may have labels.
    pub(super) const fn is_whole(self) -> bool {
        matches!(self, Self::Byte | Self::Int | Self::Long)
    }
}

/// What the numbers of a column count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    Numbers,
    Days,
    Milliseconds,
}

pub(super) struct Column {
    pub(super) name: String,
    pub(super) stored: Stored,
    pub(super) format: String,
    /// The name of its labels, or nothing.
    pub(super) labels: String,
}

impl Column {
    pub(super) fn counts(&self) -> Counts {
        let format = self.format.strip_prefix('%').unwrap_or(&self.format);
        // A number stands for what is aligned to the left.
        let format = format.strip_prefix('-').unwrap_or(format);
        if matches!(self.stored, Stored::Text(_) | Stored::LongText) {
            Counts::Numbers
        } else if format.starts_with("td") || format.starts_with('d') {
            Counts::Days
        } else if format.starts_with("tc") || format.starts_with("tC") {
            Counts::Milliseconds
        } else {
            Counts::Numbers
        }
    }

    pub(super) fn data_type(&self) -> DataType {
        match (self.counts(), self.stored) {
            (Counts::Days, _) => DataType::Date32,
            (Counts::Milliseconds, _) => DataType::Timestamp(TimeUnit::Millisecond, None),
            (_, Stored::Byte) => DataType::Int8,
            (_, Stored::Int) => DataType::Int16,
            (_, Stored::Long) => DataType::Int32,
            (_, Stored::Float) => DataType::Float32,
            (_, Stored::Double) => DataType::Float64,
            (_, Stored::Text(_) | Stored::LongText) => DataType::Utf8,
        }
    }
}

/// Where parts of the file stand that come after the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// Directly after the rows, up to the end.
    Labels,
    /// At these places.
    Tagged { texts: u64, labels: u64 },
}

pub(super) struct Head {
    pub(super) release: u8,
    pub(super) order: Order,
    pub(super) columns: Vec<Column>,
    pub(super) rows: u64,
    pub(super) rows_at: u64,
    pub(super) behind: Behind,
}

impl Head {
    pub(super) const fn utf8(&self) -> bool {
        self.release >= 118
    }
}

pub(super) fn read(input: &mut dyn Input, limits: Limits) -> Result<Head, ReadError> {
    let mut first = [0; 2];
    input.seek(SeekFrom::Start(0))?;
    input.read_exact(&mut first).map_err(|error| ReadError::at(error, Place::Header))?;
    input.seek(SeekFrom::Start(0))?;
    match first {
        [b'<', _] => tagged::read(input, limits),
        [113..=115, 1 | 2] => old::read(input, limits),
        [102..=116, 1 | 2] => Err(ReadError::Unsupported {
            what: "a Stata file of a release before 8".to_owned(),
            instead: "save it again with a newer one",
        }),
        _ => Err(malformed(Place::Header, "it does not begin as a Stata file does")),
    }
}
