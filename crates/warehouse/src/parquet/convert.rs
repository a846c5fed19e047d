//! A cell of an Arrow array as a value: only what loses nothing. A 32-bit float is widened exactly (warehouse.md 2.1).
//! Text is read by the grammar of CSV, so that a column of text with numbers is read as numbers.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};
use jiff::civil::{Date, DateTime, date};
use query::{ColumnKind, Type, Value};

use crate::cell::{self, Wrong};
use crate::fault::Code;

/// Whether a type of the file can stand in a column of a kind.
pub(super) fn takes(found: &DataType, kind: ColumnKind) -> bool {
    let text = matches!(found, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let whole = found.is_integer();
    match kind.value_type() {
        Type::Str => text,
        Type::Bool => text || whole || *found == DataType::Boolean,
        Type::Int => text || whole,
        Type::Float => text || whole || matches!(found, DataType::Float32 | DataType::Float64),
        // a time with a zone would have to be moved into one
        Type::Date | Type::DateTime => {
            text || matches!(found, DataType::Date32 | DataType::Timestamp(_, None)) || *found == DataType::Null
        }
    }
    .max(*found == DataType::Null)
}

/// A cell.
pub(super) fn value(array: &dyn Array, row: usize, kind: ColumnKind) -> Result<Value, Wrong> {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return Ok(Value::Null);
    }
    if let Some(text) = text(array, row) {
        // text in a column of numbers: nothing is no number
        let empty = text.is_empty() && kind.value_type() != Type::Str;
        return if empty { Ok(Value::Null) } else { cell::read(text, kind) };
    }
    let lost = Wrong { code: Code::D101, message: "a value that cannot be read without loss" };
    let value = match kind.value_type() {
        Type::Bool => truth(array, row),
        Type::Int => {
            whole(array, row).filter(|n| kind != ColumnKind::Int32 || i32::try_from(*n).is_ok()).map(Value::Int)
        }
        Type::Float => float(array, row).map(Value::Float),
        Type::Date => {
            let time = time(array, row).ok_or(Wrong { code: Code::D105, ..lost.clone() })?;
            // a time that is no midnight would be cut
            let midnight = time.time() == jiff::civil::Time::midnight();
            midnight.then_some(Value::Date(time.date()))
        }
        Type::DateTime => return time(array, row).map(Value::DateTime).ok_or(Wrong { code: Code::D105, ..lost }),
        Type::Str => None,
    };
    value.ok_or(lost)
}

/// A cell of text, if it is one.
pub(super) fn text(array: &dyn Array, row: usize) -> Option<&str> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(array.as_string_view().value(row)),
        _ => None,
    }
}

fn cell<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> Option<T::Native> {
    array.as_any().downcast_ref::<PrimitiveArray<T>>().map(|array| array.value(row))
}

fn whole(array: &dyn Array, row: usize) -> Option<i64> {
    match array.data_type() {
        DataType::Int8 => cell::<Int8Type>(array, row).map(i64::from),
        DataType::Int16 => cell::<Int16Type>(array, row).map(i64::from),
        DataType::Int32 => cell::<Int32Type>(array, row).map(i64::from),
        DataType::Int64 => cell::<Int64Type>(array, row),
        DataType::UInt8 => cell::<UInt8Type>(array, row).map(i64::from),
        DataType::UInt16 => cell::<UInt16Type>(array, row).map(i64::from),
        DataType::UInt32 => cell::<UInt32Type>(array, row).map(i64::from),
        DataType::UInt64 => cell::<UInt64Type>(array, row).and_then(|n| i64::try_from(n).ok()),
        _ => None,
    }
}

fn truth(array: &dyn Array, row: usize) -> Option<Value> {
    if *array.data_type() == DataType::Boolean {
        return Some(Value::Bool(array.as_boolean().value(row)));
    }
    match whole(array, row)? {
        0 => Some(Value::Bool(false)),
        1 => Some(Value::Bool(true)),
        _ => None,
    }
}

/// Finite doubles; ints up to 2^53, which every double can tell apart.
#[allow(clippy::cast_precision_loss, reason = "the range is checked")]
fn float(array: &dyn Array, row: usize) -> Option<f64> {
    const EXACT: i64 = 1 << 53;
    let number = match array.data_type() {
        DataType::Float32 => f64::from(cell::<Float32Type>(array, row)?),
        DataType::Float64 => cell::<Float64Type>(array, row)?,
        _ => whole(array, row).filter(|n| (-EXACT..=EXACT).contains(n))? as f64,
    };
    number.is_finite().then_some(number)
}

/// A day or a time, within the years 1 to 9999 and whole microseconds.
fn time(array: &dyn Array, row: usize) -> Option<DateTime> {
    let micro = match array.data_type() {
        DataType::Date32 => i64::from(cell::<Date32Type>(array, row)?).checked_mul(86_400_000_000)?,
        DataType::Timestamp(TimeUnit::Second, None) => {
            cell::<arrow_array::types::TimestampSecondType>(array, row)?.checked_mul(1_000_000)?
        }
        DataType::Timestamp(TimeUnit::Millisecond, None) => {
            cell::<TimestampMillisecondType>(array, row)?.checked_mul(1_000)?
        }
        DataType::Timestamp(TimeUnit::Microsecond, None) => cell::<TimestampMicrosecondType>(array, row)?,
        DataType::Timestamp(TimeUnit::Nanosecond, None) => {
            let nanos = cell::<TimestampNanosecondType>(array, row)?;
            (nanos % 1_000 == 0).then_some(nanos / 1_000)?
        }
        _ => return None,
    };
    let span = jiff::Span::new().try_microseconds(micro).ok()?;
    const EPOCH: Date = date(1970, 1, 1);
    let time = EPOCH.to_datetime(jiff::civil::Time::midnight()).checked_add(span).ok()?;
    (time.year() >= 1).then_some(time)
}
