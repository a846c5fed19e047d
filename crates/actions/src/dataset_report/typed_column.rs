//! A column of a feather or Stata file while it is read: its type to a Python reader, and its counts (actions.md 5.2, 5.5).
//! Whole numbers with nulls are floats to such a reader, truth values with nulls are objects.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Date32Type, Date64Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use cohorts::read::{self, Labels};

use super::PATIENT_ID;
use super::detail::{Budget, Detail};
use super::kind::Kind;
use super::survey::{Column, Counted, pair};
use super::typed_file::Wanted;

pub(super) struct Typed {
    name: String,
    of: DataType,
    /// A Stata file: dates have a time, numbers may have labels, and nulls are known by the values only.
    stata: bool,
    labels: Option<Arc<Labels>>,
    /// Whether numbers that are all 0 or 1 are counted.
    numbers: bool,
    detail: Option<Box<Detail>>,
    nulls: u64,
    /// Floats that are no number.
    nans: u64,
    no: u64,
    yes: u64,
    /// A number besides 0 and 1.
    other: bool,
    /// Whether a batch was shown.
    shown: bool,
    categories: u64,
}

impl Typed {
    pub(super) fn new(column: &read::Column, stata: bool, wanted: Wanted) -> Self {
        let name = column.name().into_owned();
        let counted = name != PATIENT_ID;
        Self {
            of: column.data_type.clone(),
            stata,
            labels: column.labels.clone(),
            numbers: counted && (wanted.numbers || (stata && wanted.detail)),
            detail: (counted && wanted.detail).then(Box::default),
            name,
            nulls: 0,
            nans: 0,
            no: 0,
            yes: 0,
            other: false,
            shown: false,
            categories: 0,
        }
    }

    /// Whether the values of the next batch matter, and not only how many are null.
    pub(super) fn wants_values(&self) -> bool {
        let counts_numbers = self.numbers && !self.other;
        match &self.of {
            _ if self.stata || self.detail.is_some() => true,
            DataType::Boolean => self.name != PATIENT_ID,
            // A column of NaN is empty; one number is enough to know that it is not.
            of if of.is_floating() => !(self.other || self.no + self.yes > 0) || counts_numbers,
            of if of.is_integer() => counts_numbers,
            DataType::Dictionary(..) => !self.shown,
            _ => false,
        }
    }

    pub(super) fn see_nulls(&mut self, nulls: u64) {
        self.nulls += nulls;
    }

    /// Values of a batch. Nulls are counted apart, but for the details.
    pub(super) fn see(&mut self, values: &ArrayRef, budget: &mut Budget) {
        self.shown = true;
        if let Some(detail) = &mut self.detail {
            (0..values.null_count()).for_each(|_| detail.see_missing());
        }
        match &self.of {
            DataType::Boolean => {
                let values = values.as_boolean();
                self.yes += values.true_count() as u64;
                self.no += values.false_count() as u64;
            }
            DataType::Dictionary(..) => self.see_categories(values.as_ref(), budget),
            _ if self.labels.is_some() => self.see_labelled(values.as_ref(), budget),
            of if of.is_integer() || of.is_floating() => each_number(values.as_ref(), &mut |number| {
                if number.is_nan() {
                    self.nans += 1;
                    if let Some(detail) = &mut self.detail {
                        detail.see_missing();
                    }
                    return;
                }
                match number {
                    0.0 => self.no += 1,
                    1.0 => self.yes += 1,
                    _ => self.other = true,
                }
                if let Some(detail) = &mut self.detail {
                    detail.see_number(number, budget);
                }
            }),
            _ => {
                let Some(detail) = &mut self.detail else { return };
                each_text(values.as_ref(), &mut |text| detail.see_text(text, budget));
                each_day(values.as_ref(), &mut |day| detail.see_month(month_of(day)));
            }
        }
    }

    fn see_categories(&mut self, values: &dyn Array, budget: &mut Budget) {
        let Some(values) = values.as_any_dictionary_opt() else { return };
        let count = values.values().len();
        self.categories = self.categories.max(count as u64);
        let Some(detail) = self.detail.as_mut().filter(|_| count > 0) else { return };
        let mut texts: Vec<Vec<u8>> = Vec::with_capacity(count);
        each_text(values.values().as_ref(), &mut |text| texts.push(text.to_vec()));
        each_number(values.values().as_ref(), &mut |number| texts.push(crate::text::float(number).into_bytes()));
        let keys = values.keys();
        for (row, key) in values.normalized_keys().into_iter().enumerate() {
            if keys.is_valid(row) {
                detail.see_text(texts.get(key).map_or(b"", Vec::as_slice), budget);
            }
        }
    }

    fn see_labelled(&mut self, values: &dyn Array, budget: &mut Budget) {
        let (Some(labels), Some(detail)) = (&self.labels, &mut self.detail) else { return };
        each_number(values, &mut |number| match labels.get(&(number as i32)) {
            Some(label) => detail.see_text(label.as_bytes(), budget),
            None => detail.see_text(number.to_string().as_bytes(), budget),
        });
    }

    /// What is known of the column; `rows` is how many the file has.
    pub(super) fn end(self, rows: u64) -> Column {
        let kind = self.kind();
        let empty = match &self.of {
            _ if rows == 0 => true,
            DataType::Null => true,
            of if of.is_floating() => !self.other && self.no + self.yes == 0,
            _ => self.nulls >= rows,
        };
        let told = if rows == 0 || self.name == PATIENT_ID { None } else { self.told(&kind) };
        Column { name: self.name, kind, empty, told }
    }

