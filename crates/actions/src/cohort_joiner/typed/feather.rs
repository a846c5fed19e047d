//! Results as feather files: the left file's columns, notes and packing, with the right side's columns behind.
//! Batches have 65,536 rows, however long those of the left file are (actions.md 3.4).

use std::io::Write;
use std::sync::Arc;

use arrow_array::types::{Date32Type, TimestampMillisecondType, TimestampNanosecondType};
use arrow_array::{Array, ArrayRef, PrimitiveArray, RecordBatch, cast::AsArray as _};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_select::concat::concat;
use cohorts::{FeatherWriter, Packing, WriteError};
use serde_json::Value;

use super::super::inputs::Left;
use super::super::options::Options;
use super::super::tell::Counts;
use super::super::trouble::Trouble;
use super::join::{self, Open, Piece};
use super::pandas;
use super::right::{Column, Right};

const NANOSECONDS_OF_DAY: i64 = 86_400_000_000_000;

pub(super) fn write(
    right: &Right,
    left: &Left,
    open: &Open<'_>,
    options: &Options,
    out: &mut dyn Write,
) -> Result<Counts, Trouble> {
    let rows = join::count(right, left, open)?;
    let mut reader = open()?;
    let packing = reader.packing().map_err(|error| super::fault(&left.side.path, &error))?;
    let packing = if options.compat.is_original() { Packing::Lz4 } else { packing };
    let of_left = reader.schema().unwrap_or_else(|| Arc::new(Schema::empty()));
    drop(reader);
    let carried: Vec<ArrayRef> = right.columns.iter().map(carried).collect();
    let schema = schema(left, &of_left, right, &carried, rows);
    let mut file = FeatherWriter::begin(out, Arc::clone(&schema), packing).map_err(trouble)?;
    let mut batches = Batches { file: &mut file, schema: &schema, parts: Vec::new(), rows: 0, begun: false };
    let counts = join::each(right, &carried, left, open, FeatherWriter::BATCH, |piece| batches.push(&piece))?;
    // A file without rows has one batch without rows, for readers that want one.
    if !batches.begun && batches.parts.is_empty() {
        let fields = schema.fields().iter();
        batches.parts.push(fields.map(|field| arrow_array::new_empty_array(field.data_type())).collect());
    }
    batches.flush()?;
    file.end().map_err(trouble)?;
    Ok(counts)
}

fn trouble(error: WriteError) -> Trouble {
    match error {
        WriteError::Io(error) => Trouble::Write(error),
        other => Trouble::Write(std::io::Error::other(other)),
    }
}

fn arrow(error: ArrowError) -> Trouble {
    Trouble::Write(std::io::Error::other(error))
}

/// Gathers columns to batches of the usual length.
struct Batches<'a, 'w> {
    file: &'a mut FeatherWriter<'w>,
    schema: &'a SchemaRef,
    parts: Vec<Vec<ArrayRef>>,
    rows: usize,
    begun: bool,
}

impl Batches<'_, '_> {
    fn push(&mut self, piece: &Piece<'_>) -> Result<(), Trouble> {
        let columns = piece.columns.as_slice();
        let rows = columns.first().map_or(0, |array| array.len());
        let is_a_batch = self.rows == 0 && (rows == FeatherWriter::BATCH || piece.last && rows < FeatherWriter::BATCH);
        if let Some(packed) = piece.packed.filter(|_| is_a_batch) {
            let batch = RecordBatch::try_new(Arc::clone(self.schema), columns.to_vec()).map_err(arrow)?;
            if self.file.write_beside(packed, &batch).map_err(trouble)? {
                self.begun = true;
                return Ok(());
            }
        }
        let mut from = 0;
        while from < rows {
            let now = (rows - from).min(FeatherWriter::BATCH - self.rows);
            self.parts.push(columns.iter().map(|array| array.slice(from, now)).collect());
            self.rows += now;
            from += now;
            if self.rows == FeatherWriter::BATCH {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Trouble> {
        let parts = std::mem::take(&mut self.parts);
        self.rows = 0;
        let columns = match parts.as_slice() {
            [] => return Ok(()),
            [only] => only.clone(),
            several => {
                let column = |at: usize| {
                    let parts: Vec<&dyn Array> = several.iter().map(|part| part[at].as_ref()).collect();
                    concat(&parts).map_err(arrow)
                };
                (0..self.schema.fields().len()).map(column).collect::<Result<_, _>>()?
            }
        };
        self.begun = true;
        let batch = RecordBatch::try_new(Arc::clone(self.schema), columns).map_err(arrow)?;
        self.file.write(&batch).map_err(trouble)
    }
}

/// A column of the right side as a feather file has it: days and moments of Stata files as pandas would give them.
fn carried(column: &Column) -> ArrayRef {
    let nanoseconds: Option<PrimitiveArray<TimestampNanosecondType>> = match column.array.data_type() {
        DataType::Date32 if column.of_stata => {
            let days = column.array.as_primitive::<Date32Type>();
            days.try_unary(|day| times(i64::from(day), NANOSECONDS_OF_DAY)).ok()
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) if column.of_stata => {
            let moments = column.array.as_primitive::<TimestampMillisecondType>();
            moments.try_unary(|milliseconds| times(milliseconds, 1_000_000)).ok()
        }
        _ => None,
    };
    // Beyond the years of nanoseconds a column keeps its type.
    nanoseconds.map_or_else(|| Arc::clone(&column.array), |array| Arc::new(array))
}

fn times(count: i64, by: i64) -> Result<i64, ArrowError> {
    count.checked_mul(by).ok_or_else(|| ArrowError::ComputeError("out of range".to_owned()))
}

/// The columns of the result, with the notes of the left file and what pandas wants to know.
fn schema(left: &Left, of_left: &Schema, right: &Right, carried: &[ArrayRef], rows: u64) -> SchemaRef {
    let names: Vec<String> = left.names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let of_right = right.columns.iter().zip(carried).map(|(column, array)| {
        // A field knows whether its dictionary has an order; its type may be another than in the file.
        let field = column.field.clone().with_nullable(true);
        if field.data_type() == array.data_type() { field } else { Field::new("", array.data_type().clone(), true) }
    });
    let fields = of_left.fields().iter().map(|field| field.as_ref().clone()).chain(of_right);
    let fields: Vec<Field> = fields.zip(&names).map(|(field, name)| field.with_name(name)).collect();
    let (left_entries, right_entries) =
        (pandas::entries(of_left.metadata().get(PANDAS)), pandas::entries(right.notes.as_ref()));
    let entry = |at: usize| -> Option<&Value> {
        match at.checked_sub(of_left.fields().len()) {
            None => left_entries.get(of_left.field(at).name()),
            Some(at) => right_entries.get(right.columns[at].field.name()),
        }
    };
    let columns: Vec<(&Field, Option<&Value>)> =
        fields.iter().enumerate().map(|(at, field)| (field, entry(at))).collect();
    let mut metadata = of_left.metadata().clone();
    metadata.insert(PANDAS.to_owned(), pandas::note(&columns, rows));
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

const PANDAS: &str = "pandas";
