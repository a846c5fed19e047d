//! Values of group columns as small numbers: which were seen, in which order they are printed, and as what text.
//! Text files know text only; typed files know numbers, days and categories (study-definitions.md 11).

use std::collections::HashMap;
use std::hash::Hash;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};

/// Stands for a missing value.
pub(crate) const MISSING: u32 = u32::MAX;

/// A value of a group column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    Bool(bool),
    Whole(i64),
    /// The bits of a float, so that they sort as the numbers do.
    Float(i64),
    /// Seconds from 1970.
    Moment(i64),
    Text(Box<str>),
}

impl Key {
    fn float(number: f64) -> Self {
        let bits = (number + 0.0).to_bits().cast_signed();
        Self::Float(if bits < 0 { bits ^ i64::MAX } else { bits })
    }

    fn text(&self) -> String {
        match self {
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Whole(number) => number.to_string(),
            Self::Float(bits) => {
                let bits = if *bits < 0 { *bits ^ i64::MAX } else { *bits };
                crate::text::float(f64::from_bits(bits.cast_unsigned()))
            }
            Self::Moment(seconds) => match jiff::Timestamp::from_second(*seconds) {
                Ok(at) => {
                    let at = at.to_zoned(jiff::tz::TimeZone::UTC).datetime();
                    let midnight = at.time() == jiff::civil::Time::midnight();
                    if midnight { at.date().to_string() } else { at.to_string().replace('T', " ") }
                }
                Err(_) => seconds.to_string(),
            },
            Self::Text(text) => text.to_string(),
        }
    }
}

/// The values of one group column.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    codes: HashMap<Key, u32, foldhash::fast::RandomState>,
    /// The same for text, which is looked up without making a key of it.
    texts: HashMap<Box<str>, u32, foldhash::fast::RandomState>,
    values: Vec<Key>,
    /// Values of a dictionary: all of them count as seen, in their own order.
    categorical: bool,
}

impl Keys {
    /// The code of each row, `MISSING` for a missing value. `Err` is the name of a type that cannot be grouped by.
    pub(crate) fn codes(&mut self, array: &ArrayRef) -> Result<Vec<u32>, String> {
        use DataType as T;
        macro_rules! whole {
            ($kind:ty) => {{
                let array = array.as_primitive::<$kind>();
                Ok(array.iter().map(|value| self.code(value.map(|value| Key::Whole(value.into())))).collect())
            }};
        }
        macro_rules! moments {
            ($kind:ty, $second:expr) => {{
                let array = array.as_primitive::<$kind>();
                let seconds = |value: i64| Key::Moment(value.div_euclid($second));
                Ok(array.iter().map(|value| self.code(value.map(seconds))).collect())
            }};
        }
        match array.data_type() {
            T::Binary => {
                let texts = array.as_binary::<i32>().iter();
                Ok(texts.map(|bytes| self.text(bytes.map(String::from_utf8_lossy).as_deref())).collect())
            }
            T::Utf8 => Ok(array.as_string::<i32>().iter().map(|text| self.text(text)).collect()),
            T::LargeUtf8 => Ok(array.as_string::<i64>().iter().map(|text| self.text(text)).collect()),
            T::Utf8View => Ok(array.as_string_view().iter().map(|text| self.text(text)).collect()),
            T::Boolean => Ok(array.as_boolean().iter().map(|value| self.code(value.map(Key::Bool))).collect()),
            T::Int8 => whole!(Int8Type),
            T::Int16 => whole!(Int16Type),
            T::Int32 => whole!(Int32Type),
            T::Int64 => whole!(Int64Type),
            T::UInt8 => whole!(UInt8Type),
            T::UInt16 => whole!(UInt16Type),
            T::UInt32 => whole!(UInt32Type),
            T::Float32 => {
                let floats = array.as_primitive::<Float32Type>();
                Ok(floats.iter().map(|value| self.float(value.map(f64::from))).collect())
            }
            T::Float64 => Ok(array.as_primitive::<Float64Type>().iter().map(|value| self.float(value)).collect()),
            T::Date32 => {
                let days = array.as_primitive::<Date32Type>();
                Ok(days.iter().map(|day| self.code(day.map(|day| Key::Moment(i64::from(day) * 86_400)))).collect())
            }
            T::Timestamp(TimeUnit::Second, _) => moments!(TimestampSecondType, 1),
            T::Timestamp(TimeUnit::Millisecond, _) => moments!(TimestampMillisecondType, 1_000),
            T::Timestamp(TimeUnit::Microsecond, _) => moments!(TimestampMicrosecondType, 1_000_000),
            T::Timestamp(TimeUnit::Nanosecond, _) => moments!(TimestampNanosecondType, 1_000_000_000),
            T::Null => Ok(vec![MISSING; array.len()]),
            T::Dictionary(..) => self.dictionary(array),
            other => Err(other.to_string()),
        }
    }

