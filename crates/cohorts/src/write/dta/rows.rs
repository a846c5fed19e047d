//! The bytes of a row, little-endian, and of its long texts.
//! Missing numbers are the first number beyond a type's range.

use arrow_array::{Array as _, Int64Array};

use super::plan::{Plan, Stored};
use crate::text::{DAYS_1960_TO_1970, first_day};
use crate::write::WriteError;
use crate::write::cells::Cells;

/// The largest double that is a number to Stata, 2^1023 and a bit less; above are its missing values.
pub(super) const LARGEST_DOUBLE: f64 = f64::from_bits(0x7fdf_ffff_ffff_ffff);
pub(super) const MISSING_DOUBLE: f64 = f64::from_bits(0x7fe0_0000_0000_0000);
pub(super) const MISSING_LONG: i32 = 2_147_483_621;
/// Text that ends with a zero.
pub(super) const TEXT: u8 = 130;

/// The number of a category, with what stands for NULL.
pub(super) fn whole(array: &Int64Array, row: usize, missing: Option<i64>) -> Option<i64> {
    if array.is_valid(row) { Some(array.value(row)) } else { missing }
}

/// `number` is that of the row in the file, from 1.
pub(super) fn push(
    text: &mut Vec<u8>,
    columns: &[Cells<'_>],
    plan: &Plan,
    row: usize,
    number: u64,
) -> Result<(), WriteError> {
    for (at, (cells, stored)) in columns.iter().zip(&plan.columns).enumerate() {
        match (cells, *stored) {
            (Cells::Bool(array), Stored::Byte) => text.push(u8::from(array.is_valid(row) && array.value(row))),
            (Cells::Int(array), stored) => push_whole(text, whole(array, row, Some(0)), stored)?,
            (Cells::IntCategory(array, missing), stored) => push_whole(text, whole(array, row, *missing), stored)?,
            (Cells::Float(array), Stored::Double) => {
                let value = if array.is_valid(row) { array.value(row) } else { 0.0 };
                let value = if value.is_nan() { MISSING_DOUBLE } else { value };
                text.extend_from_slice(&value.to_le_bytes());
            }
            (Cells::Date(array, precision), Stored::Day) => {
                let day = array.is_valid(row).then(|| first_day(array.value(row), *precision) + DAYS_1960_TO_1970);
                push_whole(text, day, Stored::Long)?;
            }
            (Cells::Str(array), Stored::Text(width)) => {
                let value = if array.is_valid(row) { array.value(row) } else { "" };
                let padding = usize::from(width).checked_sub(value.len()).ok_or(WriteError::Changed)?;
                text.extend_from_slice(value.as_bytes());
                text.resize(text.len() + padding, 0);
            }
            (Cells::Str(array), Stored::LongText) => {
                if array.is_valid(row) && !array.value(row).is_empty() {
                    // Two bytes of column and six of row say where the text is first used: here.
                    text.extend_from_slice(&(at as u16 + 1).to_le_bytes());
                    text.extend_from_slice(number.to_le_bytes().get(..6).unwrap_or_default());
                } else {
                    text.extend_from_slice(&[0; 8]);
                }
            }
            _ => return Err(WriteError::Changed),
        }
    }
    Ok(())
}

fn push_whole(text: &mut Vec<u8>, value: Option<i64>, stored: Stored) -> Result<(), WriteError> {
    match (stored, value) {
        (Stored::Long, Some(value)) => {
            let value = i32::try_from(value).ok().filter(|value| *value < MISSING_LONG).ok_or(WriteError::Changed)?;
            text.extend_from_slice(&value.to_le_bytes());
        }
        (Stored::Long, None) => text.extend_from_slice(&MISSING_LONG.to_le_bytes()),
        (Stored::Double, value) => {
            text.extend_from_slice(&value.map_or(MISSING_DOUBLE, |value| value as f64).to_le_bytes());
        }
        _ => return Err(WriteError::Changed),
    }
    Ok(())
}

/// The long texts of a row, in order of columns.
pub(super) fn push_long_texts(
    text: &mut Vec<u8>,
    columns: &[Cells<'_>],
    plan: &Plan,
    row: usize,
    number: u64,
) -> Result<(), WriteError> {
    for (at, (cells, stored)) in columns.iter().zip(&plan.columns).enumerate() {
        let (Cells::Str(array), Stored::LongText) = (cells, stored) else { continue };
        if array.is_valid(row) && !array.value(row).is_empty() {
            let value = array.value(row);
            text.extend_from_slice(b"GSO");
            text.extend_from_slice(&(at as u32 + 1).to_le_bytes());
            text.extend_from_slice(&number.to_le_bytes());
            text.push(TEXT);
            text.extend_from_slice(&u32::try_from(value.len() + 1).map_err(|_| WriteError::Changed)?.to_le_bytes());
            text.extend_from_slice(value.as_bytes());
            text.push(0);
        }
    }
    Ok(())
}
