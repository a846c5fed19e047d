//! SD620: why simulated patients are not in the population, part by part of its expression.
//! Spec study-definitions.md 10.2.4.

use jiff::civil::Date;
use query::reference::Value;

use super::solve::conjuncts;
use super::store::Store;
use super::{SimulateError, ValueFiles, answer, with_files, without_columns};
use crate::Flavour;
use crate::fault::{Fault, Kind, Severity};
use crate::lower::lower;
use crate::model::{Arithmetic, Cases, ColumnType, Comparison, Expr, Query, Scalar, Study, Variable};
use crate::recording::Recording;

/// Names the parts that fail for the patients that are outside, with counts.
pub(super) fn lint(
    study: &Study,
    recording: &Recording,
    (inside, wanted, made): (u64, u64, u64),
    missed: Store,
    files: &ValueFiles,
    index_date: Option<Date>,
) -> Result<Fault, SimulateError> {
    let parts = conjuncts(study);
    let mut asking = without_columns(study);
    let population = &study[study.population()];
    asking.variables.pop();
    for (place, part) in parts.iter().enumerate() {
        let cases = Cases { branches: vec![(Scalar::Int(1), part.clone())], default: Scalar::Int(0) };
        let (name, query) = (format!("part {place}"), Query::Categorised(cases));
        asking.variables.push(Variable { name, query, hidden: false, kind: ColumnType::Bool, ..population.clone() });
    }
    asking.variables.push(Variable { query: Query::AllPatients, kind: ColumnType::Bool, ..population.clone() });
    let graph = lower(&asking, recording, Flavour::Tpp)?;
    let tables = with_files(missed, files);
    let found = answer(&graph, &tables, index_date)?;
    let fails =
        |place: usize| found.rows.iter().filter(|row| row.values.get(place) != Some(&Value::Bool(true))).count();
    let mut reasons: Vec<(usize, String)> =
        parts.iter().enumerate().map(|(place, part)| (fails(place), words(part, study))).collect();
    reasons.retain(|(count, _)| *count > 0);
    reasons.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let reasons: Vec<String> = reasons.iter().map(|(count, part)| format!("`{part}` fails for {count}")).collect();
    let because = match reasons.is_empty() {
        true => format!("{} gives none of them", population.called),
        false => format!("of {} patients outside {}", found.rows.len(), reasons.join(", ")),
    };
    let fix = "let the expectations of the named variables agree with each other and with their periods";
    Ok(Fault {
        code: "SD620",
        severity: Severity::Lint,
        kind: Kind::ValueError,
        message: format!(
            "{inside} of {wanted} simulated patients are in the population after {made} candidates: {because}"
        ),
        variable: Some(population.name.clone()),
        argument: None,
        src: Some(population.src),
        via: population.via.clone(),
        part: None,
        excerpt: None,
        fix: Some(fix.to_owned()),
        other: None,
    })
}

/// An expression as studies write it.
fn words(expr: &Expr, study: &Study) -> String {
    let of = |expr: &Expr| words(expr, study);
    match expr {
        Expr::Column(id) => study[*id].name.clone(),
        Expr::CareHome(column) => format!("{column:?}"),
        Expr::Int(value) => value.to_string(),
        Expr::Float(value) => format!("{value:?}"),
        Expr::Text(text) => format!("\"{text}\""),
        Expr::Negate(inner) => format!("-{}", of(inner)),
        Expr::Arithmetic(operator, left, right) => {
            let sign = match operator {
                Arithmetic::Add => "+",
                Arithmetic::Subtract => "-",
                Arithmetic::Multiply => "*",
                Arithmetic::Divide => "/",
            };
            format!("({} {sign} {})", of(left), of(right))
        }
        Expr::Compare(comparison, left, right) => {
            let sign = match comparison {
                Comparison::Eq => "=",
                Comparison::Ne => "!=",
                Comparison::Lt => "<",
                Comparison::Le => "<=",
                Comparison::Gt => ">",
                Comparison::Ge => ">=",
            };
            format!("{} {sign} {}", of(left), of(right))
        }
        Expr::Truth(inner) => of(inner),
        Expr::Not(inner) => format!("NOT {}", of(inner)),
        Expr::And(left, right) => format!("({} AND {})", of(left), of(right)),
        Expr::Or(left, right) => format!("({} OR {})", of(left), of(right)),
    }
}
