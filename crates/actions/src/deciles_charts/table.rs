//! The percentiles of every date of a measure, and the table made of them (actions.md 6.3, 6.5).
//! What a chart shows comes from here, so that table and chart cannot differ.

use std::fmt::Write as _;
use std::io;

use jiff::civil::Date;

use crate::evidence::Unit;
use crate::text::float;

use super::behind::Behind;
use super::percentiles::{self, Percentile};
use super::pool::Pool;
use super::read::Measure;

/// Fewest values that a tail should hold: the policy's `quantile_tail_min_orgs` (actions.md 6.5).
const TAIL_MIN: u64 = 5;

/// A measure's percentiles over time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Deciles {
    pub(super) id: String,
    /// Ascending.
    pub(super) dates: Vec<Date>,
    /// In the order of the table.
    pub(super) percentiles: Vec<Percentile>,
    /// By date, then percentile; NaN is no value.
    values: Vec<f64>,
    /// Dates on which a percentile has too few values beyond it.
    pub(super) thin: Vec<Date>,
    /// By date, how many values there are and how many were left out, which is counted only where evidence is wanted.
    pub(super) groups: Vec<(u64, u64)>,
    /// By line of the table, the people behind the smaller of the values that it is made of; only where evidence is wanted.
    pub(super) people: Vec<Option<u64>>,
    /// What the values are about.
    pub(super) unit: Unit,
}

impl Deciles {
    /// Works out all percentiles; the measure's values are gone from the pool after it.
    pub(super) fn of(
        measure: Measure,
        percentiles: Vec<Percentile>,
        minimum: u64,
        pool: &mut Pool<'_>,
        mut behind: Option<&mut Behind>,
    ) -> io::Result<Self> {
        let smallest = percentiles.iter().map(|p| p.q.min(1.0 - p.q)).fold(0.5, f64::min);
        let mut values = Vec::with_capacity(measure.dates.len() * percentiles.len());
        let (mut thin, mut groups, mut people) = (Vec::new(), Vec::with_capacity(measure.dates.len()), Vec::new());
        for (date, group) in &measure.dates {
            let n = pool.count(*group);
            groups.push((n, measure.dropped.get(date).copied().unwrap_or(0)));
            let blank = n == 0 || n < minimum;
            #[allow(clippy::cast_precision_loss, reason = "n is at most 500 million")]
            if !blank && (n as f64) * smallest < TAIL_MIN as f64 - 1e-6 {
                thin.push(*date);
            }
            let places: Vec<(u64, f64)> = percentiles.iter().map(|p| percentiles::place(p.q, n)).collect();
            let mut ranks: Vec<u64> = places.iter().flat_map(|(low, _)| [*low, low + 1]).filter(|r| *r < n).collect();
            ranks.sort_unstable();
            ranks.dedup();
            let found = pool.take_ranks(*group, &ranks)?;
            let at =
                |rank: u64| ranks.binary_search(&rank).ok().and_then(|i| found.get(i)).copied().unwrap_or(f64::NAN);
            if let Some(behind) = &mut behind {
                let of = behind.take(*group);
                people.extend(places.iter().map(|(low, share)| {
                    let below = of.of(at(*low))?;
                    if *share == 0.0 { Some(below) } else { Some(below.min(of.of(at(low + 1))?)) }
                }));
            }
            values.extend(places.iter().map(|place| if blank { f64::NAN } else { percentiles::between(*place, at) }));
        }
        let dates = measure.dates.iter().map(|(date, _)| *date).collect();
        Ok(Self { id: measure.id, dates, percentiles, values, thin, groups, people, unit: measure.unit })
    }

    /// The values of one percentile, by its place in `percentiles`; NaN where a date has none.
    pub(super) fn series(&self, percentile: usize) -> impl Iterator<Item = (Date, f64)> {
        let width = self.percentiles.len();
        self.dates.iter().copied().zip(self.values.iter().skip(percentile).step_by(width.max(1)).copied())
    }

    /// By line of the table, whether it is blank.
    pub(super) fn blanks(&self) -> impl Iterator<Item = bool> {
        self.values.iter().map(|value| value.is_nan())
    }

    /// Whether there is any number to show.
    pub(super) fn is_empty(&self) -> bool {
        self.values.iter().all(|value| value.is_nan())
    }

    /// The largest finite value.
    pub(super) fn largest(&self) -> Option<f64> {
        self.values.iter().copied().filter(|value| value.is_finite()).reduce(f64::max)
    }

    /// Writes the table: a line for each date and percentile.
    pub(super) fn write_table(&self, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(b"date,percentile,value\n")?;
        let mut line = String::new();
        let rows = self.values.chunks(self.percentiles.len().max(1));
        for (date, values) in self.dates.iter().zip(rows) {
            for (percentile, value) in self.percentiles.iter().zip(values) {
                line.clear();
                // Writing to a String does not fail.
                let _ = writeln!(line, "{date},{},{}", percentile.label, float(*value));
                out.write_all(line.as_bytes())?;
            }
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn example(id: &str, dates: Vec<Date>, percentiles: Vec<Percentile>, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), dates.len() * percentiles.len());
        let (groups, unit) = (vec![(0, 0); dates.len()], Unit::Groups);
        Self { id: id.to_owned(), dates, percentiles, values, thin: Vec::new(), groups, people: Vec::new(), unit }
    }
}
