//! Aggregates: one value from the rows of a patient (warehouse.md 5.2, 5.4).
//! NULL is ignored; nothing left is NULL for min, max, sum and mean, 0 for counts.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashSet};

use super::patient::{Found, Patient};
use super::truth::plain;
use crate::graph::{Aggregate, Frame, NodeId, Op, Series, Tie};
use crate::run_code::RunCode;
use crate::value::Value;

impl<'a> Patient<'a> {
    pub(super) fn aggregate(&mut self, node: NodeId, op: &Op) -> Found<Value> {
        match op {
            Op::Aggregate { function, of } => {
                let values = self.known(*of)?;
                match function {
                    Aggregate::CountDistinct => {
                        let distinct: HashSet<Value> = values.into_iter().map(plain).collect();
                        Ok(count(distinct.len()))
                    }
                    Aggregate::Min => {
                        Ok(values.into_iter().reduce(|a, b| if b.order(&a).is_lt() { b } else { a }).into())
                    }
                    Aggregate::Max => {
                        Ok(values.into_iter().reduce(|a, b| if b.order(&a).is_gt() { b } else { a }).into())
                    }
                    Aggregate::Sum => self.sum(node, &values),
                    Aggregate::Mean => self.mean(node, &values),
                    // a set is looked in, never delivered
                    Aggregate::Set => self.unsound(node),
                }
            }
            Op::OneValue { of } => {
                let mut values = self.known(*of)?;
                if values.iter().any(|value| value.order(&values[0]).is_ne()) {
                    return self.stop(RunCode::D510, node, "a patient has different values where one is expected");
                }
                Ok(values.pop().into())
            }
            Op::CountEpisodes { of, days } => {
                let mut values = self.known(*of)?;
                values.sort_by(Value::order);
                let mut episodes = 0;
                let mut before = None;
                for value in values {
                    let Value::Date(day) = value else { return self.unsound(node) };
                    let gap = before.map(|before| super::dates::days_between(day, before));
                    if gap.is_none_or(|gap| gap > i64::from(*days)) {
                        episodes += 1;
                    }
                    before = Some(day);
                }
                Ok(count(episodes))
            }
            Op::MostFrequent { of, tie } => {
                let mut counts: HashMap<Value, usize> = HashMap::default();
                for value in self.known(*of)? {
                    *counts.entry(plain(value)).or_default() += 1;
                }
                let best = counts.into_iter().max_by(|(a, of_a), (b, of_b)| {
                    of_a.cmp(of_b).then_with(|| match tie {
                        Tie::Greatest => a.order(b),
                        Tie::Least => b.order(a),
                    })
                });
                Ok(best.map(|(value, _)| value).into())
            }
            Op::SumOfGroupMax { group, of } => self.sum_of_group_max(node, *group, *of),
            _ => self.unsound(node),
        }
    }

    fn sum_of_group_max(&mut self, node: NodeId, group: Series, of: Series) -> Found<Value> {
        let mut greatest: HashMap<Value, Value> = HashMap::default();
        // groups add up in order of first sight, so that a float sum has one value
        let mut order: BTreeMap<usize, Value> = BTreeMap::new();
        for (at, row) in self.rows_of(of)?.iter().enumerate() {
            let value = self.value(of, Some(row))?;
            let key = plain(self.value(group, Some(row))?);
            if value.is_null() {
                continue;
            }
            match greatest.get_mut(&key) {
                Some(known) if value.order(known).is_gt() => *known = value,
                Some(_) => {}
                None => {
                    order.insert(at, key.clone());
                    greatest.insert(key, value);
                }
            }
        }
        let values: Vec<Value> = order.values().filter_map(|key| greatest.get(key).cloned()).collect();
        self.sum(node, &values)
    }

    /// The rows that a series has values for.
    fn rows_of(&mut self, of: Series) -> Found<super::patient::Held<'a>> {
        let lineage = self.prepared.facts.get(of.0.0 as usize).and_then(|f| f.lineage);
        match lineage {
            Some(lineage) => self.rows(Frame(lineage)),
            None => self.unsound(of.0),
        }
    }

    /// Values of all rows that are not NULL, in row order.
    pub(super) fn known(&mut self, of: Series) -> Found<Vec<Value>> {
        let mut values = Vec::new();
        for row in self.rows_of(of)?.iter() {
            let value = self.value(of, Some(row))?;
            if !value.is_null() {
                values.push(value);
            }
        }
        Ok(values)
    }

    fn sum(&mut self, node: NodeId, values: &[Value]) -> Found<Value> {
        match values.first() {
            None => Ok(Value::Null),
            Some(Value::Int(_)) => {
                let mut sum = 0_i128;
                for value in values {
                    let Value::Int(value) = value else { return self.unsound(node) };
                    sum += i128::from(*value);
                }
                Ok(match i64::try_from(sum) {
                    Ok(sum) => Value::Int(sum),
                    Err(_) => self.doubt(node),
                })
            }
            Some(_) => {
                let sum = self.float_sum(node, values)?;
                Ok(self.finite(node, sum))
            }
        }
    }

    fn mean(&mut self, node: NodeId, values: &[Value]) -> Found<Value> {
        if values.is_empty() {
            return Ok(Value::Null);
        }
        let sum = self.float_sum(node, values)?;
        #[allow(clippy::cast_precision_loss, reason = "no patient has 2^53 rows")]
        let mean = sum / values.len() as f64;
        Ok(self.finite(node, mean))
    }

    /// Floats in row order; ints exactly, rounded once.
    #[allow(clippy::cast_precision_loss, reason = "the rounding that a mean has")]
    fn float_sum(&self, node: NodeId, values: &[Value]) -> Found<f64> {
        let (mut whole, mut sum) = (0_i128, 0.0);
        for value in values {
            match value {
                Value::Int(value) => whole += i128::from(*value),
                Value::Float(value) => sum += *value,
                _ => return self.unsound(node),
            }
        }
        Ok(if whole == 0 { sum } else { whole as f64 })
    }
}

fn count(number: usize) -> Value {
    i64::try_from(number).map_or(Value::Null, Value::Int)
}

impl From<Option<Value>> for Value {
    fn from(value: Option<Value>) -> Self {
        value.unwrap_or(Value::Null)
    }
}
