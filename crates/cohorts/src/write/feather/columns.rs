//! Columns as the file has them, filled row by row until a batch is full.
//! Spec study-definitions.md 9.2.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, PrimitiveBuilder, TimestampNanosecondBuilder,
};
use arrow_array::types::{ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type};
use arrow_array::{Array, ArrayRef, DictionaryArray};
use arrow_schema::DataType;

use super::dictionary::Dictionary;
use crate::text::first_day;
use crate::write::WriteError;
use crate::write::cells::Cells;
use crate::{DatePrecision, Kind};

const NANOSECONDS_OF_DAY: i64 = 86_400_000_000_000;

pub(super) enum Column {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Date(TimestampNanosecondBuilder),
    Tiny(PrimitiveBuilder<Int8Type>, Dictionary),
    Small(PrimitiveBuilder<Int16Type>, Dictionary),
    Large(PrimitiveBuilder<Int32Type>, Dictionary),
}

impl Column {
    pub(super) fn new(kind: Kind, dictionary: Option<Dictionary>, rows: usize) -> Self {
        match (kind, dictionary) {
            (_, Some(dictionary)) => match dictionary.index() {
                DataType::Int8 => Self::Tiny(PrimitiveBuilder::with_capacity(rows), dictionary),
                DataType::Int16 => Self::Small(PrimitiveBuilder::with_capacity(rows), dictionary),
                _ => Self::Large(PrimitiveBuilder::with_capacity(rows), dictionary),
            },
            (Kind::Bool, None) => Self::Bool(BooleanBuilder::with_capacity(rows)),
            (Kind::Float, None) => Self::Float(Float64Builder::with_capacity(rows)),
            (Kind::Date(_), None) => Self::Date(TimestampNanosecondBuilder::with_capacity(rows)),
            _ => Self::Int(Int64Builder::with_capacity(rows)),
        }
    }

    pub(super) fn push(&mut self, cells: &Cells<'_>, from: usize, rows: usize) -> Result<(), WriteError> {
        let all = from..from + rows;
        match (self, cells) {
            (Self::Bool(to), Cells::Bool(array)) => {
                all.for_each(|row| to.append_value(array.is_valid(row) && array.value(row)));
            }
            (Self::Int(to), Cells::Int(array)) => {
                all.for_each(|row| to.append_value(if array.is_valid(row) { array.value(row) } else { 0 }));
            }
            (Self::Float(to), Cells::Float(array)) => {
                all.for_each(|row| to.append_value(if array.is_valid(row) { array.value(row) } else { 0.0 }));
            }
            (Self::Date(to), Cells::Date(array, precision)) => {
                for row in all {
                    to.append_option(array.is_valid(row).then(|| instant(array.value(row), *precision)));
                }
            }
            (Self::Tiny(to, dictionary), cells) => {
                dictionary.places(cells, from, rows, |at| to.append_option(at.map(|at| at as i8)))?;
            }
            (Self::Small(to, dictionary), cells) => {
                dictionary.places(cells, from, rows, |at| to.append_option(at.map(|at| at as i16)))?;
            }
            (Self::Large(to, dictionary), cells) => dictionary.places(cells, from, rows, |at| to.append_option(at))?,
            _ => return Err(WriteError::Changed),
        }
        Ok(())
    }

    /// What is held, and begins anew.
    pub(super) fn take(&mut self) -> Result<ArrayRef, WriteError> {
        Ok(match self {
            Self::Bool(held) => Arc::new(held.finish()),
            Self::Int(held) => Arc::new(held.finish()),
            Self::Float(held) => Arc::new(held.finish()),
            Self::Date(held) => Arc::new(held.finish()),
            Self::Tiny(held, dictionary) => keyed(held, dictionary)?,
            Self::Small(held, dictionary) => keyed(held, dictionary)?,
            Self::Large(held, dictionary) => keyed(held, dictionary)?,
        })
    }
}

fn keyed<K: ArrowDictionaryKeyType>(
    held: &mut PrimitiveBuilder<K>,
    dictionary: &Dictionary,
) -> Result<ArrayRef, WriteError> {
    Ok(Arc::new(DictionaryArray::try_new(held.finish(), Arc::clone(&dictionary.values))?))
}

/// The first moment of a day, month or year, in nanoseconds of 1970: clamped to the span of pandas, whose smallest
/// number means "no time".
fn instant(days: i32, precision: DatePrecision) -> i64 {
    let first = first_day(days, precision);
    first.checked_mul(NANOSECONDS_OF_DAY).unwrap_or(if first < 0 { -i64::MAX } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_cut_to_their_first_moment_and_clamped() {
        // 18321 is 2020-02-29, 18322 the day after, 18262 the first of that year.
        assert_eq!(instant(18_321, DatePrecision::Day), 18_321 * NANOSECONDS_OF_DAY);
        assert_eq!(instant(18_321, DatePrecision::Month), 18_293 * NANOSECONDS_OF_DAY);
        for day in [18_262, 18_321, 18_322, 18_627] {
            assert_eq!(instant(day, DatePrecision::Year), 18_262 * NANOSECONDS_OF_DAY);
        }
        assert_eq!(instant(18_628, DatePrecision::Year), 18_628 * NANOSECONDS_OF_DAY);
        assert_eq!(instant(18_992, DatePrecision::Year), 18_628 * NANOSECONDS_OF_DAY);
        // 2262-04-11 begins before the end of that span, 1677-09-21 does not begin within it.
        assert_eq!(instant(106_751, DatePrecision::Day), 106_751 * NANOSECONDS_OF_DAY);
        assert_eq!(instant(106_752, DatePrecision::Day), i64::MAX);
        assert_eq!(instant(2_932_896, DatePrecision::Day), i64::MAX);
        assert_eq!(instant(-106_751, DatePrecision::Day), -106_751 * NANOSECONDS_OF_DAY);
        assert_eq!(instant(-106_752, DatePrecision::Day), -i64::MAX);
        assert_eq!(instant(i32::MIN, DatePrecision::Year), -i64::MAX);
    }
}
