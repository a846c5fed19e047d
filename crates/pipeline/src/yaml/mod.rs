//! Reading YAML with the exact place of every key and value (spec project-yaml.md 2).
//! Knows nothing of what the keys mean, except where a mistake is best explained in a researcher's terms.

pub(crate) mod align;
pub(crate) mod flow;
mod input;
mod layout;
pub(crate) mod mistakes;
pub(crate) mod node;
mod quoting;
pub(crate) mod reader;
pub(crate) mod recover;
pub(crate) mod scalar;

pub(crate) use node::{Doc, Value, View};
