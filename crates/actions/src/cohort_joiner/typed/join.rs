//! Batches of a left file with types, each with the cells of the right side beside it.
//! Where no row multiplies, the left columns are handed on as they were read.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use arrow_array::{Array as _, ArrayRef, UInt32Array};
use arrow_select::take::take;
use cohorts::read::{PackedRows, ReadError, Reader, Rows};

use crate::fault::Fault;

use super::super::inputs::Left;
use super::super::matches::Used;
use super::super::tell::Counts;
use super::super::trouble::Trouble;
use super::right::Right;
use super::{cell, fault};

/// Opens the left file anew.
pub(super) type Open<'a> = dyn Fn() -> Result<Reader, Fault> + 'a;

/// Finds the first partner of each row of a batch, in order, and calls with both.
fn look_up<E>(
    right: &Right,
    keys: &ArrayRef,
    found: &mut Vec<Option<u32>>,
    mut each: impl FnMut(usize, Option<u32>) -> Result<(), E>,
) -> Result<(), E> {
    if let Some(whole) = cell::whole_keys(keys) {
        right.index.firsts(whole, found);
        return found.iter().enumerate().try_for_each(|(row, first)| each(row, *first));
    }
    (0..keys.len()).try_for_each(|row| each(row, cell::with_key(keys, row, |key| right.index.first(key))))
}

/// How many rows the result has.
pub(super) fn count(right: &Right, left: &Left, open: &Open<'_>) -> Result<u64, Trouble> {
    let mut reader = open()?;
    // Only an identifier that comes more than once has more rows than one.
    let once = right.keys.extra == 0;
    reader.keep(if once { &[] } else { std::slice::from_ref(&left.side.header.key) });
    let (mut count, mut found) = (0, Vec::new());
    for rows in reader {
        let rows = rows.map_err(|error| fault(&left.side.path, &error))?;
        count += rows.len as u64;
        if !once {
            look_up(right, &rows.columns[0], &mut found, |_, first| {
                let mut next = first.and_then(|first| right.index.next(first));
                while let Some(at) = next {
                    count += 1;
                    next = right.index.next(at);
                }
                Ok::<_, Trouble>(())
            })?;
        }
    }
    Ok(count)
}

/// Some rows of the result.
pub(super) struct Piece<'a> {
    /// All columns.
    pub(super) columns: Vec<ArrayRef>,
    /// The columns of the left file as they lie there, where these are all rows of one batch of it, each once.
    pub(super) packed: Option<&'a PackedRows>,
    /// Nothing comes behind them.
    pub(super) last: bool,
}

/// Calls with pieces of at most `most` rows; `carried` are the columns of the right side.
pub(super) fn each<E: From<Trouble>>(
    right: &Right,
    carried: &[ArrayRef],
    left: &Left,
    open: &Open<'_>,
    most: usize,
    mut each: impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<Counts, E> {
    let mut counts = Counts::default();
    let mut used = Used::new(right.index.len());
    let (once, mut firsts) = (right.keys.extra == 0, Vec::new());
    ahead(open, |batches| {
        let mut batches = batches.peekable();
        while let Some(rows) = batches.next() {
            let rows = rows.map_err(|error| Trouble::from(fault(&left.side.path, &error)))?;
            counts.rows += rows.len as u64;
            let mut pairs = Pairs::default();
            look_up(right, &rows.columns[left.side.header.key], &mut firsts, |row, first| {
                counts.matched += u64::from(first.is_some());
                first.into_iter().for_each(|first| used.mark(first));
                let mut found = first;
                loop {
                    // A piece goes on when its next row comes, so that what is left over is a batch's last one.
                    if pairs.right.len() == most {
                        each(pairs.take(&rows, carried, false)?)?;
                    }
                    pairs.push(row, found);
                    // Whether there is a next one lies anywhere in memory.
                    found = match found.filter(|_| !once).and_then(|at| right.index.next(at)) {
                        None => return Ok::<_, E>(()),
                        next => next,
                    };
                }
            })?;
            if !pairs.right.is_empty() {
                each(pairs.take(&rows, carried, batches.peek().is_none())?)?;
            }
        }
        Ok::<_, E>(())
    })?;
    counts.used = used.count();
    Ok(counts)
}

type Batch = Result<Rows, ReadError>;

/// Calls with the batches of a file, which another thread reads ahead of their use, if there may be one.
fn ahead<E: From<Trouble>>(
    open: &Open<'_>,
    then: impl FnOnce(&mut dyn Iterator<Item = Batch>) -> Result<(), E>,
) -> Result<(), E> {
    let reader = open().map_err(Trouble::from)?;
    let (give, take) = sync_channel::<Batch>(0);
    std::thread::scope(|scope| {
        // Nobody takes any more when the writing has failed.
        let reading = move || {
            for batch in reader {
                if give.send(batch).is_err() {
                    return;
                }
            }
        };
        match std::thread::Builder::new().spawn_scoped(scope, reading) {
            Ok(_) => then(&mut take.into_iter()),
            Err(_) => then(&mut open().map_err(Trouble::from)?),
        }
    })
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
    fn take<'a>(&mut self, rows: &'a Rows, carried: &[ArrayRef], last: bool) -> Result<Piece<'a>, Trouble> {
        let failed = |error: arrow_schema::ArrowError| Trouble::Write(std::io::Error::other(error));
        let places = UInt32Array::from(std::mem::take(&mut self.right));
        let left = std::mem::take(&mut self.left);
        let first = left.first().copied().unwrap_or(0) as usize;
        let unbroken = left.iter().zip(first..).all(|(row, expected)| *row as usize == expected);
        let mut columns = Vec::with_capacity(rows.columns.len() + carried.len());
        let whole = unbroken && left.len() == rows.len;
        if unbroken {
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
        Ok(Piece { columns, packed: rows.packed.as_ref().filter(|_| whole), last })
    }
}
