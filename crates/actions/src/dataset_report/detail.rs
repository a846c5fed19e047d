//! What `--detail` counts of a column: its values, its numbers to three digits, its months (actions.md 5.5).
//! How much is kept apart is bounded for a whole file; what goes over is only told to be many.

use std::collections::{BTreeMap, HashMap};

use super::guess::{Sort, value};
use super::kind::Kind;
use super::rounding::shown;
use super::survey::{Counted, Distinct, Label, Numbers, Values};

/// Distinct values of a column that are kept apart (actions.md 10).
const MOST_VALUES: usize = 10_000;
/// Values with a row of their own.
const LISTED: usize = 10;
/// From so many numbers on there are deciles.
pub(super) const LEAST_FOR_DECILES: u64 = 100;
/// Beyond so many months dates are counted by year.
const MOST_MONTHS: i32 = 36;
/// What an entry of a table takes besides its text, about.
const ENTRY: usize = 64;

/// Bytes that the tables of all columns of a file may still take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(128 << 20)
    }
}

/// Counts of keys, or the word that there are too many.
#[derive(Debug, Clone)]
struct Table<K> {
    counts: HashMap<K, u64, foldhash::fast::FixedState>,
    taken: usize,
    many: bool,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self { counts: HashMap::default(), taken: 0, many: false }
    }
}

impl<K: std::hash::Hash + Eq> Table<K> {
    fn add<Q>(&mut self, key: &Q, size: usize, most: usize, budget: &mut Budget)
    where
        K: std::borrow::Borrow<Q>,
        Q: std::hash::Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        if self.many {
            return;
        }
        if let Some(count) = self.counts.get_mut(key) {
            *count += 1;
            return;
        }
        let size = size + ENTRY;
        if self.counts.len() == most || size > budget.0 {
            self.drop_all(budget);
            self.many = true;
            return;
        }
        budget.0 -= size;
        self.taken += size;
        self.counts.insert(key.to_owned(), 1);
    }

    /// Nothing of it is wanted any more.
    fn drop_all(&mut self, budget: &mut Budget) {
        budget.0 += std::mem::take(&mut self.taken);
        self.counts = HashMap::default();
    }
}

/// A column.
#[derive(Debug, Clone, Default)]
pub(super) struct Detail {
    missing: u64,
    texts: Table<Vec<u8>>,
    /// By the bits of a number of three digits.
    numbers: Table<u64>,
    present: u64,
    /// By months since the year 0.
    months: BTreeMap<i32, u64>,
    /// Something is neither a date nor missing.
    no_date: bool,
    /// Something is neither a number nor missing.
    no_number: bool,
}

impl Detail {
    /// A field of a csv file, of which nothing but its text is known.
    pub(super) fn see(&mut self, field: &[u8], budget: &mut Budget) {
        match Sort::of(field) {
            Sort::Missing => return self.see_missing(),
            Sort::Whole(_) | Sort::Decimal => {
                self.no_date = true;
                if let Some(number) = value(field).filter(|_| !self.no_number) {
                    self.see_number(number, budget);
                }
            }
            Sort::Bool(_) | Sort::Text => {
                if !self.no_number {
                    self.no_number = true;
                    self.numbers.drop_all(budget);
                }
                match month(field).filter(|_| !self.no_date) {
                    Some(month) => self.see_month(month),
                    None => self.no_date = true,
                }
            }
        }
        self.see_text(field, budget);
    }

    pub(super) fn see_missing(&mut self) {
        self.missing += 1;
    }

    pub(super) fn see_text(&mut self, text: &[u8], budget: &mut Budget) {
        self.texts.add(text, text.len(), MOST_VALUES, budget);
    }

    pub(super) fn see_number(&mut self, number: f64, budget: &mut Budget) {
        self.present += 1;
        self.numbers.add(&three_digits(number).to_bits(), 0, usize::MAX, budget);
    }

    /// Months since the year 0.
    pub(super) fn see_month(&mut self, month: i32) {
        *self.months.entry(month).or_default() += 1;
    }

    /// What is told of a column of a csv file of this type.
    pub(super) fn of_csv(&self, kind: &Kind) -> Counted {
        match kind {
            Kind::Int(_) | Kind::UInt(_) | Kind::Float(_) => self.numbers(),
            _ if !self.no_date && !self.months.is_empty() => self.dates(),
            _ => self.texts(),
        }
    }

    pub(super) fn numbers(&self) -> Counted {
        let enough = self.present >= LEAST_FOR_DECILES && !self.numbers.many;
        let deciles = enough.then(|| deciles(&self.numbers.counts, self.present));
        Counted::Numbers(Numbers { missing: self.missing, present: self.present, deciles })
    }

