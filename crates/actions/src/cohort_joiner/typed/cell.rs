//! A cell of a column with a type: as the text that a csv file has for it, and as what rows are joined by.
//! Rules of actions.md 3.4, 3.5 and 4.2.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::{DataType, TimeUnit};
use cohorts::DatePrecision;
use cohorts::read::{Column, Labels};
use cohorts::text::{push_cell, push_date, push_float};

use super::super::key::Key;

/// How the cells of a column are written.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Shown {
    /// Moments with their time of day; otherwise they are days.
    pub(in super::super) with_time: bool,
    /// Whole numbers as floats, because some rows of the result have none.
    pub(in super::super) as_float: bool,
    /// What numbers are written as, where they are.
    labels: Option<Arc<Labels>>,
}

impl Shown {
    /// `original`: numbers that have labels are written as these.
    pub(in super::super) fn of(column: &Column, original: bool, as_float: bool) -> Self {
        Self { with_time: false, as_float, labels: column.labels.clone().filter(|_| original) }
    }
}

macro_rules! with_integer {
    ($array:expr, $of:expr, $row:expr, |$value:ident| $then:expr, $else:expr) => {
        match $of {
            DataType::Int8 => with_integer!(@ $array, Int8Type, $row, $value, $then),
            DataType::Int16 => with_integer!(@ $array, Int16Type, $row, $value, $then),
            DataType::Int32 => with_integer!(@ $array, Int32Type, $row, $value, $then),
            DataType::Int64 => with_integer!(@ $array, Int64Type, $row, $value, $then),
            DataType::UInt8 => with_integer!(@ $array, UInt8Type, $row, $value, $then),
            DataType::UInt16 => with_integer!(@ $array, UInt16Type, $row, $value, $then),
            DataType::UInt32 => with_integer!(@ $array, UInt32Type, $row, $value, $then),
            DataType::UInt64 => with_integer!(@ $array, UInt64Type, $row, $value, $then),
            _ => $else,
        }
    };
    (@ $array:expr, $type:ty, $row:expr, $value:ident, $then:expr) => {{
        let $value = $array.as_primitive::<$type>().value($row);
        $then
    }};
}

/// A whole number of any width.
fn integer(array: &dyn Array, row: usize) -> Option<i128> {
    with_integer!(array, array.data_type(), row, |value| Some(i128::from(value)), None)
}

