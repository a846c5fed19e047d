//! One cell of a file, whatever array it stands in.
//! Dictionaries and labels of Stata give their values, not their numbers.

use std::borrow::Cow;

use arrow_array::Array;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Date32Type, Date64Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_schema::{DataType, TimeUnit};

use crate::read::Labels;
use crate::text::{push_date, push_float};
use crate::{DatePrecision, Format};

/// Characters of a value that are shown.
const SHOWN: usize = 64;
const SECONDS_OF_DAY: i64 = 86_400;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Bool(bool),
    Whole(i128),
    Float(f64),
    Text(Cow<'a, str>),
    /// Days from 1970.
    Day(i64),
    Other(&'static str),
}

impl Cell<'_> {
    /// The value as a person would write it.
    pub(super) fn shown(&self) -> String {
        let text = match self {
            Self::Null => String::new(),
            Self::Bool(value) => if *value { "True" } else { "False" }.to_owned(),
            Self::Whole(value) => value.to_string(),
            Self::Float(value) => {
                let mut out = Vec::new();
                push_float(&mut out, *value);
                String::from_utf8_lossy(&out).into_owned()
            }
            Self::Text(text) => text.to_string(),
            Self::Day(days) => {
                let mut out = Vec::new();
                push_date(&mut out, i32::try_from(*days).unwrap_or(i32::MAX), DatePrecision::Day);
                String::from_utf8_lossy(&out).into_owned()
            }
            Self::Other(what) => (*what).to_owned(),
        };
        if text.chars().count() > SHOWN { text.chars().take(SHOWN).chain(['…']).collect() } else { text }
    }
}

/// Dictionaries lie at most this deep in each other.
const DEEPEST: u8 = 2;

pub(super) fn cell<'a>(array: &'a dyn Array, row: usize, labels: Option<&'a Labels>, format: Format) -> Cell<'a> {
    if matches!(format, Format::Csv | Format::CsvGz) {
        let bytes = array.as_binary_opt::<i32>().map_or(&[][..], |array| array.value(row));
        return Cell::Text(String::from_utf8_lossy(bytes));
    }
    let cell = typed(array, row, DEEPEST);
    match (&cell, labels) {
        (Cell::Whole(value), Some(labels)) => {
            let label = i32::try_from(*value).ok().and_then(|value| labels.get(&value));
            label.map_or(cell, |label| Cell::Text(Cow::Borrowed(label)))
        }
        _ => cell,
    }
}

fn typed(array: &dyn Array, row: usize, deep: u8) -> Cell<'_> {
    if array.is_null(row) {
        return Cell::Null;
    }
    macro_rules! value {
        ($of:ty) => {
            array.as_primitive::<$of>().value(row)
        };
    }
    let seconds = |per_second: i64, value: i64| Cell::Day(value.div_euclid(per_second * SECONDS_OF_DAY));
    match array.data_type() {
        DataType::Null => Cell::Null,
        DataType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        DataType::Int8 => Cell::Whole(value!(Int8Type).into()),
        DataType::Int16 => Cell::Whole(value!(Int16Type).into()),
        DataType::Int32 => Cell::Whole(value!(Int32Type).into()),
        DataType::Int64 => Cell::Whole(value!(Int64Type).into()),
        DataType::UInt8 => Cell::Whole(value!(UInt8Type).into()),
        DataType::UInt16 => Cell::Whole(value!(UInt16Type).into()),
        DataType::UInt32 => Cell::Whole(value!(UInt32Type).into()),
        DataType::UInt64 => Cell::Whole(value!(UInt64Type).into()),
        DataType::Float32 => Cell::Float(value!(Float32Type).into()),
        DataType::Float64 => Cell::Float(value!(Float64Type)),
        DataType::Utf8 => Cell::Text(Cow::Borrowed(array.as_string::<i32>().value(row))),
        DataType::LargeUtf8 => Cell::Text(Cow::Borrowed(array.as_string::<i64>().value(row))),
        DataType::Date32 => Cell::Day(value!(Date32Type).into()),
        DataType::Date64 => seconds(1_000, value!(Date64Type)),
        DataType::Timestamp(TimeUnit::Second, _) => seconds(1, value!(TimestampSecondType)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => seconds(1_000, value!(TimestampMillisecondType)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => seconds(1_000_000, value!(TimestampMicrosecondType)),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => seconds(1_000_000_000, value!(TimestampNanosecondType)),
        DataType::Dictionary(..) if deep > 0 => {
            array.as_any_dictionary_opt().map_or(Cell::Null, |dictionary| match typed(dictionary.keys(), row, 0) {
                Cell::Whole(key) => usize::try_from(key)
                    .ok()
                    .filter(|key| *key < dictionary.values().len())
                    .map_or(Cell::Null, |key| typed(dictionary.values().as_ref(), key, deep - 1)),
                _ => Cell::Null,
            })
        }
        _ => Cell::Other("a value of another type"),
    }
}
