//! `dump_study_yaml` and `dump_cohort_sql`: what a study definition asks (study-definitions.md 12).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use study::CheckOptions;
use study::model::{Query, Scalar, Variable, VariableId};
use study::recording::{self, Recording, Value};

use crate::args::{self, bad_argument, flag, value, words};
use crate::fault::{Exit, Fault};
use crate::{Context, Outcome};

use super::cohort::Sound;
use super::commands::Command;
use super::names::{self, Choice};
use super::{params, record};

/// Both take the same; a database is never asked.
const OPTIONS: &[args::OptionSpec] = &[
    value("--study-definition"),
    words("--param"),
    value("--index-date"),
    value("--index-date-range"),
    value("--database-url"),
    flag("--verbose"),
    value("--compat"),
];

pub(crate) fn run(command: Command, args: &[OsString], context: &mut Context<'_>) -> Outcome {
    let sound = sound(args, context)?;
    let text = match command {
        Command::DumpCohortSql => plan(&sound),
        _ => yaml(&sound),
    };
    context.say(&text)
}

fn sound(args: &[OsString], context: &mut Context<'_>) -> Result<Sound, Vec<Fault>> {
    let parsed = args::parse(args, OPTIONS);
    let mut faults = parsed.faults.clone();
    let given = params::of(&parsed, &mut faults);
    let stray = parsed.positionals.iter().map(|word| bad_argument(format!("unexpected argument '{}'", word.display())));
    faults.extend(stray);
    if !faults.is_empty() {
        return Err(faults);
    }
    let choice = match parsed.value("--study-definition").map(|name| name.to_string_lossy().into_owned()) {
        Some(name) if name != "all" => Choice::Named(name),
        _ => Choice::All,
    };
    let mut modules = names::chosen(context.cwd, &choice)?;
    let (Some(module), true) = (modules.pop(), modules.is_empty()) else {
        let fault = bad_argument("several study definitions are here, and one is printed at a time");
        return Err(vec![fault.help("say which one with --study-definition")]);
    };
    let recording = record::recorded(&module, &given, context)?.recording;
    let checked = study::check(&recording, &CheckOptions::new(context.today));
    let faults = record::told(&checked.faults, &recording, Exit::Unreadable, context);
    match checked.study {
        Some(study) if faults.is_empty() => Sound::new(module, recording, study),
        _ => Err(faults),
    }
}

/// The graph in words.
fn plan(sound: &Sound) -> String {
    format!(
        "-- This is no SQL: studies are worked out without it. Each line is a step.\n{}\n",
        sound.graph.to_string().trim_end()
    )
}

/// YAML 1.2 whose values are written as JSON, which is YAML too.
fn yaml(sound: &Sound) -> String {
    let Sound { recording, study, .. } = sound;
    let calls = calls(recording);
    let hidden: Vec<&str> = study.variables.iter().filter(|v| v.hidden).map(|v| v.name.as_str()).collect();
    let mut text = format!("hidden_columns: {}\ncovariate_definitions:\n", json!(hidden));
    for variable in &study.variables {
        let (kind, args) = match calls.get(variable.name.as_str()) {
            Some(call) => (call.function.clone(), Json::Object(call.args.iter().map(arg).collect())),
            None => made(variable, |id| study[id].name.clone()),
        };
        let _ = writeln!(text, "  {}:\n    type: {}\n    args: {args}", json!(variable.name), json!(kind));
    }
    text
}

/// Variables that stand for no call of their own: dates beside values, and dates among the names of aggregates.
fn made(variable: &Variable, name: impl Fn(VariableId) -> String) -> (String, Json) {
    match &variable.query {
        Query::ValueFrom { source, .. } => {
            ("value_from".to_owned(), json!({"source": name(*source), "returning": "date"}))
        }
        Query::Fixed(value) => ("fixed_value".to_owned(), json!({"value": scalar(value)})),
        _ => (variable.called.clone(), json!({})),
    }
}

fn scalar(value: &Scalar) -> Json {
    match value {
        Scalar::Bool(value) => json!(value),
        Scalar::Int(value) => json!(value),
        Scalar::Float(value) => json!(value),
        Scalar::Str(value) => json!(value),
        Scalar::Date(day) => json!(day.to_string()),
    }
}

/// Every call of a study by the name of its variable, nested ones too.
fn calls(recording: &Recording) -> BTreeMap<&str, &recording::Variable> {
    let mut found = BTreeMap::new();
    let study = recording.study.iter();
    let mut open: Vec<&recording::Variable> =
        study.flat_map(|study| study.variables.iter().chain([&study.population])).collect();
    while let Some(variable) = open.pop() {
        found.insert(variable.name.as_str(), variable);
        open.extend(&variable.extra);
    }
    found
}

fn arg((name, value): &(String, Value)) -> (String, Json) {
    (name.clone(), plain(value))
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::Str(value) => json!(value),
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Map(entries) => Json::Object(
            entries
                .iter()
                .map(|(key, value)| {
                    let key = plain(key);
                    (key.as_str().map_or_else(|| key.to_string(), str::to_owned), plain(value))
                })
                .collect(),
        ),
        Value::Codelist(id) => json!({ "codelist": id.0 }),
        Value::Date(day) => json!(day.to_string()),
        Value::Unsupported(kind) => json!(format!("a value of type {kind}")),
    }
}
