//! Batches of a left file with types, each with the cells of the right side beside it.
//! Where no row multiplies, the left columns are handed on as they were read.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use arrow_array::{Array as _, ArrayRef, UInt32Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_select::take::take;
use cohorts::read::{PackedRows, ReadError, Reader, Rows};

use crate::fault::Fault;

use super::super::index::{Index, NONE};
use super::super::inputs::Left;
use super::super::matches::{MakeFile, Used};
use super::super::spill::Answers;
use super::super::tell::Counts;
use super::super::trouble::Trouble;
use super::disk::{Disk, Unpacking};
use super::right::{Column, Held, Right};
use super::{cell, fault};

/// Opens the left file anew.
pub(super) type Open<'a> = dyn Fn() -> Result<Reader, Fault> + 'a;

/// Gives a column of the right side, as it was read or rows of it, the type that it has in the result.
pub(super) type Shape = fn(&Column, &ArrayRef) -> ArrayRef;

/// The right side for one left file.
pub(super) struct Partners<'a> {
    right: &'a Right,
    way: Way<'a>,
}

enum Way<'a> {
    Memory(&'a Index, &'a [ArrayRef]),
    Disk(&'a Disk, Answers),
}

impl<'a> Partners<'a> {
    pub(super) fn of(
        right: &'a Right,
        left: &Left,
        open: &Open<'_>,
        make_file: &mut MakeFile<'_>,
    ) -> Result<Self, Trouble> {
        let disk = match &right.held {
            Held::Memory(index, columns) => return Ok(Self { right, way: Way::Memory(index, columns) }),
            Held::Disk(disk) => disk,
        };
        let mut reader = open()?;
        reader.keep(&[left.side.header.key]);
        let answers = disk.parts.answer(make_file, |ask| {
            reader.into_iter().try_for_each(|rows| {
                let rows = rows.map_err(|error| fault(&left.side.path, &error))?;
                (0..rows.len).try_for_each(|row| cell::with_key(&rows.columns[0], row, &mut *ask))
            })
        })?;
        Ok(Self { right, way: Way::Disk(disk, answers) })
    }

    /// How many rows the result has.
    pub(super) fn count(&self, left: &Left, open: &Open<'_>) -> Result<u64, Trouble> {
        let index = match &self.way {
            Way::Memory(index, _) => *index,
            Way::Disk(_, answers) => return Ok(answers.rows),
        };
        let mut reader = open()?;
        // Only an identifier that comes more than once has more rows than one.
        let once = self.right.keys.extra == 0;
        let told = if once { reader.rows().map_err(|error| fault(&left.side.path, &error))? } else { None };
        if let Some(rows) = told {
            return Ok(rows);
        }
        reader.keep(&[left.side.header.key]);
        let (mut count, mut found) = (0, Vec::new());
        for rows in reader {
            let rows = rows.map_err(|error| fault(&left.side.path, &error))?;
            count += rows.len as u64;
            look_up(index, &rows.columns[0], &mut found, |_, first| {
                let mut next = first.and_then(|first| index.next(first));
                while let Some(at) = next {
                    count += 1;
                    next = index.next(at);
                }
                Ok::<_, Trouble>(())
            })?;
        }
        Ok(count)
    }

    /// Begins with the first row of the left file.
    fn begin(&mut self, shape: Shape) -> Result<(Finder<'_>, Carried<'a>), Trouble> {
        let columns = &self.right.columns;
        Ok(match &mut self.way {
            Way::Memory(index, arrays) => {
                let (once, used) = (self.right.keys.extra == 0, Used::new(index.len()));
                (
                    Finder::Memory { index, once, used, firsts: Vec::new() },
                    Carried::Memory(shaped(columns, arrays, shape)),
                )
            }
            Way::Disk(disk, answers) => {
                answers.again()?;
                (Finder::Disk(answers), Carried::Disk(disk.unpacking()?, columns, shape))
            }
        })
    }
}

fn shaped(columns: &[Column], arrays: &[ArrayRef], shape: Shape) -> Vec<ArrayRef> {
    columns.iter().zip(arrays).map(|(column, array)| shape(column, array)).collect()
}