    pub(super) fn texts(&self) -> Counted {
        let mut rows = Vec::new();
        let distinct = match self.texts.many {
            true => Distinct::Many,
            false => Distinct::Exactly(self.texts.counts.len() as u64),
        };
        // Only what is shown decides about order and choice, or they would tell more than the counts. A value of few
        // patients is not named: texts may be about one of them.
        let mut frequent: Vec<(u64, &Vec<u8>, u64)> = self
            .texts
            .counts
            .iter()
            .filter_map(|(text, count)| shown(*count).map(|rounded| (rounded, text, *count)))
            .collect();
        frequent.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        frequent.truncate(LISTED);
        frequent.sort_by(|a, b| a.1.cmp(b.1));
        let listed: u64 = frequent.iter().map(|(_, _, count)| count).sum();
        let all: u64 = self.texts.counts.values().sum();
        let label = |text: &[u8]| Label::Value(String::from_utf8_lossy(text).into_owned());
        rows.extend(frequent.iter().map(|(_, text, count)| (label(text), *count)));
        rows.push((Label::Other, all - listed));
        self.values(rows, Some(distinct))
    }

    pub(super) fn dates(&self) -> Counted {
        let span =
            self.months.keys().next_back().zip(self.months.keys().next()).map_or(0, |(last, first)| last - first);
        let mut periods: BTreeMap<i32, u64> = BTreeMap::new();
        let by_year = span >= MOST_MONTHS;
        for (month, count) in &self.months {
            *periods.entry(if by_year { month.div_euclid(12) } else { *month }).or_default() += count;
        }
        let label = |period: i32| match by_year {
            true => format!("{period:04}"),
            false => format!("{:04}-{:02}", period.div_euclid(12), period.rem_euclid(12) + 1),
        };
        self.values(periods.into_iter().map(|(period, count)| (Label::Value(label(period)), count)).collect(), None)
    }

    fn values(&self, mut rows: Vec<(Label, u64)>, distinct: Option<Distinct>) -> Counted {
        rows.push((Label::Missing, self.missing));
        rows.retain(|(_, count)| *count > 0);
        Counted::Values(Values { rows, distinct })
    }
}

/// The month of a date, with or without a time behind it: months since the year 0.
fn month(field: &[u8]) -> Option<i32> {
    let number = |range: std::ops::Range<usize>| {
        let digits = field.get(range)?;
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| digits.iter().fold(0, |value, digit| value * 10 + i32::from(digit - b'0')))
    };
    let dash = |at: usize| field.get(at) == Some(&b'-');
    let (year, month) = (number(0..4)?, number(5..7)?);
    let day = match field.len() {
        7 => 1,
        10 => number(8..10)?,
        // A time, of whatever precision.
        14..=40 if matches!(field.get(10), Some(b' ' | b'T')) => number(8..10)?,
        _ => return None,
    };
    let whole = dash(4) && (field.len() == 7 || dash(7));
    (whole && (1..=12).contains(&month) && (1..=31).contains(&day)).then_some(year * 12 + month - 1)
}

/// To three significant digits.
fn three_digits(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() || (number.abs() < 1000.0 && number.fract() == 0.0) {
        // A negative zero is a zero.
        return number + 0.0;
    }
    format!("{number:.2e}").parse().unwrap_or(number)
}

