//! Rows of one table, from CSV or Parquet, as `query::reference` takes them: typed by the catalogue, in file order.
//! All faults of a file are found before any is told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use query::reference::Rows;
use query::{Catalogue, PATIENT_ID, Table, Value};

use crate::cell::{self, Wrong};
use crate::column::{Plan, RowKey, plan};
use crate::csv::{CsvError, Record, Records};
use crate::fault::{Code, Fault, Faults};
use crate::hes::Hes;

/// Cells of all tables of a folder together: a folder is for laptops and tests, more belongs into a warehouse.
pub(crate) const CELLS: u64 = 64_000_000;

/// Something about a folder that is no fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A column that the catalogue does not have; it is not read.
    UnknownColumn {
        /// File.
        file: String,
        /// As in the file.
        column: String,
        /// The most similar column of the table.
        near: Option<String>,
    },
    /// A file that is no table of the catalogue; it is not read.
    UnknownFile {
        /// File.
        file: String,
        /// The most similar table.
        near: Option<String>,
    },
    /// The ids of rows were not supplied; rows have their number.
    RowNumbers {
        /// Table.
        table: String,
        /// The key.
        column: String,
    },
    /// Identical rows of patients that stood more than once; one each is kept.
    Repeated {
        /// Table.
        table: String,
        /// Rows dropped.
        rows: u64,
    },
    /// Which hospital rows stand under the names that v1 studies read, where archived tables were supplied.
    Hes(Hes),
    /// Hospital rows without a month, which are neither before nor after April 2023.
    WithoutMonth {
        /// Table.
        table: String,
        /// Rows left out.
        rows: u64,
    },
    /// Numbered columns of which only some were supplied: the others are empty.
    Family {
        /// Table.
        table: String,
        /// The columns that were not supplied.
        columns: Vec<String>,
    },
    /// Codes that lost blanks around them.
    Trimmed {
        /// Table.
        table: String,
        /// Column.
        column: String,
        /// Cells.
        cells: u64,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let like = |near: &Option<String>| near.as_ref().map_or_else(String::new, |near| format!("; is it {near}?"));
        match self {
            Note::UnknownColumn { file, column, near } => {
                write!(f, "{file}: column {column} is not read{}", like(near))
            }
            Note::UnknownFile { file, near } => write!(f, "{file}: no table of that name, not read{}", like(near)),
            Note::RowNumbers { table, column } => write!(f, "{table} has no {column}: its rows are numbered"),
            Note::Repeated { table, rows } => write!(f, "{table}: {rows} identical rows of known patients are dropped"),
            Note::Hes(Hes::Archived) => f.write_str("hospital tables are read from their archived twins, as v1 did"),
            Note::Hes(Hes::Current) => f.write_str("hospital tables are read without their archived twins"),
            Note::Hes(Hes::Union) => {
                f.write_str("hospital tables are read from their archived twins before April 2023")
            }
            Note::WithoutMonth { table, rows } => {
                write!(f, "{table}: {rows} rows without Der_Activity_Month are left out")
            }
            Note::Family { table, columns } => {
                let (first, last) =
                    (columns.first().map_or("", String::as_str), columns.last().map_or("", String::as_str));
                write!(
                    f,
                    "{table}: {} numbered columns, {first} to {last}, were not supplied and count as empty",
                    columns.len()
                )
            }
            Note::Trimmed { table, column, cells } => {
                write!(f, "{table}.{column}: blanks around {cells} codes are dropped")
            }
        }
    }
}

/// Reads a table of the catalogue from CSV (warehouse.md 4.1). `file` is its name in messages.
///
/// # Errors
/// All faults of the text, with lines and columns.
pub fn read_csv(
    catalogue: &Catalogue,
    table: &Table,
    file: &str,
    input: impl Read,
) -> Result<(Rows, Vec<Note>), Faults> {
    let mut cells = CELLS;
    csv(catalogue, table, file, BufReader::new(input), &mut cells)
}

/// Reads a table of the catalogue from Parquet; types convert only without loss. `file` is its name in messages.
///
/// # Errors
/// All faults of the file, with rows and columns.
pub fn read_parquet(
    catalogue: &Catalogue,
    table: &Table,
    file: &str,
    input: std::fs::File,
) -> Result<(Rows, Vec<Note>), Faults> {
    let mut cells = CELLS;
    crate::parquet::read(catalogue, table, file, input, &mut cells)
}

pub(crate) fn csv(
    catalogue: &Catalogue,
    table: &Table,
    file: &str,
    input: impl BufRead,
    budget: &mut u64,
) -> Result<(Rows, Vec<Note>), Faults> {
    let stop = |error: CsvError| Faults::one(csv_fault(file, error));
    let mut records = Records::new(input).map_err(stop)?;
    let mut record = Record::default();
    if !records.next(&mut record).map_err(stop)? {
        return Err(Faults::one(Fault::of_file(Code::D103, file, "no header")));
    }
    let header: Option<Vec<String>> =
        record.cells().map(|(bytes, _)| std::str::from_utf8(bytes).ok().map(str::to_owned)).collect();
    let Some(header) = header else {
        return Err(Faults::one(Fault::of_file(Code::D104, file, "the header is not UTF-8")));
    };
    let mut loading = Loading::new(plan(catalogue, table, &header, file)?, table, file);
    let mut trimmed: BTreeMap<usize, u64> = BTreeMap::new();
    loop {
        match records.next(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                loading.faults.push(csv_fault(file, error));
                break;
            }
        }
        if record.len() != header.len() {
            let message = format!("{} cells, the header has {}", record.len(), header.len());
            loading.faults.push(Fault { line: Some(record.line), ..Fault::of_file(Code::D103, file, message) });
            continue;
        }
        loading.spend(budget)?;
        loading.row(record.line, |from, kind| {
            let Some((bytes, quoted)) = record.cell(from) else { return Ok(Value::Null) };
            if bytes.is_empty() && !quoted {
                return Ok(Value::Null);
            }
            match std::str::from_utf8(bytes) {
                // quoted or not, nothing is no number
                Ok("") if kind.value_type() != query::Type::Str => Ok(Value::Null),
                Ok(text) => {
                    if cell::trims(text, kind) {
                        *trimmed.entry(from).or_default() += 1;
                    }
                    cell::read(text, kind)
                }
                Err(_) => Err(Wrong { code: Code::D104, message: "text that is not UTF-8" }),
            }
        });
    }
    loading.trimmed = trimmed;
    loading.finish()
}

