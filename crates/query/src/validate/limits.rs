//! Sizes beyond which a graph is refused (warehouse.md 5.7, 13), and what concerns the graph as a whole.
//! Depth is counted along the arena, without recursion.

use super::fault::{Code, Problem};
use crate::catalogue::Catalogue;
use crate::graph::{Codelist, Graph, NodeId, Op, Ties};

pub(crate) const NODES: usize = 1_000_000;
pub(crate) const DEPTH: u32 = 10_000;
pub(crate) const COLUMNS_OF_A_FRAME: usize = 10_000;
/// Joins on one another.
pub(super) const JOINS_OF_A_FRAME: u32 = 16;
/// Columns of all joins together.
pub(super) const COLUMNS_OF_JOINS: usize = 4_000_000;
const CODELISTS: usize = 10_000;
const CODES: usize = 10_000_000;

pub(super) fn check(graph: &Graph, catalogue: &Catalogue, found: &mut Vec<(Option<NodeId>, Problem)>) {
    if graph.catalogue != catalogue.sha256() {
        let message = "the graph was made with another catalogue of tables";
        found.push((None, Problem::warning(Code::D304, "catalogue", message)));
    }
    let codes: usize = graph.codelists.values().map(|l| l.items.len()).sum();
    for (what, size, limit) in [
        ("nodes", graph.len(), NODES),
        ("variables", graph.dataset.variables.len(), 20_000),
        ("codelists", graph.codelists.len(), CODELISTS),
        ("codes", codes, CODES),
    ] {
        if size > limit {
            found.push((None, Problem::new(Code::D309, "nodes", format!("{size} {what}, at most {limit} are taken"))));
        }
    }
    if let Some((node, depth)) = depths(graph).into_iter().find(|(_, depth)| *depth > DEPTH) {
        found.push((Some(node), Problem::new(Code::D304, "op", format!("nodes lie {depth} deep, at most {DEPTH}"))));
    }
    for (node, op) in graph.nodes() {
        if let Op::Codelist { codelist } = op {
            match graph.codelists.get(codelist) {
                None => {
                    found.push((Some(node), Problem::new(Code::D304, "codelist", format!("no codelist {codelist}"))))
                }
                Some(list) => codes_of(list, graph.ties, node, found),
            }
        }
    }
}

/// Each node with the length of the longest chain down from it.
pub(crate) fn depths(graph: &Graph) -> Vec<(NodeId, u32)> {
    let mut depths: Vec<(NodeId, u32)> = Vec::with_capacity(graph.len());
    for (node, op) in graph.nodes() {
        let below = op.children().iter().filter_map(|c| depths.get(c.0 as usize)).map(|d| d.1).max();
        depths.push((node, below.unwrap_or(0) + 1));
    }
    depths
}

/// A code with a blank inside belongs to no coding system. v1 studies run with one today: there it is a warning.
fn codes_of(list: &Codelist, ties: Ties, node: NodeId, found: &mut Vec<(Option<NodeId>, Problem)>) {
    const SYSTEMS: [&str; 7] = ["ctv3", "snomed", "snomedct", "dmd", "icd10", "opcs4", "bnf"];
    if list.items.is_empty() {
        found.push((Some(node), Problem::warning(Code::D313, "codelist", "an empty codelist matches nothing")));
    }
    if !SYSTEMS.contains(&list.system.as_str()) {
        return;
    }
    if let Some(code) = list.items.iter().find(|code| code.trim().contains(char::is_whitespace)) {
        let message = format!("{code:?} has a blank: no code of {}", list.system);
        let make = if ties == Ties::V1 { Problem::warning } else { Problem::new };
        found.push((Some(node), make(Code::D307, "codelist", message)));
    }
}
