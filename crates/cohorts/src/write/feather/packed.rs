//! An Arrow IPC file whose buffers are all compressed. The library's own writer leaves short buffers as they are, with a
//! mark that readers before Arrow 4 do not know; so its messages are made uncompressed and packed here.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::convert::IpcSchemaEncoder;
use arrow_ipc::writer::{
    DictionaryTracker, EncodedData, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, write_message,
};
use arrow_ipc::{
    Block, BodyCompressionBuilder, BodyCompressionMethod, Buffer, CompressionType, DictionaryBatchBuilder,
    FooterBuilder, Message, MessageBuilder, MessageHeader, MetadataVersion, RecordBatchBuilder, root_as_message,
};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use flatbuffers::{FlatBufferBuilder, WIPOffset};

use crate::Packing;
use crate::read::PackedRows;

const MAGIC: &[u8; 6] = b"ARROW1";
/// As the library aligns messages; every reader takes it.
const ALIGNMENT: usize = 64;
/// That of other writers of the format.
const LEVEL: i32 = 1;

pub(super) struct Packed<'a> {
    out: &'a mut dyn Write,
    at: usize,
    options: IpcWriteOptions,
    context: IpcWriteContext,
    tracker: DictionaryTracker,
    packer: Packer,
    /// Numbers the dictionaries of batches that are only a part of the file's columns.
    beside: Option<(SchemaRef, DictionaryTracker)>,
    dictionaries: Vec<Block>,
    batches: Vec<Block>,
}

impl<'a> Packed<'a> {
    pub(super) fn begin(out: &'a mut dyn Write, schema: &Schema, packing: Packing) -> Result<Self, ArrowError> {
        let options = IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5)?;
        let mut tracker = DictionaryTracker::new(true);
        let head = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(schema, &mut tracker, &options);
        out.write_all(MAGIC)?;
        out.write_all(&[0; ALIGNMENT - MAGIC.len()])?;
        let (meta, body) = write_message(&mut *out, head, &options)?;
        Ok(Self {
            out,
            at: ALIGNMENT + meta + body,
            options,
            context: IpcWriteContext::default(),
            tracker,
            packer: Packer::new(packing)?,
            beside: None,
            dictionaries: Vec::new(),
            batches: Vec::new(),
        })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let rows = self.encode(batch)?;
        let packed = self.packer.pack(rows, None)?;
        let block = self.write_block(packed)?;
        self.batches.push(block);
        Ok(())
    }

    /// As [`super::FeatherWriter::write_beside`].
    pub(super) fn write_beside(&mut self, rows: &PackedRows, batch: &RecordBatch) -> Result<bool, ArrowError> {
        let fault = |error: &str| ArrowError::IpcError(error.to_owned());
        let (before, body) = rows.parts().ok_or_else(|| fault("rows without a head"))?;
        let kept = before.nodes().map_or(0, |nodes| nodes.len());
        if before.compression().map(|compression| compression.codec()) != self.packer.codec() {
            return Ok(false);
        }
        if before.length() != batch.num_rows() as i64 || kept > batch.num_columns() {
            return Err(fault("rows that are not those of the batch"));
        }
        // Only for the dictionaries, which must stand before the first rows.
        self.encode(&batch.slice(0, 0))?;
        let last: Vec<usize> = (kept..batch.num_columns()).collect();
        let batch = batch.project(&last)?;
        let (schema, tracker) = self.beside.get_or_insert_with(|| {
            let schema = batch.schema();
            let mut tracker = DictionaryTracker::new(true);
            // Numbers are given with the schema.
            IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(&schema, &mut tracker, &self.options);
            (schema, tracker)
        });
        let batch = batch.with_schema(Arc::clone(schema))?;
        let (_, plain) = IpcDataGenerator::default().encode(&batch, tracker, &self.options, &mut self.context)?;
        let packed = self.packer.pack(plain, Some((before, body)))?;
        let block = self.write_block(packed)?;
        self.batches.push(block);
        Ok(true)
    }

    /// Writes the dictionaries of a batch that are not written yet, and gives its rows.
    fn encode(&mut self, batch: &RecordBatch) -> Result<EncodedData, ArrowError> {
        let (dictionaries, rows) =
            IpcDataGenerator::default().encode(batch, &mut self.tracker, &self.options, &mut self.context)?;
        for dictionary in dictionaries {
            let packed = self.packer.pack(dictionary, None)?;
            let block = self.write_block(packed)?;
            self.dictionaries.push(block);
        }
        Ok(rows)
    }

    fn write_block(&mut self, packed: EncodedData) -> Result<Block, ArrowError> {
        let (meta, body) = write_message(&mut *self.out, packed, &self.options)?;
        let too_long = |_| ArrowError::IpcError("a batch is too long".to_owned());
        let block = Block::new(
            i64::try_from(self.at).map_err(too_long)?,
            i32::try_from(meta).map_err(too_long)?,
            i64::try_from(body).map_err(too_long)?,
        );
        self.at += meta + body;
        Ok(block)
    }

    pub(super) fn end(mut self, schema: &Schema) -> Result<(), ArrowError> {
        // The end of the stream of messages: a message of no length.
        self.out.write_all(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])?;
        let mut footer = FlatBufferBuilder::new();
        let dictionaries = footer.create_vector(&self.dictionaries);
        let batches = footer.create_vector(&self.batches);
        self.tracker.clear();
        let schema =
            IpcSchemaEncoder::new().with_dictionary_tracker(&mut self.tracker).schema_to_fb_offset(&mut footer, schema);
        let mut builder = FooterBuilder::new(&mut footer);
        builder.add_version(MetadataVersion::V5);
        builder.add_schema(schema);
        builder.add_dictionaries(dictionaries);
        builder.add_recordBatches(batches);
        let root = builder.finish();
        footer.finish(root, None);
        let footer = footer.finished_data();
        self.out.write_all(footer)?;
        self.out.write_all(&(footer.len() as u32).to_le_bytes())?;
        self.out.write_all(MAGIC)?;
        Ok(())
    }
}