pub(crate) fn csv_fault(file: &str, error: CsvError) -> Fault {
    match error {
        CsvError::Read(error) => Fault::of_file(Code::D203, file, format!("cannot be read to its end: {error}")),
        CsvError::Form { line, what } => Fault { line: Some(line), ..Fault::of_file(Code::D103, file, what) },
    }
}

/// A table on its way in.
pub(crate) struct Loading<'a> {
    pub(crate) plan: Plan,
    pub(crate) faults: Faults,
    table: &'a Table,
    file: &'a str,
    rows: Vec<Vec<Value>>,
    /// First row of each patient, where there is one.
    first: HashMap<i64, usize>,
    repeated: u64,
    /// Codes that lost blanks, by place in the file.
    pub(crate) trimmed: BTreeMap<usize, u64>,
    /// Equal texts are kept once.
    texts: HashSet<Arc<str>>,
}

/// Texts that are remembered to be shared.
const SHARED_TEXTS: usize = 1 << 20;

impl<'a> Loading<'a> {
    pub(crate) fn new(plan: Plan, table: &'a Table, file: &'a str) -> Self {
        Loading {
            plan,
            faults: Faults::default(),
            table,
            file,
            rows: Vec::new(),
            first: HashMap::new(),
            repeated: 0,
            trimmed: BTreeMap::new(),
            texts: HashSet::new(),
        }
    }

    /// Takes a row from the budget of the folder.
    pub(crate) fn spend(&self, budget: &mut u64) -> Result<(), Faults> {
        let width = self.plan.columns.len() as u64;
        *budget = budget.checked_sub(width).ok_or_else(|| {
            let message = format!("a folder holds at most {CELLS} cells; import it into a warehouse");
            Faults::one(Fault::of_file(Code::D309, self.file, message))
        })?;
        Ok(())
    }

    /// Adds a row, reading each planned column by its place in the file.
    pub(crate) fn row(&mut self, line: u64, mut read: impl FnMut(usize, query::ColumnKind) -> Result<Value, Wrong>) {
        let mut row = Vec::with_capacity(self.plan.columns.len() + 1);
        let mut sound = true;
        for column in &self.plan.columns {
            match read(column.from, column.kind) {
                Ok(value) => row.push(value),
                Err(wrong) => {
                    sound = false;
                    let fault = Fault::of_file(wrong.code, self.file, wrong.message);
                    self.faults.push(Fault { line: Some(line), column: Some(column.name.clone()), ..fault });
                }
            }
        }
        if !sound {
            return;
        }
        for value in &mut row {
            self.share(value);
        }
        let number = i64::try_from(self.rows.len() + 1).map_or(Value::Null, Value::Int);
        match &self.plan.row_key {
            Some(RowKey::Made(_)) => row.push(number),
            Some(RowKey::Supplied(at)) if row[*at].is_null() => row[*at] = number,
            _ => {}
        }
        if let Some(patient) = self.plan.patient {
            let Value::Int(id) = row[patient] else {
                let fault = Fault::of_file(Code::D101, self.file, "a row without patient");
                self.faults.push(Fault { line: Some(line), column: Some(PATIENT_ID.to_owned()), ..fault });
                return;
            };
            if self.plan.one_row && self.known(id, &row, line) {
                return;
            }
        }
        self.rows.push(row);
    }

    /// Whether the patient has a row already, which is a fault unless it is the same.
    fn known(&mut self, id: i64, row: &[Value], line: u64) -> bool {
        match self.first.get(&id) {
            None => {
                self.first.insert(id, self.rows.len());
                false
            }
            Some(first) => {
                if self.rows[*first] == row {
                    self.repeated += 1;
                } else {
                    let fault = Fault::of_file(Code::D102, self.file, "a second, different row of a patient");
                    self.faults.push(Fault { line: Some(line), ..fault });
                }
                true
            }
        }
    }

    fn share(&mut self, value: &mut Value) {
        if let Value::Str(text) = value {
            match self.texts.get(text) {
                Some(known) => *text = Arc::clone(known),
                None if self.texts.len() < SHARED_TEXTS => drop(self.texts.insert(Arc::clone(text))),
                None => {}
            }
        }
    }

    pub(crate) fn finish(self) -> Result<(Rows, Vec<Note>), Faults> {
        let mut notes = self.plan.notes;
        if self.repeated > 0 {
            notes.push(Note::Repeated { table: self.table.name.clone(), rows: self.repeated });
        }
        for column in &self.plan.columns {
            if let Some(cells) = self.trimmed.get(&column.from) {
                let (table, column) = (self.table.name.clone(), column.name.clone());
                notes.push(Note::Trimmed { table, column, cells: *cells });
            }
        }
        let mut columns: Vec<String> = self.plan.columns.into_iter().map(|c| c.name).collect();
        if let Some(RowKey::Made(name)) = self.plan.row_key {
            columns.push(name);
        }
        self.faults.or((Rows { columns, rows: self.rows }, notes))
    }
}
