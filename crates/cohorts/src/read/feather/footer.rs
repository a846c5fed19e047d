//! The end of the file, which says what is in it: types are those of tables of patients, nothing nested.
//! The library would panic at types that it does not expect, so they are looked at here first.

use std::io::SeekFrom;
use std::sync::Arc;

use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::{Block, DateUnit, Endianness, Field, Int, Precision, TimeUnit, Type, root_as_footer};
use arrow_schema::{Schema, SchemaRef};

use super::malformed;
use crate::read::{Input, Limits, Place, ReadError};

const MAGIC: &[u8; 6] = b"ARROW1";
/// Length and magic at the end.
const TAIL: u64 = 10;
/// A description of columns that is longer is none.
const LONGEST: u64 = 256 << 20;

pub(super) struct Footer {
    pub(super) schema: SchemaRef,
    pub(super) dictionaries: Vec<Block>,
    pub(super) batches: Vec<Block>,
}

pub(super) fn read(input: &mut dyn Input, length: u64, limits: Limits) -> Result<Footer, ReadError> {
    const PLACE: Place = Place::Section("the footer");
    let mut head = [0; 6];
    input.seek(SeekFrom::Start(0))?;
    let whole = length >= 8;
    if whole {
        input.read_exact(&mut head)?;
    }
    if head.starts_with(b"FEA1") {
        return Err(ReadError::Unsupported {
            what: "a file of Feather version 1, as older programs write it,".to_owned(),
            instead: "write it again with pyarrow 1.0 or newer",
        });
    }
    if head != *MAGIC {
        return Err(malformed(Place::Header, "it does not begin as a feather file does"));
    }
    if length < 8 + TAIL {
        return Err(ReadError::Truncated { place: PLACE });
    }
    let mut tail = [0; TAIL as usize];
    input.seek(SeekFrom::Start(length - TAIL))?;
    input.read_exact(&mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    if magic != *MAGIC {
        return Err(ReadError::Truncated { place: PLACE });
    }
    let size = u64::from(u32::from_le_bytes([a, b, c, d]));
    if size > LONGEST || size + TAIL + 8 > length {
        return Err(malformed(PLACE, "its length cannot be right"));
    }
    let mut bytes = vec![0; size as usize];
    input.seek(SeekFrom::Start(length - TAIL - size))?;
    input.read_exact(&mut bytes)?;
    let footer = root_as_footer(&bytes).map_err(|error| malformed(PLACE, error.to_string()))?;
    let schema = footer.schema().ok_or_else(|| malformed(PLACE, "it has no columns"))?;
    if schema.endianness() != Endianness::Little {
        return Err(ReadError::Unsupported {
            what: "a feather file of a big-endian machine".to_owned(),
            instead: "write it again on another one",
        });
    }
    let fields = schema.fields().ok_or_else(|| malformed(PLACE, "it has no columns"))?;
    if fields.len() > limits.columns {
        let most = limits.columns as u64;
        return Err(ReadError::TooLarge { what: "the number of columns", most, place: PLACE });
    }
    for field in fields {
        check_field(&field).map_err(|why| match why {
            Why::Broken(why) => malformed(PLACE, format!("column {}: {why}", field.name().unwrap_or_default())),
            Why::Unsupported => ReadError::Unsupported {
                what: format!(
                    "the column {} of type {}",
                    field.name().unwrap_or_default(),
                    field.type_type().variant_name().unwrap_or("unknown")
                ),
                instead: "columns hold numbers, texts, yes and no, dates or categories",
            },
        })?;
    }
    for pair in schema.custom_metadata().into_iter().flatten() {
        if pair.key().is_none() || pair.value().is_none() {
            return Err(malformed(PLACE, "a note without a name or a text"));
        }
    }
    let schema: Schema = fb_to_schema(schema);
    let dictionaries: Vec<Block> = footer.dictionaries().into_iter().flatten().copied().collect();
    let batches: Vec<Block> = footer.recordBatches().into_iter().flatten().copied().collect();
    Ok(Footer { schema: Arc::new(schema), dictionaries, batches })
}

enum Why {
    Broken(&'static str),
    Unsupported,
}

fn check_field(field: &Field<'_>) -> Result<(), Why> {
    if let Some(dictionary) = field.dictionary() {
        // No type of the index means 32 bits with a sign to the format, and a panic to the library.
        check_int(dictionary.indexType())?;
    }
    for pair in field.custom_metadata().into_iter().flatten() {
        if pair.key().is_none() || pair.value().is_none() {
            return Err(Why::Broken("a note without a name or a text"));
        }
    }
    match field.type_type() {
        Type::Null | Type::Bool | Type::Utf8 | Type::LargeUtf8 | Type::Binary | Type::LargeBinary => Ok(()),
        Type::Int => check_int(field.type_as_int()),
        Type::FloatingPoint => one_of(
            field.type_as_floating_point().map(|float| float.precision()),
            &[Precision::HALF, Precision::SINGLE, Precision::DOUBLE],
        ),
        Type::Date => one_of(field.type_as_date().map(|date| date.unit()), &[DateUnit::DAY, DateUnit::MILLISECOND]),
        Type::Timestamp => one_of(field.type_as_timestamp().map(|timestamp| timestamp.unit()), UNITS),
        Type::Duration => one_of(field.type_as_duration().map(|duration| duration.unit()), UNITS),
        _ => Err(Why::Unsupported),
    }
}

const UNITS: &[TimeUnit] = &[TimeUnit::SECOND, TimeUnit::MILLISECOND, TimeUnit::MICROSECOND, TimeUnit::NANOSECOND];

fn one_of<T: PartialEq>(found: Option<T>, allowed: &[T]) -> Result<(), Why> {
    match found {
        Some(found) if allowed.contains(&found) => Ok(()),
        _ => Err(Why::Broken("its type is incomplete")),
    }
}

fn check_int(int: Option<Int<'_>>) -> Result<(), Why> {
    one_of(int.map(|int| int.bitWidth()), &[8, 16, 32, 64])
}
