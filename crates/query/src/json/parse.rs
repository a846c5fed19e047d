//! Reads a serialised graph: strict about keys, versions and references, all faults at once.
//! What it accepts has one spelling, so that reading and writing again gives the same bytes.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{FORMAT, VERSION, group};
use crate::graph::{Codelist, Dataset, EventCounts, Graph, GroupedSum, NodeId, Op, Ties, Universe};
use crate::validate::{Code, Fault, NODES, Severity};
use crate::value::Type;

const LARGEST: usize = 256 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[allow(dead_code, reason = "checked before")]
    format: String,
    #[allow(dead_code, reason = "checked before")]
    version: u64,
    catalogue: String,
    ties: Ties,
    universe: Universe,
    parameters: BTreeMap<String, Type>,
    nodes: BTreeMap<String, Value>,
    roots: Roots,
    codelists: BTreeMap<String, Codelist>,
    source: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Roots {
    dataset: Dataset,
    event_counts: Vec<EventCounts>,
    grouped_sums: Vec<GroupedSum>,
}

#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Graph, Vec<Fault>> {
    if bytes.len() > LARGEST {
        return Err(vec![fault(Code::D309, None, "the graph is over 256 MiB")]);
    }
    let refuse = |error: serde_json::Error| vec![fault(Code::D304, None, error.to_string())];
    let head: Head = serde_json::from_slice(bytes).map_err(refuse)?;
    if head.format != FORMAT || head.version != VERSION {
        let message = format!("{} version {}: only {FORMAT} version {VERSION} is read", head.format, head.version);
        return Err(vec![fault(Code::D304, None, message)]);
    }
    let document: Document = serde_json::from_slice(bytes).map_err(refuse)?;
    if document.nodes.len() > NODES {
        return Err(vec![fault(Code::D309, None, format!("{} nodes", document.nodes.len()))]);
    }
    let mut faults = Vec::new();
    let count = document.nodes.len();
    let mut nodes: Vec<Option<Op>> = vec![None; count];
    for (key, op) in document.nodes {
        let Some(id) = id(&key, count) else {
            faults.push(fault(Code::D304, None, format!("{key:?}: nodes are numbered from 0 without gap")));
            continue;
        };
        match group(op).and_then(|op| serde_json::from_value::<Op>(op).map_err(|error| error.to_string())) {
            Ok(op) => {
                if let Some(child) = op.children().into_iter().find(|child| *child >= id) {
                    let message = format!("node {} refers to node {}, which is not before it", id.0, child.0);
                    faults.push(fault(Code::D304, Some(id), message));
                }
                nodes[id.0 as usize] = Some(op);
            }
            Err(message) => faults.push(fault(Code::D304, Some(id), format!("node {}: {message}", id.0))),
        }
    }
    for (sha256, list) in &document.codelists {
        if list.sha256() != *sha256 || !list.items.is_sorted_by(|a, b| a < b) {
            let message = format!("codelist {sha256}: its name is not its sha256, or its codes are not in order");
            faults.push(fault(Code::D304, None, message));
        }
    }
    let mut sources = BTreeMap::new();
    for (key, source) in document.source {
        match id(&key, count) {
            Some(id) => drop(sources.insert(id, source)),
            None => faults.push(fault(Code::D304, None, format!("source of {key:?}, which is no node"))),
        }
    }
    let Roots { dataset, event_counts, grouped_sums } = document.roots;
    let graph = Graph {
        nodes: nodes.into_iter().flatten().collect(),
        ties: document.ties,
        universe: document.universe,
        parameters: document.parameters,
        codelists: document.codelists,
        sources,
        dataset,
        grouped_sums,
        event_counts,
        catalogue: document.catalogue,
    };
    for (_, root) in graph.roots().filter(|(_, root)| root.0 as usize >= count) {
        faults.push(fault(Code::D304, None, format!("a root refers to node {}, which is not there", root.0)));
    }
    if faults.is_empty() { Ok(graph) } else { Err(faults) }
}

/// A key that is a node's number, in its one spelling.
fn id(key: &str, count: usize) -> Option<NodeId> {
    let id: u32 = key.parse().ok()?;
    ((id as usize) < count && id.to_string() == key).then_some(NodeId(id))
}

fn fault(code: Code, node: Option<NodeId>, message: impl Into<String>) -> Fault {
    let severity = Severity::Error;
    Fault { code, severity, node, argument: None, variable: None, source: None, message: message.into() }
}
