//! Whether one cell of a dummy data file can be a value of its column (study-definitions.md 9.3).
//! Missing, empty, 0 and False pass everywhere: they stand for a missing value.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use cohorts::{DatePrecision, Format};
use jiff::civil::{Date, date};

/// What a column must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Patient,
    Truth,
    Whole,
    Float,
    Text,
    Date(DatePrecision),
}

impl Expected {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Patient => "whole number",
            Self::Truth => "0 or 1",
            Self::Whole | Self::Float => "number of this type",
            Self::Text => "text",
            Self::Date(DatePrecision::Year) => "date as YYYY",
            Self::Date(DatePrecision::Month) => "date as YYYY-MM",
            Self::Date(DatePrecision::Day) => "date as YYYY-MM-DD",
        }
    }
}

/// What a cell is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    Good,
    Patient(i64),
    /// A fraction where whole numbers are: it passes, with a warning.
    Fraction,
    /// The value.
    Bad(String),
}

/// A value of any format.
enum Cell {
    Missing,
    /// Of a csv file.
    Csv(String),
    Text(String),
    Truth(bool),
    Whole(i64),
    Float(f64),
    Day(Date),
    Other,
}

pub(crate) fn check(array: &ArrayRef, at: usize, expected: Expected, format: Format) -> Verdict {
    match cell(array, at) {
        Cell::Missing if expected == Expected::Patient => Verdict::Bad(String::new()),
        Cell::Missing => Verdict::Good,
        Cell::Csv(text) => of_csv(&text, expected),
        other => of_type(other, expected, matches!(format, Format::Dta | Format::DtaGz)),
    }
}

fn of_csv(text: &str, expected: Expected) -> Verdict {
    let plain = text.trim();
    let bad = || Verdict::Bad(text.to_owned());
    if expected == Expected::Patient {
        return plain.parse().map_or_else(|_| bad(), Verdict::Patient);
    }
    if matches!(plain, "" | "0" | "0.0" | "False" | "false") || expected == Expected::Text {
        return Verdict::Good;
    }
    let number = || plain.parse::<f64>().ok().filter(|n| n.is_finite());
    let good = match expected {
        Expected::Truth => matches!(plain, "1" | "1.0" | "True" | "true"),
        Expected::Whole => match number() {
            Some(number) if number.fract() != 0.0 => return Verdict::Fraction,
            number => number.is_some(),
        },
        Expected::Float => number().is_some(),
        Expected::Date(precision) => is_date(plain, precision),
        Expected::Text | Expected::Patient => true,
    };
    if good { Verdict::Good } else { bad() }
}

