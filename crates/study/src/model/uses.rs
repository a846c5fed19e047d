//! Which earlier variables a variable reads.
//! Spec study-definitions.md 2.2: only earlier ones, so that one pass in order is enough.

use super::{Cases, DateBase, DateExpr, Expr, Query, Variable, VariableId};

impl Variable {
    /// The variables that it reads itself: in expressions, dates, as source or input. In order of sight, with repeats.
    pub fn uses(&self) -> Vec<VariableId> {
        let mut found = Vec::new();
        let mut date = |expr: &DateExpr| {
            if let DateBase::Column(id) = expr.base {
                found.push(id);
            }
        };
        if let Some(period) = self.query.period() {
            period.from.iter().chain(&period.to).for_each(&mut date);
        }
        self.query.dates().into_iter().for_each(date);
        match &self.query {
            Query::CareHome { cases, .. } | Query::Categorised(cases) => cases.uses(&mut found),
            Query::ValueFrom { source, .. } => found.push(*source),
            Query::Aggregate { of, .. } => found.extend(of),
            _ => {}
        }
        found
    }
}

impl Cases {
    fn uses(&self, found: &mut Vec<VariableId>) {
        for (_, expr) in &self.branches {
            let mut open = vec![expr];
            while let Some(expr) = open.pop() {
                match expr {
                    Expr::Column(id) => found.push(*id),
                    Expr::CareHome(_) | Expr::Int(_) | Expr::Float(_) | Expr::Text(_) => {}
                    Expr::Negate(inner) | Expr::Truth(inner) | Expr::Not(inner) => open.push(inner),
                    Expr::Arithmetic(_, a, b) | Expr::Compare(_, a, b) | Expr::And(a, b) | Expr::Or(a, b) => {
                        open.push(b);
                        open.push(a);
                    }
                }
            }
        }
    }
}
