//! Parquet through Arrow, batch by batch: the planned columns only, types only where nothing is lost (warehouse.md 4.1).
//! A corrupt file is a fault, never a panic: the library's own panics on hostile pages are caught at this border.

mod convert;

use std::collections::BTreeMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use arrow_array::RecordBatch;
use query::reference::Rows;
use query::{Catalogue, Table};

use crate::cell;
use crate::column::plan;
use crate::fault::{Code, Fault, Faults};
use crate::table::{Loading, Note};

/// Bytes that a column of a row group may unpack to.
const LARGEST_CHUNK: i64 = 1 << 30;
/// Rows decoded at once.
const BATCH: usize = 8_192;

pub(crate) fn read(
    catalogue: &Catalogue,
    table: &Table,
    file: &str,
    input: File,
    budget: &mut u64,
) -> Result<(Rows, Vec<Note>), Faults> {
    let read = AssertUnwindSafe(|| decode(catalogue, table, file, input, budget));
    let panicked = |_| Err(Faults::one(Fault::of_file(Code::D203, file, "no readable Parquet: its pages contradict")));
    catch_unwind(read).unwrap_or_else(panicked)
}

fn decode(
    catalogue: &Catalogue,
    table: &Table,
    file: &str,
    input: File,
    budget: &mut u64,
) -> Result<(Rows, Vec<Note>), Faults> {
    let corrupt = |error: &dyn std::fmt::Display| {
        Faults::one(Fault::of_file(Code::D203, file, format!("no readable Parquet: {error}")))
    };
    // types follow from the Parquet schema alone: no dictionaries, no types of other writers
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(input, options).map_err(|e| corrupt(&e))?;
    let chunks = reader.metadata().row_groups().iter().flat_map(|group| group.columns());
    if chunks.into_iter().any(|chunk| chunk.uncompressed_size() > LARGEST_CHUNK) {
        return Err(corrupt(&"a column of a row group claims over 1 GiB"));
    }
    let header: Vec<String> = reader.schema().fields().iter().map(|f| f.name().clone()).collect();
    let mut loading = Loading::new(plan(catalogue, table, &header, file)?, table, file);
    let mut faults = Faults::default();
    for column in &loading.plan.columns {
        let found = reader.schema().field(column.from).data_type();
        if !convert::takes(found, column.kind) {
            let message = format!("{found} cannot be read as {} without loss", column.kind.value_type());
            faults.push(Fault { column: Some(column.name.clone()), ..Fault::of_file(Code::D101, file, message) });
        }
    }
    faults.or(())?;
    let wanted: Vec<usize> = loading.plan.columns.iter().map(|c| c.from).collect();
    let mask = ProjectionMask::roots(reader.parquet_schema(), wanted.iter().copied());
    let batches = reader.with_projection(mask).with_batch_size(BATCH).build().map_err(|e| corrupt(&e))?;
    // the batches hold the wanted columns in file order
    for (at, column) in loading.plan.columns.iter_mut().enumerate() {
        column.from = at;
    }
    let mut trimmed: BTreeMap<usize, u64> = BTreeMap::new();
    let mut line = 0;
    for batch in batches {
        let batch: RecordBatch = batch.map_err(|e| corrupt(&e))?;
        for row in 0..batch.num_rows() {
            line += 1;
            loading.spend(budget)?;
            loading.row(line, |column, kind| {
                let cells = batch.column(column).as_ref();
                if convert::text(cells, row).is_some_and(|text| cell::trims(text, kind)) {
                    *trimmed.entry(column).or_default() += 1;
                }
                convert::value(cells, row, kind)
            });
        }
    }
    loading.trimmed = trimmed;
    loading.finish()
}
