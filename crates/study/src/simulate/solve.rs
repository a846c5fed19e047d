//! Chooses what a patient must be like to be in the population: a satisfying assignment of the leaves of its expression.
//! Spec study-definitions.md 10.2.4. What cannot be chosen (columns against columns, sums) is left to chance and tested.

use std::collections::BTreeMap;

use super::dice::Dice;
use crate::model::{Cases, ColumnType, Comparison, Expr, Query, Scalar, Study, VariableId};

/// What the value of one variable must be.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Demand {
    /// Whether there is a value at all.
    pub(crate) present: Option<bool>,
    pub(crate) numbers: Vec<(Comparison, f64)>,
    pub(crate) texts: Vec<(Comparison, String)>,
}

/// By variable.
pub(crate) type Demands = BTreeMap<VariableId, Demand>;

impl Demand {
    /// Whether a number meets it.
    pub(crate) fn takes(&self, number: f64) -> bool {
        self.numbers.iter().all(|(comparison, with)| holds(*comparison, number.total_cmp(with)))
    }

    /// Whether a text meets it.
    pub(crate) fn takes_text(&self, text: &str) -> bool {
        let folded = text.trim_end().to_lowercase();
        self.texts.iter().all(|(comparison, with)| holds(*comparison, folded.cmp(&with.trim_end().to_lowercase())))
    }
}

fn holds(comparison: Comparison, order: std::cmp::Ordering) -> bool {
    match comparison {
        Comparison::Eq => order.is_eq(),
        Comparison::Ne => order.is_ne(),
        Comparison::Lt => order.is_lt(),
        Comparison::Le => order.is_le(),
        Comparison::Gt => order.is_gt(),
        Comparison::Ge => order.is_ge(),
    }
}

/// What the population asks of one patient; where there is a choice, the dice choose.
pub(crate) fn demands(study: &Study, dice: &mut Dice) -> Demands {
    let mut solving = Solving { study, dice, demands: Demands::new() };
    solving.value(study.population(), true);
    solving.demands
}

/// The parts that a population joins by AND, with names for people; empty when it is no expression.
pub(crate) fn conjuncts(study: &Study) -> Vec<Expr> {
    let Query::Categorised(Cases { branches, .. }) = &study[study.population()].query else { return Vec::new() };
    let Some((_, expr)) = branches.iter().find(|(key, _)| truthy(key)) else { return Vec::new() };
    let mut open = vec![expr];
    let mut parts = Vec::new();
    while let Some(expr) = open.pop() {
        match expr {
            Expr::And(left, right) => open.extend([right.as_ref(), left.as_ref()]),
            part => parts.push(part.clone()),
        }
    }
    parts
}

fn truthy(key: &Scalar) -> bool {
    match key {
        Scalar::Bool(value) => *value,
        Scalar::Int(value) => *value != 0,
        Scalar::Float(value) => *value != 0.0,
        Scalar::Str(text) => !text.is_empty(),
        Scalar::Date(_) => true,
    }
}

struct Solving<'a> {
    study: &'a Study,
    dice: &'a mut Dice,
    demands: Demands,
}