/// A year of four digits; a month and a day of one or two.
fn is_date(text: &str, precision: DatePrecision) -> bool {
    let text = if precision == DatePrecision::Year { text.strip_suffix(".0").unwrap_or(text) } else { text };
    let mut parts = text.split('-');
    let mut part = |least: usize, most: usize| {
        let part = parts.next()?;
        let shape = (least..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i16>().ok().filter(|_| shape)
    };
    let day = || -> Option<Date> {
        let year = part(4, 4).filter(|year| *year > 0)?;
        let month = if precision == DatePrecision::Year { 1 } else { part(1, 2)? };
        let day = if precision == DatePrecision::Day { part(1, 2)? } else { 1 };
        Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    };
    let mut day = day;
    day().is_some() && parts.next().is_none()
}

fn of_type(cell: Cell, expected: Expected, is_stata: bool) -> Verdict {
    let (text, zero) = match &cell {
        Cell::Text(text) => (text.clone(), text.is_empty()),
        Cell::Truth(truth) => (if *truth { "True" } else { "False" }.to_owned(), !truth),
        Cell::Whole(number) => (number.to_string(), *number == 0),
        Cell::Float(number) => (crate::text::float(*number), *number == 0.0),
        Cell::Day(day) => (day.to_string(), false),
        Cell::Missing | Cell::Csv(_) => (String::new(), true),
        Cell::Other => ("a value of another type".to_owned(), false),
    };
    let good = match (expected, &cell) {
        (Expected::Patient, Cell::Whole(id)) => return Verdict::Patient(*id),
        // Stata has no whole numbers beyond 32 bits: larger ones are doubles.
        #[allow(clippy::cast_possible_truncation, reason = "a whole double below 2^53")]
        (Expected::Patient, Cell::Float(id)) if is_stata && id.fract() == 0.0 && id.abs() < 9.1e15 => {
            return Verdict::Patient(*id as i64);
        }
        (Expected::Patient, _) => false,
        _ if zero => true,
        (Expected::Truth, Cell::Truth(_) | Cell::Whole(1)) => true,
        (Expected::Truth, Cell::Float(number)) => (number - 1.0).abs() == 0.0,
        (Expected::Whole, Cell::Whole(_)) | (Expected::Float, Cell::Float(_)) | (Expected::Text, Cell::Text(_)) => true,
        (Expected::Whole, Cell::Float(number)) => is_stata && number.fract() == 0.0,
        (Expected::Date(precision), Cell::Day(day)) => match precision {
            DatePrecision::Year => (day.month(), day.day()) == (1, 1),
            DatePrecision::Month => day.day() == 1,
            DatePrecision::Day => true,
        },
        _ => false,
    };
    if good { Verdict::Good } else { Verdict::Bad(text) }
}

fn cell(array: &ArrayRef, at: usize) -> Cell {
    use DataType as T;
    if array.is_null(at) {
        return Cell::Missing;
    }
    macro_rules! whole {
        ($kind:ty) => {
            Cell::Whole(array.as_primitive::<$kind>().value(at).into())
        };
    }
    macro_rules! moment {
        ($kind:ty, $second:expr) => {
            day(array.as_primitive::<$kind>().value(at).div_euclid($second).div_euclid(86_400))
        };
    }
    let float = |number: f64| if number.is_nan() { Cell::Missing } else { Cell::Float(number) };
    match array.data_type() {
        T::Binary => Cell::Csv(String::from_utf8_lossy(array.as_binary::<i32>().value(at)).into_owned()),
        T::Utf8 => Cell::Text(array.as_string::<i32>().value(at).to_owned()),
        T::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(at).to_owned()),
        T::Boolean => Cell::Truth(array.as_boolean().value(at)),
        T::Int8 => whole!(Int8Type),
        T::Int16 => whole!(Int16Type),
        T::Int32 => whole!(Int32Type),
        T::Int64 => whole!(Int64Type),
        T::UInt8 => whole!(UInt8Type),
        T::UInt16 => whole!(UInt16Type),
        T::UInt32 => whole!(UInt32Type),
        T::UInt64 => i64::try_from(array.as_primitive::<UInt64Type>().value(at)).map_or(Cell::Other, Cell::Whole),
        T::Float32 => float(array.as_primitive::<Float32Type>().value(at).into()),
        T::Float64 => float(array.as_primitive::<Float64Type>().value(at)),
        T::Date32 => day(array.as_primitive::<Date32Type>().value(at).into()),
        T::Timestamp(TimeUnit::Second, _) => moment!(TimestampSecondType, 1),
        T::Timestamp(TimeUnit::Millisecond, _) => moment!(TimestampMillisecondType, 1_000),
        T::Timestamp(TimeUnit::Microsecond, _) => moment!(TimestampMicrosecondType, 1_000_000),
        T::Timestamp(TimeUnit::Nanosecond, _) => moment!(TimestampNanosecondType, 1_000_000_000),
        T::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            match dictionary.normalized_keys().get(at) {
                Some(key) => cell(dictionary.values(), *key),
                None => Cell::Missing,
            }
        }
        _ => Cell::Other,
    }
}

fn day(days: i64) -> Cell {
    let span = i32::try_from(days).ok().and_then(|days| jiff::Span::new().try_days(days).ok());
    span.and_then(|span| date(1970, 1, 1).checked_add(span).ok()).map_or(Cell::Other, Cell::Day)
}
