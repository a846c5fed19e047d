//! Plain rows: tables by name, files of the study by their description.
//! A table that is not there is empty; a table with a column `Patient_ID` belongs to patients.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::catalogue::PATIENT_ID;
use crate::graph::Inline;
use crate::value::Value;

/// Rows of one table, each with one value per column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// Names as the catalogue writes them.
    pub columns: Vec<String>,
    /// In row order: what is left to decide when nothing else does.
    pub rows: Vec<Vec<Value>>,
}

/// All that a graph is asked over.
#[derive(Debug, Clone)]
pub struct Tables {
    universe: String,
    tables: BTreeMap<String, Indexed>,
    inlines: BTreeMap<Inline, Indexed>,
}

/// Rows with the places of each patient's.
#[derive(Debug, Clone)]
pub(crate) struct Indexed {
    pub(crate) rows: Rows,
    /// `None`: the rows belong to nobody.
    by_patient: Option<HashMap<i64, Vec<usize>>>,
}

impl Default for Tables {
    /// No tables; the patients are the rows of `Patient`.
    fn default() -> Self {
        Tables { universe: "Patient".to_owned(), tables: BTreeMap::new(), inlines: BTreeMap::new() }
    }
}

impl Tables {
    /// No tables; the patients are the rows of the table that is named.
    pub fn with_universe(table: &str) -> Self {
        Tables { universe: table.to_owned(), ..Tables::default() }
    }

    /// Adds or replaces a table, by its name in the catalogue. Rows whose patient is NULL belong to nobody asked about.
    pub fn insert(&mut self, table: &str, rows: Rows) {
        self.tables.insert(table.to_owned(), Indexed::new(rows, PATIENT_ID));
    }

    /// Adds the rows of a file of the study; its column of patients is `patient_id`.
    pub fn insert_inline(&mut self, file: Inline, rows: Rows) {
        self.inlines.insert(file, Indexed::new(rows, "patient_id"));
    }

    /// Takes a table away.
    pub fn remove(&mut self, table: &str) {
        self.tables.remove(table);
    }

    /// Keeps the rows of a table for which `keep`, given the row's patient and the row, says so; how many it took away.
    pub fn retain(&mut self, table: &str, mut keep: impl FnMut(Option<i64>, &[Value]) -> bool) -> u64 {
        let Some(known) = self.tables.get_mut(table) else { return 0 };
        let mut rows = std::mem::take(&mut known.rows);
        let before = rows.rows.len();
        let patient = rows.columns.iter().position(|c| c == PATIENT_ID);
        rows.rows.retain(|row| keep(patient.and_then(|at| row.get(at)?.int()), row));
        let taken = before - rows.rows.len();
        if taken > 0 {
            *known = Indexed::new(rows, PATIENT_ID)
        } else {
            known.rows = rows
        }
        taken as u64
    }

    /// A table.
    pub fn get(&self, table: &str) -> Option<&Rows> {
        self.tables.get(table).map(|t| &t.rows)
    }

    /// Name of the table whose rows are the patients.
    pub fn universe(&self) -> &str {
        &self.universe
    }

    /// Names of all tables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    pub(crate) fn table(&self, name: &str) -> Option<&Indexed> {
        self.tables.get(name)
    }

    pub(crate) fn inline(&self, file: &Inline) -> Option<&Indexed> {
        self.inlines.get(file)
    }

    /// Ids with a row in a table of patients, ascending.
    pub fn ids(&self, table: &str) -> BTreeSet<i64> {
        let index = self.table(table).and_then(|t| t.by_patient.as_ref());
        index.map_or_else(BTreeSet::new, |index| index.keys().copied().collect())
    }
}

impl Indexed {
    fn new(rows: Rows, id: &str) -> Self {
        let column = rows.columns.iter().position(|c| c == id);
        let by_patient = column.map(|column| {
            let mut index: HashMap<i64, Vec<usize>> = HashMap::new();
            for (at, row) in rows.rows.iter().enumerate() {
                if let Some(id) = row.get(column).and_then(Value::int) {
                    index.entry(id).or_default().push(at);
                }
            }
            index
        });
        Indexed { rows, by_patient }
    }

    pub(crate) fn belongs_to_nobody(&self) -> bool {
        self.by_patient.is_none()
    }

    /// Places of a patient's rows, in row order.
    pub(crate) fn of(&self, patient: i64) -> &[usize] {
        self.by_patient.as_ref().and_then(|index| index.get(&patient)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.rows.columns.iter().position(|c| c == name)
    }
}
