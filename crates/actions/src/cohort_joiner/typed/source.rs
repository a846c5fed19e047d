//! The right side batch by batch, with the types that its columns have in a result: those of its file, or for a csv file
//! those that all of a column allows.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::BinaryBuilder;
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};

use crate::fault::{Fault, FaultCode};
use crate::files::data_fault;
use crate::workspace::Workspace;

use super::super::csv_side::CsvSide;
use super::super::inputs::{RIGHT, Side};
use super::super::key::Key;
use super::super::original;
use super::super::trouble::Trouble;
use super::right::{Column, Reading};
use super::{cell, fault, infer, open};

/// Rows of a csv file that become columns at once.
const ROWS: usize = 8_192;
/// Bytes of different texts that are held however small the limit is.
const TEXTS: usize = 2 << 20;

/// Reads a file of types; gives its columns, and what a feather file says of all of them.
pub(super) fn typed(
    workspace: &Workspace,
    side: &Side,
    original: bool,
    reading: &mut Reading<'_>,
) -> Result<(Vec<Column>, Option<String>), Trouble> {
    let reader = open(workspace, &side.path, side.format, RIGHT)?;
    let described = reader.columns().to_vec();
    let schema = reader.schema();
    let carried: Vec<usize> = side.header.carried().collect();
    // The original wrote labels in place of numbers.
    let as_text = |at: usize| described[at].labels.as_ref().filter(|_| original);
    let column = |at: usize| {
        let of = &described[at];
        let data_type = if as_text(at).is_some() { DataType::Utf8 } else { of.data_type.clone() };
        let nanoseconds = matches!(data_type, DataType::Date32 | DataType::Timestamp(TimeUnit::Millisecond, _));
        Column {
            field: schema.as_ref().map_or_else(|| Field::new("", data_type, true), |schema| schema.field(at).clone()),
            format: of.stata_format.clone(),
            labels: of.labels.clone().filter(|_| !original),
            nanoseconds: schema.is_none() && nanoseconds,
        }
    };
    let mut columns: Vec<Column> = carried.iter().map(|at| column(*at)).collect();
    for rows in reader {
        let rows = rows.map_err(|error| fault(&side.path, &error))?;
        let array = |at: &usize| match as_text(*at) {
            Some(labels) => cell::labelled(&rows.columns[*at], labels),
            None => Arc::clone(&rows.columns[*at]),
        };
        let arrays: Vec<ArrayRef> = carried.iter().map(array).collect();
        columns.iter_mut().zip(&arrays).for_each(|(column, array)| column.see(array));
        reading.push(Arc::clone(&rows.columns[side.header.key]), arrays)?;
    }
    Ok((columns, schema.and_then(|schema| schema.metadata().get("pandas").cloned())))
}

/// Reads a csv file, as often as it takes to know its types; `limit` in bytes.
pub(super) fn csv(
    workspace: &Workspace,
    side: &Side,
    limit: usize,
    as_original: bool,
    reading: &mut Reading<'_>,
    stderr: &mut dyn Write,
) -> Result<Vec<Column>, Trouble> {
    let open = || CsvSide::open(workspace, &side.path, RIGHT, as_original, &mut io::sink());
    let carried: Vec<usize> = side.header.carried().collect();
    let mut seen: Vec<infer::Seen> = vec![infer::Seen::default(); carried.len()];
    open()?.each_fields(|fields| {
        carried.iter().zip(&mut seen).for_each(|(at, seen)| seen.see(fields.get(*at)));
        Ok(())
    })?;
    let mut builders: Vec<infer::Builder> = seen.iter().map(infer::Seen::builder).collect();
    texts(&mut open()?, side, &carried, &mut builders, limit.max(TEXTS))?;
    let (mut csv, mut keys, mut rows) = (open()?, BinaryBuilder::new(), 0);
    csv.each_fields(|fields| {
        let key = fields.get(side.header.key);
        let blank = as_original && original::key(key) == Key::Blank;
        keys.append_option((!blank).then_some(key));
        carried.iter().zip(&mut builders).for_each(|(at, builder)| builder.push(fields.get(*at)));
        rows += 1;
        if rows < ROWS {
            return Ok(());
        }
        rows = 0;
        reading.push(Arc::new(keys.finish()), take(&mut builders)?)
    })?;
    csv.tell(stderr);
    let arrays = take(&mut builders)?;
    let column = |array: &ArrayRef| Column {
        field: Field::new("", array.data_type().clone(), true),
        format: None,
        labels: None,
        nanoseconds: false,
    };
    let columns = arrays.iter().map(column).collect();
    reading.push(Arc::new(keys.finish()), arrays)?;
    Ok(columns)
}

fn take(builders: &mut [infer::Builder]) -> Result<Vec<ArrayRef>, Trouble> {
    let arrays: Result<Vec<ArrayRef>, ArrowError> = builders.iter_mut().map(infer::Builder::take).collect();
    arrays.map_err(|error| Trouble::Write(io::Error::other(error)))
}

/// Gathers the different texts of those columns that have some.
fn texts(
    csv: &mut CsvSide,
    side: &Side,
    carried: &[usize],
    builders: &mut [infer::Builder],
    most: usize,
) -> Result<(), Trouble> {
    let mut columns = Vec::new();
    for (at, builder) in carried.iter().zip(builders) {
        if let infer::Builder::Text(texts) = builder {
            columns.push((*at, texts));
        }
    }
    if columns.is_empty() {
        return Ok(());
    }
    csv.each_fields(|fields| {
        let mut bytes = 0;
        for (at, texts) in &mut columns {
            texts.see(fields.get(*at)).map_err(|infer::NotUtf8| {
                let column = String::from_utf8_lossy(&side.header.names[*at]).into_owned();
                let message = format!("{}: column {column} holds bytes that are not UTF-8", side.name());
                data_fault(FaultCode::CannotRepresent, message)
                    .help("feather and Stata files hold UTF-8 only; write the file as UTF-8")
            })?;
            bytes += texts.bytes();
        }
        if bytes > most { Err(too_large(side, most).into()) } else { Ok(()) }
    })?;
    columns.into_iter().for_each(|(_, texts)| texts.sort());
    Ok(())
}

fn too_large(side: &Side, most: usize) -> Fault {
    let message = format!(
        "{}: its different texts take more than {} MiB of memory; for feather and Stata files on the left these must fit",
        side.name(),
        most >> 20
    );
    data_fault(FaultCode::TooLarge, message)
        .help("leave out columns of text, or write the left files as csv.gz, which has no such limit")
}
