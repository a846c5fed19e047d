//! Writing a file of patients: one entrance for the five formats, and what can go wrong.
//! Spec study-definitions.md 9.2.

mod cells;
mod csv;
pub(crate) mod dta;
mod feather;
pub(crate) mod gzip;

use std::error::Error;
use std::io::{self, Write};

pub use self::dta::{Passes, StataColumn, write_stata};
pub use self::feather::FeatherWriter;
use crate::{Format, Source};

/// How hard files of patients are compressed (study-definitions.md 9.2).
const GZIP_LEVEL: u32 = 6;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Rows of the file.
    pub rows: u64,
    /// Bytes of the file, after compression.
    pub bytes: u64,
    /// Columns that have another name in the file, before and after: Stata's names are short and some words are its own.
    pub renamed: Vec<(String, String)>,
}

/// Why a file is not complete. Whatever was written of it until then counts for nothing. No text holds a patient's value.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The rows could not be made.
    #[error("making the rows failed: {0}")]
    Source(#[source] Box<dyn Error + Send + Sync>),
    /// The file system says no.
    #[error("cannot write the file: {0}")]
    Io(#[from] io::Error),
    /// A batch does not have the columns that its source promises.
    #[error("column {column} holds {found} where {expected} was promised")]
    Column {
        /// Its name.
        column: String,
        /// The Arrow type of its kind.
        expected: &'static str,
        /// What the batch has.
        found: String,
    },
    /// No column, or several, named patient_id.
    #[error("a file of patients has one column patient_id of whole numbers, here {found} are so named")]
    PatientColumn {
        /// How many there are.
        found: usize,
    },
    /// A row without patient_id.
    #[error("row {row} has no patient_id")]
    NoPatient {
        /// From 1.
        row: u64,
    },
    /// Two rows for one patient (D511).
    #[error("D511: row {row} has the same patient_id as the row before; each patient may have one row only")]
    Duplicate {
        /// The second one, from 1.
        row: u64,
    },
    /// A source gave other rows when it was read a second time.
    #[error("the rows changed while they were written; start again")]
    Changed,
    /// A value that the format has no place for.
    #[error("column {column}, row {row} cannot be written as {format}: {why}")]
    CannotRepresent {
        /// Its name.
        column: String,
        /// From 1.
        row: u64,
        /// The ending of the file.
        format: &'static str,
        /// In words, without the value.
        why: &'static str,
    },
    /// A format has a limit.
    #[error("a file in the format {format} has at most {most} columns, here are {found}")]
    TooManyColumns {
        /// The ending of the file.
        format: &'static str,
        /// Columns asked for.
        found: usize,
        /// Columns it may have.
        most: usize,
    },
    /// The rows are not in ascending order of patient_id.
    #[error("row {row} has a smaller patient_id than the row before; rows are written in ascending order")]
    Order {
        /// From 1.
        row: u64,
    },
}

/// Writes all rows of `source` in one format, as a stream: memory does not grow with the number of rows, except for the
/// dictionaries of feather files. Formats that must know widths or dictionaries first read the source twice.
/// Equal rows give equal bytes.
///
/// # Errors
/// See [`WriteError`]; `out` then holds a part of a file.
pub fn write(format: Format, source: &dyn Source, out: impl Write) -> Result<Written, WriteError> {
    let mut out = Counted { inner: out, bytes: 0 };
    let (rows, renamed) = match format {
        Format::Csv => (csv::write(source, &mut out)?, Vec::new()),
        Format::CsvGz => (gzip::gzip(GZIP_LEVEL, &mut out, |out| csv::write(source, out))?, Vec::new()),
        Format::Feather => (feather::write(source, &mut out)?, Vec::new()),
        Format::Dta => dta::write(source, &mut out)?,
        Format::DtaGz => gzip::gzip(GZIP_LEVEL, &mut out, |out| dta::write(source, out))?,
    };
    out.flush()?;
    Ok(Written { rows, bytes: out.bytes, renamed })
}

struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buf)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Read as _;
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};

    use super::*;
    use crate::{DatePrecision, Field, Kind, Memory, Schema};

    pub(crate) fn table(columns: Vec<(&str, Kind, ArrayRef)>) -> Memory {
        let fields = columns.iter().map(|(name, kind, _)| Field { name: (*name).to_owned(), kind: *kind }).collect();
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, _, array)| (name.to_owned(), array, true)),
        )
        .unwrap();
        Memory { schema: Schema { fields }, batches: vec![batch] }
    }

    fn patients(ids: Vec<Option<i64>>) -> Memory {
        table(vec![("patient_id", Kind::Int, Arc::new(Int64Array::from(ids)))])
    }

    fn text(source: &Memory) -> String {
        let mut out = Vec::new();
        let written = write(Format::Csv, source, &mut out).unwrap();
        assert_eq!(written.bytes, out.len() as u64);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_is_as_specified() {
        let days = || Arc::new(Date32Array::from(vec![Some(18_321), None]));
        let source = table(vec![
            ("patient_id", Kind::Int, Arc::new(Int64Array::from(vec![7, 9_007_199_254_740_993]))),
            ("b", Kind::Bool, Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("i", Kind::Int, Arc::new(Int64Array::from(vec![Some(-3), None]))),
            ("f", Kind::Float, Arc::new(Float64Array::from(vec![Some(5.0), None]))),
            ("s,t", Kind::Str, Arc::new(StringArray::from(vec![Some("a\"b"), None]))),
            ("y", Kind::Date(DatePrecision::Year), days()),
            ("m", Kind::Date(DatePrecision::Month), days()),
            ("d", Kind::Date(DatePrecision::Day), days()),
            ("imd", Kind::IntCategory { missing: Some(-1) }, Arc::new(Int64Array::from(vec![Some(300), None]))),
            ("rural", Kind::IntCategory { missing: Some(0) }, Arc::new(Int64Array::from(vec![Some(5), None]))),
            ("dummy", Kind::IntCategory { missing: None }, Arc::new(Int64Array::from(vec![Some(0), None]))),
        ]);
        assert_eq!(
            text(&source),
            "patient_id,b,i,f,\"s,t\",y,m,d,imd,rural,dummy\n\
             7,1,-3,5.0,\"a\"\"b\",2020,2020-02,2020-02-29,300,5,0\n\
             9007199254740993,0,0,0.0,,,,,-1,0,\n"
        );
    }

    #[test]
    fn no_rows_are_a_header() {
        assert_eq!(text(&patients(Vec::new())), "patient_id\n");
    }

    #[test]
    fn a_patient_has_one_row() {
        let fault = |ids: Vec<Option<i64>>| write(Format::Csv, &patients(ids), io::sink()).unwrap_err();
        assert!(matches!(fault(vec![Some(1), Some(1)]), WriteError::Duplicate { row: 2 }));
        assert!(matches!(fault(vec![Some(1), Some(3), Some(2)]), WriteError::Order { row: 3 }));
        assert!(matches!(fault(vec![None]), WriteError::NoPatient { row: 1 }));
        let nobody = table(vec![("a", Kind::Int, Arc::new(Int64Array::from(vec![1])))]);
        assert!(matches!(write(Format::Csv, &nobody, io::sink()), Err(WriteError::PatientColumn { found: 0 })));
    }

    #[test]
    fn the_last_row_of_a_batch_is_compared_with_the_next() {
        let mut source = patients(vec![Some(1), Some(2)]);
        source.batches.push(source.batches[0].slice(1, 1));
        assert!(matches!(write(Format::Csv, &source, io::sink()), Err(WriteError::Duplicate { row: 3 })));
    }

    #[test]
    fn a_batch_of_other_types_is_refused() {
        let source = table(vec![
            ("patient_id", Kind::Int, Arc::new(Int64Array::from(vec![1]))),
            ("a", Kind::Float, Arc::new(Int64Array::from(vec![1]))),
        ]);
        assert!(
            matches!(write(Format::Csv, &source, io::sink()), Err(WriteError::Column { column, .. }) if column == "a")
        );
    }

    #[test]
    fn gzip_holds_the_csv_in_one_member() {
        for rows in [0, 1, 30_000, 400_000i64] {
            let source = table(vec![
                ("patient_id", Kind::Int, Arc::new(Int64Array::from_iter_values(0..rows))),
                (
                    "s",
                    Kind::Str,
                    Arc::new(StringArray::from_iter_values((0..rows).map(|n| (n * 7919 % 1009).to_string()))),
                ),
            ]);
            let mut zipped = Vec::new();
            write(Format::CsvGz, &source, &mut zipped).unwrap();
            assert_eq!(zipped[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
            let mut reader = flate2::bufread::GzDecoder::new(&zipped[..]);
            let mut plain = String::new();
            reader.read_to_string(&mut plain).unwrap();
            assert!(reader.into_inner().is_empty());
            assert_eq!(plain, text(&source));
            let mut again = Vec::new();
            write(Format::CsvGz, &source, &mut again).unwrap();
            assert!(again == zipped);
        }
    }

    #[test]
    fn a_full_disk_is_told() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for format in [Format::Csv, Format::CsvGz] {
            assert!(matches!(write(format, &patients(vec![Some(1)]), Full), Err(WriteError::Io(_))));
        }
    }
}
