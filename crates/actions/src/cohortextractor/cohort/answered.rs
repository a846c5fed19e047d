//! Rows of the query model as a file of patients: patient_id, then the visible columns in definition order (9.2).
//! They are held in memory: the reference interpreter is for small data.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use cohorts::{Field, Kind, Memory, Schema};
use jiff::civil::{Date, date};
use query::reference::{Answer, PatientRow, Value};
use study::model::{ColumnType, Study};

use crate::fault::{Exit, Fault, FaultCode};

/// Rows of a batch.
const BATCH: usize = 8_192;

/// The columns of a study's file.
pub(crate) fn schema(study: &Study) -> Schema {
    let mut fields = vec![Field { name: "patient_id".to_owned(), kind: Kind::Int }];
    fields.extend(study.columns().map(|id| Field { name: study[id].name.clone(), kind: kind(study[id].kind) }));
    Schema { fields }
}

/// The rows of an answer as a source of a file.
pub(crate) fn source(study: &Study, answer: &Answer) -> Result<Memory, Fault> {
    let mut growing = Growing::new(study);
    for rows in answer.rows.chunks(BATCH) {
        growing.add(rows)?;
    }
    Ok(growing.memory)
}

/// A source of a file to which rows are added.
pub(crate) struct Growing {
    pub(crate) memory: Memory,
}

impl Growing {
    pub(crate) fn new(study: &Study) -> Self {
        Self { memory: Memory { schema: schema(study), batches: Vec::new() } }
    }

    pub(crate) fn add(&mut self, rows: &[PatientRow]) -> Result<(), Fault> {
        if rows.is_empty() {
            return Ok(());
        }
        let column = |at: usize, field: &Field| match at.checked_sub(1) {
            None => Arc::new(rows.iter().map(|row| Some(row.patient_id)).collect::<Int64Array>()) as ArrayRef,
            Some(at) => array(field.kind, rows.iter().map(|row| row.values.get(at).unwrap_or(&Value::Null))),
        };
        let fields = self.memory.schema.fields.iter().enumerate();
        let columns = fields.map(|(at, field)| (field.name.clone(), column(at, field), true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(|error: ArrowError| {
            let message = format!("the rows of the study do not fit its columns: {error}");
            Fault::new(FaultCode::IoError, Exit::Database, message)
        })?;
        self.memory.batches.push(batch);
        Ok(())
    }
}

fn kind(column: ColumnType) -> Kind {
    match column {
        ColumnType::Bool => Kind::Bool,
        ColumnType::Int => Kind::Int,
        ColumnType::Float => Kind::Float,
        ColumnType::Str => Kind::Str,
        ColumnType::Date(precision) => Kind::Date(precision),
        ColumnType::IntCategory { missing } => Kind::IntCategory { missing: Some(missing) },
    }
}

fn array<'a>(kind: Kind, values: impl Iterator<Item = &'a Value>) -> ArrayRef {
    match kind {
        Kind::Bool => Arc::new(
            values.map(|value| if let Value::Bool(b) = value { Some(*b) } else { None }).collect::<BooleanArray>(),
        ),
        Kind::Int | Kind::IntCategory { .. } => Arc::new(
            values.map(|value| if let Value::Int(i) = value { Some(*i) } else { None }).collect::<Int64Array>(),
        ),
        Kind::Float => Arc::new(
            values.map(|value| if let Value::Float(x) = value { Some(*x) } else { None }).collect::<Float64Array>(),
        ),
        Kind::Str => Arc::new(
            values.map(|value| if let Value::Str(s) = value { Some(s) } else { None }).collect::<StringArray>(),
        ),
        Kind::Date(_) => {
            let day = |value: &Value| match value {
                Value::Date(day) => Some(number(*day)),
                Value::DateTime(moment) => Some(number(moment.date())),
                _ => None,
            };
            Arc::new(values.map(day).collect::<Date32Array>())
        }
    }
}

/// Days from 1970.
fn number(day: Date) -> i32 {
    date(1970, 1, 1).until((jiff::Unit::Day, day)).map_or(0, |span| span.get_days())
}
