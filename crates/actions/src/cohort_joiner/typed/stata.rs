//! Results as Stata files: the left file's columns, formats and labels, with the right side's columns behind.
//! What Stata has no place for is refused with column and reason (actions.md 3.4).

use std::io::Write;
use std::sync::Arc;

use arrow_schema::DataType;
use cohorts::read::Column as LeftColumn;
use cohorts::{StataColumn, WriteError, write_stata};

use crate::fault::FaultCode;
use crate::files::data_fault;

use super::super::inputs::Left;
use super::super::matches::MakeFile;
use super::super::options::Options;
use super::super::tell::Counts;
use super::super::trouble::Trouble;
use super::cell;
use super::join::{self, Open, Partners, Shape};
use super::right::{Right, warn_of_names};

/// Rows that are joined at once.
const BATCH: usize = 8_192;

/// What ends a pass.
enum Stop {
    Join(Trouble),
    Write(WriteError),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Join(trouble)
    }
}

pub(super) fn write(
    right: &Right,
    left: &Left,
    open: &Open<'_>,
    options: &Options,
    make_file: &mut MakeFile<'_>,
    stderr: &mut dyn Write,
    out: &mut dyn Write,
) -> Result<Counts, Trouble> {
    let mut partners = Partners::of(right, left, open, make_file)?;
    let original = options.compat.is_original();
    let of_left: Vec<LeftColumn> = open()?.columns().to_vec();
    let places = of_left.len();
    let mut columns: Vec<StataColumn> = Vec::with_capacity(left.names.len());
    for (at, name) in left.names.iter().enumerate() {
        let (data_type, format, labels) = match at.checked_sub(places) {
            None => (&of_left[at].data_type, &of_left[at].stata_format, &of_left[at].labels),
            Some(at) => {
                let column = &right.columns[at];
                (column.field.data_type(), &column.format, &column.labels)
            }
        };
        let format = format.clone().filter(|format| !original && fits(format, data_type));
        let name = String::from_utf8_lossy(name).into_owned();
        let labels = labels.clone();
        columns.push(match labels {
            Some(_) if original => StataColumn { name, data_type: DataType::Utf8, format: None, labels: None },
            labels => StataColumn { name, data_type: data_type.clone(), format, labels },
        });
    }
    let as_read: Shape = |_, array| Arc::clone(array);
    let (mut stopped, mut counts) = (None, Counts::default());
    let written = write_stata(
        &columns,
        &mut |each| {
            let pass = join::each(&mut partners, as_read, left, open, BATCH, |piece| {
                let mut arrays = piece.columns;
                // The original wrote labels in place of numbers.
                for (array, column) in arrays.iter_mut().zip(of_left.iter().filter(|_| original)) {
                    if let Some(labels) = &column.labels {
                        *array = cell::labelled(array, labels);
                    }
                }
                each(&arrays).map_err(Stop::Write)
            });
            match pass {
                Ok(of_all) => {
                    counts = of_all;
                    Ok(())
                }
                Err(Stop::Write(error)) => Err(error),
                Err(Stop::Join(trouble)) => {
                    stopped = Some(trouble);
                    Err(WriteError::Changed)
                }
            }
        },
        out,
    );
    let result = left.result.display().to_string();
    match (written, stopped) {
        (_, Some(trouble)) => Err(trouble),
        (Ok(renamed), None) => {
            warn_of_names(&result, &renamed, stderr);
            Ok(counts)
        }
        (Err(WriteError::Io(error)), None) => Err(Trouble::Write(error)),
        (Err(error), None) => {
            let fault = data_fault(FaultCode::CannotRepresent, format!("{result}: {error}"));
            Err(fault.help("leave the column out, or write the left files as csv or feather").into())
        }
    }
}

/// Whether a format can stand with the type that the column has in the result: those of days and moments need such a type.
fn fits(format: &str, of: &DataType) -> bool {
    let kind = format.trim_start_matches(['%', '-']);
    let of_time = ["td", "tc", "tC"].iter().any(|time| kind.starts_with(time));
    !of_time || matches!(of, DataType::Date32 | DataType::Timestamp(..))
}
