//! A feather or Stata file in one pass: types are its own, and only what the page needs is unpacked (actions.md 3.4, 5.2).
//! Most columns of feather files are never decoded, since the file says how many nulls they have.

use std::io::{BufReader, Write};

use cohorts::read::{Limits, ReadError, Reader, Rows};

use crate::csv::{MAX_COLUMNS, MAX_HEADER_NAME};
use crate::fault::{Fault, FaultCode};
use crate::files::{Format, Opened, data_fault, unreadable};
use crate::text::warn;

use super::detail::Budget;
use super::survey::{Column, Survey};
use super::typed_column::Typed;

/// What is counted besides truth values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Numbers that are all 0 or 1.
    pub(super) numbers: bool,
    pub(super) detail: bool,
}

pub(super) fn survey(opened: Opened, format: Format, wanted: Wanted, stderr: &mut dyn Write) -> Result<Survey, Fault> {
    let name = opened.name;
    let fault = |error: ReadError| unreadable(&error, &name);
    let input = BufReader::with_capacity(64 << 10, opened.file);
    let mut reader =
        Reader::open(format, input, Limits { columns: MAX_COLUMNS, ..Limits::default() }).map_err(fault)?;
    if reader.columns().iter().any(|column| column.name_bytes().len() > MAX_HEADER_NAME) {
        let message = format!("{name}: a column has a name of more than {MAX_HEADER_NAME} bytes");
        return Err(data_fault(FaultCode::TooLarge, message));
    }
    let stata = matches!(format, Format::Dta | Format::DtaGz);
    let mut columns: Vec<Typed> = reader.columns().iter().map(|column| Typed::new(column, stata, wanted)).collect();
    let mut budget = Budget::default();
    let mut kept: Option<Vec<usize>> = None;
    let mut rows = 0;
    loop {
        let wants: Vec<usize> = (0..columns.len()).filter(|at| columns[*at].wants_values()).collect();
        if kept.as_ref() != Some(&wants) {
            reader.keep(&wants);
        }
        let Some(batch) = reader.next().transpose().map_err(fault)? else { break };
        rows += batch.len as u64;
        batch_seen(&batch, &wants, reader.nulls(), &mut columns, &mut budget);
        kept = Some(wants);
    }
    if reader.notes().not_utf8 {
        warn(stderr, &format!("{name} holds bytes that are not UTF-8"));
    }
    let columns: Vec<Column> = columns.into_iter().map(|column| column.end(rows)).collect();
    Ok(Survey { rows, columns })
}

/// Shows a batch to the columns.
fn batch_seen(batch: &Rows, kept: &[usize], nulls: Option<&[u64]>, columns: &mut [Typed], budget: &mut Budget) {
    for (at, values) in kept.iter().zip(&batch.columns) {
        if let Some(column) = columns.get_mut(*at) {
            column.see(values, budget);
        }
    }
    for (at, column) in columns.iter_mut().enumerate() {
        match nulls.and_then(|nulls| nulls.get(at)) {
            Some(nulls) => column.see_nulls(*nulls),
            None => {
                // Formats that do not tell nulls keep every column whose nulls matter.
                let values = kept.iter().position(|kept| *kept == at).and_then(|place| batch.columns.get(place));
                column.see_nulls(values.map_or(0, |values| values.null_count() as u64));
            }
        }
    }
}