    fn kind(&self) -> Kind {
        match &self.of {
            _ if self.labels.is_some() => Kind::Category(self.labels.as_ref().map_or(0, |labels| labels.len() as u64)),
            of if of.is_integer() && self.nulls > 0 => Kind::Float(64),
            DataType::Int8 => Kind::Int(8),
            DataType::Int16 => Kind::Int(16),
            DataType::Int32 => Kind::Int(32),
            DataType::Int64 => Kind::Int(64),
            DataType::UInt8 => Kind::UInt(8),
            DataType::UInt16 => Kind::UInt(16),
            DataType::UInt32 => Kind::UInt(32),
            DataType::UInt64 => Kind::UInt(64),
            DataType::Float16 => Kind::Float(16),
            DataType::Float32 => Kind::Float(32),
            DataType::Float64 => Kind::Float(64),
            DataType::Boolean if self.nulls == 0 => Kind::Bool,
            DataType::Dictionary(..) => Kind::Category(self.categories),
            DataType::Timestamp(_, zone) => Kind::Time(zone.as_ref().map(|zone| zone.to_string())),
            DataType::Date32 if self.stata => Kind::Time(None),
            DataType::Duration(_) => Kind::Span,
            _ => Kind::Object,
        }
    }

    fn told(&self, kind: &Kind) -> Option<Counted> {
        let missing = self.nulls + self.nans;
        match &self.of {
            DataType::Boolean => {
                (missing == 0 || self.detail.is_some()).then(|| pair(kind, missing, self.no, self.yes))
            }
            of if (of.is_integer() || of.is_floating()) && self.labels.is_none() => match self.numbers && !self.other {
                true => Some(pair(kind, missing, self.no, self.yes)),
                false => self.detail.as_ref().map(|detail| detail.numbers()),
            },
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
                self.detail.as_ref().map(|detail| detail.dates())
            }
            DataType::Duration(_) | DataType::Binary | DataType::LargeBinary | DataType::Null => None,
            _ => self.detail.as_ref().map(|detail| detail.texts()),
        }
    }
}

/// Every number that is not null.
fn each_number(values: &dyn Array, each: &mut dyn FnMut(f64)) {
    macro_rules! numbers {
        ($($of:ident $type:ty,)*) => {
            match values.data_type() {
                $(DataType::$of => values.as_primitive::<$type>().iter().flatten().for_each(|number| each(number as f64)),)*
                DataType::Float16 => {
                    values.as_primitive::<Float16Type>().iter().flatten().for_each(|number| each(number.to_f64()));
                }
                _ => {}
            }
        };
    }
    numbers!(
        Int8 Int8Type, Int16 Int16Type, Int32 Int32Type, Int64 Int64Type,
        UInt8 UInt8Type, UInt16 UInt16Type, UInt32 UInt32Type, UInt64 UInt64Type,
        Float32 Float32Type, Float64 Float64Type,
    );
}

/// Every text that is not null.
fn each_text(values: &dyn Array, each: &mut dyn FnMut(&[u8])) {
    match values.data_type() {
        DataType::Utf8 => values.as_string::<i32>().iter().flatten().for_each(|text| each(text.as_bytes())),
        DataType::LargeUtf8 => values.as_string::<i64>().iter().flatten().for_each(|text| each(text.as_bytes())),
        _ => {}
    }
}

/// Every day that is not null, from 1970.
fn each_day(values: &dyn Array, each: &mut dyn FnMut(i64)) {
    const MILLISECONDS: i64 = 86_400_000;
    macro_rules! moments {
        ($type:ty, $of_day:expr) => {
            values.as_primitive::<$type>().iter().flatten().for_each(|moment| each(moment.div_euclid($of_day)))
        };
    }
    match values.data_type() {
        DataType::Date32 => {
            values.as_primitive::<Date32Type>().iter().flatten().for_each(|day| each(i64::from(day)));
        }
        DataType::Date64 => moments!(Date64Type, MILLISECONDS),
        DataType::Timestamp(TimeUnit::Second, _) => moments!(TimestampSecondType, 86_400),
        DataType::Timestamp(TimeUnit::Millisecond, _) => moments!(TimestampMillisecondType, MILLISECONDS),
        DataType::Timestamp(TimeUnit::Microsecond, _) => moments!(TimestampMicrosecondType, MILLISECONDS * 1_000),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => moments!(TimestampNanosecondType, MILLISECONDS * 1_000_000),
        _ => {}
    }
}

/// The month of a day from 1970, as months since the year 0. Days beyond the year 9999 are its last month, those before
/// the year 0 its first.
fn month_of(day: i64) -> i32 {
    // Days from 1 March of the year 0, in cycles of 400 years.
    let day = day.clamp(-719_528, 2_932_896) + 719_468;
    let (cycle, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let months = (cycle * 400 + year) * 12 + from_march + 2;
    i32::try_from(months).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        let months = |date: jiff::civil::Date| i32::from(date.year()) * 12 + i32::from(date.month()) - 1;
        let first = jiff::civil::date(0, 1, 1);
        for day in (0..3_652_059).step_by(17) {
            let date = first + jiff::Span::new().days(day);
            assert_eq!(month_of(i64::from(day) - 719_528), months(date), "{date}");
        }
        assert_eq!(month_of(0), 1970 * 12);
        assert_eq!(month_of(i64::MAX), 9999 * 12 + 11);
        assert_eq!(month_of(i64::MIN), 0);
    }
}
