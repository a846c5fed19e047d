//! Categories and their expressions: keys of one type, exactly one default, every expression read and typed.
//! Spec study-definitions.md 2.8 and 8; faults SD501-SD506.

use cohorts::DatePrecision;

use super::call::Call;
use super::expression::{Lookup, Node, Problem, parse, truth};
use super::scope::{Found, Scope};
use super::shown;
use crate::fault::Fault;
use crate::model::dates::iso_day;
use crate::model::{CareHomeColumn, Cases, ColumnType, Expr, Scalar};
use crate::recording::Value;

/// Faults and lints that are told of one expression.
const MOST_PROBLEMS: usize = 100;

impl Call<'_, '_> {
    /// The cases of a dictionary; care homes know their own three names only.
    pub(super) fn cases(&mut self, argument: &str, value: &Value, care_home: bool) -> Option<(Cases, ColumnType)> {
        let Value::Map(entries) = value else {
            let message = format!("{} is no dictionary of categories", shown(value));
            self.fault(
                Fault::new("SD504", message)
                    .argument(argument)
                    .fix("write {\"category\": \"expression\", …, \"other\": \"DEFAULT\"}"),
            );
            return None;
        };
        let keys: Vec<&Value> = entries.iter().map(|(key, _)| key).collect();
        let kind = self.key_type(argument, &keys);
        let defaults: Vec<&Value> = entries.iter().filter(|(_, value)| is_default(value)).map(|(key, _)| key).collect();
        if defaults.len() != 1 {
            let message = match defaults.len() {
                0 => "no category is the DEFAULT".to_owned(),
                n => format!("{n} categories are the DEFAULT"),
            };
            self.fault(
                Fault::new("SD504", message).argument(argument).fix(
                    "write \"DEFAULT\" for exactly one category: that of everybody for whom no expression is true",
                ),
            );
        }
        let mut branches = Some(Vec::new());
        let mut nodes = Vec::new();
        for (key, value) in entries.iter().filter(|(_, value)| !is_default(value)) {
            let (expr, node) = self.expression(argument, value, care_home);
            nodes.push(node);
            let branch = kind.and_then(|kind| scalar(key, kind)).zip(expr);
            branches = branches.zip(branch).map(|(mut all, one)| {
                all.push(one);
                all
            });
        }
        self.unreachable(argument, entries, &nodes);
        let kind = kind?;
        let default = defaults.first().filter(|_| defaults.len() == 1).and_then(|key| scalar(key, kind))?;
        Some((Cases { branches: branches?, default }, kind))
    }

    fn key_type(&mut self, argument: &str, keys: &[&Value]) -> Option<ColumnType> {
        let kind = match keys.first() {
            _ if keys.iter().any(|key| matches!(key, Value::Bool(_))) => Err("True and False cannot be categories"),
            Some(Value::Int(_)) if keys.iter().all(|key| matches!(key, Value::Int(_))) => {
                let both = [0, 1].iter().all(|n| keys.contains(&&Value::Int(*n)));
                Ok(if both && keys.len() == 2 { ColumnType::Bool } else { ColumnType::Int })
            }
            Some(Value::Float(_)) if keys.iter().all(|key| matches!(key, Value::Float(x) if x.is_finite())) => {
                Ok(ColumnType::Float)
            }
            Some(Value::Str(_)) if keys.iter().all(|key| matches!(key, Value::Str(_))) => {
                let dates = keys.iter().all(|key| matches!(key, Value::Str(text) if iso_day(text).is_some()));
                Ok(if dates { ColumnType::Date(DatePrecision::Day) } else { ColumnType::Str })
            }
            None => return None,
            Some(Value::Int(_) | Value::Float(_) | Value::Str(_)) => Err("the categories are of different types"),
            Some(_) => Err("categories are texts, whole numbers or numbers"),
        };
        let message = match kind {
            Ok(kind) => return Some(kind),
            Err(message) => message,
        };
        let found: Vec<String> = keys.iter().take(5).map(|key| shown(key)).collect();
        let fix = if message.starts_with("True") {
            "write 1 and 0"
        } else {
            "write all of them as texts, or all as whole numbers"
        };
        self.fault(Fault::new("SD506", format!("{message}: {}", found.join(", "))).argument(argument).fix(fix));
        None
    }

