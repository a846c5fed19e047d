//! The JSON Schema of project.yaml, for the completion and the checks of editors.
//! Spec project-yaml.md 12.2: what it rejects is an error of the families P1, P2, P5 or P7; it knows less than `load`.

mod action;
mod outputs;

use serde_json::{Value, json};

/// The schema (JSON Schema 2020-12) that `cloister schema project` prints.
///
/// Every file that `load` accepts is valid under it. It is silent where a JSON Schema cannot tell (needs, commands) and
/// where its complaint would have no counterpart in those families. Files that cannot be read (P0) are outside both.
pub fn project() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "project.yaml",
        "description": "The actions of a study: what each runs, needs and leaves behind.",
        "type": "object",
        "required": ["version", "actions"],
        "additionalProperties": false,
        "properties": {
            "version": version(),
            "expectations": {
                "description": "Dummy patients for local runs. Version 3 needs it, version 4 and later forbid it.",
            },
            "actions": {
                "description": "The actions by name. Names are letters, digits, `_` and `-`.",
                "type": "object",
                "propertyNames": action::name(),
                "additionalProperties": action::unless_matrix("action"),
            },
            "matrix_defaults": {"description": "Lists shared by the `matrix` of several actions. Version 5."},
        },
        "allOf": [
            {"if": has_version(&exactly(3)), "then": {
                "required": ["expectations"],
                "properties": {"expectations": {"$ref": "#/$defs/expectations"}},
            }},
            {"if": has_version(&from_4()), "then": {"properties": {
                "expectations": {"type": "null", "description": "Not allowed from version 4 on: remove it."},
                "actions": {"additionalProperties": action::unless_matrix("strict_action")},
            }}},
            {"if": has_version(&exactly(5)), "then": {"properties": {
                "actions": {"properties": {"run_all": false}},
            }}},
        ],
        "$defs": {
            "expectations": expectations(),
            "action": action::any(),
            "strict_action": action::strict(),
            "level": outputs::level(),
            "path": outputs::path(),
            "path_with_extension": outputs::with_extension(),
            "releasable_path": outputs::releasable(),
        },
    })
}

fn version() -> Value {
    json!({
        "description": "The version of the format, 1 to 5. Write 5 for a new study that does not extract patients with \
            cohortextractor, 3 for one that does.",
        "examples": [5, "3.0"],
        "type": ["number", "string"],
        "minimum": 1,
        "maximum": 5,
        "pattern": "[0-9]",
    })
}

fn expectations() -> Value {
    json!({
        "type": "object",
        "required": ["population_size"],
        "additionalProperties": false,
        "properties": {
            "population_size": {
                "description": "How many dummy patients a local run makes.",
                "examples": [1000],
                "type": ["number", "string", "boolean"],
                // Fractions are cut, so only -1 and below are negative.
                "exclusiveMinimum": -1,
            },
        },
    })
}

fn has_version(version: &Value) -> Value {
    json!({"required": ["version"], "properties": {"version": version}})
}

/// A version as number or text. Odd spellings such as `3e0` match none: for them only the common rules are known here.
fn exactly(version: u8) -> Value {
    json!({"anyOf": [
        {"type": "number", "const": version},
        {"type": "string", "pattern": format!("^ *{version}(\\.0*)? *$")},
    ]})
}

fn from_4() -> Value {
    json!({"anyOf": [
        {"type": "number", "minimum": 4},
        {"type": "string", "pattern": "^ *(4(\\.[0-9]*)?|5(\\.0*)?) *$"},
    ]})
}
