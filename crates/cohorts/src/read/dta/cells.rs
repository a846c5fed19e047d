//! Cells of a column as they are gathered: missing values become null, days and moments count from 1970.
//! Missing is whatever lies beyond the range of a type.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    Date32Builder, Float32Builder, Float64Builder, Int8Builder, Int16Builder, Int32Builder, StringBuilder,
    TimestampMillisecondBuilder,
};

use super::bytes::push_text;
use super::head::{Column, Counts, Head, Stored};
use super::malformed;
use super::texts::Texts;
use crate::read::{Place, ReadError};
use crate::text::DAYS_1960_TO_1970;

const LARGEST_BYTE: i8 = 100;
const LARGEST_INT: i16 = 32_740;
const LARGEST_LONG: i32 = 2_147_483_620;
/// A bit less than 2^127 and 2^1023.
const LARGEST_FLOAT: f32 = f32::from_bits(0x7eff_ffff);
const LARGEST_DOUBLE: f64 = f64::from_bits(0x7fdf_ffff_ffff_ffff);
const MILLISECONDS_OF_DAY: i64 = 86_400_000;
/// The texts of a batch fit an array.
const MOST_TEXT: usize = i32::MAX as usize;

pub(super) enum Cells {
    Byte(Int8Builder),
    Int(Int16Builder),
    Long(Int32Builder),
    Float(Float32Builder),
    Double(Float64Builder),
    Text(StringBuilder, String),
    LongText(StringBuilder, String),
    Days(Date32Builder, Stored),
    Moments(TimestampMillisecondBuilder, Stored),
}

impl Cells {
    pub(super) fn new(column: &Column, rows: usize) -> Self {
        match (column.counts(), column.stored) {
            (Counts::Days, stored) => Self::Days(Date32Builder::with_capacity(rows), stored),
            (Counts::Milliseconds, stored) => Self::Moments(TimestampMillisecondBuilder::with_capacity(rows), stored),
            (_, Stored::Byte) => Self::Byte(Int8Builder::with_capacity(rows)),
            (_, Stored::Int) => Self::Int(Int16Builder::with_capacity(rows)),
            (_, Stored::Long) => Self::Long(Int32Builder::with_capacity(rows)),
            (_, Stored::Float) => Self::Float(Float32Builder::with_capacity(rows)),
            (_, Stored::Double) => Self::Double(Float64Builder::with_capacity(rows)),
            (_, Stored::Text(_)) => Self::Text(StringBuilder::new(), String::new()),
            (_, Stored::LongText) => Self::LongText(StringBuilder::new(), String::new()),
        }
    }

    /// Gives the bytes of text that it added.
    pub(super) fn push(&mut self, cell: &[u8], head: &Head, texts: &Texts, place: Place) -> Result<usize, ReadError> {
        let order = head.order;
        match self {
            Self::Byte(to) => to.append_option(byte(cell)),
            Self::Int(to) => to.append_option(order.i16(cell).filter(|value| *value <= LARGEST_INT)),
            Self::Long(to) => to.append_option(order.i32(cell).filter(|value| *value <= LARGEST_LONG)),
            Self::Float(to) => {
                to.append_option(order.f32(cell).filter(|value| value.is_finite() && *value <= LARGEST_FLOAT));
            }
            Self::Double(to) => {
                to.append_option(order.f64(cell).filter(|value| value.is_finite() && *value <= LARGEST_DOUBLE));
            }
            Self::Text(to, text) => return push_string(to, text, cell, head, place),
            Self::LongText(to, text) => {
                let long = texts.of(cell, head, place)?;
                return push_string(to, text, long, head, place);
            }
            Self::Days(to, stored) => {
                let day = number(cell, *stored, head).map(|days| days.floor() as i64 - DAYS_1960_TO_1970);
                let day = day.map(i32::try_from).transpose().map_err(|_| malformed(place, "a date is out of range"))?;
                to.append_option(day);
            }
            Self::Moments(to, stored) => {
                let moment = number(cell, *stored, head).map(|milliseconds| milliseconds.floor());
                // Within what a double counts exactly.
                if moment.is_some_and(|moment| moment.abs() > 9e15) {
                    return Err(malformed(place, "a date is out of range"));
                }
                to.append_option(moment.map(|moment| moment as i64 - DAYS_1960_TO_1970 * MILLISECONDS_OF_DAY));
            }
        }
        Ok(0)
    }

    pub(super) fn array(self) -> ArrayRef {
        match self {
            Self::Byte(mut held) => Arc::new(held.finish()),
            Self::Int(mut held) => Arc::new(held.finish()),
            Self::Long(mut held) => Arc::new(held.finish()),
            Self::Float(mut held) => Arc::new(held.finish()),
            Self::Double(mut held) => Arc::new(held.finish()),
            Self::Text(mut held, _) | Self::LongText(mut held, _) => Arc::new(held.finish()),
            Self::Days(mut held, _) => Arc::new(held.finish()),
            Self::Moments(mut held, _) => Arc::new(held.finish()),
        }
    }
}

fn byte(cell: &[u8]) -> Option<i8> {
    cell.first().map(|byte| byte.cast_signed()).filter(|value| *value <= LARGEST_BYTE)
}

/// Any number that is not missing.
fn number(cell: &[u8], stored: Stored, head: &Head) -> Option<f64> {
    let order = head.order;
    match stored {
        Stored::Byte => byte(cell).map(f64::from),
        Stored::Int => order.i16(cell).filter(|value| *value <= LARGEST_INT).map(f64::from),
        Stored::Long => order.i32(cell).filter(|value| *value <= LARGEST_LONG).map(f64::from),
        Stored::Float => order.f32(cell).filter(|v| v.is_finite() && *v <= LARGEST_FLOAT).map(f64::from),
        Stored::Double => order.f64(cell).filter(|value| value.is_finite() && *value <= LARGEST_DOUBLE),
        Stored::Text(_) | Stored::LongText => None,
    }
}

fn push_string(
    to: &mut StringBuilder,
    text: &mut String,
    bytes: &[u8],
    head: &Head,
    place: Place,
) -> Result<usize, ReadError> {
    text.clear();
    push_text(text, bytes, head.utf8());
    if to.values_slice().len() + text.len() > MOST_TEXT {
        return Err(ReadError::TooLarge { what: "the text of a column", most: MOST_TEXT as u64, place });
    }
    to.append_value(&*text);
    Ok(text.len())
}