/// Packs buffers.
enum Packer {
    None,
    Lz4,
    Zstd(Box<zstd::bulk::Compressor<'static>>),
}

impl Packer {
    fn new(packing: Packing) -> io::Result<Self> {
        Ok(match packing {
            Packing::None => Self::None,
            Packing::Lz4 => Self::Lz4,
            Packing::Zstd => Self::Zstd(Box::new(zstd::bulk::Compressor::new(LEVEL)?)),
        })
    }

    const fn codec(&self) -> Option<CompressionType> {
        match self {
            Self::None => None,
            Self::Lz4 => Some(CompressionType::LZ4_FRAME),
            Self::Zstd(_) => Some(CompressionType::ZSTD),
        }
    }

    /// A message with every buffer packed, an eight-byte length before each; `before` are columns that stand before it,
    /// packed already.
    fn pack(&mut self, plain: EncodedData, before: Option<Before<'_>>) -> Result<EncodedData, ArrowError> {
        match self {
            Self::None if before.is_none() => Ok(plain),
            Self::None => pack(&plain, before, None, |bytes| Ok(bytes.to_vec())),
            Self::Lz4 => pack(&plain, before, self.codec(), |bytes| {
                let mut packed = lz4_flex::frame::FrameEncoder::new(Vec::new());
                packed.write_all(bytes)?;
                packed.finish().map_err(io::Error::other)
            }),
            Self::Zstd(zstd) => pack(&plain, before, Some(CompressionType::ZSTD), |bytes| zstd.compress(bytes)),
        }
    }
}

/// Rows and their bytes.
type Before<'a> = (arrow_ipc::RecordBatch<'a>, &'a [u8]);

/// The bytes of a message while its buffers are put together.
#[derive(Default)]
struct Body {
    bytes: Vec<u8>,
    buffers: Vec<Buffer>,
}

impl Body {
    /// Adds every buffer of a batch, as `put` writes it.
    fn add(
        &mut self,
        (batch, bytes): Before<'_>,
        mut put: impl FnMut(&mut Vec<u8>, &[u8]) -> io::Result<()>,
    ) -> Result<(), ArrowError> {
        for buffer in batch.buffers().into_iter().flatten() {
            let range = buffer.offset() as usize..(buffer.offset() + buffer.length()) as usize;
            let content =
                bytes.get(range).ok_or_else(|| ArrowError::IpcError("a buffer outside its batch".to_owned()))?;
            let start = self.bytes.len();
            if !content.is_empty() {
                put(&mut self.bytes, content)?;
            }
            self.buffers.push(Buffer::new(start as i64, (self.bytes.len() - start) as i64));
            self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT), 0);
        }
        Ok(())
    }
}

