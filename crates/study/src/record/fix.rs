//! What to do about a failure of the study's Python, by its code and words.
//! Spec study-definitions.md 13: every message ends in a likely fix.

/// The code and the fix for an exception that has no code of its own.
pub(super) fn of_exception(kind: &str, message: &str) -> (&'static str, Option<String>) {
    match kind {
        "ModuleNotFoundError" => ("SD003", Some(missing_module(message))),
        "ImportError" | "SyntaxError" | "IndentationError" | "TabError" => ("SD003", None),
        "MemoryError" => ("SD007", Some("a study definition may use 4 GiB: read less, or make it in an action before".to_owned())),
        "SystemExit" => ("SD005", Some("a study definition ends by itself: take the call of exit() away".to_owned())),
        "FileNotFoundError" => (
            "SD005",
            Some("the path starts at the root of the repository; a file that another action makes needs that action in `needs`".to_owned()),
        ),
        "PermissionError" => (
            "SD005",
            Some("a study definition reads the repository and the outputs of the actions that it needs, and nothing else".to_owned()),
        ),
        _ => ("SD005", None),
    }
}

/// The fix for a fault that the recorder itself names.
pub(super) fn of_code(code: &str) -> Option<String> {
    let fix = match code {
        "SD008" => "give the value with --param KEY=VALUE, or read it with params.get(KEY)",
        "SD009" => "do this in an action of its own, before, and let the study read its output",
        "SD105" => "add population=patients.all(), or the patients that are meant",
        "SD204" => "use date_format=\"YYYY-MM\" or date_format=\"YYYY\"",
        "SD401" => "take the list away, or give it codes",
        "SD402" => "combine lists of one system only",
        "SD404" => "mend the list, or the arguments of the call",
        _ => return None,
    };
    Some(fix.to_owned())
}

fn missing_module(message: &str) -> String {
    let name = message.split('\'').nth(1).unwrap_or_default();
    let package = name.split('.').next().unwrap_or_default();
    match package {
        "numpy" | "pandas" => format!(
            "the Python that reads study definitions has no {package}; the image python:v1 has it: run \
             `cloister env install python:v1`, and it is used from then on"
        ),
        _ => format!(
            "a study definition can import the modules beside it in analysis/, those of the repository's root, Python's \
             own, and what the image python:v1 has; `{package}` is none of these here: if the image has it, run \
             `cloister env install python:v1`"
        ),
    }
}
