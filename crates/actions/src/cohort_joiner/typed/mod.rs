//! Files whose columns have types: feather and Stata on either side, and csv on the right of them (actions.md 3.4).
//! The right side is held column by column, or on the disk if it is too large; the left one is read batch by batch.

mod cell;
mod disk;
mod feather;
mod infer;
mod join;
mod pandas;
mod right;
mod source;
mod stata;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use arrow_schema::DataType;
use cohorts::read::{Limits, ReadError, Reader};

use crate::csv::MAX_COLUMNS;
use crate::fault::{Exit, Fault};
use crate::files::{Format, unreadable};
use crate::text::warn;
use crate::workspace::Workspace;

use super::columns::Header;
use super::inputs::{LEFT, Left, RIGHT, Side};
use super::lines;
use super::matches::{Gathering, MakeFile};
use super::options::Options;
use super::tell::Counts;
use super::trouble::Trouble;

pub(super) use right::{Reading, Right};

fn open(workspace: &Workspace, path: &Path, format: Format, part: &str) -> Result<Reader, Fault> {
    let file = workspace.open(path, part, Exit::Data)?;
    let limits = Limits { columns: MAX_COLUMNS, ..Limits::default() };
    Reader::open(format, BufReader::with_capacity(1 << 16, file), limits).map_err(|error| fault(path, &error))
}

fn fault(path: &Path, error: &ReadError) -> Fault {
    unreadable(error, &path.display().to_string())
}

/// The names of a file's columns.
pub(super) fn header(
    workspace: &Workspace,
    path: &Path,
    format: Format,
    part: &str,
    stderr: &mut dyn Write,
) -> Result<Header, Fault> {
    let reader = open(workspace, path, format, part)?;
    let name = path.display().to_string();
    if reader.notes().plain_under_gz {
        warn(stderr, &format!("{name} is not compressed in spite of its name; it is read as it is"));
    }
    Header::new(reader.columns().iter().map(|column| column.name_bytes().to_vec()).collect(), &name)
}

/// The right side as lines of text, for csv files on the left. `gaps`: whole numbers are written as floats.
pub(super) fn lines(
    workspace: &Workspace,
    side: &Side,
    mut gathering: Gathering<'_>,
    original: bool,
    gaps: bool,
) -> Result<lines::Right, Trouble> {
    let read = |error: ReadError| fault(&side.path, &error);
    let mut reader = open(workspace, &side.path, side.format, RIGHT)?;
    let mut shown: Vec<cell::Shown> =
        reader.columns().iter().map(|column| cell::Shown::of(column, original, gaps)).collect();
    // Whether days are all that a column of moments holds is known when all of it has been seen.
    let is_moment = |at: &usize| matches!(reader.columns()[*at].data_type, DataType::Timestamp(..));
    let moments: Vec<usize> = side.header.carried().filter(is_moment).collect();
    if !moments.is_empty() {
        reader.keep(&moments);
        for rows in reader {
            for (at, array) in moments.iter().zip(rows.map_err(read)?.columns) {
                shown[*at].with_time |= (0..array.len()).any(|row| cell::has_time(&array, row));
            }
        }
        reader = open(workspace, &side.path, side.format, RIGHT)?;
    }
    for rows in reader {
        let rows = rows.map_err(read)?;
        for row in 0..rows.len {
            cell::with_key(&rows.columns[side.header.key], row, |key| {
                gathering.push(key, |line| {
                    for at in side.header.carried() {
                        line.push(b',');
                        cell::push(line, &rows.columns[at], row, &shown[at]);
                    }
                })
            })?;
        }
    }
    lines::Right::of(gathering, side.header.names.len() - 1)
}

impl Right {
    /// Writes the result of one left file.
    pub(super) fn join(
        &self,
        workspace: &Workspace,
        left: &Left,
        options: &Options,
        make_file: &mut MakeFile<'_>,
        stderr: &mut dyn Write,
        out: &mut File,
    ) -> Result<Counts, Trouble> {
        let open = || open(workspace, &left.side.path, left.side.format, LEFT);
        match left.side.format {
            Format::DtaGz => cohorts::gzip(options.gzip_level, out, |out| {
                stata::write(self, left, &open, options, make_file, stderr, out)
            }),
            Format::Dta => stata::write(self, left, &open, options, make_file, stderr, out),
            _ => feather::write(self, left, &open, options, make_file, out),
        }
    }
}