    /// SD915.
    fn unreachable(&mut self, argument: &str, entries: &[(Value, Value)], nodes: &[Option<Node>]) {
        let written: Vec<&(Value, Value)> = entries.iter().filter(|(_, value)| !is_default(value)).collect();
        let mut found = Vec::new();
        crate::lint::branches(nodes, &mut |later, earlier, same| {
            let (Some((key, Value::Str(text))), Some((first, _))) = (written.get(later), written.get(earlier)) else {
                return;
            };
            let why = if same { "has the same condition" } else { "is true wherever this one is" };
            let message =
                format!("the category {} is never reached: {} comes before and {why}", shown(key), shown(first));
            found.push(Fault::new("SD915", message).argument(argument).part(text, 0..text.len()));
        });
        for fault in found {
            self.fault(fault.fix("change one of the conditions, or their order"));
        }
    }

    fn expression(&mut self, argument: &str, value: &Value, care_home: bool) -> (Option<Expr>, Option<Node>) {
        let Value::Str(text) = value else {
            let message = format!("{} is no expression", shown(value));
            self.fault(Fault::new("SD503", message).argument(argument).fix("write the condition in quotes"));
            return (None, None);
        };
        let mut problems: Vec<Problem> = Vec::new();
        let found = match parse(text) {
            Ok(node) => {
                let scope = &*self.scope;
                let own = self.variable.name.as_str();
                let look = |name: &str| if care_home { of_address(name) } else { of_study(scope, own, name) };
                let found = truth(&node, &look, &mut problems);
                if !care_home {
                    crate::lint::expression(&node, scope, &mut problems);
                }
                (found, Some(node))
            }
            Err(problem) => {
                problems.push(problem);
                (None, None)
            }
        };
        for problem in problems.into_iter().take(MOST_PROBLEMS) {
            let fault = Fault::new(problem.code, problem.message).argument(argument).part(text, problem.range);
            self.fault(fault.maybe(problem.fix));
        }
        found
    }
}

fn is_default(value: &Value) -> bool {
    matches!(value, Value::Str(text) if text == "DEFAULT")
}

fn scalar(key: &Value, kind: ColumnType) -> Option<Scalar> {
    Some(match (key, kind) {
        (Value::Int(number), ColumnType::Bool) => Scalar::Bool(*number == 1),
        (Value::Int(number), _) => Scalar::Int(*number),
        (Value::Float(number), _) => Scalar::Float(*number),
        (Value::Str(text), ColumnType::Date(_)) => Scalar::Date(iso_day(text)?),
        (Value::Str(text), _) => Scalar::Str(text.clone()),
        _ => return None,
    })
}

fn of_address(name: &str) -> Lookup {
    let known = [
        ("IsPotentialCareHome", CareHomeColumn::IsPotentialCareHome),
        ("LocationRequiresNursing", CareHomeColumn::LocationRequiresNursing),
        ("LocationDoesNotRequireNursing", CareHomeColumn::LocationDoesNotRequireNursing),
    ];
    match known.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        Some((_, column)) => Lookup::CareHome(*column),
        None => {
            let near = pipeline::nearest(name, known.iter().map(|(name, _)| *name));
            let all = || known.iter().map(|(name, _)| (*name).to_owned()).collect();
            Lookup::Unknown(if near.is_empty() { all() } else { near })
        }
    }
}

fn of_study(scope: &Scope<'_>, own: &str, name: &str) -> Lookup {
    match scope.find(name) {
        Found::Earlier(id, sound) => Lookup::Column(id, sound.then(|| scope.variable(id).expr_type())),
        Found::Later if name == own => Lookup::Unknown(Vec::new()),
        Found::Later => Lookup::Later,
        Found::Unknown => Lookup::Unknown(scope.nearest(name)),
    }
}
