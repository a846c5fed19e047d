//! Tables of patients as text: unquoted empty is NULL, `""` is an empty text. Typed only when somebody reads a cell.
//! Spec warehouse.md 4.1.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};

/// A table by the name of its columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
}

/// Tables by name.
pub type Folder = BTreeMap<String, Table>;

impl Table {
    /// Reads csv text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = csv(text)?.into_iter();
        let header = lines.next().ok_or("a table without a header")?;
        let columns: Vec<String> = header.into_iter().map(|c| c.unwrap_or_default()).collect();
        let rows: Vec<_> = lines.collect();
        if let Some(bad) = rows.iter().find(|r| r.len() != columns.len()) {
            return Err(format!("{} cells in a row of a table of {} columns: {bad:?}", bad.len(), columns.len()));
        }
        Ok(Self { columns, rows })
    }

    /// The place of a column; names match without case.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.eq_ignore_ascii_case(name))
    }

    /// A cell as text; an absent column is NULL.
    pub fn cell(&self, row: usize, name: &str) -> Option<&str> {
        self.rows[row][self.column(name)?].as_deref()
    }

    /// Csv text that [`Table::parse`] reads back.
    pub fn to_csv(&self) -> String {
        let mut out = self.columns.join(",") + "\n";
        for row in &self.rows {
            let cells: Vec<String> = row
                .iter()
                .map(|cell| match cell {
                    None => String::new(),
                    Some(text) if text.is_empty() || text.contains([',', '"', '\n']) => {
                        format!("\"{}\"", text.replace('"', "\"\""))
                    }
                    Some(text) => text.clone(),
                })
                .collect();
            out += &(cells.join(",") + "\n");
        }
        out
    }
}

/// Adds a Patient row (born 1980-01-01, F) for each id that no row of Patient has.
pub fn add_patients(folder: &mut Folder, ids: &[i64]) {
    let table = folder.entry("Patient".into()).or_default();
    for name in ["Patient_ID", "DateOfBirth", "DateOfDeath", "Sex"] {
        if table.column(name).is_none() {
            table.columns.push(name.into());
            for row in &mut table.rows {
                row.push(None);
            }
        }
    }
    for id in ids {
        let known = (0..table.rows.len()).any(|r| table.cell(r, "Patient_ID") == Some(&id.to_string()));
        if !known {
            let cells = table.columns.iter().map(|column| match column.to_ascii_lowercase().as_str() {
                "patient_id" => Some(id.to_string()),
                "dateofbirth" => Some("1980-01-01".into()),
                "sex" => Some("F".into()),
                _ => None,
            });
            let cells = cells.collect();
            table.rows.push(cells);
        }
    }
}

/// A moment: a day alone is its midnight.
pub fn moment(text: &str) -> DateTime {
    let text = text.replacen(' ', "T", 1);
    if text.contains('T') {
        text.parse().unwrap_or_else(|e| panic!("{text} is no moment: {e}"))
    } else {
        text.parse::<Date>()
            .unwrap_or_else(|e| panic!("{text} is no day: {e}"))
            .to_datetime(jiff::civil::Time::midnight())
    }
}

fn csv(text: &str) -> Result<Vec<Vec<Option<String>>>, String> {
    let mut rows = Vec::new();
    let mut chars = text.chars().peekable();
    while chars.peek().is_some() {
        let mut row = Vec::new();
        loop {
            let mut cell = String::new();
            let mut quoted = false;
            if chars.peek() == Some(&'"') {
                quoted = true;
                chars.next();
                loop {
                    match chars.next() {
                        Some('"') if chars.peek() == Some(&'"') => {
                            chars.next();
                            cell.push('"');
                        }
                        Some('"') => break,
                        Some(c) => cell.push(c),
                        None => return Err("a quote that does not end".into()),
                    }
                }
            }
            while let Some(c) = chars.next_if(|c| !matches!(c, ',' | '\n')) {
                cell.push(c);
            }
            row.push((quoted || !cell.is_empty()).then_some(cell));
            if chars.next() != Some(',') {
                break;
            }
        }
        if row != [None] {
            rows.push(row);
        }
    }
    Ok(rows)
}
