//! Lints of expressions: what is true for patients without a value, and what is calculated otherwise than it looks.
//! Spec study-definitions.md 8 and 13, SD901-SD907 and SD915.

use std::collections::HashMap;

use crate::check::expression::{Node, NodeKind, Problem};
use crate::check::scope::{Found, Scope};
use crate::model::{Arithmetic, CodedFact, ColumnType, Comparison, ExprType, Query, Variable};

/// Conditions on one name that are remembered in one AND, and categories that are compared with each other; more would
/// only be there to take time.
const MOST_SURE: usize = 8;
const MOST_BRANCHES: usize = 200;
const MOST_CONJUNCTS: usize = 50;

/// Lints of one expression of the study.
pub(crate) fn expression(node: &Node, scope: &Scope<'_>, problems: &mut Vec<Problem>) {
    Lints { scope, problems }.walk(node, None);
}

/// SD915: a category that is repeated, or that an earlier one takes away.
pub(crate) fn branches(expressions: &[Option<Node>], tell: &mut dyn FnMut(usize, usize, bool)) {
    for (later, node) in expressions.iter().enumerate().take(MOST_BRANCHES) {
        let Some(node) = node else { continue };
        let wanted = conjuncts(node);
        if wanted.len() > MOST_CONJUNCTS {
            continue;
        }
        let covering = expressions[..later].iter().position(|earlier| {
            earlier.as_ref().is_some_and(|earlier| conjuncts(earlier).iter().all(|part| wanted.contains(part)))
        });
        if let Some(earlier) = covering {
            tell(later, earlier, expressions[earlier].as_ref() == Some(node));
        }
    }
}

fn conjuncts(node: &Node) -> Vec<&Node> {
    match &node.kind {
        NodeKind::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        _ => vec![node],
    }
}

struct Lints<'l, 'a> {
    scope: &'l Scope<'a>,
    problems: &'l mut Vec<Problem>,
}

