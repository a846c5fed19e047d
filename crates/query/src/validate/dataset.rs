//! Rules of what is delivered: the population is a truth per patient, variables are one value per patient.
//! Names are there once.

use std::collections::HashSet;

use super::fault::{Code, Problem};
use super::shape::Shapes;
use crate::graph::{Graph, NodeId, Series};
use crate::value::Type;

pub(super) fn check(graph: &Graph, shapes: &Shapes<'_>, found: &mut Vec<(Option<NodeId>, Problem)>) {
    let population = graph.dataset.population;
    let mut problems = Vec::new();
    if let Some(kind) = per_patient(population, "population", shapes, &mut problems)
        && kind != Type::Bool
    {
        problems.push(Problem::new(Code::D306, "population", format!("the population is {kind}, bool is wanted")));
    }
    found.extend(named(problems, "population", population));
    let mut names = HashSet::new();
    for variable in &graph.dataset.variables {
        let mut problems = Vec::new();
        once(&variable.name, "variables", &mut names, &mut problems);
        if per_patient(variable.series, "variables", shapes, &mut problems) == Some(Type::DateTime) {
            problems.push(no_time("variables", &variable.name));
        }
        found.extend(named(problems, &variable.name, variable.series));
    }
}

/// A name that is there, and no second time.
pub(super) fn once<'a>(
    name: &'a str,
    argument: &'static str,
    names: &mut HashSet<&'a str>,
    problems: &mut Vec<Problem>,
) {
    if name.is_empty() || !names.insert(name) {
        problems.push(Problem::new(Code::D304, argument, format!("the name {name:?} stands twice")));
    }
}

pub(super) fn no_time(argument: &'static str, name: &str) -> Problem {
    Problem::new(Code::D306, argument, format!("{name} is a time: take its day"))
}

pub(super) fn named(
    problems: Vec<Problem>,
    name: &str,
    series: Series,
) -> impl Iterator<Item = (Option<NodeId>, Problem)> {
    let variable = Some(name.to_owned());
    problems.into_iter().map(move |problem| (Some(series.0), Problem { variable: variable.clone(), ..problem }))
}

pub(super) fn per_patient(
    series: Series,
    argument: &'static str,
    shapes: &Shapes<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Type> {
    let shape = shapes.need_series(series, argument, problems)?;
    if let Some(lineage) = shape.lineage {
        let message = format!("one value per row of {}, not per patient", shapes.label(lineage));
        problems.push(Problem::new(Code::D301, argument, message));
        return None;
    }
    if shape.set {
        problems.push(Problem::new(Code::D306, argument, "a set, a single value is wanted"));
        return None;
    }
    shape.kind
}
