//! Numbered columns, such as `EC_Diagnosis_01` to `EC_Diagnosis_24`: where some of a family are supplied, the others are
//! empty and not missing. Written by hand, a table has as many of them as it needs (warehouse.md 2.1 speaks of one column).

use query::Table;
use query::reference::{Rows, Value};

use crate::table::Note;

/// Members of a family: two names with a number may be two things, such as places in two years.
const FEWEST: usize = 3;

/// Adds the columns of a family of which another one is there, without values.
pub(crate) fn complete(table: &Table, rows: &mut Rows) -> Option<Note> {
    let there = |name: &str| rows.columns.iter().any(|column| column == name);
    let mut added: Vec<String> = Vec::new();
    for column in &table.columns {
        let Some(stem) = stem(&column.name).filter(|_| !there(&column.name)) else { continue };
        let kin =
            |other: &&query::Column| other.name.len() == column.name.len() && self::stem(&other.name) == Some(stem);
        let kin: Vec<_> = table.columns.iter().filter(kin).collect();
        if kin.len() >= FEWEST && kin.iter().any(|other| there(&other.name)) {
            added.push(column.name.clone());
        }
    }
    if added.is_empty() {
        return None;
    }
    for row in &mut rows.rows {
        row.extend(added.iter().map(|_| Value::Null));
    }
    rows.columns.extend(added.iter().cloned());
    Some(Note::Family { table: table.name.clone(), columns: added })
}

/// The name before the number at its end, of two digits or more: one digit tells other things apart.
fn stem(name: &str) -> Option<&str> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (name.len() - stem.len() >= 2 && !stem.is_empty()).then_some(stem)
}
