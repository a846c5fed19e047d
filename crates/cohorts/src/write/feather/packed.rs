//! An Arrow IPC file whose buffers are all compressed. The library's own writer leaves short buffers as they are, with a
//! mark that readers before Arrow 4 do not know; so its messages are made uncompressed and packed here.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_ipc::convert::IpcSchemaEncoder;
use arrow_ipc::writer::{
    DictionaryTracker, EncodedData, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, write_message,
};
use arrow_ipc::{
    Block, BodyCompressionBuilder, BodyCompressionMethod, Buffer, CompressionType, DictionaryBatchBuilder,
    FooterBuilder, Message, MessageBuilder, MessageHeader, MetadataVersion, RecordBatchBuilder, root_as_message,
};
use arrow_schema::{ArrowError, Schema};
use flatbuffers::{FlatBufferBuilder, WIPOffset};

use crate::Packing;

const MAGIC: &[u8; 6] = b"ARROW1";
/// As the library aligns messages; every reader takes it.
const ALIGNMENT: usize = 64;
/// That of the library, and of zstd.
const LEVEL: i32 = 3;

pub(super) struct Packed<'a> {
    out: &'a mut dyn Write,
    at: usize,
    options: IpcWriteOptions,
    context: IpcWriteContext,
    tracker: DictionaryTracker,
    packer: Packer,
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
            dictionaries: Vec::new(),
            batches: Vec::new(),
        })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let (dictionaries, rows) =
            IpcDataGenerator::default().encode(batch, &mut self.tracker, &self.options, &mut self.context)?;
        for dictionary in dictionaries {
            let block = self.write_block(dictionary)?;
            self.dictionaries.push(block);
        }
        let block = self.write_block(rows)?;
        self.batches.push(block);
        Ok(())
    }

    fn write_block(&mut self, plain: EncodedData) -> Result<Block, ArrowError> {
        let packed = self.packer.pack(plain)?;
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

    fn pack(&mut self, plain: EncodedData) -> Result<EncodedData, ArrowError> {
        match self {
            Self::None => Ok(plain),
            Self::Lz4 => pack(&plain, CompressionType::LZ4_FRAME, |bytes| {
                let mut packed = lz4_flex::frame::FrameEncoder::new(Vec::new());
                packed.write_all(bytes)?;
                packed.finish().map_err(io::Error::other)
            }),
            Self::Zstd(zstd) => pack(&plain, CompressionType::ZSTD, |bytes| zstd.compress(bytes)),
        }
    }
}

/// The same message with every buffer compressed, an eight-byte length before each.
fn pack(
    plain: &EncodedData,
    codec: CompressionType,
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
    let mut body = Vec::with_capacity(plain.arrow_data.len() / 4);
    let mut buffers = Vec::new();
    for buffer in batch.buffers().into_iter().flatten() {
        let range = buffer.offset() as usize..(buffer.offset() + buffer.length()) as usize;
        let content = plain.arrow_data.get(range).ok_or_else(|| fault("a buffer outside its batch".to_owned()))?;
        let start = body.len();
        if !content.is_empty() {
            body.extend_from_slice(&(content.len() as i64).to_le_bytes());
            body.extend_from_slice(&compress(content)?);
        }
        buffers.push(Buffer::new(start as i64, (body.len() - start) as i64));
        body.resize(body.len().next_multiple_of(ALIGNMENT), 0);
    }
    let mut builder = FlatBufferBuilder::new();
    let mut compression = BodyCompressionBuilder::new(&mut builder);
    compression.add_codec(codec);
    compression.add_method(BodyCompressionMethod::BUFFER);
    let compression = compression.finish();
    let nodes: Vec<_> = batch.nodes().into_iter().flatten().copied().collect();
    let (nodes, buffers) = (builder.create_vector(&nodes), builder.create_vector(&buffers));
    let mut rows = RecordBatchBuilder::new(&mut builder);
    rows.add_length(batch.length());
    rows.add_nodes(nodes);
    rows.add_buffers(buffers);
    rows.add_compression(compression);
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
    message.add_bodyLength(body.len() as i64);
    let root: WIPOffset<Message<'_>> = message.finish();
    builder.finish(root, None);
    Ok(EncodedData { ipc_message: builder.finished_data().to_vec(), arrow_data: body })
}
