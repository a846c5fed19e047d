//! Which columns of a file are which of the catalogue (warehouse.md 2.1, 2.5): names without case, second names, columns
//! that are not supplied, columns that nobody knows.

use query::{Catalogue, Class, ColumnKind, PATIENT_ID, Table};

use crate::fault::{Code, Fault, Faults};
use crate::table::Note;

/// A column that is read.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    /// As the catalogue writes it.
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
    /// Its place in the file.
    pub(crate) from: usize,
}

/// What is read from a file, in the order of the file.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) columns: Vec<Planned>,
    /// Key of the rows: its place among `columns` if it was supplied, else rows get their number.
    pub(crate) row_key: Option<RowKey>,
    /// Place of `Patient_ID` among `columns`.
    pub(crate) patient: Option<usize>,
    /// At most one row per patient.
    pub(crate) one_row: bool,
    pub(crate) notes: Vec<Note>,
}

/// A key that may be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowKey {
    /// Cells that are empty get the row's number.
    Supplied(usize),
    /// The column is made.
    Made(String),
}

pub(crate) fn plan(catalogue: &Catalogue, table: &Table, header: &[String], file: &str) -> Result<Plan, Faults> {
    let mut plan = Plan {
        columns: Vec::new(),
        row_key: None,
        patient: None,
        one_row: table.class == Class::OnePerPatient,
        notes: Vec::new(),
    };
    let mut faults = Faults::default();
    for (from, name) in header.iter().enumerate() {
        let (name, kind) = match catalogue.column(table, name) {
            Some(column) => (column.name.clone(), column.kind),
            None if table.open && !name.is_empty() => (name.clone(), ColumnKind::Text),
            None => {
                let near = nearest(name, table.columns.iter().map(|c| c.name.as_str()));
                plan.notes.push(Note::UnknownColumn { file: file.to_owned(), column: name.clone(), near });
                continue;
            }
        };
        if plan.columns.iter().any(|c| c.name.eq_ignore_ascii_case(&name)) {
            let message = "the column stands twice";
            faults.push(Fault { column: Some(name), ..Fault::of_file(Code::D103, file, message) });
            continue;
        }
        plan.columns.push(Planned { name, kind, from });
    }
    let place = |name: &str| plan.columns.iter().position(|c| c.name == name);
    plan.patient = place(PATIENT_ID);
    let mut lack = |name: &str| {
        let near = nearest(name, header.iter().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!("; is it {near}?"));
        let message = format!("the column is missing{near}");
        faults.push(Fault { column: Some(name.to_owned()), ..Fault::of_file(Code::D103, file, message) });
    };
    if table.class != Class::Reference && plan.patient.is_none() {
        lack(PATIENT_ID);
    }
    if let Some(key) = table.key().filter(|key| key.name != PATIENT_ID) {
        // the id of a row that nothing else is known by can be its number; a name of something else cannot
        let free = table.class == Class::Patient && key.refers.is_none() && key.kind == ColumnKind::Int64;
        match place(&key.name) {
            Some(at) if free => plan.row_key = Some(RowKey::Supplied(at)),
            None if free => {
                plan.notes.push(Note::RowNumbers { table: table.name.clone(), column: key.name.clone() });
                plan.row_key = Some(RowKey::Made(key.name.clone()));
            }
            None => lack(&key.name),
            Some(_) => {}
        }
    }
    faults.or(plan)
}

/// The most similar name, if one is similar.
pub(crate) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let score = |other: &str| strsim::jaro_winkler(&lower, &other.to_ascii_lowercase());
    let near = names.map(|n| (score(n), n)).filter(|(s, _)| *s > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
    near.map(|(_, name)| name.to_owned())
}