impl<'l> Lints<'l, '_> {
    /// `present`: names that something beside this part makes sure of.
    fn walk(&mut self, node: &Node, present: Option<&Frame<'_>>) {
        match &node.kind {
            NodeKind::And(parts) => {
                let mut frame = Frame { sure: HashMap::new(), part: 0, outer: present };
                for (i, part) in parts.iter().enumerate() {
                    for sure in conjuncts(part).into_iter().filter_map(assured) {
                        let known = frame.sure.entry(sure.name).or_default();
                        if known.len() < MOST_SURE {
                            known.push((i, sure));
                        }
                    }
                }
                for (i, part) in parts.iter().enumerate() {
                    frame.part = i;
                    self.walk(part, Some(&frame));
                }
            }
            NodeKind::Or(parts) => {
                for part in parts {
                    if matches!(part.kind, NodeKind::And(_)) && !part.enclosed {
                        let message = "AND and OR are mixed without parentheses: AND binds first";
                        self.tell(
                            "SD904",
                            part,
                            message,
                            format!("write `({part}) OR …`, or put parentheses around the OR"),
                        );
                    }
                    self.walk(part, present);
                }
            }
            NodeKind::Not(inner) => self.walk(inner, present),
            NodeKind::Compare(op, a, b) => {
                self.compare(node, *op, a, b, present);
                self.calculation(a);
                self.calculation(b);
            }
            _ => self.calculation(node),
        }
    }

    fn tell(&mut self, code: &'static str, node: &Node, message: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(Problem::new(code, node.range.clone(), message).fix(fix));
    }

    /// SD905.
    fn calculation(&mut self, node: &Node) {
        match &node.kind {
            NodeKind::Arithmetic(op, a, b) => {
                let whole = |kind| matches!(kind, Some(ExprType::Int));
                if *op == Arithmetic::Divide && whole(self.kind(a)) && whole(self.kind(b)) {
                    let message = "this division cuts to a whole number: 7 / 2 is 3";
                    let fix = match b.kind {
                        NodeKind::Int(number) => format!("write `{a} / {number}.0` if a fraction is meant"),
                        _ => format!("write `1.0 * {a} / {b}` if a fraction is meant"),
                    };
                    self.tell("SD905", node, message, fix);
                }
                self.calculation(a);
                self.calculation(b);
            }
            NodeKind::Negate(inner) => self.calculation(inner),
            _ => {}
        }
    }

    fn compare(&mut self, node: &Node, op: Comparison, a: &Node, b: &Node, present: Option<&Frame<'_>>) {
        let (Some(left), Some(right)) = (self.kind(a), self.kind(b)) else { return };
        if left.is_text() != right.is_text() && !is_empty(a) && !is_empty(b) {
            let (text, number) = if left.is_text() { (a, b) } else { (b, a) };
            // A number in quotes leaves no doubt: `group = '1'`.
            if matches!(&text.kind, NodeKind::Text(text) if text.trim().parse::<f64>().is_ok()) {
                return;
            }
            let message = format!("`{text}` is a text or a date and `{number}` a number: the text is read as a number");
            self.tell(
                "SD906",
                node,
                message,
                "write a number as a text in quotes, or compare with a column of numbers",
            );
            return;
        }
        match (left, right) {
            (ExprType::Date(x), ExprType::Date(y)) if x != y => {
                let message = format!(
                    "`{a}` and `{b}` have different date formats and are compared as texts, '2021' with '2021-03-01'"
                );
                self.tell("SD907", node, message, "give both the same date_format");
            }
            _ => {}
        }
        if left.is_text() && right.is_text() {
            self.texts(node, op, a, b, present);
        } else if !left.is_text() && !right.is_text() {
            self.numbers(node, op, a, b, present);
        }
    }

    /// SD901: a missing number is 0 (-1 for IMD), which is below most bounds.
    fn numbers(&mut self, node: &Node, op: Comparison, a: &Node, b: &Node, present: Option<&Frame<'_>>) {
        // `45 > x` is `x < 45`.
        let (op, a, b) = match (self.optional(a, present), self.optional(b, present), op) {
            (Some(_), _, Comparison::Lt | Comparison::Le | Comparison::Eq) => (op, a, b),
            (_, Some(_), Comparison::Gt) => (Comparison::Lt, b, a),
            (_, Some(_), Comparison::Ge) => (Comparison::Le, b, a),
            (_, Some(_), Comparison::Eq) => (op, b, a),
            _ => return,
        };
        let Some(variable) = self.optional(a, present) else { return };
        let empty = empty(variable);
        let holds = match (op, literal(b)) {
            (Comparison::Lt, Some(bound)) => empty < bound,
            (Comparison::Le, Some(bound)) => empty <= bound,
            (Comparison::Eq, Some(bound)) => empty == bound,
            (Comparison::Eq, None) => false,
            _ => true,
        };
        if holds {
            let name = &variable.name;
            let guard = if empty < 0.0 { format!("{name} >= 0") } else { format!("{name} > 0") };
            let message = format!("this is also true for patients without `{name}`, who count as {empty}");
            let fix = if op == Comparison::Eq {
                format!("0 stands for a missing value too; `{guard}` tells who has one")
            } else {
                format!("write `{guard} AND {node}` if they should not count")
            };
            self.tell("SD901", node, message, fix);
        }
    }

    /// SD902 and SD903: '' is before every date and equal to ''.
    fn texts(&mut self, node: &Node, op: Comparison, a: &Node, b: &Node, present: Option<&Frame<'_>>) {
        if is_empty(a) || is_empty(b) {
            return;
        }
        let dates = [a, b].iter().any(|side| matches!(self.kind(side), Some(ExprType::Date(_))));
        let (x, y) = (self.optional(a, present), self.optional(b, present));
        let doubtful: Vec<&str> = match op {
            Comparison::Lt | Comparison::Le if dates => x.into_iter().map(|v| v.name.as_str()).collect(),
            Comparison::Gt | Comparison::Ge if dates => y.into_iter().map(|v| v.name.as_str()).collect(),
            Comparison::Eq => match (x, y) {
                (Some(x), Some(y)) => vec![x.name.as_str(), y.name.as_str()],
                _ => return,
            },
            Comparison::Ne if dates => x.into_iter().chain(y).map(|v| v.name.as_str()).collect(),
            _ => return,
        };
        if doubtful.is_empty() {
            return;
        }
        let fix = format!("write `{} AND {node}` if they should not count", doubtful.join(" AND "));
        if dates {
            let who = doubtful.join("` or `");
            let both = if op == Comparison::Eq { "both are missing" } else { &format!("`{who}` is missing") };
            self.tell("SD902", node, format!("this is also true where {both}"), fix);
        } else {
            self.tell("SD903", node, "this is also true where both texts are empty", fix);
        }
    }

    fn variable(&self, node: &Node) -> Option<&'l Variable> {
        let NodeKind::Name(name) = &node.kind else { return None };
        let scope = self.scope;
        match scope.find(name) {
            Found::Earlier(id, true) => Some(scope.variable(id)),
            _ => None,
        }
    }

    /// The variable of a name that may be missing and that nothing beside makes sure of.
    fn optional(&self, node: &Node, present: Option<&Frame<'_>>) -> Option<&'l Variable> {
        let variable = self.variable(node)?;
        let excluded = || present.is_some_and(|frame| frame.excludes(&variable.name, empty(variable)));
        (may_be_missing(variable) && !excluded()).then_some(variable)
    }

    fn kind(&self, node: &Node) -> Option<ExprType> {
        Some(match &node.kind {
            NodeKind::Int(_) => ExprType::Int,
            NodeKind::Float(_) => ExprType::Float,
            NodeKind::Text(_) => ExprType::Text { exact: false },
            NodeKind::Name(_) => self.variable(node)?.expr_type(),
            NodeKind::Negate(inner) => self.kind(inner)?,
            NodeKind::Arithmetic(op, a, b) => op.result(self.kind(a)?, self.kind(b)?)?,
            _ => return None,
        })
    }
}

