//! A message of the file before it is decoded: its lengths agree with its types, its buffers lie within it, and what they
//! unpack to is bounded. The library trusts these numbers with its memory.

use std::io::Read as _;

use arrow_ipc::{CompressionType, Message, MessageHeader, MetadataVersion, RecordBatch, root_as_message};
use arrow_schema::{DataType, Schema};

use super::malformed;
use crate::Packing;
use crate::read::{Place, ReadError};

/// More rows in one batch than any file of patients has in all.
const MOST_ROWS: i64 = 1 << 31;
/// Begins a message since 2019; before that its length did.
const CONTINUES: [u8; 4] = [0xff; 4];
/// Length before the bytes of a packed buffer, and the one that says that it is not packed.
const PREFIX: usize = 8;
const NOT_PACKED: i64 = -1;
/// Marks a way of packing that one release had and none after it.
const FIRST_PACKING: &str = "ARROW:experimental_compression";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Dictionary,
    Rows,
}

pub(super) fn check(
    bytes: &[u8],
    head: usize,
    kind: Kind,
    schema: &Schema,
    most: u64,
    place: Place,
) -> Result<(), ReadError> {
    let fault = |why: &str| malformed(place, why);
    let message = parsed(bytes.get(..head).unwrap_or_default(), place)?;
    let body = bytes.get(head..).unwrap_or_default();
    if !(MetadataVersion::V4..=MetadataVersion::V5).contains(&message.version()) {
        return Err(fault("its version is older than Arrow 0.8, or not known here"));
    }
    if message.custom_metadata().into_iter().flatten().any(|note| note.key() == Some(FIRST_PACKING)) {
        return Err(ReadError::Unsupported {
            what: "a feather file that Arrow 0.17 has packed".to_owned(),
            instead: "write it again with pyarrow 1.0 or newer",
        });
    }
    match (message.header_type(), kind) {
        (MessageHeader::RecordBatch, Kind::Rows) => {
            let batch = message.header_as_record_batch().ok_or_else(|| fault("it has no rows"))?;
            let types: Vec<&DataType> = schema.fields().iter().map(|field| field.data_type()).collect();
            check_batch(&batch, &types, body, most, place)
        }
        (MessageHeader::DictionaryBatch, Kind::Dictionary) => {
            let dictionary = message.header_as_dictionary_batch().ok_or_else(|| fault("it has no values"))?;
            let batch = dictionary.data().ok_or_else(|| fault("it has no values"))?;
            #[expect(deprecated, reason = "the number that a file gives a list of values is found nowhere else")]
            let field = schema.fields().iter().find(|field| field.dict_id() == Some(dictionary.id()));
            match field.map(|field| field.data_type()) {
                Some(DataType::Dictionary(_, values)) => check_batch(&batch, &[values], body, most, place),
                _ => Err(fault("no column uses it")),
            }
        }
        _ => Err(fault("it is of another kind than the footer says")),
    }
}

/// A head of a message.
fn parsed(head: &[u8], place: Place) -> Result<Message<'_>, ReadError> {
    let message = without_length(head).ok_or_else(|| malformed(place, "it is shorter than its own head"))?;
    root_as_message(message).map_err(|error| malformed(place, error.to_string()))
}

/// How the buffers of a batch are packed.
pub(super) fn packing(head: &[u8], place: Place) -> Result<Packing, ReadError> {
    let message = parsed(head, place)?;
    let batch = message.header_as_record_batch().ok_or_else(|| malformed(place, "it has no rows"))?;
    Ok(match batch.compression().map(|compression| compression.codec()) {
        Some(CompressionType::ZSTD) => Packing::Zstd,
        Some(_) => Packing::Lz4,
        None => Packing::None,
    })
}

/// How many rows a batch says that it has.
pub(super) fn length(head: &[u8], place: Place) -> Result<u64, ReadError> {
    let message = parsed(head, place)?;
    let batch = message.header_as_record_batch().ok_or_else(|| malformed(place, "it has no rows"))?;
    u64::try_from(batch.length()).map_err(|_| malformed(place, "its number of rows cannot be right"))
}

fn without_length(head: &[u8]) -> Option<&[u8]> {
    if head.starts_with(&CONTINUES) { head.get(8..) } else { head.get(4..) }
}

/// The rows of a message that has been checked.
pub(super) fn rows(head: &[u8]) -> Option<RecordBatch<'_>> {
    root_as_message(without_length(head)?).ok()?.header_as_record_batch()
}

/// The number of nulls of each column of a message of rows that has been checked.
pub(super) fn nulls(bytes: &[u8]) -> Vec<u64> {
    let nodes = rows(bytes).and_then(|batch| batch.nodes());
    nodes.into_iter().flatten().map(|node| node.null_count().unsigned_abs()).collect()
}