    /// The values of a dictionary become codes once for each batch; rows only look theirs up.
    fn dictionary(&mut self, array: &ArrayRef) -> Result<Vec<u32>, String> {
        self.categorical = true;
        let array = array.as_any_dictionary();
        let mut within = Keys { categorical: false, ..std::mem::take(self) };
        let values = within.codes(array.values());
        *self = Keys { categorical: true, ..within };
        let values = values?;
        let indices = array.normalized_keys();
        let code = |(row, at): (usize, &usize)| match array.keys().is_null(row) {
            true => MISSING,
            false => values.get(*at).copied().unwrap_or(MISSING),
        };
        Ok(indices.iter().enumerate().map(code).collect())
    }

    fn text(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return MISSING };
        if let Some(code) = self.texts.get(text) {
            return *code;
        }
        let code = self.code(Some(Key::Text(text.into())));
        self.texts.insert(text.into(), code);
        code
    }

    fn float(&mut self, value: Option<f64>) -> u32 {
        self.code(value.filter(|value| !value.is_nan()).map(Key::float))
    }

    fn code(&mut self, key: Option<Key>) -> u32 {
        let Some(key) = key else { return MISSING };
        if let Some(code) = self.codes.get(&key) {
            return *code;
        }
        let code = u32::try_from(self.values.len()).unwrap_or(MISSING);
        self.values.push(key.clone());
        self.codes.insert(key, code);
        code
    }

    /// A column that has one value in every row.
    pub(crate) fn constant(&mut self, value: i64, rows: usize) -> Vec<u32> {
        vec![self.code(Some(Key::Whole(value))); rows]
    }

    pub(crate) fn is_categorical(&self) -> bool {
        self.categorical
    }

    /// The codes in the order in which their values are printed.
    pub(crate) fn ordered(&self) -> Vec<u32> {
        let mut codes: Vec<u32> = (0..u32::try_from(self.values.len()).unwrap_or(MISSING)).collect();
        if !self.categorical {
            codes.sort_by_key(|code| &self.values[*code as usize]);
        }
        codes
    }

    pub(crate) fn label(&self, code: u32) -> String {
        self.values.get(code as usize).map(Key::text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{DictionaryArray, Float64Array, Int64Array, StringArray, TimestampNanosecondArray};
    use std::sync::Arc;

    fn labels(arrays: &[ArrayRef]) -> (Vec<String>, Vec<Option<String>>) {
        let mut keys = Keys::default();
        let rows: Vec<u32> = arrays.iter().flat_map(|array| keys.codes(array).unwrap()).collect();
        let label = |code: u32| (code != MISSING).then(|| keys.label(code));
        (keys.ordered().into_iter().map(|code| keys.label(code)).collect(), rows.into_iter().map(label).collect())
    }

    #[test]
    fn values_have_an_order_and_a_text() {
        let text: ArrayRef = Arc::new(StringArray::from(vec!["2", "10", "", "11", "2"]));
        assert_eq!(labels(&[text]).0, ["", "10", "11", "2"]);
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![Some(10), Some(-2), None, Some(2)]));
        assert_eq!(
            labels(&[whole]),
            (
                vec!["-2".into(), "2".into(), "10".into()],
                vec![Some("10".into()), Some("-2".into()), None, Some("2".into())]
            )
        );
        let float: ArrayRef = Arc::new(Float64Array::from(vec![1.5, -0.5, f64::NAN, 0.0, -0.0, -7.0]));
        assert_eq!(labels(&[float]).0, ["-7.0", "-0.5", "0.0", "1.5"]);
        let day = 86_400_000_000_000_i64;
        let days: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![day * 2, day, -day]));
        assert_eq!(labels(&[days]).0, ["1969-12-31", "1970-01-02", "1970-01-03"]);
    }

    #[test]
    fn a_dictionary_keeps_its_order_and_its_unused_values() {
        let values = Arc::new(StringArray::from(vec!["b", "a", "unused"]));
        let keys = arrow_array::Int8Array::from(vec![Some(1), None, Some(0), Some(1)]);
        let array: ArrayRef = Arc::new(DictionaryArray::new(keys, values));
        let (order, rows) = labels(&[array]);
        assert_eq!(order, ["b", "a", "unused"]);
        assert_eq!(rows, [Some("a".into()), None, Some("b".into()), Some("a".into())]);
    }
}
