//! Comma separated text, read and written field by field with a fixed amount of memory.
//! A field is its bytes: nothing is inferred or trimmed (actions.md 3.2).

mod reader;
mod scan;
mod writer;

pub(crate) use reader::{CsvError, CsvReader, MAX_COLUMNS, MAX_HEADER_NAME};
pub(crate) use scan::{Fields, Record, Scanner, push_field};
pub(crate) use writer::{LineEnd, RecordWriter};
