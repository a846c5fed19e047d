//! A file of patients as measures read it: some of its columns, batch by batch.
//! csv gives every cell as the text that it is; other formats give typed columns.

use std::fs::File;
use std::io::{BufReader, Read};
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, StringArray};

use crate::csv::{CsvError, CsvReader, MAX_COLUMNS};
use crate::fault::{Exit, Fault, FaultCode};
use crate::gz::{self, UnpackLimits, Unpacked};

/// What is done with a batch: one array for each wanted column, in the order wanted.
pub(crate) type Each<'a> = dyn FnMut(&[ArrayRef]) -> Result<(), Fault> + 'a;

/// One file of patients. Reading it twice gives the same.
pub(crate) trait PatientFile {
    /// The names of the columns, in the order of the file.
    fn columns(&self) -> &[String];

    /// Whether cells are text without types (csv).
    fn is_text(&self) -> bool;

    /// Reads the wanted columns once, from the first row to the last.
    fn read(&mut self, wanted: &[usize], each: &mut Each<'_>) -> Result<(), Fault>;
}

/// Rows of a batch.
const BATCH: usize = 8_192;

/// A csv file, packed or not.
pub(crate) struct CsvTable {
    what: String,
    file: File,
    columns: Vec<String>,
}

impl CsvTable {
    pub(crate) fn open(file: File, what: String) -> Result<Self, Fault> {
        let mut table = Self { what, file, columns: Vec::new() };
        let mut reader = table.start()?;
        let mut columns = Vec::new();
        loop {
            let Some(field) = reader.next().map_err(|error| table.fault(&error))? else {
                return Err(table.malformed("it has no line with the names of its columns".to_owned()));
            };
            let (name, last) = (String::from_utf8_lossy(field.bytes).into_owned(), field.last);
            columns.push(name);
            if columns.len() > MAX_COLUMNS {
                return Err(table.malformed(format!("it has more than {MAX_COLUMNS} columns")));
            }
            if last {
                break;
            }
        }
        table.columns = columns;
        Ok(table)
    }

    fn start(&self) -> Result<CsvReader<Box<dyn Read>>, Fault> {
        let io = |error: std::io::Error| self.malformed(format!("it cannot be read: {error}"));
        let mut file = self.file.try_clone().map_err(io)?;
        let packed = gz::has_magic(&mut file).map_err(io)?;
        let file = BufReader::with_capacity(64 << 10, file);
        Ok(CsvReader::new(match packed {
            true => Box::new(Unpacked::new(file, UnpackLimits::default())),
            false => Box::new(file),
        }))
    }

    fn malformed(&self, why: String) -> Fault {
        Fault::new(FaultCode::MalformedCsv, Exit::Data, format!("{} is not a csv file of patients: {why}", self.what))
    }

    fn fault(&self, error: &CsvError) -> Fault {
        match error {
            CsvError::Io(inner) if gz::is_too_large(inner) => {
                Fault::new(FaultCode::TooLarge, Exit::Data, format!("{}: {inner}", self.what))
            }
            other => self.malformed(other.to_string()),
        }
    }
}

impl PatientFile for CsvTable {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn is_text(&self) -> bool {
        true
    }

    fn read(&mut self, wanted: &[usize], each: &mut Each<'_>) -> Result<(), Fault> {
        let mut reader = self.start()?;
        // Where a column of the file goes; one column may be wanted more than once, but is built once.
        let mut builders: Vec<Option<StringBuilder>> = self.columns.iter().map(|_| None).collect();
        for at in wanted {
            if let Some(slot) = builders.get_mut(*at) {
                *slot = Some(StringBuilder::new());
            }
        }
        let (mut at, mut rows, mut header) = (0_usize, 0_usize, true);
        while let Some(field) = reader.next().map_err(|error| self.fault(&error))? {
            let (last, line) = (field.last, field.line);
            if !header {
                match builders.get_mut(at) {
                    Some(Some(builder)) => builder.append_value(String::from_utf8_lossy(field.bytes)),
                    Some(None) => {}
                    None => return Err(self.malformed(format!("line {line} has more fields than the first line"))),
                }
            }
            at += 1;
            if !last {
                continue;
            }
            if !header {
                builders.iter_mut().skip(at).flatten().for_each(|builder| builder.append_value(""));
                rows += 1;
            }
            (at, header) = (0, false);
            if rows == BATCH {
                each(&batch(&mut builders, wanted))?;
                rows = 0;
            }
        }
        if rows > 0 {
            each(&batch(&mut builders, wanted))?;
        }
        Ok(())
    }
}

fn batch(builders: &mut [Option<StringBuilder>], wanted: &[usize]) -> Vec<ArrayRef> {
    let built: Vec<Option<ArrayRef>> =
        builders.iter_mut().map(|slot| slot.as_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef)).collect();
    let none = || Arc::new(StringArray::new_null(0)) as ArrayRef;
    wanted.iter().map(|at| built.get(*at).cloned().flatten().unwrap_or_else(none)).collect()
}