/// Finds the first partner of each row of a batch, in order, and calls with both.
fn look_up<E>(
    index: &Index,
    keys: &ArrayRef,
    found: &mut Vec<u32>,
    mut each: impl FnMut(usize, Option<u32>) -> Result<(), E>,
) -> Result<(), E> {
    if let Some(whole) = cell::whole_keys(keys) {
        index.firsts(whole, found);
        let first = |row: &u32| Some(*row).filter(|row| *row != NONE);
        return found.iter().enumerate().try_for_each(|(row, found)| each(row, first(found)));
    }
    (0..keys.len()).try_for_each(|row| each(row, cell::with_key(keys, row, |key| index.first(key))))
}

/// A row of the right side.
enum Partner<'a> {
    /// By its number.
    Row(u32),
    /// As it lies on the disk.
    Bytes(&'a [u8]),
}

/// Finds the partners of the left file's rows, in its order.
enum Finder<'a> {
    Memory { index: &'a Index, once: bool, used: Used, firsts: Vec<u32> },
    Disk(&'a mut Answers),
}

impl Finder<'_> {
    /// The partner of each row of a batch, where no row can have more than one and all lie in memory; and how many rows
    /// have one.
    fn beside(&mut self, keys: &ArrayRef) -> Option<(UInt32Array, u64)> {
        let Self::Memory { index, once: true, used, .. } = self else { return None };
        let mut firsts = Vec::with_capacity(keys.len());
        index.firsts(cell::whole_keys(keys)?, &mut firsts);
        firsts.iter().filter(|row| **row != NONE).for_each(|row| used.mark(*row));
        let places = places(firsts);
        let matched = places.len() - places.null_count();
        Some((places, matched as u64))
    }

    /// Calls with each row of a batch and each of its partners, or none; gives how many rows have some.
    fn each<E: From<Trouble>>(
        &mut self,
        keys: &ArrayRef,
        mut each: impl FnMut(usize, Option<Partner<'_>>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut matched = 0;
        match self {
            Self::Memory { index, once, used, firsts } => look_up(index, keys, firsts, |row, first| {
                matched += u64::from(first.is_some());
                first.into_iter().for_each(|first| used.mark(first));
                let mut found = first;
                loop {
                    each(row, found.map(Partner::Row))?;
                    // Whether there is a next one lies anywhere in memory.
                    found = match found.filter(|_| !*once).and_then(|at| index.next(at)) {
                        None => return Ok::<_, E>(()),
                        next => next,
                    };
                }
            })?,
            Self::Disk(answers) => {
                for row in 0..keys.len() {
                    let found = cell::with_key(keys, row, |key| {
                        answers.each(key, |bytes| each(row, Some(Partner::Bytes(bytes))))
                    })?;
                    if found == 0 {
                        each(row, None)?;
                    }
                    matched += u64::from(found > 0);
                }
            }
        }
        Ok(matched)
    }

    /// Keys that were found.
    fn used(&self) -> u64 {
        match self {
            Self::Memory { used, .. } => used.count(),
            Self::Disk(answers) => answers.used,
        }
    }
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

/// Calls with pieces of at most `most` rows.
pub(super) fn each<E: From<Trouble>>(
    partners: &mut Partners<'_>,
    shape: Shape,
    left: &Left,
    open: &Open<'_>,
    most: usize,
    mut each: impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<Counts, E> {
    let mut counts = Counts::default();
    let (mut finder, carried) = partners.begin(shape)?;
    let mut pairs = Pairs { left: Vec::new(), right: Vec::new(), carried };
    ahead(open, |batches| {
        let mut batches = batches.peekable();
        while let Some(rows) = batches.next() {
            let rows = rows.map_err(|error| Trouble::from(fault(&left.side.path, &error)))?;
            counts.rows += rows.len as u64;
            let keys = &rows.columns[left.side.header.key];
            if let Some((places, matched)) = (1..=most).contains(&rows.len).then(|| finder.beside(keys)).flatten() {
                counts.matched += matched;
                each(pairs.piece(&rows, rows.columns.clone(), &places, (true, batches.peek().is_none()))?)?;
                continue;
            }
            counts.matched += finder.each(keys, |row, partner| {
                // A piece goes on when its next row comes, so that what is left over is a batch's last one.
                if pairs.left.len() == most {
                    each(pairs.take(&rows, false)?)?;
                }
                Ok::<_, E>(pairs.push(row, partner)?)
            })?;
            if !pairs.left.is_empty() {
                each(pairs.take(&rows, batches.peek().is_none())?)?;
            }
        }
        Ok::<_, E>(())
    })?;
    counts.used = finder.used();
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

/// Columns of the right side, of which rows are taken.
enum Carried<'a> {
    Memory(Vec<ArrayRef>),
    /// Those of the pairs alone.
    Disk(Unpacking<'a>, &'a [Column], Shape),
}

/// Rows of the right side to be taken; [`NONE`] takes a null. No cell lies under it, so equal results have equal bytes.
fn places(rows: Vec<u32>) -> UInt32Array {
    let found = NullBuffer::new(BooleanBuffer::collect_bool(rows.len(), |row| rows[row] != NONE));
    UInt32Array::new(rows.into(), Some(found))
}

fn failed(error: arrow_schema::ArrowError) -> Trouble {
    Trouble::Write(std::io::Error::other(error))
}

/// Rows of a batch with their partners.
struct Pairs<'a> {
    left: Vec<u32>,
    /// [`NONE`] where there is no partner.
    right: Vec<u32>,
    carried: Carried<'a>,
}

impl Pairs<'_> {
    fn push(&mut self, left: usize, partner: Option<Partner<'_>>) -> Result<(), Trouble> {
        // A batch has fewer rows than that: the reader counts on it.
        self.left.push(left as u32);
        self.right.push(match (partner, &mut self.carried) {
            (None, _) => NONE,
            (Some(Partner::Row(row)), _) => row,
            (Some(Partner::Bytes(bytes)), Carried::Disk(unpacking, ..)) => unpacking.push(bytes)?,
            (Some(Partner::Bytes(_)), Carried::Memory(_)) => return Err(Trouble::Write(ErrorKind::InvalidData.into())),
        });
        Ok(())
    }

    /// The columns of the result for these pairs; begins anew.
    fn take<'a>(&mut self, rows: &'a Rows, last: bool) -> Result<Piece<'a>, Trouble> {
        let places = places(std::mem::take(&mut self.right));
        let left = std::mem::take(&mut self.left);
        let first = left.first().copied().unwrap_or(0) as usize;
        let unbroken = left.iter().zip(first..).all(|(row, expected)| *row as usize == expected);
        let whole = unbroken && left.len() == rows.len;
        let columns = if unbroken {
            let slice = |array: &ArrayRef| if whole { Arc::clone(array) } else { array.slice(first, left.len()) };
            rows.columns.iter().map(slice).collect()
        } else {
            let left = UInt32Array::from(left);
            rows.columns.iter().map(|array| take(array, &left, None).map_err(failed)).collect::<Result<_, _>>()?
        };
        self.piece(rows, columns, &places, (whole, last))
    }

    /// Rows of a batch, perhaps all of them, with what stands at these places beside them.
    fn piece<'a>(
        &mut self,
        rows: &'a Rows,
        mut columns: Vec<ArrayRef>,
        places: &UInt32Array,
        (whole, last): (bool, bool),
    ) -> Result<Piece<'a>, Trouble> {
        let unpacked;
        let carried = match &mut self.carried {
            Carried::Memory(carried) => carried,
            Carried::Disk(unpacking, columns, shape) => {
                unpacked = shaped(columns, &unpacking.take()?, *shape);
                &unpacked
            }
        };
        for array in carried {
            columns.push(take(array, places, None).map_err(failed)?);
        }
        Ok(Piece { columns, packed: rows.packed.as_ref().filter(|_| whole), last })
    }
}
