//! An Arrow IPC file (Feather V2), batch by batch, with the types that it has.
//! Everything that a file claims about itself is checked before the library that decodes it sees it.

mod footer;
mod message;

use std::io::{Read as _, SeekFrom};
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::reader::FileDecoder;
use arrow_ipc::{Block, MetadataVersion, RecordBatch};
use arrow_schema::SchemaRef;

use crate::Packing;

use super::{Column, Input, Limits, Notes, Place, ReadError, Rows, Table};

pub(super) struct Feather {
    input: Box<dyn Input>,
    decoder: FileDecoder,
    schema: SchemaRef,
    columns: Vec<Column>,
    dictionaries: Vec<Block>,
    /// The dictionaries have been read.
    prepared: bool,
    batches: std::vec::IntoIter<Block>,
    /// For every column that is asked for its place among those that are decoded.
    kept: Vec<usize>,
    length: u64,
    limits: Limits,
    batch: u64,
    rows: u64,
    /// Of the batch that came last, for every column of the file.
    nulls: Vec<u64>,
}

/// Rows as they lie in a feather file, packed; checked, and decoded once, so that whoever hands them on hands on no fault.
#[derive(Debug, Clone)]
pub struct PackedRows {
    bytes: Buffer,
    head: usize,
}

impl PackedRows {
    /// What the message says of the rows, and the bytes that it says it of.
    pub(crate) fn parts(&self) -> Option<(RecordBatch<'_>, &[u8])> {
        Some((message::rows(self.bytes.get(..self.head)?)?, self.bytes.get(self.head..)?))
    }
}

/// Footer and messages of a file may differ in it: with this one the library does not compare them.
const ANY_VERSION: MetadataVersion = MetadataVersion::V1;

pub(super) fn malformed(place: Place, why: impl Into<String>) -> ReadError {
    ReadError::Malformed { format: "feather", place, why: why.into() }
}

impl Feather {
    pub(super) fn open(mut input: Box<dyn Input>, limits: Limits) -> Result<Self, ReadError> {
        let length = input.seek(SeekFrom::End(0))?;
        let footer = footer::read(input.as_mut(), length, limits)?;
        let columns = footer
            .schema
            .fields()
            .iter()
            .map(|field| Column::new(field.name().clone().into_bytes(), field.data_type().clone()))
            .collect::<Vec<_>>();
        Ok(Self {
            input,
            decoder: FileDecoder::new(Arc::clone(&footer.schema), ANY_VERSION),
            schema: footer.schema,
            kept: (0..columns.len()).collect(),
            columns,
            dictionaries: footer.dictionaries,
            prepared: false,
            batches: footer.batches.into_iter(),
            length,
            limits,
            batch: 0,
            rows: 0,
            nulls: Vec::new(),
        })
    }

    /// The bytes of a message, checked.
    fn block(&mut self, block: &Block, kind: message::Kind, place: Place) -> Result<MutableBuffer, ReadError> {
        let outside = || malformed(place, "it lies outside the file");
        let offset = u64::try_from(block.offset()).map_err(|_| outside())?;
        let head = u64::try_from(block.metaDataLength()).map_err(|_| outside())?;
        let body = u64::try_from(block.bodyLength()).map_err(|_| outside())?;
        let size = head.checked_add(body).ok_or_else(outside)?;
        if offset.checked_add(size).is_none_or(|end| end > self.length) {
            return Err(outside());
        }
        if size > self.limits.batch {
            return Err(ReadError::TooLarge { what: "a batch of rows", most: self.limits.batch, place });
        }
        let too_large = |_| malformed(place, "it is too large for this machine");
        let mut bytes = MutableBuffer::from_len_zeroed(usize::try_from(size).map_err(too_large)?);
        self.input.seek(SeekFrom::Start(offset))?;
        self.input.read_exact(&mut bytes).map_err(|error| ReadError::at(error, place))?;
        let head = usize::try_from(head).map_err(too_large)?;
        message::check(&bytes, head, kind, &self.schema, self.limits.batch, place)?;
        Ok(bytes)
    }

