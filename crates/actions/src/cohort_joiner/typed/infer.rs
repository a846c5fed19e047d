//! Which type a column of text gets, decided over the whole column so that no value changes (actions.md 3.4).
//! Codes with leading zeros, and numbers that a double would lose digits of, stay text.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder};
use arrow_array::types::{ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type};
use arrow_array::{ArrayRef, DictionaryArray, PrimitiveArray, StringArray};
use arrow_schema::ArrowError;
use foldhash::fast::FixedState;

/// Larger whole numbers are not all doubles.
const MOST_EXACT: i64 = 1 << 53;

/// What a column has been so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// All are whole numbers.
    whole: bool,
    /// Whole numbers are such that a double holds them.
    exact: bool,
    /// What is not whole is a decimal number.
    decimal: bool,
    /// All are truth values, and there are some.
    truth: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self { whole: true, exact: true, decimal: true, truth: true }
    }
}

impl Seen {
    pub(super) fn see(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        self.truth &= matches!(text, b"True" | b"False");
        match whole(text) {
            Some(whole) => self.exact &= (-MOST_EXACT..=MOST_EXACT).contains(&whole),
            None => {
                self.whole = false;
                self.decimal &= is_decimal(text);
            }
        }
    }

    pub(super) fn builder(&self) -> Builder {
        match self {
            Self { whole: true, .. } => Builder::Whole(Int64Builder::new()),
            Self { decimal: true, exact: true, .. } => Builder::Number(Float64Builder::new()),
            Self { truth: true, .. } => Builder::Truth(BooleanBuilder::new()),
            _ => Builder::Text(Texts::default()),
        }
    }
}

/// A whole number in the one form that it has.
fn whole(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [b'0'] => text.len() == 1,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    std::str::from_utf8(text).ok().filter(|_| canonical)?.parse().ok()
}

/// A decimal number with a point or an exponent, without a leading zero before another digit.
fn is_decimal(text: &[u8]) -> bool {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let before = digits(unsigned);
    if before > 1 && unsigned.first() == Some(&b'0') {
        return false;
    }
    let rest = &unsigned[before..];
    let (after, exponent) = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let after = digits(fraction);
            (after, &fraction[after..])
        }
        None if rest.is_empty() => return false,
        None => (0, rest),
    };
    let whole_exponent = match exponent {
        [] => true,
        [b'e' | b'E', b'+' | b'-', power @ ..] | [b'e' | b'E', power @ ..] => {
            !power.is_empty() && digits(power) == power.len()
        }
        _ => false,
    };
    before + after > 0 && whole_exponent
}

/// Text that is not UTF-8 has no place in a column of text.
#[derive(Debug)]
pub(super) struct NotUtf8;

/// A column being made, some rows at once.
pub(super) enum Builder {
    Whole(Int64Builder),
    Number(Float64Builder),
    Truth(BooleanBuilder),
    Text(Texts),
}

impl Builder {
    pub(super) fn push(&mut self, text: &[u8]) {
        let utf8 = || std::str::from_utf8(text).ok();
        match self {
            Self::Whole(to) => to.append_option(whole(text)),
            Self::Number(to) => to.append_option(utf8().and_then(|text| text.parse::<f64>().ok())),
            Self::Truth(to) => to.append_option((!text.is_empty()).then_some(text == b"True")),
            Self::Text(to) => to.rows.push(utf8().and_then(|text| to.places.get(text)).copied()),
        }
    }

    /// The rows so far; begins anew.
    pub(super) fn take(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Whole(held) => Arc::new(held.finish()),
            Self::Number(held) => Arc::new(held.finish()),
            Self::Truth(held) => Arc::new(held.finish()),
            Self::Text(held) => return held.take(),
        })
    }
}

/// A column of texts, each of which is held once.
#[derive(Default)]
pub(super) struct Texts {
    /// The number of each text, in their order.
    places: HashMap<Box<str>, i32, FixedState>,
    values: Option<ArrayRef>,
    rows: Vec<Option<i32>>,
    bytes: usize,
}

impl Texts {
    /// All texts are seen before the first row is pushed. A blank is none.
    pub(super) fn see(&mut self, text: &[u8]) -> Result<(), NotUtf8> {
        let text = std::str::from_utf8(text).map_err(|_| NotUtf8)?;
        if !text.is_empty() && !self.places.contains_key(text) {
            self.bytes += text.len() + 64;
            self.places.insert(text.into(), 0);
        }
        Ok(())
    }

