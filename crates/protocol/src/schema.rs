//! The JSON Schema of every message, made from the types themselves.
//! Spec protocol.md 9 (c).

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The schema of what a type writes, with nothing referred to: every field stands where it is. A field that may be
/// absent is never null.
pub fn of<T: JsonSchema>() -> Schema {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    absent_not_null(&mut schema);
    schema.try_into().unwrap_or_default()
}

/// Takes `null` away from the properties that are not required.
fn absent_not_null(schema: &mut Value) {
    let required: Vec<String> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (_, property) in properties.iter_mut().filter(|(name, _)| !required.contains(name)) {
            without_null(property);
        }
    }
    match schema {
        Value::Object(map) => map.values_mut().for_each(absent_not_null),
        Value::Array(list) => list.iter_mut().for_each(absent_not_null),
        _ => {}
    }
}

fn without_null(property: &mut Value) {
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|one| one != "null");
    }
    for list in ["enum", "anyOf"] {
        if let Some(Value::Array(branches)) = property.get_mut(list) {
            branches.retain(|one| !one.is_null() && one.get("type") != Some(&Value::from("null")));
        }
    }
}
