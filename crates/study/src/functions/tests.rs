use super::*;

#[test]
fn the_table_is_sound() {
    let table = load().unwrap();
    assert_eq!(table.functions().len(), 50);
    let mut names: Vec<&str> = table.functions().iter().map(|f| f.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 50, "a name occurs twice");
    for function in table.functions() {
        // A default of `returning` is one of its values, and a period parameter comes with what it applies to.
        if let Some(Value::Str(default)) = function.parameter("returning").and_then(|p| p.default.clone()) {
            assert!(function.returning().iter().any(|r| r.name == default), "{}", function.name);
        }
        assert_eq!(function.parameter("between").is_some(), function.period.is_some(), "{}", function.name);
        if let Some(other) = &function.unavailable {
            assert!(table.called(other).is_some());
        }
    }
}

#[test]
fn groups_are_spelled_out_in_order() {
    let names = |name: &str| -> Vec<String> {
        table().called(name).unwrap().parameters.iter().map(|p| p.name.clone()).collect()
    };
    assert_eq!(
        names("with_gp_consultations"),
        [
            "on_or_before",
            "on_or_after",
            "between",
            "find_first_match_in_period",
            "find_last_match_in_period",
            "returning",
            "date_format",
            "return_expectations"
        ]
    );
    assert_eq!(names("satisfying"), ["expression", "return_expectations", "extra_columns"]);
    assert_eq!(names("with_value_from_file"), ["f_path", "returning", "returning_type", "date_format"]);
}

#[test]
fn isaric_braces_are_spelled_out() {
    assert_eq!(table().isaric("pews_o2_rx"), TypeWord::Int);
    assert_eq!(table().isaric("daily_wbc_lborres"), TypeWord::Float);
    assert_eq!(table().isaric("hosttim"), TypeWord::Date);
    assert_eq!(table().isaric("anything"), TypeWord::Str);
}

/// Asks the recorder's own package for its signatures.
const SIGNATURES: &str = r#"
import inspect, json
from cohortextractor import patients
def literal(value):
    return None if value is inspect.Parameter.empty else repr(value)
forms = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
print(json.dumps({
    name: [
        [forms.get(p.kind.name, ""), p.name, literal(p.default)]
        for p in inspect.signature(function).parameters.values()
    ]
    for name, function in patients._FUNCTIONS.items()
}))
"#;

#[test]
fn the_recorder_has_the_same_functions_parameters_and_defaults() {
    let package = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("recorder");
    let output = std::process::Command::new("python3")
        .args(["-B", "-c", SIGNATURES])
        .env("PYTHONPATH", package)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let python: BTreeMap<String, Vec<(String, String, Option<String>)>> =
        serde_json::from_slice(&output.stdout).unwrap();
    let literal = |value: &Value| match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Str(text) => format!("'{text}'"),
        other => panic!("{other:?}"),
    };
    let ours: BTreeMap<String, Vec<(String, String, Option<String>)>> = table()
        .functions()
        .iter()
        .map(|function| {
            let parameters = function.parameters.iter().map(|p| match p.form {
                Form::Plain => (String::new(), p.name.clone(), p.default.as_ref().map(literal)),
                Form::Positional => ("*".to_owned(), p.name.clone(), None),
                Form::Keywords => ("**".to_owned(), p.name.clone(), None),
            });
            (function.name.clone(), parameters.collect())
        })
        .collect();
    for (name, parameters) in &ours {
        assert_eq!(python.get(name), Some(parameters), "{name}");
    }
    assert_eq!(python.len(), ours.len());
}

#[test]
fn the_documentation_is_that_of_the_table() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/study-definitions.md");
    let written = std::fs::read_to_string(page).unwrap();
    assert!(written == document(), "run: cargo run -p study --example document > docs/study-definitions.md");
}

#[test]
fn examples_name_parameters_that_exist() {
    for function in table().functions() {
        let Some(example) = &function.example else { continue };
        assert!(example.contains(&format!("patients.{}(", function.name)), "{example}");
    }
}
