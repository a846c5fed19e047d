//! The cells of one batch under their kinds, checked once so that the inner loops need not ask.
//! Also the rule that every patient has one row, in ascending order.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date32Type, Float64Type, Int64Type};
use arrow_array::{Array, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};

use super::WriteError;
use crate::{DatePrecision, Field, Kind, Schema};

/// One column of a batch.
pub(crate) enum Cells<'a> {
    Bool(&'a BooleanArray),
    Int(&'a Int64Array),
    Float(&'a Float64Array),
    Str(&'a StringArray),
    Date(&'a Date32Array, DatePrecision),
    IntCategory(&'a Int64Array, Option<i64>),
}

impl<'a> Cells<'a> {
    fn of(field: &Field, array: &'a dyn Array) -> Result<Self, WriteError> {
        let wrong = |expected| WriteError::Column {
            column: field.name.clone(),
            expected,
            found: array.data_type().to_string(),
        };
        Ok(match field.kind {
            Kind::Bool => Self::Bool(array.as_boolean_opt().ok_or_else(|| wrong("Boolean"))?),
            Kind::Int => Self::Int(array.as_primitive_opt::<Int64Type>().ok_or_else(|| wrong("Int64"))?),
            Kind::Float => Self::Float(array.as_primitive_opt::<Float64Type>().ok_or_else(|| wrong("Float64"))?),
            Kind::Str => Self::Str(array.as_string_opt::<i32>().ok_or_else(|| wrong("Utf8"))?),
            Kind::Date(precision) => {
                Self::Date(array.as_primitive_opt::<Date32Type>().ok_or_else(|| wrong("Date32"))?, precision)
            }
            Kind::IntCategory { missing } => {
                Self::IntCategory(array.as_primitive_opt::<Int64Type>().ok_or_else(|| wrong("Int64"))?, missing)
            }
        })
    }
}

/// All columns of a batch, in the order of the schema.
pub(crate) fn columns<'a>(schema: &Schema, batch: &'a RecordBatch) -> Result<Vec<Cells<'a>>, WriteError> {
    if batch.num_columns() != schema.fields.len() {
        return Err(WriteError::Column {
            column: "(all)".to_owned(),
            expected: "as many columns as the schema has",
            found: batch.num_columns().to_string(),
        });
    }
    schema.fields.iter().zip(batch.columns()).map(|(field, array)| Cells::of(field, array.as_ref())).collect()
}

/// Watches that patient_id ascends over all batches.
pub(crate) struct Patients {
    column: usize,
    last: Option<i64>,
    pub(crate) rows: u64,
}

impl Patients {
    pub(crate) fn new(schema: &Schema) -> Result<Self, WriteError> {
        let mut found = 0;
        let mut column = None;
        for (at, field) in schema.fields.iter().enumerate() {
            if field.name == "patient_id" {
                found += 1;
                column = Some(at).filter(|_| field.kind == Kind::Int);
            }
        }
        match column {
            Some(column) if found == 1 => Ok(Self { column, last: None, rows: 0 }),
            _ => Err(WriteError::PatientColumn { found }),
        }
    }

    pub(crate) fn see(&mut self, columns: &[Cells<'_>], rows: usize) -> Result<(), WriteError> {
        if let Some(Cells::Int(ids)) = columns.get(self.column) {
            for (at, id) in ids.iter().enumerate() {
                let row = self.rows + at as u64 + 1;
                let id = id.ok_or(WriteError::NoPatient { row })?;
                if let Some(last) = self.last {
                    if id == last {
                        return Err(WriteError::Duplicate { row });
                    }
                    if id < last {
                        return Err(WriteError::Order { row });
                    }
                }
                self.last = Some(id);
            }
        }
        self.rows += rows as u64;
        Ok(())
    }
}

/// Goes over all batches of a source, their columns checked.
pub(crate) fn each_batch(
    source: &dyn crate::Source,
    mut each: impl FnMut(&[Cells<'_>], usize) -> Result<(), WriteError>,
) -> Result<u64, WriteError> {
    let schema = source.schema();
    let mut patients = Patients::new(schema)?;
    for batch in source.batches() {
        let batch = batch.map_err(WriteError::Source)?;
        let columns = columns(schema, &batch)?;
        patients.see(&columns, batch.num_rows())?;
        each(&columns, batch.num_rows())?;
    }
    Ok(patients.rows)
}