    /// The head alone.
    fn head(&mut self, block: Block, place: Place) -> Result<Vec<u8>, ReadError> {
        let outside = || malformed(place, "it lies outside the file");
        let offset = u64::try_from(block.offset()).map_err(|_| outside())?;
        let head = u64::try_from(block.metaDataLength()).map_err(|_| outside())?;
        if offset.checked_add(head).is_none_or(|end| end > self.length) || head > self.limits.batch {
            return Err(outside());
        }
        let mut bytes = vec![0; usize::try_from(head).map_err(|_| outside())?];
        self.input.seek(SeekFrom::Start(offset))?;
        self.input.read_exact(&mut bytes).map_err(|error| ReadError::at(error, place))?;
        Ok(bytes)
    }

    fn prepare(&mut self) -> Result<(), ReadError> {
        self.prepared = true;
        let mut held = 0_u64;
        for (at, block) in std::mem::take(&mut self.dictionaries).into_iter().enumerate() {
            let place = Place::Dictionary(at as u64 + 1);
            let bytes = self.block(&block, message::Kind::Dictionary, place)?;
            held = held.saturating_add(bytes.len() as u64);
            if held > self.limits.batch {
                return Err(ReadError::TooLarge { what: "all lists of values", most: self.limits.batch, place });
            }
            let read = self.decoder.read_dictionary(&block, &bytes.into());
            read.map_err(|error| malformed(place, error.to_string()))?;
        }
        Ok(())
    }
}

impl Table for Feather {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn keep(&mut self, columns: Vec<usize>) {
        // The library wants each column once, in the order of the file.
        let mut decoded = columns.clone();
        decoded.sort_unstable();
        decoded.dedup();
        self.kept = columns.iter().filter_map(|column| decoded.binary_search(column).ok()).collect();
        // The dictionaries stay with the decoder that has read them.
        let fresh = FileDecoder::new(Arc::clone(&self.schema), ANY_VERSION);
        self.decoder = std::mem::replace(&mut self.decoder, fresh).with_projection(decoded);
    }

    fn next(&mut self) -> Result<Option<Rows>, ReadError> {
        if !self.prepared {
            self.prepare()?;
        }
        let Some(block) = self.batches.next() else { return Ok(None) };
        self.batch += 1;
        let place = Place::Batch(self.batch);
        let bytes = self.block(&block, message::Kind::Rows, place)?;
        self.nulls = message::nulls(&bytes);
        let bytes = Buffer::from(bytes);
        let head = usize::try_from(block.metaDataLength()).unwrap_or_default();
        let batch = self.decoder.read_record_batch(&block, &bytes);
        let batch = batch
            .map_err(|error| malformed(place, error.to_string()))?
            .ok_or_else(|| malformed(place, "there are no rows in it"))?;
        let columns: Vec<ArrayRef> =
            self.kept.iter().filter_map(|column| batch.columns().get(*column)).map(Arc::clone).collect();
        let before = self.rows;
        let len = batch.num_rows();
        self.rows += len as u64;
        Ok(Some(Rows { before, len, columns, packed: Some(PackedRows { bytes, head }) }))
    }

    fn notes(&self) -> Notes {
        Notes::default()
    }

    fn schema(&self) -> Option<SchemaRef> {
        Some(Arc::clone(&self.schema))
    }

    fn packing(&mut self) -> Result<Packing, ReadError> {
        let Some(block) = self.batches.as_slice().first().copied() else { return Ok(Packing::None) };
        let place = Place::Batch(1);
        message::packing(&self.head(block, place)?, place)
    }

    fn rows(&mut self) -> Result<Option<u64>, ReadError> {
        let mut rows = 0_u64;
        for (at, block) in self.batches.clone().enumerate() {
            let place = Place::Batch(at as u64 + 1);
            rows = rows.saturating_add(message::length(&self.head(block, place)?, place)?);
        }
        Ok(Some(rows))
    }

    fn nulls(&self) -> Option<&[u64]> {
        (!self.nulls.is_empty()).then_some(&self.nulls)
    }
}

#[cfg(test)]
mod tests;