fn pack(
    plain: &EncodedData,
    before: Option<Before<'_>>,
    codec: Option<CompressionType>,
    mut compress: impl FnMut(&[u8]) -> io::Result<Vec<u8>>,
) -> Result<EncodedData, ArrowError> {
    let fault = |error: String| ArrowError::IpcError(error);
    let message = root_as_message(&plain.ipc_message).map_err(|error| fault(error.to_string()))?;
    let (batch, dictionary) = match (message.header_as_record_batch(), message.header_as_dictionary_batch()) {
        (Some(batch), _) => (batch, None),
        (None, Some(dictionary)) => {
            let data = dictionary.data().ok_or_else(|| fault("a dictionary without values".to_owned()))?;
            (data, Some(dictionary))
        }
        (None, None) => return Err(fault("a message that is no batch".to_owned())),
    };
    let handed_on = before.map_or(0, |(_, bytes)| bytes.len());
    let mut body = Body { bytes: Vec::with_capacity(handed_on + plain.arrow_data.len() / 4), ..Body::default() };
    if let Some(before) = before {
        body.add(before, |out, content| out.write_all(content))?;
    }
    body.add((batch, &plain.arrow_data), |out, content| {
        if codec.is_some() {
            out.extend_from_slice(&(content.len() as i64).to_le_bytes());
        }
        out.write_all(&compress(content)?)
    })?;
    let mut builder = FlatBufferBuilder::new();
    let compression = codec.map(|codec| {
        let mut compression = BodyCompressionBuilder::new(&mut builder);
        compression.add_codec(codec);
        compression.add_method(BodyCompressionMethod::BUFFER);
        compression.finish()
    });
    let of_before = before.and_then(|(batch, _)| batch.nodes()).into_iter().flatten();
    let nodes: Vec<_> = of_before.chain(batch.nodes().into_iter().flatten()).copied().collect();
    let (nodes, buffers) = (builder.create_vector(&nodes), builder.create_vector(&body.buffers));
    let mut rows = RecordBatchBuilder::new(&mut builder);
    rows.add_length(batch.length());
    rows.add_nodes(nodes);
    rows.add_buffers(buffers);
    if let Some(compression) = compression {
        rows.add_compression(compression);
    }
    let rows = rows.finish();
    let (kind, header) = match dictionary {
        None => (MessageHeader::RecordBatch, rows.as_union_value()),
        Some(dictionary) => {
            let mut values = DictionaryBatchBuilder::new(&mut builder);
            values.add_id(dictionary.id());
            values.add_data(rows);
            (MessageHeader::DictionaryBatch, values.finish().as_union_value())
        }
    };
    let mut message = MessageBuilder::new(&mut builder);
    message.add_version(MetadataVersion::V5);
    message.add_header_type(kind);
    message.add_header(header);
    message.add_bodyLength(body.bytes.len() as i64);
    let root: WIPOffset<Message<'_>> = message.finish();
    builder.finish(root, None);
    Ok(EncodedData { ipc_message: builder.finished_data().to_vec(), arrow_data: body.bytes })
}
