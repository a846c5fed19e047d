//! Sums of one column over groups: exact for whole numbers, in the order of the rows for floats.
//! A cell of a text file must be a number; a missing cell of a typed file adds nothing (study-definitions.md 11).

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::keys::MISSING;
use super::number::{Era, Number, Printed};
use super::table::Cells;

/// Why a column cannot be summed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoNumber {
    /// A cell of a text file, by its row within the batch.
    Cell { row: usize, empty: bool },
    /// The column as a whole.
    Type(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing was added yet.
    Unknown,
    /// The column `population`.
    Ones,
    Truth,
    Whole,
    /// Whole numbers of one byte, which are truth values as long as they are 0 and 1.
    Byte,
    Float,
    /// A number of a text file.
    Text,
}

/// The sums by group.
#[derive(Debug)]
pub(crate) struct Sums {
    kind: Kind,
    whole: Vec<i128>,
    float: Vec<f64>,
}

impl Default for Sums {
    fn default() -> Self {
        Self { kind: Kind::Unknown, whole: Vec::new(), float: Vec::new() }
    }
}

impl Sums {
    /// Adds 1 for each row of a group.
    pub(crate) fn add_ones(&mut self, groups: &[u32]) {
        self.kind = Kind::Ones;
        self.add_whole(groups, groups.iter().map(|_| Some(1)));
    }

    /// Adds a column; `groups` has a group for each row, or `MISSING`.
    pub(crate) fn add(&mut self, groups: &[u32], array: &ArrayRef, cells: Cells) -> Result<(), NoNumber> {
        use DataType as T;
        macro_rules! whole {
            ($kind:ty) => {{
                self.kind = Kind::Whole;
                self.add_whole(groups, array.as_primitive::<$kind>().iter().map(|value| value.map(i128::from)));
            }};
        }
        match array.data_type() {
            T::Binary => return self.add_text(groups, array),
            T::Boolean => {
                self.kind = Kind::Truth;
                self.add_whole(groups, array.as_boolean().iter().map(|value| value.map(i128::from)));
            }
            T::Int8 if cells == Cells::TypedWithBytes => {
                let bytes = array.as_primitive::<Int8Type>();
                let truths = bytes.iter().flatten().all(|byte| matches!(byte, 0 | 1));
                self.kind =
                    if truths && matches!(self.kind, Kind::Unknown | Kind::Byte) { Kind::Byte } else { Kind::Whole };
                self.add_whole(groups, bytes.iter().map(|value| value.map(i128::from)));
            }
            T::Int8 => whole!(Int8Type),
            T::Int16 => whole!(Int16Type),
            T::Int32 => whole!(Int32Type),
            T::Int64 => whole!(Int64Type),
            T::UInt8 => whole!(UInt8Type),
            T::UInt16 => whole!(UInt16Type),
            T::UInt32 => whole!(UInt32Type),
            T::UInt64 => whole!(UInt64Type),
            T::Float32 => {
                self.kind = Kind::Float;
                self.add_float(groups, array.as_primitive::<Float32Type>().iter().map(|value| value.map(f64::from)));
            }
            T::Float64 => {
                self.kind = Kind::Float;
                self.add_float(groups, array.as_primitive::<Float64Type>().iter());
            }
            other => return Err(NoNumber::Type(other.to_string())),
        }
        Ok(())
    }

    fn add_text(&mut self, groups: &[u32], array: &ArrayRef) -> Result<(), NoNumber> {
        self.kind = Kind::Text;
        let cells = array.as_binary::<i32>();
        let mut numbers = Vec::with_capacity(cells.len());
        for (row, cell) in cells.iter().enumerate() {
            let cell = cell.unwrap_or_default();
            match few_digits(cell).or_else(|| any_number(cell)) {
                Some(number) => numbers.push(Some(number)),
                None => return Err(NoNumber::Cell { row, empty: cell.trim_ascii().is_empty() }),
            }
        }
        self.add_float(groups, numbers.into_iter());
        Ok(())
    }

    fn add_whole(&mut self, groups: &[u32], values: impl Iterator<Item = Option<i128>>) {
        for (group, value) in groups.iter().zip(values) {
            if let Some((slot, value)) = slot(&mut self.whole, *group).zip(value) {
                *slot += value;
            }
        }
    }

    fn add_float(&mut self, groups: &[u32], values: impl Iterator<Item = Option<f64>>) {
        for (group, value) in groups.iter().zip(values) {
            if let Some((slot, value)) = slot(&mut self.float, *group).zip(value.filter(|value| !value.is_nan())) {
                *slot += value;
            }
        }
    }

    /// The sum of a group; nothing added is 0.
    pub(crate) fn of(&self, group: Option<u32>) -> Number {
        let at = group.unwrap_or(MISSING) as usize;
        match self.kind {
            Kind::Float | Kind::Text => Number::Float(self.float.get(at).copied().unwrap_or(0.0)),
            _ => Number::Whole(self.whole.get(at).copied().unwrap_or(0)),
        }
    }

    /// How these sums are printed where none is emptied.
    pub(crate) fn printed(&self, cells: Cells, era: Era) -> Printed {
        match self.kind {
            Kind::Ones | Kind::Whole => Printed::Whole,
            Kind::Truth | Kind::Byte if era == Era::Y2022 => Printed::Whole,
            Kind::Unknown if cells != Cells::Text => Printed::Whole,
            _ => Printed::Float,
        }
    }
}

/// A whole number that every float can be, as nearly all cells are.
fn few_digits(cell: &[u8]) -> Option<f64> {
    if !(1..=15).contains(&cell.len()) || !cell.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(cell.iter().fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0')) as f64)
}

fn any_number(cell: &[u8]) -> Option<f64> {
    let cell = std::str::from_utf8(cell).ok()?.trim();
    // Python's float would take more: underscores, infinities. No file of patients has them.
    let plain = !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    cell.parse().ok().filter(|_| plain)
}

/// Sums grow with the groups.
fn slot<T: Default + Clone>(sums: &mut Vec<T>, group: u32) -> Option<&mut T> {
    if group == MISSING {
        return None;
    }
    let at = group as usize;
    if at >= sums.len() {
        sums.resize(at + 1, T::default());
    }
    sums.get_mut(at)
}