/// Whether a patient without data looks like one with the empty value; flags, counts and ages do not count.
fn may_be_missing(variable: &Variable) -> bool {
    match (&variable.query, variable.kind) {
        (Query::Fixed(_) | Query::Categorised(_) | Query::DateOfBirth | Query::Sex | Query::AgeAsOf(_), _) => false,
        (_, ColumnType::Bool) => false,
        (Query::ClinicalEvents(rows) | Query::Medications(rows), ColumnType::Int) => {
            !matches!(rows.returning, CodedFact::NumberOfMatches | CodedFact::NumberOfEpisodes { .. })
        }
        (Query::Address { .. } | Query::Practice { .. } | Query::Household(_), ColumnType::Int) => true,
        (Query::ValueFromFile { .. } | Query::Ukrr { .. } | Query::Isaric { .. } | Query::Aggregate { .. }, _) => true,
        // Every other whole number is a count, for which 0 means none.
        (_, ColumnType::Int) => false,
        _ => true,
    }
}

/// What stands for a missing number.
const fn empty(variable: &Variable) -> f64 {
    if matches!(variable.kind, ColumnType::IntCategory { missing: -1 }) { -1.0 } else { 0.0 }
}

/// What the other parts of an AND, and of those around it, make sure of.
struct Frame<'n> {
    sure: HashMap<&'n str, Vec<(usize, Sure<'n>)>>,
    /// The part that is being looked at: a condition does not make sure of itself.
    part: usize,
    outer: Option<&'n Frame<'n>>,
}

impl Frame<'_> {
    fn excludes(&self, name: &str, empty: f64) -> bool {
        let known = self.sure.get(name).into_iter().flatten();
        let mut beside = known.filter(|(part, _)| *part != self.part);
        beside.any(|(_, sure)| sure.excludes(empty)) || self.outer.is_some_and(|outer| outer.excludes(name, empty))
    }
}

/// A condition on one name that stands beside another one.
#[derive(Clone, Copy)]
struct Sure<'n> {
    name: &'n str,
    /// None: by itself, or compared with a text.
    bound: Option<(Comparison, f64)>,
}

impl Sure<'_> {
    /// Whether it is not true for the empty value.
    fn excludes(&self, empty: f64) -> bool {
        self.bound.is_none_or(|(op, bound)| match op {
            Comparison::Gt => empty <= bound,
            Comparison::Ge => empty < bound,
            Comparison::Lt => empty >= bound,
            Comparison::Le => empty > bound,
            Comparison::Eq => empty != bound,
            Comparison::Ne => empty == bound,
        })
    }
}

/// What a condition makes sure of.
fn assured(node: &Node) -> Option<Sure<'_>> {
    match &node.kind {
        NodeKind::Name(name) => Some(Sure { name, bound: None }),
        NodeKind::Compare(op, a, b) => {
            let (name, op, other) = match (&a.kind, &b.kind) {
                (NodeKind::Name(name), _) => (name, *op, b),
                (_, NodeKind::Name(name)) => (name, turned(*op), a),
                _ => return None,
            };
            if let Some(bound) = literal(other) {
                return Some(Sure { name, bound: Some((op, bound)) });
            }
            let sure = match op {
                Comparison::Gt => matches!(other.kind, NodeKind::Text(_)),
                Comparison::Ge | Comparison::Eq => is_text(other),
                Comparison::Ne => is_empty(other),
                Comparison::Lt | Comparison::Le => false,
            };
            sure.then_some(Sure { name, bound: None })
        }
        _ => None,
    }
}

const fn turned(op: Comparison) -> Comparison {
    match op {
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
        same => same,
    }
}

fn literal(node: &Node) -> Option<f64> {
    match &node.kind {
        NodeKind::Int(number) => Some(*number as f64),
        NodeKind::Float(number) => Some(*number),
        NodeKind::Negate(inner) => literal(inner).map(|number| -number),
        _ => None,
    }
}

fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Text(text) if text.trim().is_empty())
}

fn is_text(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Text(_)) && !is_empty(node)
}