/// Adds a cell as text; nothing where it is null.
pub(in super::super) fn push(out: &mut Vec<u8>, array: &ArrayRef, row: usize, shown: &Shown) {
    if array.is_null(row) {
        return;
    }
    let array: &dyn Array = array.as_ref();
    if let Some(whole) = integer(array, row) {
        let label = shown.labels.as_ref().and_then(|labels| labels.get(&i32::try_from(whole).ok()?));
        match label {
            Some(label) => push_cell(out, label.as_bytes()),
            None if shown.as_float => push_float(out, whole as f64),
            None => push_whole(out, whole),
        }
        return;
    }
    match array.data_type() {
        DataType::Boolean => out.extend_from_slice(if array.as_boolean().value(row) { b"True" } else { b"False" }),
        DataType::Float16 => push_single(out, array.as_primitive::<Float16Type>().value(row).to_f32()),
        DataType::Float32 => push_single(out, array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => push_double(out, array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => push_cell(out, array.as_string::<i32>().value(row).as_bytes()),
        DataType::LargeUtf8 => push_cell(out, array.as_string::<i64>().value(row).as_bytes()),
        DataType::Binary => push_cell(out, array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => push_cell(out, array.as_binary::<i64>().value(row)),
        DataType::Date32 => push_day(out, i64::from(array.as_primitive::<Date32Type>().value(row))),
        DataType::Date64 => push_day(out, array.as_primitive::<Date64Type>().value(row).div_euclid(86_400_000)),
        DataType::Dictionary(..) => {
            if let Some((values, at)) = entry(array, row) {
                push(out, values, at, shown);
            }
        }
        _ => {
            if let Some((count, per_second)) = moment(array, row) {
                push_moment(out, count, per_second, shown.with_time);
            } else if let Some(count) = duration(array, row) {
                push_whole(out, i128::from(count));
            }
        }
    }
}

/// The column with the labels of its numbers; a number without one stays a number.
pub(super) fn labelled(array: &ArrayRef, labels: &Arc<Labels>) -> ArrayRef {
    let text = |row| {
        let whole = integer(array.as_ref(), row).filter(|_| array.is_valid(row))?;
        let label = i32::try_from(whole).ok().and_then(|whole| labels.get(&whole));
        Some(label.cloned().unwrap_or_else(|| whole.to_string()))
    };
    Arc::new((0..array.len()).map(text).collect::<StringArray>())
}

/// The value that a cell of a dictionary stands for.
fn entry(array: &dyn Array, row: usize) -> Option<(&ArrayRef, usize)> {
    let dictionary = array.as_any_dictionary_opt()?;
    let at = integer(dictionary.keys(), row)?;
    Some((dictionary.values(), usize::try_from(at).ok().filter(|at| *at < dictionary.values().len())?))
}

fn push_whole(out: &mut Vec<u8>, whole: i128) {
    match i64::try_from(whole) {
        Ok(whole) => cohorts::text::push_int(out, whole),
        Err(_) => out.extend_from_slice(whole.to_string().as_bytes()),
    }
}

fn push_double(out: &mut Vec<u8>, number: f64) {
    if !number.is_nan() {
        push_float(out, number);
    }
}

/// The shortest text that reads back as the same single: that text as a double has the same digits.
fn push_single(out: &mut Vec<u8>, number: f32) {
    push_double(out, format!("{number:e}").parse().unwrap_or_else(|_| f64::from(number)));
}

fn push_day(out: &mut Vec<u8>, days: i64) {
    // A day that no calendar has is a number.
    match i32::try_from(days) {
        Ok(days) => push_date(out, days, DatePrecision::Day),
        Err(_) => push_whole(out, i128::from(days)),
    }
}

/// A count of units since 1970, and how many units a second has.
fn moment(array: &dyn Array, row: usize) -> Option<(i64, i64)> {
    Some(match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => (primitive::<TimestampSecondType>(array, row), 1),
        DataType::Timestamp(TimeUnit::Millisecond, _) => (primitive::<TimestampMillisecondType>(array, row), 1_000),
        DataType::Timestamp(TimeUnit::Microsecond, _) => (primitive::<TimestampMicrosecondType>(array, row), 1_000_000),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            (primitive::<TimestampNanosecondType>(array, row), 1_000_000_000)
        }
        _ => return None,
    })
}

fn duration(array: &dyn Array, row: usize) -> Option<i64> {
    Some(match array.data_type() {
        DataType::Duration(TimeUnit::Second) => primitive::<DurationSecondType>(array, row),
        DataType::Duration(TimeUnit::Millisecond) => primitive::<DurationMillisecondType>(array, row),
        DataType::Duration(TimeUnit::Microsecond) => primitive::<DurationMicrosecondType>(array, row),
        DataType::Duration(TimeUnit::Nanosecond) => primitive::<DurationNanosecondType>(array, row),
        _ => return None,
    })
}

fn primitive<T: ArrowPrimitiveType<Native = i64>>(array: &dyn Array, row: usize) -> i64 {
    array.as_primitive::<T>().value(row)
}

/// Whether a cell is a moment that is not midnight.
pub(in super::super) fn has_time(array: &ArrayRef, row: usize) -> bool {
    let moment = moment(array.as_ref(), row).filter(|_| array.is_valid(row));
    moment.is_some_and(|(count, per_second)| i128::from(count).rem_euclid(86_400 * i128::from(per_second)) != 0)
}

fn push_moment(out: &mut Vec<u8>, count: i64, per_second: i64, with_time: bool) {
    let (seconds, rest) = (count.div_euclid(per_second), count.rem_euclid(per_second));
    push_day(out, seconds.div_euclid(86_400));
    if !with_time {
        return;
    }
    let of_day = seconds.rem_euclid(86_400);
    let (hours, minutes, seconds) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    out.extend_from_slice(format!(" {hours:02}:{minutes:02}:{seconds:02}").as_bytes());
    if rest > 0 {
        let digits = per_second.ilog10() as usize;
        out.extend_from_slice(format!(".{rest:0digits$}").trim_end_matches('0').as_bytes());
    }
}

/// What the rows are joined by of a column of whole numbers without gaps, as most identifiers are; `None` of another.
pub(in super::super) fn whole_keys(array: &ArrayRef) -> Option<&[i64]> {
    Some(array.as_primitive_opt::<Int64Type>().filter(|array| array.null_count() == 0)?.values())
}

/// Calls with what a row is joined by.
pub(in super::super) fn with_key<T>(array: &ArrayRef, row: usize, then: impl FnOnce(Key<'_>) -> T) -> T {
    if array.is_null(row) {
        return then(Key::Blank);
    }
    let cell: &dyn Array = array.as_ref();
    match cell.data_type() {
        DataType::Int64 => then(Key::of_signed(cell.as_primitive::<Int64Type>().value(row))),
        DataType::UInt64 => then(Key::Whole(cell.as_primitive::<UInt64Type>().value(row))),
        DataType::Float64 => {
            let number = cell.as_primitive::<Float64Type>().value(row);
            match Key::of_whole_float(number) {
                Some(key) => then(key),
                None => with_text(array, row, then),
            }
        }
        _ => match integer(cell, row).and_then(|whole| i64::try_from(whole).ok()) {
            Some(whole) => then(Key::of_signed(whole)),
            None => with_text(array, row, then),
        },
    }
}

fn with_text<T>(array: &ArrayRef, row: usize, then: impl FnOnce(Key<'_>) -> T) -> T {
    let (cell, at) = entry(array.as_ref(), row).map_or((array, row), |(values, at)| (values, at));
    if cell.is_null(at) {
        return then(Key::Blank);
    }
    match cell.data_type() {
        // Quotes of a csv field are no part of it.
        DataType::Utf8 => then(Key::of_text(cell.as_string::<i32>().value(at).as_bytes())),
        DataType::LargeUtf8 => then(Key::of_text(cell.as_string::<i64>().value(at).as_bytes())),
        DataType::Binary => then(Key::of_text(cell.as_binary::<i32>().value(at))),
        DataType::LargeBinary => then(Key::of_text(cell.as_binary::<i64>().value(at))),
        _ => {
            let mut text = Vec::new();
            push(&mut text, cell, at, &Shown { with_time: has_time(cell, at), ..Shown::default() });
            then(Key::of_text(&text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{
        BooleanArray, Date32Array, DictionaryArray, Float32Array, Float64Array, Int8Array, Int64Array,
        TimestampMillisecondArray, TimestampNanosecondArray, UInt64Array,
    };

    fn text(array: ArrayRef) -> Vec<String> {
        let with_time = (0..array.len()).any(|row| has_time(&array, row));
        let cell = |row| {
            let mut out = Vec::new();
            push(&mut out, &array, row, &Shown { with_time, ..Shown::default() });
            String::from_utf8(out).unwrap()
        };
        (0..array.len()).map(cell).collect()
    }

    #[test]
    fn cells_are_written_as_the_rule_says() {
        let day = 86_400_000_000_000_i64;
        assert_eq!(text(Arc::new(Int8Array::from(vec![Some(-128), None]))), ["-128", ""]);
        assert_eq!(text(Arc::new(UInt64Array::from(vec![u64::MAX]))), ["18446744073709551615"]);
        assert_eq!(text(Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))), ["True", "False", ""]);
        assert_eq!(
            text(Arc::new(Float64Array::from(vec![12.0, 0.0625, 2.5e-7, 1e16, f64::NAN, f64::INFINITY, -0.0]))),
            ["12.0", "0.0625", "2.5e-07", "1e+16", "", "inf", "-0.0"]
        );
        assert_eq!(text(Arc::new(Float32Array::from(vec![0.1, 16_777_216.0, f32::NAN]))), ["0.1", "16777216.0", ""]);
        assert_eq!(
            text(Arc::new(StringArray::from(vec!["a,b", "say \"x\"", ""]))),
            ["\"a,b\"", "\"say \"\"x\"\"\"", ""]
        );
        assert_eq!(text(Arc::new(Date32Array::from(vec![18_321, -1]))), ["2020-02-29", "1969-12-31"]);
        let days = TimestampNanosecondArray::from(vec![Some(18_321 * day), None, Some(-day)]);
        assert_eq!(text(Arc::new(days)), ["2020-02-29", "", "1969-12-31"]);
        let moments = TimestampNanosecondArray::from(vec![18_321 * day, -1, 1_500_000_000]);
        assert_eq!(
            text(Arc::new(moments)),
            ["2020-02-29 00:00:00", "1969-12-31 23:59:59.999999999", "1970-01-01 00:00:01.5"]
        );
        assert_eq!(text(Arc::new(TimestampMillisecondArray::from(vec![3_661_000]))), ["1970-01-01 01:01:01"]);
        let dictionary: DictionaryArray<Int8Type> = vec![Some("b"), None, Some("a")].into_iter().collect();
        assert_eq!(text(Arc::new(dictionary)), ["b", "", "a"]);
    }

    #[test]
    fn keys_are_the_same_over_formats() {
        let dictionary: DictionaryArray<Int8Type> = vec![Some("8"), Some("a"), None].into_iter().collect();
        let rows: Vec<(ArrayRef, Vec<Key<'_>>)> = vec![
            (
                Arc::new(Int64Array::from(vec![Some(8), Some(-1), None])),
                vec![Key::Whole(8), Key::of_signed(-1), Key::Blank],
            ),
            (Arc::new(Int8Array::from(vec![8])), vec![Key::Whole(8)]),
            (Arc::new(UInt64Array::from(vec![u64::MAX])), vec![Key::Whole(u64::MAX)]),
            (
                Arc::new(Float64Array::from(vec![8.0, 8.5, f64::NAN])),
                vec![Key::Whole(8), Key::Text(b"8.5"), Key::Blank],
            ),
            (Arc::new(Float32Array::from(vec![8.0, 8.5])), vec![Key::Whole(8), Key::Text(b"8.5")]),
            (Arc::new(StringArray::from(vec!["08", "a\"b", ""])), vec![Key::Whole(8), Key::Text(b"a\"b"), Key::Blank]),
            (Arc::new(dictionary), vec![Key::Whole(8), Key::Text(b"a"), Key::Blank]),
        ];
        for (array, keys) in rows {
            for (row, expected) in keys.iter().enumerate() {
                with_key(&array, row, |key| assert_eq!(key, *expected, "{array:?}"));
            }
        }
    }
}