/// How many buffers a column has, validity among them.
const fn buffers_of(data_type: &DataType) -> usize {
    match data_type {
        DataType::Null => 0,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => 3,
        _ => 2,
    }
}

fn check_batch(
    batch: &RecordBatch<'_>,
    types: &[&DataType],
    body: &[u8],
    most: u64,
    place: Place,
) -> Result<(), ReadError> {
    let fault = |why: &str| malformed(place, why);
    if !(0..=MOST_ROWS).contains(&batch.length()) {
        return Err(fault("its number of rows cannot be right"));
    }
    let nodes = batch.nodes().map_or(0, |nodes| nodes.len());
    let buffers = batch.buffers().map_or(0, |buffers| buffers.len());
    if nodes != types.len() || buffers != types.iter().map(|of| buffers_of(of)).sum::<usize>() {
        return Err(fault("it has not the columns that the file promises"));
    }
    if batch.variadicBufferCounts().is_some_and(|counts| !counts.is_empty()) {
        return Err(fault("it has buffers that none of its columns uses"));
    }
    for node in batch.nodes().into_iter().flatten() {
        if node.length() != batch.length() || !(0..=node.length()).contains(&node.null_count()) {
            return Err(fault("a column is not as long as its batch"));
        }
    }
    let codec = batch.compression().map(|compression| compression.codec());
    if codec.is_some_and(|codec| codec != CompressionType::ZSTD && codec != CompressionType::LZ4_FRAME) {
        return Err(fault("its compression is unknown"));
    }
    let mut unpacked = 0_u64;
    let mut sizes = Vec::with_capacity(buffers);
    for buffer in batch.buffers().into_iter().flatten() {
        let range = usize::try_from(buffer.offset()).ok().zip(usize::try_from(buffer.length()).ok());
        let range = range.and_then(|(at, length)| Some(at..at.checked_add(length)?));
        let content = range.and_then(|range| body.get(range)).ok_or_else(|| fault("a buffer lies outside of it"))?;
        let size = match codec {
            Some(codec) if !content.is_empty() => unpacked_size(codec, content, most, place)?,
            _ => content.len() as u64,
        };
        sizes.push(size);
        unpacked = unpacked.saturating_add(size);
        if unpacked > most {
            return Err(ReadError::TooLarge { what: "a batch of rows", most, place });
        }
    }
    let mut sizes = sizes.into_iter();
    for (node, data_type) in batch.nodes().into_iter().flatten().zip(types) {
        let needs = needs(data_type, node.length() as u64, node.null_count() > 0);
        for (least, width) in needs.into_iter().take(buffers_of(data_type)) {
            if sizes.next().is_none_or(|size| size < least || !size.is_multiple_of(width)) {
                return Err(fault("the bytes of a column do not fit its rows"));
            }
        }
    }
    Ok(())
}

/// For each buffer of a column the bytes that it has at least, and of which number they are a multiple.
fn needs(data_type: &DataType, rows: u64, nulls: bool) -> [(u64, u64); 3] {
    let bits = rows.div_ceil(8);
    let ends = if rows == 0 { 0 } else { rows + 1 };
    let values = match data_type {
        DataType::Boolean => (bits, 1),
        DataType::Utf8 | DataType::Binary => (ends * 4, 4),
        DataType::LargeUtf8 | DataType::LargeBinary => (ends * 8, 8),
        DataType::Dictionary(of, _) => numbers(of, rows),
        of => numbers(of, rows),
    };
    [(if nulls { bits } else { 0 }, 1), values, (0, 1)]
}

fn numbers(of: &DataType, rows: u64) -> (u64, u64) {
    let width = of.primitive_width().unwrap_or(1) as u64;
    (rows * width, width)
}

/// What a packed buffer says that it unpacks to; for LZ4, whose decoder would go on beyond, what it does unpack to.
fn unpacked_size(codec: CompressionType, content: &[u8], most: u64, place: Place) -> Result<u64, ReadError> {
    let prefix = content.first_chunk::<PREFIX>().ok_or_else(|| malformed(place, "a packed buffer without a length"))?;
    let packed = content.get(PREFIX..).unwrap_or_default();
    let size = i64::from_le_bytes(*prefix);
    if size == NOT_PACKED {
        return Ok(packed.len() as u64);
    }
    let size = u64::try_from(size).map_err(|_| malformed(place, "a packed buffer of negative length"))?;
    if size > most {
        return Err(ReadError::TooLarge { what: "a batch of rows", most, place });
    }
    if codec == CompressionType::LZ4_FRAME && size > 0 {
        let mut frame = lz4_flex::frame::FrameDecoder::new(packed).take(size + 1);
        let found = std::io::copy(&mut frame, &mut std::io::sink());
        if found.map_err(|error| malformed(place, error.to_string()))? != size {
            return Err(malformed(place, "a packed buffer has another length than it says"));
        }
    }
    Ok(size)
}