/// The smallest number that a tenth of all, two tenths and so on do not exceed.
fn deciles(counts: &HashMap<u64, u64, foldhash::fast::FixedState>, present: u64) -> [f64; 9] {
    let mut numbers: Vec<(f64, u64)> = counts.iter().map(|(bits, count)| (f64::from_bits(*bits), *count)).collect();
    numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
    std::array::from_fn(|tenth| {
        let needed = (u128::from(present) * (tenth as u128 + 1)).div_ceil(10);
        let mut sum = 0;
        let reached = numbers.iter().find(|(_, count)| {
            sum += u128::from(*count);
            sum >= needed
        });
        reached.map_or(f64::NAN, |(number, _)| *number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(fields: &[&str]) -> Detail {
        let (mut detail, mut budget) = (Detail::default(), Budget::default());
        fields.iter().for_each(|field| detail.see(field.as_bytes(), &mut budget));
        detail
    }

    fn rows(counted: Counted) -> Vec<(String, u64)> {
        match counted {
            Counted::Values(values) => {
                values.rows.iter().map(|(label, count)| (label.text().to_owned(), *count)).collect()
            }
            Counted::Numbers(_) => Vec::new(),
        }
    }

    #[test]
    fn values_of_few_patients_are_not_named() {
        let mut fields = vec!["B"; 9];
        fields.extend(["A"; 30]);
        fields.extend(["rare"; 7]);
        fields.extend(["", "NA"]);
        let counted = seen(&fields).of_csv(&Kind::Object);
        assert_eq!(rows(counted), [("A".into(), 30), ("B".into(), 9), ("other".into(), 7), ("NaN".into(), 2)]);
    }

    #[test]
    fn ten_values_are_listed_and_the_rest_is_added_up() {
        let texts: Vec<String> = (0..12).map(|at| format!("v{at:02}")).collect();
        let fields: Vec<&str> =
            texts.iter().enumerate().flat_map(|(at, text)| vec![text.as_str(); 10 + 10 * at]).collect();
        let counted = seen(&fields).of_csv(&Kind::Object);
        // v00 (10) and v01 (20) are the least.
        let listed = rows(counted);
        assert_eq!(listed.len(), 11);
        assert_eq!(listed.first(), Some(&("v02".to_owned(), 30)));
        assert_eq!(listed.last(), Some(&("other".to_owned(), 30)));
    }

    #[test]
    fn too_many_values_are_not_listed() {
        let texts: Vec<String> = (0..=MOST_VALUES).map(|at| format!("text {at}")).collect();
        let fields: Vec<&str> = texts.iter().map(String::as_str).chain(["", "A"]).collect();
        let Counted::Values(values) = seen(&fields).of_csv(&Kind::Object) else { panic!("values") };
        assert_eq!(values.distinct, Some(Distinct::Many));
        assert_eq!(values.rows, [(Label::Missing, 1)]);
    }

    #[test]
    fn memory_has_an_end_for_all_columns_together() {
        let mut budget = Budget(1_000);
        let (mut one, mut two) = (Detail::default(), Detail::default());
        one.see_text(&[b'x'; 500], &mut budget);
        two.see_text(&[b'y'; 500], &mut budget);
        two.see_text(b"z", &mut budget);
        assert!(!one.texts.many && two.texts.many && two.texts.counts.is_empty());
        assert_eq!(budget.0, 1_000 - 500 - ENTRY);
    }

    #[test]
    fn dates_are_counted_by_month_or_by_year() {
        let few = seen(&["2020-01-31", "2020-01-01", "2020-03", "", "2019-12-24 10:00:00"]);
        let expected = [("2019-12", 1), ("2020-01", 2), ("2020-03", 1), ("NaN", 1)];
        assert_eq!(rows(few.of_csv(&Kind::Object)), expected.map(|(label, count)| (label.to_owned(), count)));
        let exactly = seen(&["2020-01-01", "2022-12-01"]);
        assert_eq!(rows(exactly.of_csv(&Kind::Object)).first().unwrap().0, "2020-01");
        let many = seen(&["2020-01-01", "2023-01-01", "2023-12-31"]);
        let expected = [("2020", 1), ("2023", 2)];
        assert_eq!(rows(many.of_csv(&Kind::Object)), expected.map(|(label, count)| (label.to_owned(), count)));
        for no_date in ["2020-13-01", "2020-00-01", "2020-01-32", "2020/01/01", "20-01-01", "2020-01-0x", "2020-1-1"] {
            assert_eq!(month(no_date.as_bytes()), None, "{no_date}");
        }
    }

    #[test]
    fn deciles_have_three_digits_and_need_a_hundred_values() {
        let texts: Vec<String> = (1..=100).map(|number| (number * 1111).to_string()).collect();
        let fields: Vec<&str> = texts.iter().map(String::as_str).collect();
        let Counted::Numbers(numbers) = seen(&fields).of_csv(&Kind::Int(64)) else { panic!("numbers") };
        let expected = [11_100.0, 22_200.0, 33_300.0, 44_400.0, 55_600.0, 66_700.0, 77_800.0, 88_900.0, 100_000.0];
        assert_eq!(numbers.deciles, Some(expected));
        let Counted::Numbers(numbers) = seen(&fields[1..]).of_csv(&Kind::Int(64)) else { panic!("numbers") };
        assert_eq!((numbers.deciles, numbers.present), (None, 99));
    }

    #[test]
    fn numbers_keep_three_digits() {
        let rows = [
            (0.0, 0.0),
            (-0.0, 0.0),
            (999.0, 999.0),
            (1234.0, 1230.0),
            (-0.012_344, -0.0123),
            (1e300, 1e300),
            (0.5, 0.5),
        ];
        for (number, expected) in rows {
            assert_eq!(three_digits(number).to_bits(), f64::to_bits(expected), "{number}");
        }
    }
}
