//! Studies by hand, and dummy data as plain cells.

use std::collections::BTreeMap;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type};
use arrow_schema::DataType;
use cohorts::{DatePrecision, Source};
use jiff::civil::{Date, date};
use study::expectations::{Cohort, Settings};
use study::fault::Fault;
use study::model::*;
use study::recording::{Recording, SourceId, Value};

/// A cell as a batch has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Missing,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// From 1970-01-01.
    Day(i32),
}

impl Cell {
    pub(crate) fn number(&self) -> f64 {
        match self {
            Self::Bool(value) => f64::from(u8::from(*value)),
            Self::Int(value) => *value as f64,
            Self::Float(value) => *value,
            Self::Day(value) => f64::from(*value),
            other => panic!("{other:?} is no number"),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Missing | Self::Bool(false) | Self::Int(0)) || *self == Self::Float(0.0)
    }
}

/// JSON as a value of Python; the key "None" is null.
pub(crate) fn python(json: serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(value) => value.as_i64().map_or_else(|| Value::Float(value.as_f64().unwrap()), Value::Int),
        Json::String(value) => Value::Str(value),
        Json::Array(items) => Value::List(items.into_iter().map(python).collect()),
        Json::Object(entries) => {
            let key = |key: String| if key == "None" { Value::Null } else { Value::Str(key) };
            Value::Map(entries.into_iter().map(|(k, v)| (key(k), python(v))).collect())
        }
    }
}

macro_rules! py {
    ($($json:tt)+) => { crate::support::python(serde_json::json!($($json)+)) };
}
pub(crate) use py;

pub(crate) const DAY: ColumnType = ColumnType::Date(DatePrecision::Day);

pub(crate) fn variable(name: &str, kind: ColumnType, query: Query, expectations: Value) -> Variable {
    let src = SourceId(name.bytes().map(u32::from).sum());
    Variable {
        name: name.into(),
        called: "f".into(),
        hidden: false,
        kind,
        query,
        expectations,
        src,
        via: vec![],
        name_src: None,
    }
}

/// A column that reads a table.
pub(crate) fn column(name: &str, kind: ColumnType, expectations: Value) -> Variable {
    let query = match kind {
        ColumnType::Date(_) => dated(Period::default()),
        ColumnType::Str => Query::Sex,
        _ => Query::HealthcareWorker,
    };
    variable(name, kind, query, expectations)
}

pub(crate) fn dated(period: Period) -> Query {
    Query::PrimaryCareDeath { period, returning: DeathFact::DateOfDeath }
}

pub(crate) fn date_of(name: &str, source: usize) -> Variable {
    variable(name, DAY, Query::ValueFrom { source: VariableId(source), part: Part::Date }, Value::Null)
}

pub(crate) fn study_with(default: Value, mut variables: Vec<Variable>) -> Study {
    variables.push(variable("population", ColumnType::Bool, Query::AllPatients, Value::Null));
    Study { variables, index_date: None, default_expectations: default }
}

pub(crate) fn study(variables: Vec<Variable>) -> Study {
    study_with(Value::Null, variables)
}

pub(crate) fn recording() -> Recording {
    Recording {
        recorder: "1.0.0".into(),
        python: "3.11.9".into(),
        module: "study_definition".into(),
        file: "analysis/study_definition.py".into(),
        date: date(2021, 1, 1),
        params_given: vec![],
        params_read: vec![],
        sources: vec![],
        codelists: BTreeMap::new(),
        study: None,
        measures: None,
        files_read: vec![],
        faults: vec![],
        exception: None,
    }
}

pub(crate) fn settings(patients: u64) -> Settings {
    Settings { index_date: None, today: date(2022, 6, 1), patients, seed: 7 }
}

pub(crate) fn on(index_date: Date, patients: u64) -> Settings {
    Settings { index_date: Some(index_date), ..settings(patients) }
}

pub(crate) fn cohort(study: &Study, settings: &Settings) -> Cohort {
    Cohort::new(study, &recording(), settings, None).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

pub(crate) fn faults(study: &Study, settings: &Settings) -> Vec<Fault> {
    Cohort::new(study, &recording(), settings, None).err().unwrap_or_default()
}

/// All columns of all batches, by name.
pub(crate) fn cells(cohort: &Cohort) -> BTreeMap<String, Vec<Cell>> {
    let mut cells = BTreeMap::<String, Vec<Cell>>::new();
    for batch in cohort.batches() {
        let batch = batch.unwrap();
        assert!(batch.num_rows() <= 8_192);
        for (field, array) in cohort.schema().fields.iter().zip(batch.columns()) {
            let column = cells.entry(field.name.clone()).or_default();
            column.extend((0..array.len()).map(|row| cell(array.as_ref(), row)));
        }
    }
    cells
}

fn cell(array: &dyn Array, row: usize) -> Cell {
    match array.data_type() {
        _ if array.is_null(row) => Cell::Missing,
        DataType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        DataType::Int64 => Cell::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Cell::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).into()),
        DataType::Date32 => Cell::Day(array.as_primitive::<Date32Type>().value(row)),
        other => panic!("{other}"),
    }
}

/// One column of a study of one column.
pub(crate) fn draw(kind: ColumnType, expectations: Value, patients: u64) -> Vec<Cell> {
    let study = study(vec![column("x", kind, expectations)]);
    cells(&cohort(&study, &settings(patients))).remove("x").unwrap()
}

/// Days from 1970-01-01.
pub(crate) fn day(year: i16, month: i8, day: i8) -> i32 {
    let since = date(year, month, day).since(date(1970, 1, 1)).unwrap();
    since.get_days()
}
