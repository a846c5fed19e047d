//! A Stata file of any columns that Arrow has, missing cells as Stata's missing (actions.md 3.4).
//! The rows are gone over twice or thrice: widths stand in the head, long texts behind the rows.

use std::io::Write;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::DataType;

use super::layout::{self, NAME, padded};
use super::names::fitting_names;
use super::plan::{AROUND_LONG, LARGEST_LONG, LONGEST_SHORT, Plan, SMALLEST_LONG, Shown, Stored};
use super::rows::{LARGEST_DOUBLE, MISSING_DOUBLE, MISSING_LONG, TEXT};
use super::value::{Value, value};
use crate::read::Labels;
use crate::text::DAYS_1960_TO_1970;
use crate::write::WriteError;

const LARGEST_BYTE: i128 = 100;
const LARGEST_INT: i128 = 32_740;
const LARGEST_FLOAT: f32 = f32::from_bits(0x7eff_ffff);
const MISSING_FLOAT: f32 = f32::from_bits(0x7f00_0000);
pub(super) const MILLISECONDS_OF_DAY: i64 = 86_400_000;

/// A column of a Stata file.
#[derive(Debug, Clone)]
pub struct StataColumn {
    /// Changed where Stata does not take it.
    pub name: String,
    /// That of its arrays.
    pub data_type: DataType,
    /// How Stata shows it, as `%12.0g`; otherwise as its type is shown. One that begins with `%tc` or `%tC` says that moments
    /// keep their time.
    pub format: Option<String>,
    /// What its numbers stand for.
    pub labels: Option<Arc<Labels>>,
}

/// Goes over all rows, batch by batch, and may be asked to again: the same batches must come.
pub type Passes<'a> = dyn FnMut(&mut dyn FnMut(&[ArrayRef]) -> Result<(), WriteError>) -> Result<(), WriteError> + 'a;

/// Writes a Stata file of release 118; gives the columns that have another name in it, before and after.
///
/// # Errors
/// See [`WriteError`]: values that Stata has no place for, among others.
pub fn write_stata(
    columns: &[StataColumn],
    passes: &mut Passes<'_>,
    out: &mut dyn Write,
) -> Result<Vec<(String, String)>, WriteError> {
    if columns.len() > layout::MOST_COLUMNS {
        return Err(WriteError::TooManyColumns { format: "dta", found: columns.len(), most: layout::MOST_COLUMNS });
    }
    let mut seen: Vec<Seen> = columns.iter().map(Seen::new).collect();
    let mut rows = 0;
    passes(&mut |arrays| {
        for (seen, array) in seen.iter_mut().zip(arrays) {
            for row in 0..array.len() {
                seen.see(array, row, rows + row as u64 + 1)?;
            }
        }
        rows += arrays.first().map_or(0, |array| array.len()) as u64;
        Ok(())
    })?;
    let (names, renamed) = fitting_names(columns.iter().map(|column| column.name.clone()).collect());
    let labels = labels(columns, &names);
    let stored: Vec<Stored> = seen.iter().map(Seen::stored).collect();
    let is_long = |seen: &&Seen| seen.longest > LONGEST_SHORT;
    let plan = Plan {
        columns: stored,
        long_bytes: seen.iter().filter(is_long).map(|seen| seen.long_bytes).sum(),
        shown: columns
            .iter()
            .zip(&names)
            .map(|(column, name)| Shown {
                format: column.format.clone(),
                labels: column.labels.as_ref().map(|_| name.clone()).unwrap_or_default(),
            })
            .collect(),
        label_bytes: labels.len() as u64,
    };
    layout::write_head(out, &names, &plan, rows)?;
    let (mut text, mut next) = (Vec::new(), 0);
    passes(&mut |arrays| {
        text.clear();
        for row in 0..arrays.first().map_or(0, |array| array.len()) {
            next += 1;
            for (at, (array, stored)) in arrays.iter().zip(&plan.columns).enumerate() {
                push(&mut text, value(array, row).ok_or(WriteError::Changed)?, *stored, at, next)?;
            }
        }
        Ok(out.write_all(&text)?)
    })?;
    if next != rows {
        return Err(WriteError::Changed);
    }
    out.write_all(b"</data><strls>")?;
    if plan.long_bytes > 0 {
        let mut bytes = 0;
        next = 0;
        passes(&mut |arrays| {
            for row in 0..arrays.first().map_or(0, |array| array.len()) {
                next += 1;
                text.clear();
                for (at, (array, _)) in
                    arrays.iter().zip(&plan.columns).enumerate().filter(|(_, (_, of))| **of == Stored::LongText)
                {
                    if let Some(Value::Text(long)) = value(array, row).filter(|value| *value != Value::Text("")) {
                        push_long(&mut text, long, at, next)?;
                    }
                }
                bytes += text.len() as u64;
                out.write_all(&text)?;
            }
            Ok(())
        })?;
        if bytes != plan.long_bytes {
            return Err(WriteError::Changed);
        }
    }
    out.write_all(b"</strls><value_labels>")?;
    out.write_all(&labels)?;
    out.write_all(b"</value_labels></stata_dta>")?;
    Ok(renamed)
}

