//! Gives every part of an expression its type, looks names up, and makes the tree that later rooms read.
//! Spec study-definitions.md 8; truth values and values are kept apart here, once and for all.

use std::ops::Range;

use super::Problem;
use super::ast::{Node, NodeKind};
use super::words::rejected_name;
use crate::model::{Arithmetic, CareHomeColumn, Expr, ExprType, VariableId};

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// An earlier column; no type where its own definition is faulty.
    Column(VariableId, Option<ExprType>),
    /// Of the address.
    CareHome(CareHomeColumn),
    /// Defined, but later.
    Later,
    /// The variable whose expression it is.
    Itself,
    /// The names nearest to it.
    Unknown(Vec<String>),
}

/// An expression as a truth value; `None` when something is wrong, which is then among `problems`, or was told before.
pub(crate) fn truth(node: &Node, look: &dyn Fn(&str) -> Lookup, problems: &mut Vec<Problem>) -> Option<Expr> {
    Typer { look, problems }.truth(node)
}

struct Typer<'t> {
    look: &'t dyn Fn(&str) -> Lookup,
    problems: &'t mut Vec<Problem>,
}

impl Typer<'_> {
    fn truth(&mut self, node: &Node) -> Option<Expr> {
        match &node.kind {
            NodeKind::And(parts) => self.chain(parts, Expr::And),
            NodeKind::Or(parts) => self.chain(parts, Expr::Or),
            NodeKind::Not(inner) => Some(Expr::Not(Box::new(self.truth(inner)?))),
            NodeKind::Compare(op, a, b) => {
                // Both sides are read before either is given up: all faults at once.
                let (a, b) = (self.value(a), self.value(b));
                Some(Expr::Compare(*op, Box::new(a?.0), Box::new(b?.0)))
            }
            NodeKind::Name(_) => Some(Expr::Truth(Box::new(self.value(node)?.0))),
            NodeKind::Int(_) | NodeKind::Float(_) => self.no_truth(node, "a number", &format!("`column = {node}`")),
            NodeKind::Text(_) => self.no_truth(node, "a text", &format!("`column = {node}`")),
            NodeKind::Negate(_) | NodeKind::Arithmetic(..) => {
                self.value(node)?;
                self.no_truth(node, "a calculated value", &format!("`{node} > 0`"))
            }
        }
    }

    fn no_truth(&mut self, node: &Node, what: &str, example: &str) -> Option<Expr> {
        let message = format!("{what} stands where a condition is expected");
        self.problems
            .push(Problem::new("SD505", node.range.clone(), message).fix(format!("compare it, such as {example}")));
        None
    }

    /// A balanced tree: the order, and with it where evaluation stops, is that of the text, and the depth stays small.
    fn chain(&mut self, parts: &[Node], make: fn(Box<Expr>, Box<Expr>) -> Expr) -> Option<Expr> {
        let all: Vec<Option<Expr>> = parts.iter().map(|part| self.truth(part)).collect();
        let mut level: Vec<Expr> = all.into_iter().collect::<Option<_>>()?;
        while level.len() > 1 {
            let mut next = Vec::with_capacity(level.len().div_ceil(2));
            let mut rest = level.into_iter();
            while let Some(a) = rest.next() {
                next.push(match rest.next() {
                    Some(b) => make(Box::new(a), Box::new(b)),
                    None => a,
                });
            }
            level = next;
        }
        level.pop()
    }

    fn value(&mut self, node: &Node) -> Option<(Expr, ExprType)> {
        match &node.kind {
            NodeKind::Int(number) => Some((Expr::Int(*number), ExprType::Int)),
            NodeKind::Float(number) => Some((Expr::Float(*number), ExprType::Float)),
            NodeKind::Text(text) => Some((Expr::Text(text.clone()), ExprType::Text { exact: false })),
            NodeKind::Name(name) => self.name(name, node.range.clone()),
            NodeKind::Negate(inner) => {
                let (expr, kind) = self.value(inner)?;
                if kind.is_text() {
                    self.no_number(inner, "a minus sign");
                    return None;
                }
                Some((Expr::Negate(Box::new(expr)), kind))
            }
            NodeKind::Arithmetic(op, a, b) => self.arithmetic(*op, a, b),
            NodeKind::And(_) | NodeKind::Or(_) | NodeKind::Not(_) | NodeKind::Compare(..) => {
                self.problems.push(
                    Problem::new("SD505", node.range.clone(), "a condition stands where a value is expected")
                        .fix("define it as a column of its own with `satisfying`, which counts as 1 or 0"),
                );
                None
            }
        }
    }

    fn arithmetic(&mut self, op: Arithmetic, a: &Node, b: &Node) -> Option<(Expr, ExprType)> {
        let (left, right) = (self.value(a), self.value(b));
        let ((left, x), (right, y)) = (left?, right?);
        let kind = op.result(x, y);
        if kind.is_none() {
            self.no_number(a, &format!("`{}`", op.symbol()));
        }
        Some((Expr::Arithmetic(op, Box::new(left), Box::new(right)), kind?))
    }

    fn no_number(&mut self, node: &Node, with: &str) {
        self.problems.push(
            Problem::new("SD505", node.range.clone(), format!("{with} needs numbers, and this is a text or a date"))
                .fix("dates are moved in periods (\"index_date - 30 days\"), not in expressions"),
        );
    }

    fn name(&mut self, name: &str, range: Range<usize>) -> Option<(Expr, ExprType)> {
        match (self.look)(name) {
            Lookup::Column(id, kind) => return Some((Expr::Column(id), kind?)),
            Lookup::CareHome(column) => return Some((Expr::CareHome(column), column.kind())),
            Lookup::Later => self.problems.push(
                Problem::new("SD501", range, format!("`{name}` is defined later than this expression"))
                    .fix(format!("move `{name}` up, before the variable that uses it")),
            ),
            Lookup::Itself => self
                .problems
                .push(Problem::new("SD501", range, format!("`{name}` uses itself")).fix("name earlier columns only")),
            Lookup::Unknown(nearest) => {
                let problem = rejected_name(name, range.clone()).unwrap_or_else(|| {
                    let problem = Problem::new("SD501", range, format!("there is no column `{name}`"));
                    match crate::fault::did_you_mean(&nearest) {
                        Some(fix) => problem.fix(fix),
                        None => problem.fix(format!(
                            "define it before, or inside the call: `{name}=patients.…`; texts are written in quotes"
                        )),
                    }
                });
                self.problems.push(problem);
            }
        }
        None
    }
}
