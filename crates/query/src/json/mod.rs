//! The serialised form of a graph (warehouse.md 5.7): canonical JSON, and back from hostile bytes.
//! Nodes lie flat and refer only to earlier ones, so nothing here recurses over the graph.

pub(crate) mod value;
pub(crate) mod values;

/// The one way to write a JSON value: sorted keys, no white space (RFC 8785). Numbers here are small integers.
pub(crate) fn canonical(value: &serde_json::Value) -> Vec<u8> {
    // a JSON value without non-finite numbers always has a canonical form
    serde_json_canonicalizer::to_vec(value).unwrap_or_default()
}
