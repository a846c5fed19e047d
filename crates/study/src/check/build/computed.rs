//! Computed from other columns, and from files. Spec study-definitions.md 7.4.

use cohorts::DatePrecision;

use super::super::call::Call;
use super::super::plan::{aggregate_names, argument};
use super::super::scope::Found;
use super::super::shown;
use super::Built;
use crate::fault::{Fault, did_you_mean};
use crate::functions::TypeWord;
use crate::model::dates::iso_day;
use crate::model::{ColumnType, Extreme, Query, Scalar, VariableId};
use crate::recording::Value;

pub(super) fn build(call: &mut Call<'_, '_>) -> Built {
    match call.function.name.as_str() {
        "categorised_as" | "satisfying" => {
            let (argument, value) = definitions(call);
            let (cases, kind) = call.cases(argument, &value, false)?;
            Some((Query::Categorised(cases), kind))
        }
        "minimum_of" => aggregate(call, Extreme::Minimum),
        "maximum_of" => aggregate(call, Extreme::Maximum),
        "fixed_value" => fixed(call),
        "with_value_from_file" => {
            let (path, column) = (path(call), column(call));
            let kind = match call.text("returning_type")? {
                "bool" => TypeWord::Bool,
                "date" => TypeWord::Date,
                "int" => TypeWord::Int,
                "float" => TypeWord::Float,
                _ => TypeWord::Str,
            };
            let kind = call.column(kind);
            Some((Query::ValueFromFile { path: path?, column: column? }, kind))
        }
        "which_exist_in_file" => Some((Query::InFile { path: path(call)? }, ColumnType::Bool)),
        _ => None,
    }
}

/// The categories; those of `satisfying` are recorded as `{1: expression, 0: "DEFAULT"}`, a bare expression means the same.
fn definitions(call: &Call<'_, '_>) -> (&'static str, Value) {
    let recorded = argument(call.variable, "category_definitions").cloned();
    if call.function.name == "categorised_as" {
        return ("category_definitions", recorded.unwrap_or(Value::Null));
    }
    let cases = || {
        let default = Value::Str("DEFAULT".to_owned());
        Value::Map(vec![(Value::Int(1), call.value("expression").clone()), (Value::Int(0), default)])
    };
    ("expression", recorded.unwrap_or_else(cases))
}

fn fixed(call: &mut Call<'_, '_>) -> Built {
    let (scalar, kind) = match call.value("value") {
        Value::Bool(b) => (Scalar::Bool(*b), ColumnType::Bool),
        Value::Int(i) => (Scalar::Int(*i), ColumnType::Int),
        Value::Float(x) if x.is_finite() => (Scalar::Float(*x), ColumnType::Float),
        Value::Date(day) => (Scalar::Date(*day), ColumnType::Date(DatePrecision::Day)),
        Value::Str(text) => match iso_day(text) {
            Some(day) => (Scalar::Date(day), ColumnType::Date(DatePrecision::Day)),
            None => (Scalar::Str(text.clone()), ColumnType::Str),
        },
        other => {
            let message = format!("{} cannot be a fixed value", shown(other));
            call.fault(Fault::new("SD212", message).argument("value").fix("give a number, a text or an ISO date"));
            return None;
        }
    };
    Some((Query::Fixed(scalar), kind))
}

/// Inside the workspace, csv or csv.gz; whether it is there is said when it is opened.
fn path(call: &mut Call<'_, '_>) -> Option<String> {
    let path = call.text("f_path")?;
    let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty() && *step != ".").collect();
    let outside = path.starts_with('/') || path.contains(['\\', '\0']) || steps.contains(&"..") || steps.is_empty();
    let table = path.ends_with(".csv") || path.ends_with(".csv.gz");
    if outside || !table {
        let message = format!("{path:?} is no csv or csv.gz file of the workspace");
        let fix = "give a path relative to the repository, such as \"output/cases.csv\"";
        call.fault(Fault::new("SD212", message).argument("f_path").fix(fix));
        return None;
    }
    Some(steps.join("/"))
}

fn column(call: &mut Call<'_, '_>) -> Option<String> {
    let name = call.text("returning")?;
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        let message = format!("{name:?} cannot be the name of a column");
        call.fault(
            Fault::new("SD212", message).argument("returning").fix("letters A-Z and a-z, digits and `_` are possible"),
        );
        return None;
    }
    Some(name.to_owned())
}