/// What the first pass finds out about a column.
struct Seen<'a> {
    column: &'a StataColumn,
    smallest: i128,
    largest: i128,
    large_float: bool,
    longest: usize,
    long_bytes: u64,
    all_midnight: bool,
}

impl<'a> Seen<'a> {
    fn new(column: &'a StataColumn) -> Self {
        let format = column.format.as_deref().unwrap_or_default();
        let all_midnight = !format.starts_with("%tc") && !format.starts_with("%tC");
        Self { column, smallest: 0, largest: 0, large_float: false, longest: 0, long_bytes: 0, all_midnight }
    }

    fn see(&mut self, array: &ArrayRef, row: usize, number: u64) -> Result<(), WriteError> {
        let cannot =
            |why| WriteError::CannotRepresent { column: self.column.name.clone(), row: number, format: "dta", why };
        match value(array, row) {
            None => return Err(cannot("Stata has no columns of its type")),
            Some(Value::Missing) => {}
            Some(Value::Whole(whole)) => {
                if (whole as f64) as i128 != whole {
                    return Err(cannot(
                        "it is a whole number above 2^53 that Stata would keep only roughly; use csv or feather",
                    ));
                }
                self.smallest = self.smallest.min(whole);
                self.largest = self.largest.max(whole);
            }
            Some(Value::Float(float)) => {
                if !float.is_finite() {
                    return Err(cannot("it is infinite"));
                }
                self.large_float |= float > LARGEST_FLOAT;
            }
            Some(Value::Double(double)) => {
                if double > LARGEST_DOUBLE || double == f64::NEG_INFINITY {
                    return Err(cannot("it is infinite, or larger than any number that Stata keeps"));
                }
            }
            Some(Value::Text(text)) => {
                if text.as_bytes().contains(&0) {
                    return Err(cannot("its text has a zero byte, which would end it"));
                }
                if !text.is_empty() {
                    self.longest = self.longest.max(text.len());
                    self.long_bytes += AROUND_LONG + text.len() as u64;
                }
            }
            Some(Value::Days(days)) => {
                if !(SMALLEST_LONG..=LARGEST_LONG).contains(&(days + DAYS_1960_TO_1970)) {
                    return Err(cannot("its date is too far from 1960"));
                }
            }
            Some(Value::Moment { milliseconds, exact }) => {
                if !exact || milliseconds.abs() > 9_000_000_000_000_000 {
                    return Err(cannot("its time is finer than a millisecond, or too far from 1960"));
                }
                self.all_midnight &= milliseconds % MILLISECONDS_OF_DAY == 0;
            }
        }
        Ok(())
    }

    fn stored(&self) -> Stored {
        let of = match &self.column.data_type {
            DataType::Dictionary(_, of) => of,
            of => of,
        };
        let whole = |least: Stored| {
            let (low, high) = (self.smallest, self.largest);
            let long = i128::from(SMALLEST_LONG)..=i128::from(LARGEST_LONG);
            let fits = [
                (Stored::Byte, low >= -128 && high <= LARGEST_BYTE),
                (Stored::Int, low >= -32_768 && high <= LARGEST_INT),
                (Stored::Long, long.contains(&low) && long.contains(&high)),
            ];
            let from = fits.iter().skip_while(|(of, _)| *of != least);
            from.into_iter().find(|(_, fits)| *fits).map_or(Stored::Double, |(of, _)| *of)
        };
        match of {
            DataType::Boolean | DataType::Null | DataType::Int8 | DataType::UInt8 => whole(Stored::Byte),
            DataType::Int16 | DataType::UInt16 => whole(Stored::Int),
            DataType::Int32 | DataType::Int64 | DataType::UInt32 | DataType::UInt64 => whole(Stored::Long),
            DataType::Float16 | DataType::Float32 if !self.large_float => Stored::Float,
            DataType::Date32 | DataType::Date64 => Stored::Day,
            DataType::Timestamp(..) if self.all_midnight => Stored::Day,
            DataType::Timestamp(..) => Stored::Moment,
            DataType::Utf8 | DataType::LargeUtf8 if self.longest > LONGEST_SHORT => Stored::LongText,
            DataType::Utf8 | DataType::LargeUtf8 => Stored::Text(self.longest.max(1) as u16),
            _ => Stored::Double,
        }
    }
}

