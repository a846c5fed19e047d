//! The part of the schema that describes one action and its name.
//! Spec project-yaml.md 4; `needs` and `matrix` are described but not judged (12.2).

use serde_json::{Value, json};

/// Names that become file names and addresses (P205).
pub(super) fn name() -> Value {
    json!({
        "description": "Letters, digits, `_` and `-`.",
        "minLength": 1,
        "maxLength": 200,
        "not": {"anyOf": [
            {"pattern": "[/\\\\]"},
            {"pattern": "^-"},
            {"enum": [".", ".."]},
            {"pattern": "[\\u0000-\\u001f\\u007f]"},
        ]},
    })
}

/// An action in any version.
pub(super) fn any() -> Value {
    json!({
        "type": "object",
        "required": ["run", "outputs"],
        "additionalProperties": false,
        "properties": {
            "run": {
                "description": "Runtime and tag, then the command: `python:v2 python analysis/clean.py`. There is no \
                    shell: `>`, `|` and `&&` do nothing.",
                "examples": ["python:v2 python analysis/clean.py", "r:v2 analysis/model.R"],
                "type": "string",
            },
            "needs": {
                "description": "A list of actions that run first; their outputs are there when this one starts.",
                "items": {"description": "The name of an action."},
                "examples": [["clean"]],
            },
            "outputs": {
                "description": "The files that are kept, by privacy level.",
                "type": "object",
                "minProperties": 1,
                "additionalProperties": false,
                "properties": {
                    "highly_sensitive": {
                        "description": "Files about single patients. Read by later actions, seen by nobody.",
                        "$ref": "#/$defs/level",
                    },
                    "moderately_sensitive": {
                        "description": "Tables, figures and logs that approved people may look at and release.",
                        "$ref": "#/$defs/level",
                    },
                    "minimally_sensitive": {
                        "description": "Never came into use: treated as highly_sensitive, cannot be released.",
                        "deprecated": true,
                        "$ref": "#/$defs/level",
                    },
                },
            },
            "config": {
                "description": "Settings, handed to the command as JSON behind `--config`.",
                "type": ["object", "null"],
            },
            "dummy_data_file": {
                "description": "A file to use instead of made-up patients; only for cohortextractor generate_cohort.",
                "type": ["string", "null"],
            },
            "name": {"description": "Only beside `matrix`: the name of each action made."},
            // Only for completion: an action that has it is not judged here.
            "matrix": {"description": "Version 5: lists of values; one action is made for each combination."},
        },
        "allOf": [{"properties": {"outputs": outputs("path", "path")}}],
    })
}

/// An action with a `matrix` is judged after its variables are replaced (spec 10), which a schema cannot do.
pub(super) fn unless_matrix(definition: &str) -> Value {
    json!({
        "if": {"type": "object", "required": ["matrix"]},
        "then": {"properties": {
            "matrix": {"description": "Version 5: lists of values; one action is made for each combination."},
            "name": {"description": "The name of each action made, with `${variable}` for its values."},
        }},
        "else": {"$ref": format!("#/$defs/{definition}")},
    })
}

/// What version 4 and later ask of paths besides.
pub(super) fn strict() -> Value {
    json!({"properties": {"outputs": outputs("path_with_extension", "releasable_path")}})
}

fn outputs(stored: &str, seen: &str) -> Value {
    let level = |path: &str| json!({"additionalProperties": {"$ref": format!("#/$defs/{path}")}});
    json!({"properties": {
        "highly_sensitive": level(stored),
        "moderately_sensitive": level(seen),
        "minimally_sensitive": level(stored),
    }})
}
