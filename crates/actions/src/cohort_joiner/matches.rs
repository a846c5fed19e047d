//! The rows of the right side as lines of text, found by `patient_id`: in memory, or on the disk if they are too many.
//! A row is what follows the left row in a result: each of its fields with a comma before it.

use std::fs::File;
use std::io;

use super::index::{Full, Gathered, Index, Spread};
use super::key::Key;
use super::spill::{Answers, Parts};
use super::trouble::Trouble;

/// Makes a file that has no name.
pub(super) type MakeFile<'a> = dyn FnMut() -> Result<File, Trouble> + 'a;

/// The right side while it is read.
pub(super) struct Gathering<'a> {
    held: Gathered,
    parts: Option<Parts>,
    limit: usize,
    make_file: &'a mut MakeFile<'a>,
    spread: Spread,
    blanks_match: bool,
    line: Vec<u8>,
}

impl<'a> Gathering<'a> {
    /// `limit`: bytes of memory.
    pub(super) fn new(limit: usize, blanks_match: bool, make_file: &'a mut MakeFile<'a>) -> Self {
        let spread = Spread::new();
        let held = Gathered::new(spread, blanks_match);
        Self { held, parts: None, limit, make_file, spread, blanks_match, line: Vec::new() }
    }

    /// Adds a row; `carry` writes its fields.
    pub(super) fn push(&mut self, key: Key<'_>, carry: impl FnOnce(&mut Vec<u8>)) -> Result<(), Trouble> {
        if let Some(parts) = &mut self.parts {
            self.line.clear();
            carry(&mut self.line);
            return Ok(parts.push(key, &self.line)?);
        }
        if self.held.bytes() >= self.limit {
            let mut parts = Parts::new(self.spread, self.blanks_match, self.make_file)?;
            let held = std::mem::replace(&mut self.held, Gathered::new(self.spread, self.blanks_match));
            held.each(|key, carried| parts.push(key, carried))?;
            self.parts = Some(parts);
            return self.push(key, carry);
        }
        self.held.push(key, carry).map_err(|Full| Trouble::Write(io::ErrorKind::FileTooLarge.into()))
    }

    pub(super) fn done(self) -> Result<Lines, Trouble> {
        match self.parts {
            None => Ok(Lines::Memory(self.held.build())),
            Some(parts) => Ok(Lines::Disk(parts)),
        }
    }
}

/// The right side, complete.
pub(super) enum Lines {
    Memory(Index),
    Disk(Parts),
}

/// What is told of identifiers that come more than once, and of those that are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Keys {
    /// Identifiers.
    pub(super) all: u64,
    /// Those with more than one row.
    pub(super) repeated: u64,
    /// Rows beyond the first of each.
    pub(super) extra: u64,
}

impl Keys {
    pub(super) fn of(index: &Index) -> Self {
        let (extra, repeated) = index.duplicates();
        Self { all: index.keys(), repeated, extra }
    }
}

/// Finds the rows for one left file, row by row in its order.
pub(super) enum Finder<'a> {
    Memory(&'a Index, Used),
    Disk(Answers),
}

/// Which rows were found, by the first of each key.
pub(super) struct Used(Vec<u64>);

impl Used {
    pub(super) fn new(rows: usize) -> Self {
        Self(vec![0; rows.div_ceil(64)])
    }

    pub(super) fn mark(&mut self, row: u32) {
        self.0[row as usize / 64] |= 1 << (row % 64);
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|bits| u64::from(bits.count_ones())).sum()
    }
}

impl Finder<'_> {
    /// Calls with each row of a key; gives how many there are.
    pub(super) fn each(
        &mut self,
        key: Key<'_>,
        each: impl FnMut(&[u8]) -> Result<(), Trouble>,
    ) -> Result<u64, Trouble> {
        let first = self.find(key);
        self.each_of(key, first, each)
    }

    /// The first row of a key, where it is in memory.
    pub(super) fn find(&self, key: Key<'_>) -> Option<u32> {
        match self {
            Self::Memory(index, _) => index.first(key),
            Self::Disk(_) => None,
        }
    }

    /// Brings what rows carry closer to the processor.
    pub(super) fn warm(&self, rows: &[Option<u32>]) {
        if let Self::Memory(index, _) = self {
            let sum = rows.iter().flatten().fold(0_u8, |sum, row| sum.wrapping_add(index.first_byte(*row)));
            std::hint::black_box(sum);
        }
    }

    /// As `each`, with what `find` has found.
    pub(super) fn each_of(
        &mut self,
        key: Key<'_>,
        first: Option<u32>,
        mut each: impl FnMut(&[u8]) -> Result<(), Trouble>,
    ) -> Result<u64, Trouble> {
        match self {
            Self::Memory(index, used) => {
                let Some(first) = first else { return Ok(0) };
                used.mark(first);
                let (mut row, mut count) = (Some(first), 0);
                while let Some(at) = row {
                    each(index.carried(at))?;
                    count += 1;
                    row = index.next(at);
                }
                Ok(count)
            }
            Self::Disk(answers) => answers.each(key, each),
        }
    }

    /// Keys that were found.
    pub(super) fn used(&self) -> u64 {
        match self {
            Self::Memory(_, used) => used.count(),
            Self::Disk(answers) => answers.used,
        }
    }
}
