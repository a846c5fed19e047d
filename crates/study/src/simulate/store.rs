//! Rows of tables in the making, with every column of the catalogue, as the reference interpreter and csv take them.
//! Spec warehouse.md 2 and 4.1 (csv: unquoted empty is NULL, "" is empty text).

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::{self, Write};

use query::reference::{Rows, Tables};
use query::{Catalogue, Value};

/// Tables by name.
#[derive(Debug, Clone, Default)]
pub struct Store {
    sheets: BTreeMap<String, Rows>,
    ids: i64,
}

impl Store {
    /// A number that no row has yet.
    pub(crate) fn id(&mut self) -> i64 {
        self.ids += 1;
        self.ids
    }

    fn sheet(&mut self, table: &str) -> &mut Rows {
        self.sheets.entry(table.to_owned()).or_insert_with(|| {
            let columns =
                Catalogue::tpp().table(table).map(|table| table.columns.iter().map(|c| c.name.clone()).collect());
            Rows { columns: columns.unwrap_or_default(), rows: Vec::new() }
        })
    }

    /// Adds a row; columns that are not named are NULL.
    pub(crate) fn push(&mut self, table: &str, cells: &[(&str, Value)]) {
        let sheet = self.sheet(table);
        let mut row = vec![Value::Null; sheet.columns.len()];
        for (column, value) in cells {
            match sheet.columns.iter().position(|name| name == column) {
                Some(place) => row[place] = value.clone(),
                None => debug_assert!(false, "{table} has no column {column}"),
            }
        }
        sheet.rows.push(row);
    }

    /// Adds a row unless the last one of the table's is the same.
    pub(crate) fn once(&mut self, table: &str, cells: &[(&str, Value)]) {
        self.push(table, cells);
        let rows = &mut self.sheet(table).rows;
        if let [.., before, last] = rows.as_slice()
            && before == last
        {
            rows.pop();
        }
    }

    /// A table's rows.
    pub fn rows(&self, table: &str) -> Option<&Rows> {
        self.sheets.get(table)
    }

    /// A store whose numbers begin after this one.
    pub(crate) fn after(ids: i64) -> Self {
        Self { ids, ..Self::default() }
    }

    /// The rows of all stores in order; those that belong to nobody sorted, each once.
    pub(crate) fn together<'a>(stores: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for (table, rows) in stores.into_iter().flat_map(|store| &store.sheets) {
            let sheet = all
                .sheets
                .entry(table.clone())
                .or_insert_with(|| Rows { columns: rows.columns.clone(), rows: Vec::new() });
            sheet.rows.extend(rows.rows.iter().cloned());
        }
        for sheet in
            all.sheets.values_mut().filter(|sheet| !sheet.columns.iter().any(|column| column == query::PATIENT_ID))
        {
            let order = |a: &Vec<Value>, b: &Vec<Value>| {
                a.iter().zip(b).map(|(a, b)| a.order(b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            };
            sheet.rows.sort_by(order);
            sheet.rows.dedup();
        }
        all
    }

    /// For the reference interpreter.
    pub(crate) fn into_tables(self) -> Tables {
        let mut tables = Tables::default();
        self.sheets.into_iter().for_each(|(table, rows)| tables.insert(&table, rows));
        tables
    }

    /// The tables that have rows, by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sheets.keys().map(String::as_str)
    }

    /// One table as csv.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, table: &str, out: &mut dyn Write) -> io::Result<()> {
        let Some(sheet) = self.sheets.get(table) else { return Ok(()) };
        writeln!(out, "{}", sheet.columns.join(","))?;
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
