//! What a file of patients holds: columns with their meaning at the border, and where their rows come from.
//! Spec study-definitions.md 2.8-2.10 and 9.2.

use std::error::Error;

use arrow_array::RecordBatch;

/// How much of a day is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DatePrecision {
    /// `YYYY`.
    Year,
    /// `YYYY-MM`.
    Month,
    /// `YYYY-MM-DD`.
    Day,
}

/// What the values of a column are, and as which Arrow array a [`Source`] gives them. NULL is a missing value everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `BooleanArray`; missing is written 0.
    Bool,
    /// `Int64Array`; missing is written 0.
    Int,
    /// `Float64Array`; missing is written 0.0.
    Float,
    /// `StringArray`; missing is written ''.
    Str,
    /// `Date32Array`; missing is written ''.
    Date(DatePrecision),
    /// `Int64Array` whose numbers are labels: a dictionary in feather files, numbers elsewhere.
    IntCategory {
        /// What stands for NULL: -1 for index_of_multiple_deprivation and 0 for others in real data, where feather files
        /// also turn 0 into null. `None` in dummy data: nothing stands for it, it is '' in text files and null in others,
        /// and 0 is a value like any other.
        missing: Option<i64>,
    },
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in the file.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
}

/// The columns of a file in order, patient_id (`Kind::Int`, never null) among them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// In the order of the file.
    pub fields: Vec<Field>,
}

/// Rows of patients, ascending by patient_id, which can be read several times with the same outcome.
pub trait Source {
    /// The columns.
    fn schema(&self) -> &Schema;

    /// One pass over all rows, in batches of at most 8,192 rows with the columns of [`Source::schema`].
    ///
    /// # Errors
    /// Whatever making the rows ends with; nothing that was written from it counts then.
    fn batches(&self) -> Box<dyn Iterator<Item = Result<RecordBatch, Box<dyn Error + Send + Sync>>> + '_>;
}

/// The five formats (study-definitions.md 9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `csv`.
    Csv,
    /// `csv.gz`.
    CsvGz,
    /// `feather`.
    Feather,
    /// `dta`.
    Dta,
    /// `dta.gz`.
    DtaGz,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Csv, Self::CsvGz, Self::Feather, Self::Dta, Self::DtaGz];

    /// As written after the name of a file, and as the value of `--output-format`.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::CsvGz => "csv.gz",
            Self::Feather => "feather",
            Self::Dta => "dta",
            Self::DtaGz => "dta.gz",
        }
    }

    /// The format that a file's name says, with the name before the extension.
    pub fn of_name(name: &str) -> Option<(&str, Self)> {
        Self::ALL.iter().rev().find_map(|format| {
            let stem = name.strip_suffix(format.extension())?.strip_suffix('.')?;
            (!stem.is_empty()).then_some((stem, *format))
        })
    }
}

/// How the buffers of a feather file are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Packing {
    /// As they are.
    None,
    /// As LZ4 frames.
    Lz4,
    /// With zstd.
    Zstd,
}
