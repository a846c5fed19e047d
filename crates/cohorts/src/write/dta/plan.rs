//! How every column is stored, known after a first pass: numbers as small as fits, texts as wide as the longest.
//! Spec study-definitions.md 9.2.

use arrow_array::Array as _;

use super::rows::{LARGEST_DOUBLE, whole};
use crate::text::DAYS_1960_TO_1970;
use crate::write::WriteError;
use crate::write::cells::Cells;
use crate::{Field, Kind};

/// Longer texts are kept outside the rows.
pub(super) const LONGEST_SHORT: usize = 2_045;
/// What stands before and after the bytes of a long text: `GSO`, column, row, type, length; a zero.
pub(super) const AROUND_LONG: u64 = 3 + 4 + 8 + 1 + 4 + 1;
/// Larger numbers of this type mean missing values.
pub(super) const LARGEST_LONG: i64 = 2_147_483_620;
/// The smaller ones are reserved by Stata, though it could store one more.
pub(super) const SMALLEST_LONG: i64 = -2_147_483_647;

/// A type of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    Byte,
    Int,
    Long,
    Float,
    Double,
    /// A long that counts days.
    Day,
    /// A double that counts milliseconds.
    Moment,
    /// So many bytes.
    Text(u16),
    LongText,
}

pub(super) struct Plan {
    pub(super) columns: Vec<Stored>,
    /// Bytes of all long texts with what stands around them.
    pub(super) long_bytes: u64,
    /// What is shown of each column beside its values; nothing for columns as their type is.
    pub(super) shown: Vec<Shown>,
    /// Bytes of all lists of labels.
    pub(super) label_bytes: u64,
}

/// How a column is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// Its format, if not that of its type.
    pub(super) format: Option<String>,
    /// The name of its list of labels, if it has one.
    pub(super) labels: String,
}

impl Plan {
    /// Bytes of one row.
    pub(super) fn width(&self) -> u64 {
        self.columns.iter().map(|column| column.width()).sum()
    }
}

impl Stored {
    fn width(self) -> u64 {
        match self {
            Self::Byte => 1,
            Self::Int => 2,
            Self::Long | Self::Day | Self::Float => 4,
            Self::Double | Self::Moment | Self::LongText => 8,
            Self::Text(width) => u64::from(width),
        }
    }

    /// Its number in the file.
    pub(super) const fn code(self) -> u16 {
        match self {
            Self::Byte => 65_530,
            Self::Int => 65_529,
            Self::Long | Self::Day => 65_528,
            Self::Float => 65_527,
            Self::Double | Self::Moment => 65_526,
            Self::Text(width) => width,
            Self::LongText => 32_768,
        }
    }

    /// How Stata shows it.
    pub(super) fn format(self) -> String {
        match self {
            Self::Byte | Self::Int => "%8.0g".to_owned(),
            Self::Float => "%9.0g".to_owned(),
            Self::Long => "%12.0g".to_owned(),
            Self::Double => "%10.0g".to_owned(),
            Self::Day => "%td".to_owned(),
            Self::Moment => "%tc".to_owned(),
            Self::Text(width) => format!("%{}s", width.max(9)),
            Self::LongText => "%9s".to_owned(),
        }
    }
}

struct Column {
    name: String,
    kind: Kind,
    fits_long: bool,
    longest: usize,
    long_bytes: u64,
}

/// What the first pass has seen.
pub(super) struct Planning {
    columns: Vec<Column>,
    rows: u64,
}

impl Planning {
    pub(super) fn new(fields: &[Field]) -> Self {
        let column = |field: &Field| Column {
            name: field.name.clone(),
            kind: field.kind,
            fits_long: true,
            longest: 0,
            long_bytes: 0,
        };
        Self { columns: fields.iter().map(column).collect(), rows: 0 }
    }

    /// # Errors
    /// A value that the format cannot store.
    pub(super) fn see(&mut self, cells: &[Cells<'_>], rows: usize) -> Result<(), WriteError> {
        for (column, cells) in self.columns.iter_mut().zip(cells) {
            for row in 0..rows {
                column.see(cells, row).map_err(|why| why.at(&column.name, self.rows + row as u64 + 1))?;
            }
        }
        self.rows += rows as u64;
        Ok(())
    }

    pub(super) fn done(self) -> Plan {
        let mut long_bytes = 0;
        let columns = self
            .columns
            .into_iter()
            .map(|column| match column.kind {
                Kind::Bool => Stored::Byte,
                Kind::Int | Kind::IntCategory { .. } if column.fits_long => Stored::Long,
                Kind::Int | Kind::IntCategory { .. } | Kind::Float => Stored::Double,
                Kind::Date(_) => Stored::Day,
                Kind::Str if column.longest > LONGEST_SHORT => {
                    long_bytes += column.long_bytes;
                    Stored::LongText
                }
                Kind::Str => Stored::Text(column.longest.max(1) as u16),
            })
            .collect();
        Plan { columns, long_bytes, shown: Vec::new(), label_bytes: 0 }
    }
}

/// Why a value cannot be stored.
struct Why(&'static str);

impl Why {
    fn at(self, column: &str, row: u64) -> WriteError {
        WriteError::CannotRepresent { column: column.to_owned(), row, format: "dta", why: self.0 }
    }
}

impl Column {
    fn see(&mut self, cells: &Cells<'_>, row: usize) -> Result<(), Why> {
        match cells {
            Cells::Bool(_) => {}
            Cells::Int(array) if array.is_valid(row) => self.see_int(array.value(row))?,
            Cells::IntCategory(array, missing) => {
                if let Some(value) = whole(array, row, *missing) {
                    self.see_int(value)?;
                }
            }
            Cells::Float(array) if array.is_valid(row) => {
                let value = array.value(row);
                if value > LARGEST_DOUBLE || value == f64::NEG_INFINITY {
                    return Err(Why("it is infinite, or larger than any number that Stata keeps"));
                }
            }
            Cells::Str(array) if array.is_valid(row) => {
                let text = array.value(row);
                if text.as_bytes().contains(&0) {
                    return Err(Why("its text has a zero byte, which would end it"));
                }
                if !text.is_empty() {
                    self.longest = self.longest.max(text.len());
                    self.long_bytes += AROUND_LONG + text.len() as u64;
                }
            }
            Cells::Date(array, _) if array.is_valid(row) => {
                let days = i64::from(array.value(row)) + DAYS_1960_TO_1970;
                if !(SMALLEST_LONG..=LARGEST_LONG).contains(&days) {
                    return Err(Why("its date is too far from 1960"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn see_int(&mut self, value: i64) -> Result<(), Why> {
        self.fits_long &= (SMALLEST_LONG..=LARGEST_LONG).contains(&value);
        if (value as f64) as i128 != i128::from(value) {
            return Err(Why("it is a whole number above 2^53 that Stata would keep only roughly; use csv or feather"));
        }
        Ok(())
    }
}