impl Solving<'_> {
    /// The variable has a value, or has none.
    fn value(&mut self, id: VariableId, wanted: bool) {
        match &self.study[id].query {
            Query::Categorised(cases) => self.category(cases, |key| truthy(key) == wanted),
            Query::Aggregate { of, .. } => match wanted {
                true => {
                    if let Some(id) = self.dice.one(of).copied() {
                        self.value(id, true);
                    }
                }
                false => of.iter().for_each(|id| self.value(*id, false)),
            },
            Query::ValueFrom { source, .. } => self.value(*source, wanted),
            _ => self.demands.entry(id).or_default().present = Some(wanted),
        }
    }

    /// The first branch with such a key, and none before it; or the default.
    fn category(&mut self, cases: &Cases, fits: impl Fn(&Scalar) -> bool) {
        let fitting: Vec<usize> = (0..cases.branches.len()).filter(|place| fits(&cases.branches[*place].0)).collect();
        let chosen = match self.dice.one(&fitting).copied() {
            // The default is easier to meet than any branch.
            _ if fits(&cases.default) => cases.branches.len(),
            Some(place) => place,
            None => return,
        };
        for (place, (key, expr)) in cases.branches.iter().enumerate() {
            match place == chosen {
                true => {
                    self.truth(expr, true);
                    return;
                }
                false if !fits(key) => self.truth(expr, false),
                false => {}
            }
        }
    }

    fn truth(&mut self, expr: &Expr, wanted: bool) {
        match expr {
            Expr::And(left, right) | Expr::Or(left, right) => {
                if matches!(expr, Expr::And(..)) == wanted {
                    self.truth(left, wanted);
                    self.truth(right, wanted);
                } else {
                    let one = if self.dice.chance(0.5) { left } else { right };
                    self.truth(one, wanted);
                }
            }
            Expr::Not(inner) => self.truth(inner, !wanted),
            Expr::Truth(inner) => {
                if let Expr::Column(id) = inner.as_ref() {
                    self.value(*id, wanted);
                }
            }
            Expr::Compare(comparison, left, right) => {
                let comparison = if wanted { *comparison } else { opposite(*comparison) };
                match (left.as_ref(), right.as_ref()) {
                    (Expr::Column(id), literal) => self.compare(*id, comparison, literal),
                    (literal, Expr::Column(id)) => self.compare(*id, mirrored(comparison), literal),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn compare(&mut self, id: VariableId, comparison: Comparison, literal: &Expr) {
        let variable = &self.study[id];
        if let Query::Categorised(cases) = &variable.query {
            let literal = literal.clone();
            return self.category(cases, |key| key_holds(key, comparison, &literal));
        }
        let demand = self.demands.entry(id).or_default();
        match (number(literal), literal) {
            (Some(number), _) => {
                let empty = matches!(variable.kind, ColumnType::Bool | ColumnType::Int | ColumnType::Float);
                let zero = empty && holds(comparison, 0.0_f64.total_cmp(&number));
                if variable.kind == ColumnType::Bool {
                    demand.present = Some(holds(comparison, 1.0_f64.total_cmp(&number)));
                } else if !zero {
                    demand.present = Some(true);
                }
                demand.numbers.push((comparison, number));
            }
            (None, Expr::Text(text)) => {
                if !holds(comparison, "".cmp(text.as_str())) {
                    demand.present = Some(true);
                } else if text.is_empty() {
                    demand.present = Some(false);
                }
                demand.texts.push((comparison, text.clone()));
            }
            _ => {}
        }
    }
}

fn number(literal: &Expr) -> Option<f64> {
    match literal {
        Expr::Int(value) => Some(*value as f64),
        Expr::Float(value) => Some(*value),
        Expr::Negate(inner) => number(inner).map(|value| -value),
        _ => None,
    }
}

fn key_holds(key: &Scalar, comparison: Comparison, literal: &Expr) -> bool {
    match (key, literal) {
        (Scalar::Str(key), Expr::Text(text)) => holds(comparison, key.to_lowercase().cmp(&text.to_lowercase())),
        (Scalar::Int(key), literal) => {
            number(literal).is_some_and(|with| holds(comparison, (*key as f64).total_cmp(&with)))
        }
        (Scalar::Float(key), literal) => number(literal).is_some_and(|with| holds(comparison, key.total_cmp(&with))),
        (Scalar::Bool(key), literal) => {
            number(literal).is_some_and(|with| holds(comparison, f64::from(u8::from(*key)).total_cmp(&with)))
        }
        _ => false,
    }
}

fn opposite(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Eq => Comparison::Ne,
        Comparison::Ne => Comparison::Eq,
        Comparison::Lt => Comparison::Ge,
        Comparison::Le => Comparison::Gt,
        Comparison::Gt => Comparison::Le,
        Comparison::Ge => Comparison::Lt,
    }
}

fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
        same => same,
    }
}
