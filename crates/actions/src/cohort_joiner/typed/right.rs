//! The right side as columns in memory, and its rows by `patient_id`.
//! Results take its cells by row number, so types and dictionaries stay as they are.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef};
use arrow_schema::{DataType, Field};
use arrow_select::concat::concat;
use cohorts::read::Labels;

use crate::fault::{Fault, FaultCode};
use crate::files::data_fault;
use crate::text::warn;
use crate::workspace::Workspace;

use super::super::csv_side::CsvSide;
use super::super::index::{Full, Gathered, Index, Spread};
use super::super::inputs::{RIGHT, Side, is_csv};
use super::super::key::Key;
use super::super::matches::Keys;
use super::super::original;
use super::super::trouble::Trouble;
use super::{cell, fault, infer, open};

/// A column that is carried.
pub(super) struct Column {
    /// Its type, and what a feather file says of it.
    pub(super) field: Field,
    pub(super) array: ArrayRef,
    /// How Stata shows it.
    pub(super) format: Option<String>,
    pub(super) labels: Option<Arc<Labels>>,
    /// It is of a Stata file.
    pub(super) of_stata: bool,
}

/// The right side.
pub(in super::super) struct Right {
    pub(super) index: Index,
    pub(super) columns: Vec<Column>,
    pub(in super::super) keys: Keys,
    /// What a feather file says of all columns.
    pub(super) notes: Option<String>,
}

impl Right {
    /// Reads all of it; `limit` in bytes.
    pub(in super::super) fn read(
        workspace: &Workspace,
        side: &Side,
        limit: usize,
        original: bool,
        stderr: &mut dyn Write,
    ) -> Result<Self, Trouble> {
        let mut gathered = Gathered::new(Spread::new(), original);
        let (columns, notes) = match is_csv(side.format) {
            true => (Self::csv(workspace, side, limit, original, &mut gathered, stderr)?, None),
            false => Self::typed(workspace, side, limit, original, &mut gathered)?,
        };
        let index = gathered.build();
        Ok(Self { keys: Keys::of(&index), index, columns, notes })
    }

    fn typed(
        workspace: &Workspace,
        side: &Side,
        limit: usize,
        original: bool,
        gathered: &mut Gathered,
    ) -> Result<(Vec<Column>, Option<String>), Trouble> {
        let reader = open(workspace, &side.path, side.format, RIGHT)?;
        let described = reader.columns().to_vec();
        let schema = reader.schema();
        let carried: Vec<usize> = side.header.carried().collect();
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); carried.len()];
        let mut bytes = 0_usize;
        for rows in reader {
            let rows = rows.map_err(|error| fault(&side.path, &error))?;
            let keys = &rows.columns[side.header.key];
            for row in 0..rows.len {
                cell::with_key(keys, row, |key| gathered.push(key, |_| ())).map_err(|Full| too_large(side, limit))?;
            }
            for (parts, at) in parts.iter_mut().zip(&carried) {
                let array = &rows.columns[*at];
                bytes += array.as_any_dictionary_opt().map_or_else(
                    || array.get_buffer_memory_size(),
                    |dictionary| dictionary.keys().get_buffer_memory_size(),
                );
                parts.push(Arc::clone(array));
            }
            if bytes.saturating_add(gathered.bytes()) > limit {
                return Err(too_large(side, limit).into());
            }
        }
        let mut columns = Vec::new();
        for (parts, at) in parts.into_iter().zip(carried) {
            let column = &described[at];
            let array = whole(parts, &column.data_type).map_err(|_| too_large(side, limit))?;
            let labels = column.labels.clone();
            let (array, labels) = match labels {
                Some(labels) if original => (cell::labelled(&array, &labels), None),
                labels => (array, labels),
            };
            let field = match &schema {
                Some(schema) => schema.field(at).clone(),
                None => Field::new("", array.data_type().clone(), true),
            };
            columns.push(Column {
                field,
                array,
                format: column.stata_format.clone(),
                labels,
                of_stata: schema.is_none(),
            });
        }
        Ok((columns, schema.and_then(|schema| schema.metadata().get("pandas").cloned())))
    }

    fn csv(
        workspace: &Workspace,
        side: &Side,
        limit: usize,
        as_original: bool,
        gathered: &mut Gathered,
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
        let mut csv = open()?;
        csv.each_fields(|fields| {
            let key = fields.get(side.header.key);
            let key = if as_original { original::key(key) } else { Key::of_text(key) };
            gathered.push(key, |_| ()).map_err(|Full| too_large(side, limit))?;
            for (at, builder) in carried.iter().zip(&mut builders) {
                builder.push(fields.get(*at)).map_err(|infer::NotUtf8| {
                    let column = String::from_utf8_lossy(&side.header.names[*at]).into_owned();
                    let message = format!("{}: column {column} holds bytes that are not UTF-8", side.name());
                    data_fault(FaultCode::CannotRepresent, message)
                        .help("feather and Stata files hold UTF-8 only; write the file as UTF-8")
                })?;
            }
            let bytes: usize = builders.iter().map(infer::Builder::bytes).sum();
            if bytes.saturating_add(gathered.bytes()) > limit {
                return Err(too_large(side, limit).into());
            }
            Ok(())
        })?;
        csv.tell(stderr);
        let column = |builder: infer::Builder| -> Result<Column, Trouble> {
            let array = builder.array().map_err(|_| too_large(side, limit))?;
            let field = Field::new("", array.data_type().clone(), true);
            Ok(Column { field, array, format: None, labels: None, of_stata: false })
        };
        builders.into_iter().map(column).collect()
    }
}

fn whole(parts: Vec<ArrayRef>, of: &DataType) -> Result<ArrayRef, arrow_schema::ArrowError> {
    match parts.as_slice() {
        [] => Ok(arrow_array::new_empty_array(of)),
        [only] => Ok(Arc::clone(only)),
        several => concat(&several.iter().map(AsRef::as_ref).collect::<Vec<_>>()),
    }
}

fn too_large(side: &Side, limit: usize) -> Fault {
    let message = format!(
        "{} takes more than {} MiB of memory; for feather and Stata files on the left all of it must fit",
        side.name(),
        limit >> 20
    );
    data_fault(FaultCode::TooLarge, message)
        .help("leave out columns, or write the left files as csv.gz, which has no such limit")
}

/// One warning for each column that has another name in a result.
pub(super) fn warn_of_names(result: &str, renamed: &[(String, String)], stderr: &mut dyn Write) {
    for (before, after) in renamed {
        warn(
            stderr,
            &format!(
                "{result}: the column {before} is named {after}: Stata takes only names of up to 32 letters, digits and _, each once"
            ),
        );
    }
}
