//! Results as feather files: the left file's columns, notes and packing, with the right side's columns behind.
//! Batches have 65,536 rows, however long those of the left file are (actions.md 3.4).

use std::io::Write;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use arrow_select::concat::concat;
use cohorts::{FeatherWriter, Packing, WriteError};
use serde_json::Value;

use super::super::inputs::Left;
use super::super::matches::MakeFile;
use super::super::options::Options;
use super::super::tell::Counts;
use super::super::trouble::Trouble;
use super::join::{self, Open, Partners, Piece};
use super::pandas;
use super::right::{Column, Right};

pub(super) fn write(
    right: &Right,
    left: &Left,
    open: &Open<'_>,
    options: &Options,
    make_file: &mut MakeFile<'_>,
    out: &mut dyn Write,
) -> Result<Counts, Trouble> {
    let mut partners = Partners::of(right, left, open, make_file)?;
    let rows = partners.count(left, open)?;
    let mut reader = open()?;
    let packing = reader.packing().map_err(|error| super::fault(&left.side.path, &error))?;
    let packing = if options.compat.is_original() { Packing::Lz4 } else { packing };
    let of_left = reader.schema().unwrap_or_else(|| Arc::new(Schema::empty()));
    drop(reader);
    let schema = schema(left, &of_left, right, rows);
    let mut file = FeatherWriter::begin(out, Arc::clone(&schema), packing).map_err(trouble)?;
    let mut batches = Batches { file: &mut file, schema: &schema, parts: Vec::new(), rows: 0, begun: false };
    let write = |piece: Piece<'_>| batches.push(&piece);
    let counts = join::each(&mut partners, Column::for_feather, left, open, FeatherWriter::BATCH, write)?;
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

/// The columns of the result, with the notes of the left file and what pandas wants to know.
fn schema(left: &Left, of_left: &Schema, right: &Right, rows: u64) -> SchemaRef {
    let names: Vec<String> = left.names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let of_right = right.columns.iter().map(|column| {
        // A field knows whether its dictionary has an order; its type may be another than in the file.
        let data_type = column.for_feather(&arrow_array::new_empty_array(column.field.data_type())).data_type().clone();
        column.field.clone().with_nullable(true).with_data_type(data_type)
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
