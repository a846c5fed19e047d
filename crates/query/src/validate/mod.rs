//! Checks a graph before any patient is read and tells all faults at once (warehouse.md 5.1, 5.7).
//! One walk over the arena, children before parents; nothing recurses over the graph.

mod dataset;
mod fault;
mod frames;
mod limits;
mod series;
mod shape;
mod totals;

pub use fault::{Code, Fault, Severity};
pub(crate) use limits::{DEPTH, NODES, depths};
pub(crate) use shape::Shapes;

use crate::catalogue::Catalogue;
use crate::graph::{Graph, NodeId, Universe};
use crate::reference::holds_unknown;
use crate::value::Value;

/// All faults and warnings of a graph, in the order of its nodes; those of variables last.
pub fn validate(graph: &Graph, catalogue: &Catalogue) -> Vec<Fault> {
    let mut found: Vec<(Option<NodeId>, fault::Problem)> = Vec::new();
    limits::check(graph, catalogue, &mut found);
    let mut shapes = Shapes::new(catalogue);
    shapes.parameters.clone_from(&graph.parameters);
    for (node, op) in graph.nodes() {
        let mut problems = Vec::new();
        shapes.push(op, &mut problems);
        // an operand that stands twice is faulty once
        problems.dedup();
        found.extend(problems.into_iter().map(|problem| (Some(node), problem)));
    }
    dataset::check(graph, &shapes, &mut found);
    totals::check(graph, &shapes, &mut found);
    if graph.universe == Universe::Population && found.iter().all(|(_, p)| p.severity == Severity::Warning) {
        // parameters are left unknown, as the patient is
        let bindings = graph.parameters.keys().map(|name| (name.clone(), Value::Null)).collect();
        if holds_unknown(graph, &bindings).unwrap_or(false) {
            let message = "the population holds patients of whom nothing is known";
            let population = graph.dataset.population.0;
            found.push((Some(population), fault::Problem::new(Code::D302, "population", message)));
        }
    }
    fault::place(graph, found)
}
