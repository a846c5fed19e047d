//! Rows of tables in the making, with every column of the catalogue, as the reference interpreter and csv take them.
//! Spec warehouse.md 2 and 4.1 (csv: unquoted empty is NULL, "" is empty text).

use std::cmp::Ordering;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use query::reference::{Rows, Tables};
use query::{Catalogue, Class, Table, Value};

/// Tables by name.
#[derive(Debug, Clone, Default)]
pub struct Store {
    sheets: BTreeMap<&'static str, Sheet>,
    /// Whose rows are being added, and the number of the last one.
    patient: i64,
    ids: i64,
    /// Rows that belong to nobody, by table and key.
    known: HashSet<(&'static str, Value)>,
}

#[derive(Debug, Clone)]
struct Sheet {
    table: &'static Table,
    /// Place of the column of patients.
    patient: Option<usize>,
    rows: Vec<Vec<Value>>,
}

/// Numbers that each patient's rows have for themselves.
const NUMBERS: i64 = 100_000;

impl Sheet {
    fn columns(&self) -> Vec<String> {
        self.table.columns.iter().map(|column| column.name.clone()).collect()
    }
}

impl Store {
    /// From here on rows are this patient's, with numbers of their own.
    pub(crate) fn begin(&mut self, patient: i64, number: u64) {
        self.patient = patient;
        self.ids = (number as i64).saturating_add(1).saturating_mul(NUMBERS);
    }

    /// A number that no row has yet.
    pub(crate) fn id(&mut self) -> i64 {
        self.ids += 1;
        self.ids
    }

    fn sheet(&mut self, name: &str) -> Option<&mut Sheet> {
        if !self.sheets.contains_key(name) {
            let table = Catalogue::tpp().table(name)?;
            let patient = table.columns.iter().position(|column| column.name == query::PATIENT_ID);
            self.sheets.insert(&table.name, Sheet { table, patient, rows: Vec::new() });
        }
        self.sheets.get_mut(name)
    }

    /// Adds a row, of the patient where the table has patients; columns that are not named are NULL.
    pub(crate) fn push(&mut self, table: &str, cells: &[(&str, Value)]) {
        let patient = self.patient;
        let Some(sheet) = self.sheet(table) else { return debug_assert!(false, "the catalogue has no table {table}") };
        let mut row = vec![Value::Null; sheet.table.columns.len()];
        if let Some(place) = sheet.patient {
            row[place] = Value::Int(patient);
        }
        for (column, value) in cells {
            match sheet.table.columns.iter().position(|known| known.name == *column) {
                Some(place) => row[place] = value.clone(),
                None => debug_assert!(false, "{table} has no column {column}"),
            }
        }
        sheet.rows.push(row);
    }

    /// Whether nobody asked for this key of a table yet.
    pub(crate) fn is_new(&mut self, table: &'static str, key: &Value) -> bool {
        self.known.insert((table, key.clone()))
    }

    /// The rows of all stores in order; those that belong to nobody sorted, each once.
    pub(crate) fn together(stores: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::default();
        for (name, sheet) in stores.into_iter().flat_map(|store| store.sheets) {
            match all.sheets.entry(name) {
                Entry::Vacant(vacant) => drop(vacant.insert(sheet)),
                Entry::Occupied(mut known) => known.get_mut().rows.extend(sheet.rows),
            }
        }
        for sheet in all.sheets.values_mut().filter(|sheet| sheet.table.class == Class::Reference) {
            sheet.rows.sort_by(|a, b| {
                let orders = a.iter().zip(b).map(|(a, b)| a.order(b));
                orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            });
            sheet.rows.dedup();
        }
        all
    }

    /// For the reference interpreter.
    pub(crate) fn into_tables(self) -> Tables {
        let mut tables = Tables::default();
        for (name, sheet) in self.sheets {
            tables.insert(name, Rows { columns: sheet.columns(), rows: sheet.rows });
        }
        tables
    }

    /// The tables that have rows, by name.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.sheets.keys().copied()
    }

    /// A table's rows.
    pub fn rows(&self, table: &str) -> Option<Rows> {
        let sheet = self.sheets.get(table)?;
        Some(Rows { columns: sheet.columns(), rows: sheet.rows.clone() })
    }

    /// Writes each table as `<Table>.csv` into a folder, and `synthetic.txt`, which says that no row is a person's.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn save(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        for name in self.names() {
            let mut out = BufWriter::new(File::create(folder.join(format!("{name}.csv")))?);
            self.write(name, &mut out)?;
            out.flush()?;
        }
        std::fs::write(
            folder.join("synthetic.txt"),
            "These tables are simulated by cloister: no row is about a person.\n",
        )
    }

    /// One table as csv.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, table: &str, out: &mut dyn Write) -> io::Result<()> {
        let Some(sheet) = self.sheets.get(table) else { return Ok(()) };
        writeln!(out, "{}", sheet.columns().join(","))?;
        for row in &sheet.rows {
            for (place, value) in row.iter().enumerate() {
                if place > 0 {
                    out.write_all(b",")?;
                }
                cell(value, out)?;
            }
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

fn cell(value: &Value, out: &mut dyn Write) -> io::Result<()> {
    match value {
        Value::Null => Ok(()),
        Value::Bool(value) => write!(out, "{}", u8::from(*value)),
        Value::Int(value) => write!(out, "{value}"),
        Value::Float(value) => write!(out, "{value:?}"),
        Value::Date(value) => write!(out, "{value}"),
        Value::DateTime(value) => write!(out, "{value}"),
        Value::Str(text) if text.is_empty() || text.contains([',', '"', '\n', '\r']) => {
            write!(out, "\"{}\"", text.replace('"', "\"\""))
        }
        Value::Str(text) => out.write_all(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_tells_null_from_empty_text() {
        let mut store = Store::default();
        store.push("Patient", &[("Patient_ID", Value::Int(1)), ("Sex", Value::text(""))]);
        store.push("Patient", &[("Patient_ID", Value::Int(2)), ("Sex", Value::text("a,\"b\""))]);
        let mut out = Vec::new();
        store.write("Patient", &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "Patient_ID,DateOfBirth,DateOfDeath,Sex\n1,,,\"\"\n2,,,\"a,\"\"b\"\"\"\n");
    }

    #[test]
    fn rows_of_nobody_are_there_once() {
        let organisation = |id| {
            let mut store = Store::default();
            store.push("Organisation", &[("Organisation_ID", Value::Int(id))]);
            store
        };
        let all = Store::together([organisation(2), organisation(1), organisation(2)]);
        let ids: Vec<Value> = all.rows("Organisation").unwrap().rows.into_iter().map(|row| row[0].clone()).collect();
        assert_eq!(ids, [Value::Int(1), Value::Int(2)]);
    }
}
