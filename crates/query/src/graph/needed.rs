//! Which nodes the population and the delivered variables rest on. What only hidden variables need, or nobody, is not
//! computed, so its columns may be absent; a column of a union that nobody reads by name only breaks ties, and decides
//! nothing where it was not supplied.

use std::collections::{BTreeMap, BTreeSet};

use super::{EventCounts, Frame, Graph, GroupedSum, NodeId, Op};

/// The columns of a union that are read by name, by union.
type Read<'a> = BTreeMap<NodeId, BTreeSet<&'a str>>;

impl Graph {
    /// Of each node whether it is needed.
    pub(crate) fn needed(&self) -> Vec<bool> {
        needed(self)
    }
}

fn needed(graph: &Graph) -> Vec<bool> {
    let mut needed = vec![false; graph.len()];
    let data = &graph.dataset;
    let delivered = data.variables.iter().filter(|v| !v.hidden).map(|v| v.series);
    for root in delivered.chain([data.population]) {
        mark(&mut needed, root.0);
    }
    graph.grouped_sums.iter().flat_map(GroupedSum::needs).for_each(|root| mark(&mut needed, root));
    graph.event_counts.iter().flat_map(EventCounts::needs).for_each(|root| mark(&mut needed, root));
    let mut read = Read::new();
    // a node is only read by later ones, so all its readers are known when its turn comes
    for node in (0..graph.len()).rev().filter_map(|at| u32::try_from(at).ok()).map(NodeId) {
        let Some(op) = graph.op(node).filter(|_| needed.get(node.0 as usize) == Some(&true)) else { continue };
        by_name(graph, op, &mut read);
        let Op::Union { columns, branches } = op else {
            op.children().into_iter().for_each(|child| mark(&mut needed, child));
            continue;
        };
        let read = read.get(&node);
        for branch in branches {
            mark(&mut needed, branch.frame.0);
            for (column, value) in columns.iter().zip(&branch.values) {
                if read.is_some_and(|read| read.contains(column.as_str())) {
                    mark(&mut needed, value.0);
                }
            }
        }
    }
    needed
}

fn mark(needed: &mut [bool], node: NodeId) {
    if let Some(slot) = needed.get_mut(node.0 as usize) {
        *slot = true;
    }
}

fn by_name<'a>(graph: &'a Graph, op: &'a Op, read: &mut Read<'a>) {
    match op {
        Op::Column { frame, column } => of_union(graph, *frame, Some(column), read),
        Op::Join { left, right, on, .. } => {
            for pair in on {
                of_union(graph, *left, Some(&pair.left), read);
                of_union(graph, *right, Some(&pair.right), read);
            }
        }
        Op::Linked { frame, id, previous, .. } => {
            for column in [id, previous] {
                of_union(graph, *frame, Some(column), read);
            }
        }
        // which rows are equal hangs on all of their columns
        Op::Distinct { frame } => of_union(graph, *frame, None, read),
        _ => {}
    }
}

/// Notes a column, or all, of the unions that the rows of a frame come from. The name of a column of the right side of a
/// join is noted on both sides with and without its prefix: one column too many is needed rather than one too few.
fn of_union<'a>(graph: &'a Graph, frame: Frame, column: Option<&'a str>, read: &mut Read<'a>) {
    let mut open = vec![(frame, column)];
    while let Some((at, name)) = open.pop() {
        match graph.op(at.0) {
            Some(Op::Union { columns, .. }) => {
                let noted = read.entry(at.0).or_default();
                match name {
                    Some(name) => drop(noted.insert(name)),
                    None => noted.extend(columns.iter().map(String::as_str)),
                }
            }
            Some(Op::Join { left, right, name: side, .. }) => {
                open.push((*left, name));
                let rest = name.map(|name| {
                    name.strip_prefix(side.as_str()).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name)
                });
                open.push((*right, rest));
            }
            Some(
                Op::Filter { frame, .. }
                | Op::Sort { frame, .. }
                | Op::Distinct { frame }
                | Op::PickFirst { frame, .. }
                | Op::PickLast { frame, .. }
                | Op::OneRow { frame },
            ) => open.push((*frame, name)),
            _ => {}
        }
    }
}
