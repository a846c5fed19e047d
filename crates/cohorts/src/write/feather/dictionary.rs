//! The distinct values of a column, sorted so that the file does not depend on the order of rows.
//! The index is the smallest type that counts them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, StringArray};
use arrow_schema::DataType;
use foldhash::fast::FixedState;

use crate::Kind;
use crate::write::WriteError;
use crate::write::cells::Cells;

/// Values seen so far.
pub(super) enum Gathering {
    Texts(HashSet<Box<str>, FixedState>),
    Numbers(HashSet<i64, FixedState>),
}

/// The number that stands in the file for a cell of a category: nothing where it is null.
pub(super) fn category(array: &Int64Array, row: usize, missing: Option<i64>) -> Option<i64> {
    let value = if array.is_valid(row) { Some(array.value(row)) } else { missing };
    // 0 means nothing in real data; in dummy data, where nothing stands for what is missing, it is a value.
    value.filter(|value| missing.is_none() || *value != 0)
}

impl Gathering {
    pub(super) fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Str => Some(Self::Texts(HashSet::default())),
            Kind::IntCategory { .. } => Some(Self::Numbers(HashSet::default())),
            _ => None,
        }
    }

    pub(super) fn see(&mut self, column: &Cells<'_>, rows: usize) -> Result<(), WriteError> {
        match (self, column) {
            (Self::Texts(seen), Cells::Str(array)) => {
                for row in (0..rows).filter(|row| array.is_valid(*row)) {
                    let value = array.value(row);
                    if !value.is_empty() && !seen.contains(value) {
                        seen.insert(value.into());
                    }
                }
                Ok(())
            }
            (Self::Numbers(seen), Cells::IntCategory(array, missing)) => {
                seen.extend((0..rows).filter_map(|row| category(array, row, *missing)));
                Ok(())
            }
            _ => Err(WriteError::Changed),
        }
    }

    pub(super) fn sorted(self) -> Dictionary {
        match self {
            Self::Texts(seen) => {
                let mut values: Vec<Box<str>> = seen.into_iter().collect();
                values.sort_unstable();
                let array = Arc::new(StringArray::from_iter_values(&values));
                let at = values.into_iter().zip(0..).collect();
                Dictionary { values: array, at: At::Texts(at) }
            }
            Self::Numbers(seen) => {
                let mut values: Vec<i64> = seen.into_iter().collect();
                values.sort_unstable();
                let at = values.iter().copied().zip(0..).collect();
                Dictionary { values: Arc::new(Int64Array::from(values)), at: At::Numbers(at) }
            }
        }
    }
}

/// Sorted values, and where each one stands.
pub(super) struct Dictionary {
    pub(super) values: ArrayRef,
    at: At,
}

enum At {
    Texts(HashMap<Box<str>, i32, FixedState>),
    Numbers(HashMap<i64, i32, FixedState>),
}

impl Dictionary {
    /// The type of the index.
    pub(super) fn index(&self) -> DataType {
        match self.values.len() {
            0..=0x80 => DataType::Int8,
            0x81..=0x8000 => DataType::Int16,
            _ => DataType::Int32,
        }
    }

    pub(super) fn data_type(&self) -> DataType {
        DataType::Dictionary(Box::new(self.index()), Box::new(self.values.data_type().clone()))
    }

    /// The place of each of some cells, or none for null.
    ///
    /// # Errors
    /// A value that the first pass over the source did not give.
    pub(super) fn places(
        &self,
        column: &Cells<'_>,
        from: usize,
        rows: usize,
        mut each: impl FnMut(Option<i32>),
    ) -> Result<(), WriteError> {
        match (&self.at, column) {
            (At::Texts(at), Cells::Str(array)) => {
                for row in from..from + rows {
                    let value = if array.is_valid(row) { array.value(row) } else { "" };
                    each(if value.is_empty() { None } else { Some(*at.get(value).ok_or(WriteError::Changed)?) });
                }
                Ok(())
            }
            (At::Numbers(at), Cells::IntCategory(array, missing)) => {
                for row in from..from + rows {
                    let value = category(array, row, *missing);
                    each(value.map(|value| at.get(&value).copied().ok_or(WriteError::Changed)).transpose()?);
                }
                Ok(())
            }
            _ => Err(WriteError::Changed),
        }
    }
}
