//! Rows as a Stata file of release 118, little-endian, without an index and without a time stamp.
//! Spec study-definitions.md 9.2. One pass plans widths, one writes the rows, and one more the long texts if there are any.

mod layout;
pub(crate) mod names;
mod plan;
mod rows;
mod table;
mod value;

pub use self::table::{Passes, StataColumn, write_stata};

use std::io::Write;

use super::WriteError;
use super::cells::each_batch;
use crate::Source;

/// Writes the file; gives the number of rows and the columns that have another name in it.
pub(super) fn write(source: &dyn Source, out: &mut dyn Write) -> Result<(u64, Vec<(String, String)>), WriteError> {
    let fields = &source.schema().fields;
    if fields.len() > layout::MOST_COLUMNS {
        return Err(WriteError::TooManyColumns { format: "dta", found: fields.len(), most: layout::MOST_COLUMNS });
    }
    let mut planning = plan::Planning::new(fields);
    let rows = each_batch(source, |columns, rows| planning.see(columns, rows))?;
    let plan = planning.done();
    let (names, renamed) = names::fitting(fields);
    layout::write_head(out, &names, &plan, rows)?;
    let mut text = Vec::new();
    let mut next = 0;
    let again = each_batch(source, |columns, rows| {
        text.clear();
        for row in 0..rows {
            next += 1;
            rows::push(&mut text, columns, &plan, row, next)?;
        }
        Ok(out.write_all(&text)?)
    })?;
    if again != rows {
        return Err(WriteError::Changed);
    }
    out.write_all(b"</data><strls>")?;
    if plan.long_bytes > 0 {
        write_long_texts(source, out, &plan)?;
    }
    out.write_all(b"</strls><value_labels></value_labels></stata_dta>")?;
    Ok((rows, renamed))
}

fn write_long_texts(source: &dyn Source, out: &mut dyn Write, plan: &plan::Plan) -> Result<(), WriteError> {
    let mut text = Vec::new();
    let mut next = 0;
    let mut bytes = 0;
    each_batch(source, |columns, rows| {
        for row in 0..rows {
            next += 1;
            text.clear();
            rows::push_long_texts(&mut text, columns, plan, row, next)?;
            bytes += text.len() as u64;
            out.write_all(&text)?;
        }
        Ok(())
    })?;
    if bytes == plan.long_bytes { Ok(()) } else { Err(WriteError::Changed) }
}

#[cfg(test)]
mod tests;