fn push(text: &mut Vec<u8>, value: Value<'_>, stored: Stored, at: usize, row: u64) -> Result<(), WriteError> {
    let narrow = |whole: i128, most: i128| if whole > most { Err(WriteError::Changed) } else { Ok(whole) };
    match (stored, value) {
        (Stored::Byte, Value::Missing) => text.push(101),
        (Stored::Byte, Value::Whole(whole)) => text.push((narrow(whole, LARGEST_BYTE)? as i8).cast_unsigned()),
        (Stored::Int, Value::Missing) => text.extend_from_slice(&32_741_i16.to_le_bytes()),
        (Stored::Int, Value::Whole(whole)) => {
            text.extend_from_slice(&(narrow(whole, LARGEST_INT)? as i16).to_le_bytes());
        }
        (Stored::Long | Stored::Day, Value::Missing) => text.extend_from_slice(&MISSING_LONG.to_le_bytes()),
        (Stored::Long, Value::Whole(whole)) => {
            text.extend_from_slice(&(narrow(whole, i128::from(LARGEST_LONG))? as i32).to_le_bytes());
        }
        (Stored::Day, Value::Days(days)) => push_days(text, days),
        (Stored::Day, Value::Moment { milliseconds, .. }) => push_days(text, milliseconds / MILLISECONDS_OF_DAY),
        (Stored::Float, Value::Missing) => text.extend_from_slice(&MISSING_FLOAT.to_le_bytes()),
        (Stored::Float, Value::Float(float)) => text.extend_from_slice(&float.to_le_bytes()),
        (Stored::Double | Stored::Moment, Value::Missing) => text.extend_from_slice(&MISSING_DOUBLE.to_le_bytes()),
        (Stored::Double, Value::Whole(whole)) => text.extend_from_slice(&(whole as f64).to_le_bytes()),
        (Stored::Double, Value::Float(float)) => text.extend_from_slice(&f64::from(float).to_le_bytes()),
        (Stored::Double, Value::Double(double)) => text.extend_from_slice(&double.to_le_bytes()),
        (Stored::Moment, Value::Moment { milliseconds, .. }) => {
            let since_1960 = milliseconds + DAYS_1960_TO_1970 * MILLISECONDS_OF_DAY;
            text.extend_from_slice(&(since_1960 as f64).to_le_bytes());
        }
        (Stored::Text(width), value) => {
            let short = match value {
                Value::Text(short) => short,
                Value::Missing => "",
                _ => return Err(WriteError::Changed),
            };
            let padding = usize::from(width).checked_sub(short.len()).ok_or(WriteError::Changed)?;
            text.extend_from_slice(short.as_bytes());
            text.resize(text.len() + padding, 0);
        }
        (Stored::LongText, Value::Missing | Value::Text("")) => text.extend_from_slice(&[0; 8]),
        (Stored::LongText, Value::Text(_)) => {
            // Two bytes of column and six of row say where the text is first used: here.
            text.extend_from_slice(&(at as u16 + 1).to_le_bytes());
            text.extend_from_slice(row.to_le_bytes().get(..6).unwrap_or_default());
        }
        _ => return Err(WriteError::Changed),
    }
    Ok(())
}

fn push_days(text: &mut Vec<u8>, days: i64) {
    text.extend_from_slice(&((days + DAYS_1960_TO_1970) as i32).to_le_bytes());
}

fn push_long(text: &mut Vec<u8>, long: &str, at: usize, row: u64) -> Result<(), WriteError> {
    text.extend_from_slice(b"GSO");
    text.extend_from_slice(&(at as u32 + 1).to_le_bytes());
    text.extend_from_slice(&row.to_le_bytes());
    text.push(TEXT);
    text.extend_from_slice(&u32::try_from(long.len() + 1).map_err(|_| WriteError::Changed)?.to_le_bytes());
    text.extend_from_slice(long.as_bytes());
    text.push(0);
    Ok(())
}

/// All lists of labels, each under the name of its column.
fn labels(columns: &[StataColumn], names: &[String]) -> Vec<u8> {
    let mut all = Vec::new();
    for (column, name) in columns.iter().zip(names) {
        let Some(labels) = &column.labels else { continue };
        let (mut places, mut values, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for (value, text) in labels.iter() {
            places.extend_from_slice(&(texts.len() as i32).to_le_bytes());
            values.extend_from_slice(&value.to_le_bytes());
            texts.extend_from_slice(text.as_bytes());
            texts.push(0);
        }
        let counts = [(labels.len() as i32).to_le_bytes(), (texts.len() as i32).to_le_bytes()].concat();
        let list = [counts, places, values, texts].concat();
        all.extend_from_slice(b"<lbl>");
        all.extend_from_slice(&(list.len() as i32).to_le_bytes());
        all.extend_from_slice(&padded(name, NAME));
        all.extend_from_slice(&[0; 3]);
        all.extend_from_slice(&list);
        all.extend_from_slice(b"</lbl>");
    }
    all
}

#[cfg(test)]
mod tests;
