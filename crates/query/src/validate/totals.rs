//! Rules of sums and counts: names are there once, keys belong to the patient or to the rows that are counted.
//! Spec warehouse.md 5.1, 5.6.

use std::collections::HashSet;

use super::dataset::{named, no_time, once, per_patient};
use super::fault::{Code, Problem};
use super::shape::{Problems, Shapes};
use crate::graph::{Graph, Named, NodeId, Series};
use crate::value::Type;

type Found = Vec<(Option<NodeId>, Problem)>;

pub(super) fn check(graph: &Graph, shapes: &Shapes<'_>, found: &mut Found) {
    let mut names = HashSet::new();
    for sum in &graph.grouped_sums {
        let mut problems = Vec::new();
        once(&sum.name, "grouped_sums", &mut names, &mut problems);
        columns(sum.group_by.iter().chain(&sum.numerators), &mut problems);
        for key in &sum.group_by {
            if per_patient(key.series, "group_by", shapes, &mut problems) == Some(Type::DateTime) {
                problems.push(no_time("group_by", &key.name));
            }
        }
        for numerator in &sum.numerators {
            number(numerator.series, "numerators", shapes, &mut problems);
        }
        number(sum.denominator, "denominator", shapes, &mut problems);
        found.extend(named(problems, &sum.name, sum.denominator));
    }
    for counts in &graph.event_counts {
        let mut problems = Vec::new();
        once(&counts.name, "event_counts", &mut names, &mut problems);
        columns(counts.group_by.iter(), &mut problems);
        let kind = per_patient(counts.patients, "patients", shapes, &mut problems);
        if let Some(kind) = kind.filter(|kind| *kind != Type::Bool) {
            problems.push(Problem::new(Code::D306, "patients", format!("the condition is {kind}, bool is wanted")));
        }
        if let Some(frame) = shapes.need_frame(counts.frame, "frame", &mut problems) {
            let groups = counts.group_by.iter().map(|key| (key.series, "group_by"));
            for (series, argument) in counts.distinct.iter().map(|key| (*key, "distinct")).chain(groups) {
                let Some(shape) = shapes.need_series(series, argument, &mut problems) else { continue };
                let of_frame = |of| frame.lineage.is_some_and(|lineage| shapes.prefix(of, lineage));
                if let Some(other) = shape.lineage.filter(|of| !of_frame(*of)) {
                    let (rows, other) = (&frame.label, shapes.label(other));
                    problems.push(Problem::new(Code::D301, argument, format!("rows of {rows} with rows of {other}")));
                }
                if shape.set {
                    problems.push(Problem::new(Code::D306, argument, "a set, a single value is wanted"));
                }
            }
        }
        found.extend(named(problems, &counts.name, counts.patients));
    }
}

fn columns<'a>(all: impl Iterator<Item = &'a Named>, problems: &mut Problems) {
    let mut names = HashSet::new();
    for column in all {
        once(&column.name, "group_by", &mut names, problems);
    }
}

fn number(series: Series, argument: &'static str, shapes: &Shapes<'_>, problems: &mut Problems) {
    let kind = per_patient(series, argument, shapes, problems);
    if let Some(kind) = kind.filter(|kind| !matches!(kind, Type::Bool | Type::Int | Type::Float)) {
        problems.push(Problem::new(
            Code::D306,
            argument,
            format!("{kind} cannot be summed: bool, int or float is wanted"),
        ));
    }
}
