//! One cell of any Arrow column as Stata would have it.
//! Types that Stata has nothing for give no value at all.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Missing,
    Whole(i128),
    Float(f32),
    Double(f64),
    Text(&'a str),
    /// Since 1970.
    Days(i64),
    Moment {
        /// Since 1970.
        milliseconds: i64,
        /// Nothing finer was lost.
        exact: bool,
    },
}

/// Nothing if Stata has no such type.
pub(super) fn value(array: &ArrayRef, row: usize) -> Option<Value<'_>> {
    if array.is_null(row) {
        return known(array.data_type()).then_some(Value::Missing);
    }
    let array: &dyn Array = array.as_ref();
    Some(match array.data_type() {
        DataType::Null => Value::Missing,
        DataType::Boolean => Value::Whole(i128::from(array.as_boolean().value(row))),
        DataType::Int8 => whole::<Int8Type>(array, row),
        DataType::Int16 => whole::<Int16Type>(array, row),
        DataType::Int32 => whole::<Int32Type>(array, row),
        DataType::Int64 => whole::<Int64Type>(array, row),
        DataType::UInt8 => whole::<UInt8Type>(array, row),
        DataType::UInt16 => whole::<UInt16Type>(array, row),
        DataType::UInt32 => whole::<UInt32Type>(array, row),
        DataType::UInt64 => whole::<UInt64Type>(array, row),
        DataType::Float16 => float(array.as_primitive::<Float16Type>().value(row).to_f32()),
        DataType::Float32 => float(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => match array.as_primitive::<Float64Type>().value(row) {
            double if double.is_nan() => Value::Missing,
            double => Value::Double(double),
        },
        DataType::Utf8 => Value::Text(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Value::Text(array.as_string::<i64>().value(row)),
        DataType::Date32 => Value::Days(i64::from(array.as_primitive::<Date32Type>().value(row))),
        DataType::Date64 => {
            Value::Days(array.as_primitive::<Date64Type>().value(row).div_euclid(super::table::MILLISECONDS_OF_DAY))
        }
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => moment(array.as_primitive::<TimestampSecondType>().value(row), 1_000, 1)?,
            TimeUnit::Millisecond => moment(array.as_primitive::<TimestampMillisecondType>().value(row), 1, 1)?,
            TimeUnit::Microsecond => moment(array.as_primitive::<TimestampMicrosecondType>().value(row), 1, 1_000)?,
            TimeUnit::Nanosecond => moment(array.as_primitive::<TimestampNanosecondType>().value(row), 1, 1_000_000)?,
        },
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary_opt()?;
            let key = match dictionary.keys().data_type() {
                DataType::Int8 => place::<Int8Type>(dictionary.keys(), row),
                DataType::Int16 => place::<Int16Type>(dictionary.keys(), row),
                DataType::Int32 => place::<Int32Type>(dictionary.keys(), row),
                DataType::Int64 => place::<Int64Type>(dictionary.keys(), row),
                DataType::UInt8 => place::<UInt8Type>(dictionary.keys(), row),
                DataType::UInt16 => place::<UInt16Type>(dictionary.keys(), row),
                DataType::UInt32 => place::<UInt32Type>(dictionary.keys(), row),
                _ => place::<UInt64Type>(dictionary.keys(), row),
            };
            return value(dictionary.values(), key?);
        }
        _ => return None,
    })
}

fn known(of: &DataType) -> bool {
    match of {
        DataType::Dictionary(_, of) => known(of),
        DataType::Binary | DataType::LargeBinary | DataType::Duration(_) => false,
        _ => true,
    }
}

fn whole<T: ArrowPrimitiveType<Native: Into<i128>>>(array: &dyn Array, row: usize) -> Value<'static> {
    Value::Whole(array.as_primitive::<T>().value(row).into())
}

fn place<T: ArrowPrimitiveType<Native: TryInto<usize>>>(keys: &dyn Array, row: usize) -> Option<usize> {
    keys.as_primitive::<T>().value(row).try_into().ok()
}

fn float(float: f32) -> Value<'static> {
    if float.is_nan() { Value::Missing } else { Value::Float(float) }
}

fn moment(count: i64, times: i64, of: i64) -> Option<Value<'static>> {
    let milliseconds = count.checked_mul(times)?.div_euclid(of);
    Some(Value::Moment { milliseconds, exact: count.rem_euclid(of) == 0 })
}
