//! The right side as columns in memory, and its rows by `patient_id`; or on the disk, if that takes too much.
//! Results take its cells by row number, so types and dictionaries stay as they are.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::types::{Date32Type, TimestampMillisecondType, TimestampNanosecondType};
use arrow_array::{Array as _, ArrayRef, PrimitiveArray, cast::AsArray as _};
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};
use arrow_select::concat::concat;
use cohorts::read::Labels;

use crate::text::warn;
use crate::workspace::Workspace;

use super::super::index::{Full, Gathered, Index, Spread};
use super::super::inputs::{Side, is_csv};
use super::super::matches::{Keys, MakeFile};
use super::super::trouble::Trouble;
use super::disk::Disk;
use super::{cell, source};

const NANOSECONDS_OF_DAY: i64 = 86_400_000_000_000;

/// A column that is carried.
pub(super) struct Column {
    /// Its type, and what a feather file says of it.
    pub(super) field: Field,
    /// How Stata shows it.
    pub(super) format: Option<String>,
    pub(super) labels: Option<Arc<Labels>>,
    /// It is of a Stata file, and all its days or moments fit the years of nanoseconds.
    pub(super) nanoseconds: bool,
}

impl Column {
    /// Looks at rows of it.
    pub(super) fn see(&mut self, array: &ArrayRef) {
        self.nanoseconds = self.nanoseconds && nanoseconds(array).is_some();
    }

    /// Rows of it as a feather file has them: days and moments of Stata files as pandas would give them. Beyond the years of
    /// nanoseconds a column keeps its type.
    pub(super) fn for_feather(&self, array: &ArrayRef) -> ArrayRef {
        let converted = if self.nanoseconds { nanoseconds(array) } else { None };
        converted.unwrap_or_else(|| Arc::clone(array))
    }
}

fn nanoseconds(array: &ArrayRef) -> Option<ArrayRef> {
    let times =
        |count: i64, by: i64| count.checked_mul(by).ok_or_else(|| ArrowError::ComputeError("out of range".to_owned()));
    let converted: PrimitiveArray<TimestampNanosecondType> = match array.data_type() {
        DataType::Date32 => {
            array.as_primitive::<Date32Type>().try_unary(|day| times(i64::from(day), NANOSECONDS_OF_DAY)).ok()?
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().try_unary(|moment| times(moment, 1_000_000)).ok()?
        }
        _ => return None,
    };
    Some(Arc::new(converted))
}

/// The right side.
pub(in super::super) struct Right {
    pub(super) held: Held,
    pub(super) columns: Vec<Column>,
    pub(in super::super) keys: Keys,
    /// What a feather file says of all columns.
    pub(super) notes: Option<String>,
}

/// Where its rows are.
pub(super) enum Held {
    Memory(Index, Vec<ArrayRef>),
    Disk(Disk),
}

impl Right {
    /// Reads all of it.
    pub(in super::super) fn read(
        workspace: &Workspace,
        side: &Side,
        mut reading: Reading<'_>,
        original: bool,
        stderr: &mut dyn Write,
    ) -> Result<Self, Trouble> {
        let (columns, notes) = match is_csv(side.format) {
            true => (source::csv(workspace, side, reading.limit, original, &mut reading, stderr)?, None),
            false => source::typed(workspace, side, original, &mut reading)?,
        };
        let (held, keys) = reading.done(&columns)?;
        Ok(Self { held, columns, keys, notes })
    }
}

/// The right side while it is read.
pub(in super::super) struct Reading<'a> {
    /// Keys and columns of each batch.
    held: Vec<(ArrayRef, Vec<ArrayRef>)>,
    bytes: usize,
    disk: Option<Disk>,
    limit: usize,
    blanks_match: bool,
    make_file: &'a mut MakeFile<'a>,
}

impl<'a> Reading<'a> {
    /// `limit`: bytes of memory.
    pub(in super::super) fn new(limit: usize, blanks_match: bool, make_file: &'a mut MakeFile<'a>) -> Self {
        Self { held: Vec::new(), bytes: 0, disk: None, limit, blanks_match, make_file }
    }

    /// Adds a batch.
    pub(super) fn push(&mut self, keys: ArrayRef, arrays: Vec<ArrayRef>) -> Result<(), Trouble> {
        if let Some(disk) = &mut self.disk {
            return disk.push(&keys, &arrays);
        }
        let rows = std::iter::once(keys.len() * Gathered::ROW);
        let bytes = std::iter::once(&keys).chain(&arrays).map(bytes_of);
        self.bytes = rows.chain(bytes).fold(self.bytes, usize::saturating_add);
        self.held.push((keys, arrays));
        if self.bytes > self.limit {
            let mut disk = Disk::new(self.blanks_match, self.make_file)?;
            std::mem::take(&mut self.held).into_iter().try_for_each(|(keys, arrays)| disk.push(&keys, &arrays))?;
            self.disk = Some(disk);
        }
        Ok(())
    }

    fn done(self, columns: &[Column]) -> Result<(Held, Keys), Trouble> {
        if let Some(mut disk) = self.disk {
            let keys = disk.parts.keys()?;
            return Ok((Held::Disk(disk), keys));
        }
        let mut gathered = Gathered::new(Spread::new(), self.blanks_match);
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); columns.len()];
        for (keys, arrays) in self.held {
            for row in 0..keys.len() {
                let pushed = cell::with_key(&keys, row, |key| gathered.push(key, |_| ()));
                pushed.map_err(|Full| Trouble::Write(io::ErrorKind::FileTooLarge.into()))?;
            }
            parts.iter_mut().zip(arrays).for_each(|(parts, array)| parts.push(array));
        }
        let arrays = parts.into_iter().zip(columns).map(|(parts, column)| whole(parts, column.field.data_type()));
        let arrays = arrays.collect::<Result<_, _>>().map_err(|error| Trouble::Write(io::Error::other(error)))?;
        let index = gathered.build();
        let keys = Keys::of(&index);
        Ok((Held::Memory(index, arrays), keys))
    }
}

/// Bytes of the cells; the values of a dictionary are held once, whatever the limit.
fn bytes_of(array: &ArrayRef) -> usize {
    let cells = array.as_any_dictionary_opt().map_or_else(|| array.to_data(), |dictionary| dictionary.keys().to_data());
    cells.get_slice_memory_size().unwrap_or(usize::MAX)
}

fn whole(parts: Vec<ArrayRef>, of: &DataType) -> Result<ArrayRef, ArrowError> {
    match parts.as_slice() {
        [] => Ok(arrow_array::new_empty_array(of)),
        [only] => Ok(Arc::clone(only)),
        several => concat(&several.iter().map(AsRef::as_ref).collect::<Vec<_>>()),
    }
}

/// One warning for each column that has another name in a result.
pub(super) fn warn_of_names(result: &str, renamed: &[(String, String)], stderr: &mut dyn Write) {
    for (before, after) in renamed {
        warn(
            stderr,
            &format!(
                "{result}: the column {before} is named {after}: Stata takes only names of up to 32 letters, digits and _, each once"
            ),
        );
    }
}
