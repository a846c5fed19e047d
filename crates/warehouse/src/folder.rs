//! A plain folder of tables, `<Table>.csv`, `.csv.gz` or `.parquet`, for laptops and tests: an absent table is empty, an
//! absent column is "not supplied". No link leads out of it. The privacy filters of warehouse.md 9 do not apply here:
//! such a folder is synthetic or the owner's own, and a backend refuses it.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use query::reference::Tables;
use query::{Catalogue, Table};

use crate::column::nearest;
use crate::families;
use crate::fault::{Code, Fault, Faults};
use crate::hes::{self, Hes};
use crate::privacy::{self, Hidden, Policy};
use crate::table::{self, CELLS, Note};

/// Bytes of text that one table may have once it is unpacked.
const TEXT: u64 = 2 << 30;

/// An opened folder.
#[derive(Debug)]
pub struct Folder {
    /// Its tables.
    pub tables: Tables,
    /// What was read, by table.
    pub supplied: Vec<Supplied>,
    /// What is worth a word.
    pub notes: Vec<Note>,
    /// What the privacy filters took away.
    pub hidden: Hidden,
}

/// One table that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supplied {
    /// Name in the catalogue.
    pub table: String,
    /// Name of the file.
    pub file: String,
    /// Rows read.
    pub rows: usize,
}

#[derive(Clone, Copy)]
enum Form {
    Csv,
    CsvGz,
    Parquet,
}

/// Opens a folder of tables of a catalogue. Hospital tables are those that v1 studies read (warehouse.md 2.5): their
/// archived twins if any archived table is there, else the current ones. The policy says which privacy filters are lifted.
///
/// # Errors
/// All faults of all files; without any, that of a privacy filter.
pub fn open(folder: &Path, catalogue: &Catalogue, policy: &Policy) -> Result<Folder, Faults> {
    open_with(folder, catalogue, policy, None)
}

/// As [`open`], saying which hospital tables.
///
/// # Errors
/// As [`open`].
pub fn open_with(folder: &Path, catalogue: &Catalogue, policy: &Policy, hes: Option<Hes>) -> Result<Folder, Faults> {
    let shown = folder.display().to_string();
    let refused = |message: String| Faults::one(Fault::of_file(Code::D203, &shown, message));
    let root = fs::canonicalize(folder).map_err(|error| refused(error.to_string()))?;
    let mut names = Vec::new();
    for entry in fs::read_dir(&root).map_err(|error| refused(error.to_string()))? {
        let entry = entry.map_err(|error| refused(error.to_string()))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let mut opened =
        Folder { tables: empty(catalogue), supplied: Vec::new(), notes: Vec::new(), hidden: Hidden::default() };
    let mut faults = Faults::default();
    let mut budget = CELLS;
    for name in names {
        let Some((stem, form)) = form(&name) else { continue };
        let Some(table) = catalogue.table(stem) else {
            let near = nearest(stem, catalogue.tables().iter().map(|t| t.name.as_str()));
            opened.notes.push(Note::UnknownFile { file: name, near });
            continue;
        };
        if let Some(other) = opened.supplied.iter().find(|s| s.table == table.name) {
            let message = format!("{} holds the same table", other.file);
            faults.push(Fault::of_file(Code::D103, &name, message));
            continue;
        }
        let read = regular(&root, &name).and_then(|file| rows(catalogue, table, &name, file, form, &mut budget));
        let mut supplied = Supplied { table: table.name.clone(), file: name, rows: 0 };
        match read {
            Ok((mut rows, notes)) => {
                supplied.rows = rows.rows.len();
                opened.notes.extend(families::complete(table, &mut rows));
                opened.tables.insert(&table.name, rows);
                opened.notes.extend(notes);
            }
            Err(found) => faults.append(found),
        }
        opened.supplied.push(supplied);
    }
    let hes = hes.unwrap_or_else(|| hes::default(&opened.tables));
    hes::apply(hes, &mut opened.tables, catalogue, &mut opened.notes);
    let mut opened = faults.or(opened)?;
    opened.hidden = privacy::apply(policy, catalogue, &mut opened.tables)?;
    Ok(opened)
}

fn empty(catalogue: &Catalogue) -> Tables {
    catalogue.universe().map_or_else(Tables::default, |table| Tables::with_universe(&table.name))
}

/// A file's table and form; other files are none of our business.
fn form(name: &str) -> Option<(&str, Form)> {
    let forms = [(".csv", Form::Csv), (".csv.gz", Form::CsvGz), (".parquet", Form::Parquet)];
    let found = forms.into_iter().find_map(|(end, form)| Some((name.strip_suffix(end)?, form)))?;
    (!found.0.starts_with('.')).then_some(found)
}

/// Opens a regular file that lies in the folder itself, whatever links there are.
fn regular(root: &Path, name: &str) -> Result<File, Faults> {
    let refused = |message: String| Faults::one(Fault::of_file(Code::D203, name, message));
    let path = fs::canonicalize(root.join(name)).map_err(|error| refused(error.to_string()))?;
    if !path.starts_with(root) {
        return Err(refused("leads out of the folder".to_owned()));
    }
    if !fs::metadata(&path).is_ok_and(|data| data.is_file()) {
        return Err(refused("is no file".to_owned()));
    }
    File::open(&path).map_err(|error| refused(error.to_string()))
}

fn rows(
    catalogue: &Catalogue,
    table: &Table,
    name: &str,
    file: File,
    form: Form,
    budget: &mut u64,
) -> Result<(query::reference::Rows, Vec<Note>), Faults> {
    match form {
        Form::Parquet => crate::parquet::read(catalogue, table, name, file, budget),
        Form::Csv => table::csv(catalogue, table, name, BufReader::new(limited(file)), budget),
        Form::CsvGz => {
            let unpacked = limited(MultiGzDecoder::new(BufReader::new(file)));
            table::csv(catalogue, table, name, BufReader::new(unpacked), budget)
        }
    }
}

/// Ends with an error, not silently, where a file unpacks to more than it may.
pub(crate) fn limited(input: impl Read) -> impl Read {
    Limited { input, left: TEXT }
}

struct Limited<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => Err(std::io::Error::other("over 2 GiB of text: import it into a warehouse")),
        }
    }
}
