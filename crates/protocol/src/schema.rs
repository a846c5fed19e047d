//! The JSON Schema of every message, made from the types themselves.
//! Spec protocol.md 9 (c).

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

/// The schema of what a type writes, with nothing referred to: every field stands where it is.
pub fn of<T: JsonSchema>() -> Schema {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.inline_subschemas = true;
    settings.into_generator().into_root_schema_for::<T>()
}
