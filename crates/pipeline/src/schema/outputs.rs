//! The part of the schema that describes privacy levels and output paths.
//! Spec project-yaml.md 6.1 and 6.2; only what is an error is rejected.

use serde_json::{Value, json};

/// A level: free names, each with one path.
pub(super) fn level() -> Value {
    json!({
        "type": ["object", "null"],
        "additionalProperties": {
            "description": "Path of a file, from the study folder; `*` stands for any characters but `/`.",
            "examples": ["output/table.csv", "output/plots/*.png"],
            "type": "string",
        },
    })
}

/// What every version asks of a path.
pub(super) fn path() -> Value {
    let rule = |description: &str, pattern: &str| json!({"description": description, "pattern": pattern});
    json!({
        "minLength": 1,
        "maxLength": 1024,
        "allOf": [
            rule("Use `/`, not a back slash.", r"^[^\\]*$"),
            rule("The only wildcard is a single `*`.", r"^(?![\s\S]*(\*\*|\?|\[))"),
            rule("Begin in the study folder: no `/` or drive letter at the front.", r"^(?!/|[A-Za-z]:/)"),
            rule("No empty part, no `.` and no `..` between slashes.", r"^(?![\s\S]*(//|/$))(?!([\s\S]*/)?\.{1,2}(/|$))"),
            rule("`metadata` and `.git` are reserved.", r"^(?!metadata(/|$))(?!([\s\S]*/)?\.[Gg][Ii][Tt](/|$))"),
            rule("No control characters.", r"^[^\u0000-\u001f\u007f]*$"),
        ],
    })
}

/// Versions 4 and 5: the last part ends in an extension (P512).
pub(super) fn with_extension() -> Value {
    json!({
        "description": "Must end in a file type, such as `.csv`.",
        "pattern": "[^/]\\.[^./]*[^./*]$",
    })
}

/// Versions 4 and 5: file types that people can check (P513).
pub(super) fn releasable() -> Value {
    json!({
        "description": "Must be of a type that can be released: csv, jpg, jpeg, png, svg, svgz, html, txt, log, json, md.",
        "pattern": "[^/]\\.(csv|jpe?g|png|svgz?|html|txt|log|json|md)$",
    })
}
