//! A file of patients as measures read it: some of its columns, batch by batch.
//! csv gives every cell as the bytes that it is; other formats give typed columns.

use std::fs::File;
use std::io::BufReader;

use arrow_array::ArrayRef;
use cohorts::Format;
use cohorts::read::{Limits, Reader};

use crate::fault::Fault;
use crate::files::unreadable;

/// What is done with a batch: one array for each wanted column, in the order wanted.
pub(crate) type Each<'a> = dyn FnMut(&[ArrayRef]) -> Result<(), Fault> + 'a;

/// One file of patients.
pub(crate) trait PatientFile {
    /// The names of the columns, in the order of the file.
    fn columns(&self) -> &[String];

    /// Whether cells have types, and which.
    fn cells(&self) -> Cells;

    /// Reads the wanted columns, from the first row to the last.
    fn read(&mut self, wanted: &[usize], each: &mut Each<'_>) -> Result<(), Fault>;
}

/// What cells are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cells {
    /// Text without types (csv).
    Text,
    Typed,
    /// Typed, but truth values are bytes of 0 and 1 (Stata).
    TypedWithBytes,
}

/// A file on disk.
pub(crate) struct Table {
    what: String,
    format: Format,
    reader: Reader,
    columns: Vec<String>,
}

impl Table {
    pub(crate) fn open(file: File, format: Format, what: String) -> Result<Self, Fault> {
        let input = BufReader::with_capacity(64 << 10, file);
        let reader = Reader::open(format, input, Limits::default()).map_err(|error| unreadable(&error, &what))?;
        let columns = reader.columns().iter().map(|column| column.name().into_owned()).collect();
        Ok(Self { what, format, reader, columns })
    }
}

impl PatientFile for Table {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn cells(&self) -> Cells {
        match self.format {
            Format::Csv | Format::CsvGz => Cells::Text,
            Format::Feather => Cells::Typed,
            Format::Dta | Format::DtaGz => Cells::TypedWithBytes,
        }
    }

    fn read(&mut self, wanted: &[usize], each: &mut Each<'_>) -> Result<(), Fault> {
        self.reader.keep(wanted);
        for rows in &mut self.reader {
            each(&rows.map_err(|error| unreadable(&error, &self.what))?.columns)?;
        }
        Ok(())
    }
}
