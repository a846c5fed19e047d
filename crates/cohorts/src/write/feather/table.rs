//! A feather file of any columns that Arrow has, batch by batch as they are given.
//! For whoever has rows of types that are not those of patients (actions.md 3.4).

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::packed::Packed;
use crate::read::PackedRows;
use crate::{Packing, WriteError};

/// Writes a feather file. Equal batches give equal bytes.
pub struct FeatherWriter<'a> {
    file: Packed<'a>,
    schema: SchemaRef,
}

impl std::fmt::Debug for FeatherWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FeatherWriter").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl<'a> FeatherWriter<'a> {
    /// Rows of one batch, as other writers of the format have them.
    pub const BATCH: usize = super::BATCH;

    /// Begins the file with its columns.
    ///
    /// # Errors
    /// `out` cannot be written to, or Arrow cannot say what the columns are.
    pub fn begin(out: &'a mut dyn Write, schema: SchemaRef, packing: Packing) -> Result<Self, WriteError> {
        Ok(Self { file: Packed::begin(out, &schema, packing)?, schema })
    }

    /// Adds a batch of rows with the columns of the file. All batches share the dictionaries of the first.
    ///
    /// # Errors
    /// `out` cannot be written to, or a dictionary is another one.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        Ok(self.file.write(batch)?)
    }

    /// Adds a batch whose first columns are handed on as they lie in another file, and whose last ones are packed here.
    /// `batch` has all of them. False, and nothing is written, if the rows are packed in another way than this file's.
    ///
    /// # Errors
    /// `out` cannot be written to, or a dictionary is another one.
    pub fn write_beside(&mut self, rows: &PackedRows, batch: &RecordBatch) -> Result<bool, WriteError> {
        Ok(self.file.write_beside(rows, batch)?)
    }

    /// Ends the file; without it there is none.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn end(self) -> Result<(), WriteError> {
        Ok(self.file.end(&self.schema)?)
    }
}
