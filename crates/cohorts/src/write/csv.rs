//! Rows as csv: UTF-8, commas, LF, quotes only where they must be.
//! Spec study-definitions.md 9.2.

use std::io::Write;

use arrow_array::Array as _;

use super::WriteError;
use super::cells::{Cells, each_batch};
use crate::Source;
use crate::text::{push_cell, push_date, push_float, push_int};

/// Text goes on when it has grown to this many bytes.
const HANDED_ON: usize = 1 << 16;

pub(super) fn write(source: &dyn Source, out: &mut dyn Write) -> Result<u64, WriteError> {
    let mut text = Vec::with_capacity(2 * HANDED_ON);
    for (at, field) in source.schema().fields.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        push_cell(&mut text, field.name.as_bytes());
    }
    text.push(b'\n');
    let rows = each_batch(source, |columns, rows| {
        for row in 0..rows {
            push_row(&mut text, columns, row);
            if text.len() >= HANDED_ON {
                out.write_all(&text)?;
                text.clear();
            }
        }
        Ok(())
    })?;
    out.write_all(&text)?;
    Ok(rows)
}

fn push_row(text: &mut Vec<u8>, columns: &[Cells<'_>], row: usize) {
    for column in columns {
        match column {
            Cells::Bool(array) => text.push(if array.is_valid(row) && array.value(row) { b'1' } else { b'0' }),
            Cells::Int(array) => push_int(text, if array.is_valid(row) { array.value(row) } else { 0 }),
            Cells::Float(array) => push_float(text, if array.is_valid(row) { array.value(row) } else { 0.0 }),
            Cells::Str(array) => {
                if array.is_valid(row) {
                    push_cell(text, array.value(row).as_bytes());
                }
            }
            Cells::Date(array, precision) => {
                if array.is_valid(row) {
                    push_date(text, array.value(row), *precision);
                }
            }
            Cells::IntCategory(array, missing) => {
                let value = if array.is_valid(row) { Some(array.value(row)) } else { *missing };
                if let Some(value) = value {
                    push_int(text, value);
                }
            }
        }
        text.push(b',');
    }
    if let Some(last) = text.last_mut() {
        *last = b'\n';
    }
}
