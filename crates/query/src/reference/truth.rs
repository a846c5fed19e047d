//! Truth: comparisons, three-valued logic, membership, choice (warehouse.md 5.2, collations of 5.3).
//! Conditions are read from the left and no further than needed.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

use foldhash::HashSet;

use super::frames::Row;
use super::patient::{Found, Patient, Set};
use super::text::fold;
use crate::graph::{Aggregate, Collation, Comparison, Extreme, NodeId, Op, Series};
use crate::value::{Value, zero};

impl<'a> Patient<'a> {
    pub(super) fn truth(&mut self, node: NodeId, op: &Op, row: Option<&Rc<Row<'a>>>) -> Found<Value> {
        match op {
            Op::Compare { comparison, left, right, collation } => {
                let (left, right) = (self.value(*left, row)?, self.value(*right, row)?);
                if left.is_null() || right.is_null() {
                    return Ok(Value::Null);
                }
                if left.kind() != right.kind() {
                    return self.unsound(node);
                }
                let order = compare(&left, &right, *collation);
                Ok(Value::Bool(match comparison {
                    Comparison::Eq => order.is_eq(),
                    Comparison::Ne => order.is_ne(),
                    Comparison::Lt => order.is_lt(),
                    Comparison::Le => order.is_le(),
                    Comparison::Gt => order.is_gt(),
                    Comparison::Ge => order.is_ge(),
                }))
            }
            Op::And { of } => self.until(node, of, false, row),
            Op::Or { of } => self.until(node, of, true, row),
            Op::Not { of } => match self.value(*of, row)? {
                Value::Null => Ok(Value::Null),
                Value::Bool(value) => Ok(Value::Bool(!value)),
                _ => self.unsound(node),
            },
            Op::IsNull { of } => Ok(Value::Bool(self.value(*of, row)?.is_null())),
            Op::In { left, right, collation } => {
                let set = self.set(*right, *collation)?;
                let left = self.value(*left, row)?;
                Ok(if set.is_empty() {
                    Value::Bool(false)
                } else if left.is_null() {
                    Value::Null
                } else {
                    Value::Bool(set.contains(&member(left, *collation)))
                })
            }
            Op::Case { cases, default } => {
                for case in cases {
                    if self.value(case.when, row)?.is_true() {
                        return self.value(case.then, row);
                    }
                }
                match default {
                    Some(default) => self.value(*default, row),
                    None => Ok(Value::Null),
                }
            }
            Op::Coalesce { of } => {
                for series in of {
                    let value = self.value(*series, row)?;
                    if !value.is_null() {
                        return Ok(value);
                    }
                }
                Ok(Value::Null)
            }
            Op::Extreme { function, of, collation } => {
                let mut best = Value::Null;
                for series in of {
                    let value = self.value(*series, row)?;
                    if value.is_null() {
                        continue;
                    }
                    let order = compare(&value, &best, *collation);
                    let better = match function {
                        Extreme::MinOf => order.is_lt(),
                        Extreme::MaxOf => order.is_gt(),
                    };
                    if best.is_null() || better {
                        best = value;
                    }
                }
                Ok(best)
            }
            _ => self.unsound(node),
        }
    }

    /// `and` ends at the first FALSE, `or` at the first TRUE; else NULL if any was NULL.
    fn until(&mut self, node: NodeId, of: &[Series], end: bool, row: Option<&Rc<Row<'a>>>) -> Found<Value> {
        let mut null = false;
        for series in of {
            match self.value(*series, row)? {
                Value::Bool(value) if value == end => return Ok(Value::Bool(end)),
                Value::Bool(_) => {}
                Value::Null => null = true,
                _ => return self.unsound(node),
            }
        }
        Ok(if null { Value::Null } else { Value::Bool(!end) })
    }

    /// The right side of `in`, each member in the form in which it is looked for.
    pub(super) fn set(&mut self, set: Series, collation: Collation) -> Found<Set> {
        let node = set.0;
        let key = (node, collation);
        if let Some(known) = self.constants.get(&key).or_else(|| self.sets.get(&key)) {
            return Ok(Rc::clone(known));
        }
        let graph = self.prepared.graph;
        let constant: Vec<Value> = match graph.op(node) {
            Some(Op::Values { values, .. }) => values.clone(),
            Some(Op::Codelist { codelist }) => match graph.codelists.get(codelist) {
                Some(list) => list.items.iter().map(Value::text).collect(),
                None => return self.unsound(node),
            },
            Some(Op::Aggregate { function: Aggregate::Set, of }) => {
                let members: HashSet<Value> =
                    self.known(*of)?.into_iter().map(|value| member(value, collation)).collect();
                let members = Rc::new(members);
                self.sets.insert(key, Rc::clone(&members));
                return Ok(members);
            }
            _ => return self.unsound(node),
        };
        let members: Set = Rc::new(constant.into_iter().map(|value| member(value, collation)).collect());
        self.constants.insert(key, Rc::clone(&members));
        Ok(members)
    }
}

/// Order of two values of one type, neither NULL; text as the collation says.
pub(super) fn compare(left: &Value, right: &Value, collation: Collation) -> Ordering {
    match (left, right, collation) {
        (Value::Str(left), Value::Str(right), Collation::Ci) => folded(left).cmp(&folded(right)),
        _ => left.order(right),
    }
}

/// The form in which equal values are one.
pub(super) fn member(value: Value, collation: Collation) -> Value {
    match (value, collation) {
        (Value::Str(text), Collation::Ci) => match folded(&text) {
            same if *same == *text => Value::Str(text),
            folded => Value::text(folded),
        },
        (value, _) => plain(value),
    }
}

/// Without case and trailing blanks.
fn folded(text: &str) -> Cow<'_, str> {
    fold(text.trim_end_matches(' '))
}

/// -0.0 as 0.0: both are one value wherever values are counted or matched.
pub(super) fn plain(value: Value) -> Value {
    match value {
        Value::Float(number) => Value::Float(zero(number)),
        value => value,
    }
}
