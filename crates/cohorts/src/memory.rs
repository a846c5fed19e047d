//! Rows that are held in memory: for small tables, and for tests.
//! Everything larger makes its batches when they are asked for.

use std::error::Error;

use arrow_array::RecordBatch;

use crate::{Schema, Source};

/// A [`Source`] over batches that exist already.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The columns.
    pub schema: Schema,
    /// The rows, each batch with the columns of `schema`.
    pub batches: Vec<RecordBatch>,
}

impl Source for Memory {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn batches(&self) -> Box<dyn Iterator<Item = Result<RecordBatch, Box<dyn Error + Send + Sync>>> + '_> {
        Box::new(self.batches.iter().cloned().map(Ok))
    }
}
