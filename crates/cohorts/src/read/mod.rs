//! Reading files with one row per patient, batch by batch, with the types that the file gives.
//! Spec actions.md 3.1-3.4. Every fault of a file is told with its place; memory does not grow with the number of rows.

mod csv;
mod dta;
mod error;
mod feather;
mod input;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{DataType, SchemaRef};

pub use self::error::{Place, ReadError};
pub use self::feather::PackedRows;
pub use self::input::{Input, Limits};
use crate::{Format, Packing};

/// What the numbers of a Stata column stand for.
pub type Labels = BTreeMap<i32, String>;

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    name: Vec<u8>,
    /// `Binary` in csv files, whose fields are their bytes and never null; the file's own type in feather files; in Stata
    /// files Int8, Int16, Int32, Float32, Float64, Utf8, and Date32 (`%td`) or Timestamp in milliseconds (`%tc`).
    pub data_type: DataType,
    /// Of a Stata column that has them.
    pub labels: Option<Arc<Labels>>,
    /// How Stata shows the column, as `%12.0g`.
    pub stata_format: Option<String>,
}

impl Column {
    pub(crate) const fn new(name: Vec<u8>, data_type: DataType) -> Self {
        Self { name, data_type, labels: None, stata_format: None }
    }

    /// The name, with a mark for bytes that are not UTF-8.
    pub fn name(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.name)
    }

    /// The name as it stands in the file.
    pub fn name_bytes(&self) -> &[u8] {
        &self.name
    }
}

/// Some rows of a file, one after another.
#[derive(Debug, Clone)]
pub struct Rows {
    /// How many rows of the file come before them.
    pub before: u64,
    /// How many they are.
    pub len: usize,
    /// The cells, for each of the columns that are kept ([`Reader::keep`]), as long as `len`.
    pub columns: Vec<ArrayRef>,
    /// Of a feather file: all its columns for these rows as they lie there, to be handed on ([`crate::FeatherWriter`]).
    pub packed: Option<PackedRows>,
}

/// What is odd about a file but no fault. Complete when all rows have been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Notes {
    /// Its name says that it is compressed, and it is not.
    pub plain_under_gz: bool,
    /// Records with fewer fields than the header; their last cells are empty.
    pub short_records: u64,
    /// There are bytes that are not UTF-8, which are passed on as they are.
    pub not_utf8: bool,
}

/// What every format can do.
trait Table: Send {
    fn columns(&self) -> &[Column];
    /// Places of columns, in the order in which rows are to have them.
    fn keep(&mut self, columns: Vec<usize>);
    fn next(&mut self) -> Result<Option<Rows>, ReadError>;
    fn notes(&self) -> Notes;
    /// Of Arrow files.
    fn schema(&self) -> Option<SchemaRef> {
        None
    }
    fn packing(&mut self) -> Result<Packing, ReadError> {
        Ok(Packing::None)
    }
    /// Before any has been read.
    fn rows(&mut self) -> Result<Option<u64>, ReadError> {
        Ok(None)
    }
    fn nulls(&self) -> Option<&[u64]> {
        None
    }
}

/// A file that is being read.
pub struct Reader {
    format: Format,
    table: Box<dyn Table>,
    ended: bool,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("columns", &self.table.columns()).finish_non_exhaustive()
    }
}

/// Opens a file by its path, with the usual limits.
///
/// # Errors
/// As [`Reader::open`], and when there is no such file.
pub fn open(path: &Path, format: Format) -> Result<Reader, ReadError> {
    Reader::open(format, BufReader::with_capacity(1 << 16, File::open(path)?), Limits::default())
}

impl Reader {
    /// Begins to read: the header is known afterwards.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn open(format: Format, input: impl Input + 'static, limits: Limits) -> Result<Self, ReadError> {
        let input: Box<dyn Input> = Box::new(input);
        let table: Box<dyn Table> = match format {
            Format::Csv | Format::CsvGz => Box::new(csv::Csv::open(format, input, limits)?),
            Format::Feather => Box::new(feather::Feather::open(input, limits)?),
            Format::Dta | Format::DtaGz => Box::new(dta::Dta::open(format, input, limits)?),
        };
        Ok(Self { format, table, ended: false })
    }

    /// As it was opened.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// All columns of the file, in order. Names may occur twice.
    pub fn columns(&self) -> &[Column] {
        self.table.columns()
    }

    /// Reads only these columns from now on, in this order; may be called again between rows. Places count in [`Reader::columns`]; one that does not exist
    /// is left out.
    pub fn keep(&mut self, columns: &[usize]) {
        let count = self.table.columns().len();
        self.table.keep(columns.iter().copied().filter(|column| *column < count).collect());
    }

    /// What a feather file says of its columns, with all notes of whoever wrote it; nothing for other formats.
    pub fn schema(&self) -> Option<SchemaRef> {
        self.table.schema()
    }

    /// How the rows of a feather file are packed; other formats have no packing inside.
    ///
    /// # Errors
    /// The head of the first batch cannot be read.
    pub fn packing(&mut self) -> Result<Packing, ReadError> {
        self.table.packing()
    }

    /// How many rows a feather file says that it has, to be asked before the first of them is read; `None` for other formats.
    /// Whoever reads them all finds whether it is true.
    ///
    /// # Errors
    /// The head of a batch cannot be read.
    pub fn rows(&mut self) -> Result<Option<u64>, ReadError> {
        self.table.rows()
    }

    /// How many cells of each column are null among the rows that came last, columns that are not kept among them, as
    /// the file says without being decoded. `None` in formats that do not say it, and before the first rows.
    pub fn nulls(&self) -> Option<&[u64]> {
        self.table.nulls()
    }

    /// What is odd so far.
    pub fn notes(&self) -> Notes {
        self.table.notes()
    }
}

impl Iterator for Reader {
    type Item = Result<Rows, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.table.next().transpose();
        // After a fault nothing in the file can be trusted.
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}