fn aggregate(call: &mut Call<'_, '_>, which: Extreme) -> Built {
    let ids = names(call)?;
    let Some(&first) = ids.first() else {
        let message = format!("`patients.{}` has no columns to choose from", call.function.name);
        call.fault(Fault::new("SD104", message).argument("column_names").fix("name at least one earlier column"));
        return None;
    };
    let kind = |id: VariableId| call.scope.variable(id).kind;
    let of = |id: VariableId| {
        let variable = call.scope.variable(id);
        let name = match &variable.query {
            Query::Fixed(Scalar::Date(day)) if variable.hidden => day.to_string(),
            _ => variable.name.clone(),
        };
        format!("`{name}` is {}", word(variable.kind))
    };
    let other = ids.iter().copied().find(|id| !alike(kind(first), kind(*id)));
    if let Some(other) = other {
        let dates = matches!((kind(first), kind(other)), (ColumnType::Date(_), ColumnType::Date(_)));
        let message = format!("the columns differ: {}, {}", of(first), of(other));
        let fault = if dates {
            Fault::new("SD206", message).fix("give all of them the same date_format")
        } else {
            Fault::new("SD205", message).fix("all columns must be of one type")
        };
        call.fault(fault.argument("column_names"));
        return None;
    }
    let kind = match kind(first) {
        ColumnType::Bool => ColumnType::Bool,
        // Labels that are compared are numbers.
        ColumnType::IntCategory { .. } => ColumnType::Int,
        kind => kind,
    };
    Some((Query::Aggregate { which, of: ids }, kind))
}

/// Whether two columns can be compared in one aggregate.
fn alike(a: ColumnType, b: ColumnType) -> bool {
    use ColumnType::{Int, IntCategory};
    a == b || matches!((a, b), (Int | IntCategory { .. }, Int | IntCategory { .. }))
}

fn word(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Bool => "a yes-or-no column",
        ColumnType::Int | ColumnType::IntCategory { .. } => "a whole number",
        ColumnType::Float => "a number",
        ColumnType::Str => "a text",
        ColumnType::Date(DatePrecision::Year) => "a date YYYY",
        ColumnType::Date(DatePrecision::Month) => "a date YYYY-MM",
        ColumnType::Date(DatePrecision::Day) => "a date YYYY-MM-DD",
    }
}

fn names(call: &mut Call<'_, '_>) -> Option<Vec<VariableId>> {
    let mut given = aggregate_names(call.variable);
    let nested: Vec<Value> = call.variable.extra.iter().map(|v| Value::Str(v.name.clone())).collect();
    // The recorder appends nested names; a tuple written by hand may not.
    let missing: Vec<&Value> = nested.iter().filter(|name| !given.contains(name)).collect();
    given.extend(missing);
    let mut ids = Vec::new();
    let mut sound = true;
    for value in given {
        let name = match value {
            Value::Str(name) => name.clone(),
            Value::Date(day) => day.to_string(),
            other => {
                let message = format!("{} is no name of a column", shown(other));
                call.fault(Fault::new("SD104", message).argument("column_names").fix("name columns in quotes"));
                sound = false;
                continue;
            }
        };
        if let Some(day) = iso_day(&name) {
            ids.extend(fixed_day(call, day, &ids));
            continue;
        }
        match call.scope.find(&name) {
            Found::Earlier(id, true) => ids.push(id),
            Found::Earlier(_, false) => sound = false,
            Found::Later => {
                let own = name == call.variable.name;
                let message = if own {
                    format!("`{name}` uses itself")
                } else {
                    format!("`{name}` is defined later than what is chosen from it")
                };
                let fix = if own {
                    "name other columns".to_owned()
                } else {
                    format!("move `{name}` up, before this variable")
                };
                call.fault(Fault::new("SD106", message).argument("column_names").part(&name, 0..name.len()).fix(fix));
                sound = false;
            }
            Found::Unknown => {
                let near = did_you_mean(&call.scope.nearest(&name));
                let fix = near.unwrap_or_else(|| "name earlier columns, or write a day as YYYY-MM-DD".to_owned());
                let fault = Fault::new("SD104", format!("there is no column `{name}`")).argument("column_names");
                call.fault(fault.part(&name, 0..name.len()).fix(fix));
                sound = false;
            }
        }
    }
    sound.then_some(ids)
}

/// The hidden variable of a day: those of this call stand right before it, one for each day.
fn fixed_day(call: &Call<'_, '_>, day: jiff::civil::Date, taken: &[VariableId]) -> Option<VariableId> {
    let variables = &call.scope.variables;
    let fits = |id: &VariableId| {
        let variable = &variables[id.0];
        variable.hidden && variable.query == Query::Fixed(Scalar::Date(day)) && !taken.contains(id)
    };
    (0..variables.len()).rev().map(VariableId).find(fits)
}
