//! Sums over groups of patients and counts of rows, as the reference has them (warehouse.md 5.6): what an engine must give.
//! Whole numbers are exact, sums of floats the float that is nearest to the exact sum, so no order of patients matters.

mod exact;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use crate::graph::{EventCounts, Graph, GroupedSum};
use crate::reference::{Bindings, Patient, RunFault, walk};
use crate::tables::Tables;
use crate::value::Value;

use exact::Exact;

/// A sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Total {
    /// Of bools and whole numbers.
    Whole(i128),
    /// Of floats.
    Float(f64),
    /// Of floats, beyond what a float can be.
    OutOfRange,
}

/// One group of a [`GroupedSum`].
#[derive(Debug, Clone, PartialEq)]
pub struct SumRow {
    /// One for each key.
    pub keys: Vec<Value>,
    /// One for each numerator.
    pub numerators: Vec<Total>,
    /// Of the denominator.
    pub denominator: Total,
}

/// One group of [`EventCounts`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountRow {
    /// One for each key.
    pub keys: Vec<Value>,
    /// Rows, or different ones.
    pub count: u64,
}

/// What all sums and counts of a graph come to, each in the graph's order, its groups in the order of their keys.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Totals {
    /// Of each [`GroupedSum`].
    pub sums: Vec<Vec<SumRow>>,
    /// Of each [`EventCounts`].
    pub counts: Vec<Vec<CountRow>>,
}

/// Keys of a group in the order of answers: NULL first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Keys(Vec<Value>);

impl Ord for Keys {
    fn cmp(&self, other: &Self) -> Ordering {
        let pairs = self.0.iter().zip(&other.0).map(|(a, b)| a.order(b));
        pairs.fold(Ordering::Equal, Ordering::then)
    }
}

impl PartialOrd for Keys {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Both zeros are one key.
fn key(value: Value) -> Value {
    match value {
        Value::Float(number) => Value::Float(crate::value::zero(number)),
        other => other,
    }
}

#[derive(Debug, Clone, Default)]
struct Sum {
    whole: i128,
    float: Option<Exact>,
}

impl Sum {
    fn add(&mut self, value: &Value) {
        match value {
            Value::Bool(yes) => self.whole += i128::from(*yes),
            Value::Int(number) => self.whole += i128::from(*number),
            Value::Float(number) => self.float.get_or_insert_default().add(*number),
            _ => {}
        }
    }

    fn total(&self, of_floats: bool) -> Total {
        match &self.float {
            Some(sum) => sum.nearest().map_or(Total::OutOfRange, Total::Float),
            None if of_floats => Total::Float(0.0),
            None => Total::Whole(self.whole),
        }
    }
}

#[derive(Default)]
struct Sums {
    /// Numerators, then the denominator.
    groups: BTreeMap<Keys, Vec<Sum>>,
    /// Of each, whether any value was a float.
    floats: Vec<bool>,
}

impl Sums {
    fn see(&mut self, asked: &GroupedSum, patient: &mut Patient<'_>) -> Result<(), RunFault> {
        let denominator = patient.variable(&asked.name, asked.denominator)?;
        let counts = match denominator {
            Value::Bool(yes) => yes,
            Value::Int(number) => number > 0,
            Value::Float(number) => number > 0.0,
            _ => false,
        };
        if !counts {
            return Ok(());
        }
        let mut keys = Vec::with_capacity(asked.group_by.len());
        for named in &asked.group_by {
            keys.push(key(patient.variable(&named.name, named.series)?));
        }
        let mut values = Vec::with_capacity(asked.numerators.len() + 1);
        for named in &asked.numerators {
            values.push(patient.variable(&named.name, named.series)?);
        }
        values.push(denominator);
        self.floats.resize(values.len(), false);
        let sums = self.groups.entry(Keys(keys)).or_insert_with(|| vec![Sum::default(); values.len()]);
        for ((sum, value), float) in sums.iter_mut().zip(&values).zip(&mut self.floats) {
            *float |= matches!(value, Value::Float(_));
            sum.add(value);
        }
        Ok(())
    }

    fn rows(self) -> Vec<SumRow> {
        let floats = self.floats;
        let row = |(keys, sums): (Keys, Vec<Sum>)| {
            let mut totals: Vec<Total> = sums.iter().zip(&floats).map(|(sum, float)| sum.total(*float)).collect();
            let denominator = totals.pop()?;
            Some(SumRow { keys: keys.0, numerators: totals, denominator })
        };
        self.groups.into_iter().filter_map(row).collect()
    }
}

#[derive(Default)]
struct Counts(BTreeMap<Keys, u64>);

impl Counts {
    fn see(&mut self, asked: &EventCounts, patient: &mut Patient<'_>) -> Result<(), RunFault> {
        if !patient.variable(&asked.name, asked.patients)?.is_true() {
            return Ok(());
        }
        let rows = patient.rows(asked.frame)?;
        let mut seen: HashSet<(Vec<Value>, Vec<Value>)> = HashSet::new();
        for row in rows.iter() {
            let mut values = |series: &mut dyn Iterator<Item = crate::graph::Series>| -> Result<Vec<Value>, RunFault> {
                series.map(|series| patient.value(series, Some(row)).map(key)).collect()
            };
            let keys = values(&mut asked.group_by.iter().map(|named| named.series))?;
            let distinct = values(&mut asked.distinct.iter().copied())?;
            if asked.distinct.is_empty() || seen.insert((keys.clone(), distinct)) {
                *self.0.entry(Keys(keys)).or_default() += 1;
            }
        }
        Ok(())
    }

    fn rows(self) -> Vec<CountRow> {
        self.0.into_iter().map(|(keys, count)| CountRow { keys: keys.0, count }).collect()
    }
}

/// Runs the sums and counts of a graph that has no fault over tables, for one binding.
///
/// # Errors
/// As [`crate::reference::run`].
pub fn run_totals(graph: &Graph, tables: &Tables, bindings: &Bindings) -> Result<Totals, RunFault> {
    let mut sums: Vec<Sums> = graph.grouped_sums.iter().map(|_| Sums::default()).collect();
    let mut counts: Vec<Counts> = graph.event_counts.iter().map(|_| Counts::default()).collect();
    walk(graph, tables, bindings, &mut |patient| {
        for (counts, asked) in counts.iter_mut().zip(&graph.event_counts) {
            counts.see(asked, patient)?;
        }
        if graph.grouped_sums.is_empty() || !patient.variable("population", graph.dataset.population)?.is_true() {
            return Ok(());
        }
        sums.iter_mut().zip(&graph.grouped_sums).try_for_each(|(sums, asked)| sums.see(asked, patient))
    })?;
    Ok(Totals {
        sums: sums.into_iter().map(Sums::rows).collect(),
        counts: counts.into_iter().map(Counts::rows).collect(),
    })
}
