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
        if variable.name.is_empty() || !names.insert(variable.name.as_str()) {
            problems.push(Problem::new(Code::D304, "variables", format!("the name {:?} stands twice", variable.name)));
        }
        if per_patient(variable.series, "variables", shapes, &mut problems) == Some(Type::DateTime) {
            let message = format!("{} is a time: take its day", variable.name);
            problems.push(Problem::new(Code::D306, "variables", message));
        }
        found.extend(named(problems, &variable.name, variable.series));
    }
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
