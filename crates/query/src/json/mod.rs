//! The serialised form of a graph (warehouse.md 5.7): canonical JSON, and back from hostile bytes.
//! Nodes lie flat and refer only to earlier ones, so nothing here recurses over the graph.

mod explain;
mod parse;
pub(crate) mod value;
pub(crate) mod values;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::graph::Graph;
use crate::validate::Fault;

const FORMAT: &str = "cloister-query";
const VERSION: u64 = 1;

/// Operations that the graph keeps as one, with the key that tells them apart. In JSON the word is the operation:
/// `{"op":"lt"}`, not `{"op":"compare","comparison":"lt"}`.
const GROUPS: [(&str, &str, &[&str]); 7] = [
    ("compare", "comparison", &["eq", "ne", "lt", "le", "gt", "ge"]),
    ("aggregate", "function", &["count_distinct", "min", "max", "sum", "mean", "set"]),
    ("extreme", "function", &["min_of", "max_of"]),
    ("arithmetic", "operator", &["add", "sub", "mul", "div", "floor_div", "div_int", "div_or_stop", "power"]),
    ("find", "how", &["starts_with", "contains", "contains_after_boundary"]),
    ("date_part", "part", &["year", "month", "day_of_month"]),
    ("period_edge", "edge", &["first_day_of", "last_day_of"]),
];

impl Graph {
    /// The canonical bytes: equal graphs have equal bytes.
    pub fn to_json(&self) -> Vec<u8> {
        // an operation always has a JSON form: it holds no map but those with text keys
        let form = |op| ungroup(serde_json::to_value(op).unwrap_or_default());
        let nodes: Map<String, Value> = self.nodes().map(|(id, op)| (id.0.to_string(), form(op))).collect();
        let source: Map<String, Value> = self.sources.iter().map(|(id, s)| (id.0.to_string(), json!(s))).collect();
        canonical(&json!({
            "format": FORMAT,
            "version": VERSION,
            "catalogue": self.catalogue,
            "ties": self.ties,
            "universe": self.universe,
            "parameters": self.parameters,
            "nodes": nodes,
            "roots": {
                "dataset": self.dataset,
                "event_counts": self.event_counts,
                "grouped_sums": self.grouped_sums,
            },
            "codelists": self.codelists,
            "source": source,
        }))
    }

    /// sha256 of the canonical bytes, in hex: `graph_sha256`.
    pub fn sha256(&self) -> String {
        data_encoding::HEXLOWER.encode(&Sha256::digest(self.to_json()))
    }

    /// Reads a serialised graph. Whether it means something is for [`crate::validate`] to say.
    ///
    /// # Errors
    /// D304 for whatever the format does not have, all at once; D309 beyond 256 MiB.
    pub fn from_json(bytes: &[u8]) -> Result<Graph, Vec<Fault>> {
        parse::parse(bytes)
    }
}

/// The one way to write a JSON value: sorted keys, no white space (RFC 8785). Numbers here are small integers.
pub(crate) fn canonical(value: &Value) -> Vec<u8> {
    // a JSON value without non-finite numbers always has a canonical form
    serde_json_canonicalizer::to_vec(value).unwrap_or_default()
}

/// `{"op":"compare","comparison":"lt",…}` to `{"op":"lt",…}`.
fn ungroup(mut op: Value) -> Value {
    if let Some(object) = op.as_object_mut()
        && let Some((_, key, _)) = GROUPS.iter().find(|(group, _, _)| object.get("op").is_some_and(|op| op == group))
        && let Some(word) = object.remove(*key)
    {
        object.insert("op".to_owned(), word);
    }
    op
}

/// The way back; a group's own name is no operation.
fn group(mut op: Value) -> Result<Value, String> {
    let Some(object) = op.as_object_mut() else { return Err("a node is an object".to_owned()) };
    let name = object.get("op").and_then(Value::as_str).unwrap_or_default().to_owned();
    if GROUPS.iter().any(|(group, _, _)| *group == name) {
        return Err(format!("unknown operation {name}"));
    }
    if let Some((group, key, _)) = GROUPS.iter().find(|(_, _, words)| words.contains(&name.as_str())) {
        if object.insert((*key).to_owned(), json!(name)).is_some() {
            return Err(format!("unknown key {key}"));
        }
        object.insert("op".to_owned(), json!(group));
    }
    Ok(op)
}
