//! Batches of a left file with types, each with the cells of the right side beside it.
//! Where no row multiplies, the left columns are handed on as they were read.

use std::sync::Arc;

use arrow_array::{ArrayRef, UInt32Array};
use arrow_select::take::take;
use cohorts::read::{Reader, Rows};

use crate::fault::Fault;

use super::super::inputs::Left;
use super::super::matches::Used;
use super::super::tell::Counts;
use super::super::trouble::Trouble;
use super::right::Right;
use super::{cell, fault};

/// Opens the left file anew.
pub(super) type Open<'a> = dyn Fn() -> Result<Reader, Fault> + 'a;

/// What all rows of a left file come to.
pub(super) struct Total {
    pub(super) counts: Counts,
    /// Rows of the result.
    pub(super) rows: u64,
}

/// Counts without making anything.
pub(super) fn count(right: &Right, left: &Left, open: &Open<'_>) -> Result<Total, Trouble> {
    let mut reader = open()?;
    reader.keep(&[left.side.header.key]);
    let mut used = Used::new(right.index.len());
    let mut total = Total { counts: Counts::default(), rows: 0 };
    for rows in reader {
        let rows = rows.map_err(|error| fault(&left.side.path, &error))?;
        for row in 0..rows.len {
            let mut found = cell::with_key(&rows.columns[0], row, |key| right.index.first(key));
            total.counts.matched += u64::from(found.is_some());
            total.rows += u64::from(found.is_none());
            if let Some(first) = found {
                used.mark(first);
            }
            while let Some(at) = found {
                total.rows += 1;
                found = right.index.next(at);
            }
        }
        total.counts.rows += rows.len as u64;
    }
    total.counts.used = used.count();
    Ok(total)
}

/// Calls with batches of all columns of the result, of at most `most` rows; `carried` are the columns of the right side.
pub(super) fn each<E: From<Trouble>>(
    right: &Right,
    carried: &[ArrayRef],
    left: &Left,
    open: &Open<'_>,
    most: usize,
    mut each: impl FnMut(Vec<ArrayRef>) -> Result<(), E>,
) -> Result<(), E> {
    for rows in open().map_err(Trouble::from)? {
        let rows = rows.map_err(|error| Trouble::from(fault(&left.side.path, &error)))?;
        let mut pairs = Pairs::default();
        for row in 0..rows.len {
            let mut found = cell::with_key(&rows.columns[left.side.header.key], row, |key| right.index.first(key));
            loop {
                pairs.push(row, found);
                if pairs.right.len() == most {
                    each(pairs.take(&rows, carried)?)?;
                }
                found = match found.and_then(|at| right.index.next(at)) {
                    None => break,
                    next => next,
                };
            }
        }
        if !pairs.right.is_empty() {
            each(pairs.take(&rows, carried)?)?;
        }
    }
    Ok(())
}

/// Rows of a batch with their partners.
#[derive(Default)]
struct Pairs {
    left: Vec<u32>,
    right: Vec<Option<u32>>,
}

impl Pairs {
    fn push(&mut self, left: usize, right: Option<u32>) {
        // A batch has fewer rows than that: the reader counts on it.
        self.left.push(left as u32);
        self.right.push(right);
    }

    /// The columns of the result for these pairs; begins anew.
    fn take(&mut self, rows: &Rows, carried: &[ArrayRef]) -> Result<Vec<ArrayRef>, Trouble> {
        let failed = |error: arrow_schema::ArrowError| Trouble::Write(std::io::Error::other(error));
        let places = UInt32Array::from(std::mem::take(&mut self.right));
        let left = std::mem::take(&mut self.left);
        let first = left.first().copied().unwrap_or(0) as usize;
        let unbroken = left.iter().zip(first..).all(|(row, expected)| *row as usize == expected);
        let mut columns = Vec::with_capacity(rows.columns.len() + carried.len());
        if unbroken {
            let whole = left.len() == rows.len;
            let slice = |array: &ArrayRef| if whole { Arc::clone(array) } else { array.slice(first, left.len()) };
            columns.extend(rows.columns.iter().map(slice));
        } else {
            let left = UInt32Array::from(left);
            for array in &rows.columns {
                columns.push(take(array, &left, None).map_err(failed)?);
            }
        }
        for array in carried {
            columns.push(take(array, &places, None).map_err(failed)?);
        }
        Ok(columns)
    }
}