    /// Bytes that they take, about.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Numbers the texts, when all have been seen.
    pub(super) fn sort(&mut self) {
        let mut sorted: Vec<(&str, &mut i32)> = self.places.iter_mut().map(|(text, at)| (&**text, at)).collect();
        sorted.sort_unstable();
        self.values = Some(Arc::new(StringArray::from_iter_values(sorted.iter().map(|(text, _)| text))));
        sorted.into_iter().zip(0..).for_each(|((_, at), place)| *at = place);
    }

    /// Values of a dictionary are sorted, and their index is the smallest that counts them.
    fn take(&mut self) -> Result<ArrayRef, ArrowError> {
        let rows = std::mem::take(&mut self.rows).into_iter();
        let texts = self.values.clone().unwrap_or_else(|| Arc::new(StringArray::new_null(0)));
        match self.places.len() {
            0..=0x80 => keyed::<Int8Type>(rows, texts, |at| at as i8),
            0x81..=0x8000 => keyed::<Int16Type>(rows, texts, |at| at as i16),
            _ => keyed::<Int32Type>(rows, texts, |at| at),
        }
    }
}

fn keyed<K: ArrowDictionaryKeyType>(
    rows: impl Iterator<Item = Option<i32>>,
    values: ArrayRef,
    key: impl Fn(i32) -> K::Native,
) -> Result<ArrayRef, ArrowError> {
    let keys: PrimitiveArray<K> = rows.map(|row| row.map(&key)).collect();
    Ok(Arc::new(DictionaryArray::try_new(keys, values)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cells: &[&str]) -> String {
        let mut seen = Seen::default();
        cells.iter().for_each(|cell| seen.see(cell.as_bytes()));
        let mut builder = seen.builder();
        if let Builder::Text(texts) = &mut builder {
            cells.iter().for_each(|cell| texts.see(cell.as_bytes()).unwrap());
            texts.sort();
        }
        cells.iter().for_each(|cell| builder.push(cell.as_bytes()));
        let array = builder.take().unwrap();
        let shown = super::super::cell::Shown::default();
        let cell = |row| {
            let mut out = Vec::new();
            super::super::cell::push(&mut out, &array, row, &shown);
            String::from_utf8(out).unwrap()
        };
        let cells: Vec<String> = (0..array.len()).map(cell).collect();
        format!("{} {}", array.data_type(), cells.join(","))
    }

    #[test]
    fn types_are_decided_over_the_whole_column() {
        let rows: &[(&[&str], &str)] = &[
            (&["1", "", "-2", "0"], "Int64 1,,-2,0"),
            (&["9223372036854775807", "-9223372036854775808"], "Int64 9223372036854775807,-9223372036854775808"),
            (&["1", "2.5"], "Float64 1.0,2.5"),
            (&["1e5", "-0.5", ".5"], "Float64 100000.0,-0.5,0.5"),
            (&["True", "", "False"], "Boolean True,,False"),
            (&["", ""], "Int64 ,"),
            (&["1", "007"], "Dictionary(Int8, Utf8) 1,007"),
            (&["1.5", "00.5"], "Dictionary(Int8, Utf8) 1.5,00.5"),
            (&["+1"], "Dictionary(Int8, Utf8) +1"),
            (&["-0"], "Dictionary(Int8, Utf8) -0"),
            (&["1", "NA"], "Dictionary(Int8, Utf8) 1,NA"),
            (&["True", "true"], "Dictionary(Int8, Utf8) True,true"),
            (&["True", "1"], "Dictionary(Int8, Utf8) True,1"),
            (&["nan"], "Dictionary(Int8, Utf8) nan"),
            (&["inf", "1"], "Dictionary(Int8, Utf8) inf,1"),
            (&["9223372036854775808"], "Dictionary(Int8, Utf8) 9223372036854775808"),
            (&["9007199254740993", "0.5"], "Dictionary(Int8, Utf8) 9007199254740993,0.5"),
            (&["0.5", "9007199254740993"], "Dictionary(Int8, Utf8) 0.5,9007199254740993"),
            (&["1 ", "b"], "Dictionary(Int8, Utf8) 1 ,b"),
        ];
        for (cells, expected) in rows {
            assert_eq!(of(cells), *expected, "{cells:?}");
        }
    }
}
