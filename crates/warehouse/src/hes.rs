//! Which hospital rows v1 studies read, where current tables have archived twins (warehouse.md 2.5): the rows of
//! `NAME_ARCHIVED` under the name `NAME`, or of both sides of April 2023.

use std::collections::HashSet;

use query::reference::{Rows, Tables};
use query::{Catalogue, Table, Value};

use crate::table::Note;

/// `hes_v1` of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hes {
    /// Archived rows only: what the last v1 release read.
    Archived,
    /// Current rows only.
    Current,
    /// Archived rows before April 2023, current rows from then on.
    Union,
}

const END: &str = "_ARCHIVED";
/// Month of an attendance, YYYYMM.
const MONTH: &str = "Der_Activity_Month";
/// The first month of current rows.
const TURN: &str = "202304";
/// Each family with its key.
const FAMILIES: [(&str, &str); 3] = [("APCS", "APCS_Ident"), ("EC", "EC_Ident"), ("OPA", "OPA_Ident")];

/// What a folder means that does not say: archived if any archived table was supplied, else current.
pub(crate) fn default(tables: &Tables) -> Hes {
    if tables.names().any(|name| name.ends_with(END)) { Hes::Archived } else { Hes::Current }
}

/// Puts under each hospital table's name the rows that v1 studies read.
pub(crate) fn apply(hes: Hes, tables: &mut Tables, catalogue: &Catalogue, notes: &mut Vec<Note>) {
    if hes == Hes::Current {
        return;
    }
    notes.push(Note::Hes(hes));
    let twins = |table: &&Table| catalogue.table(&format!("{}{END}", table.name)).is_some();
    for (family, key) in FAMILIES {
        let of_family =
            |name: &str| name == family || name.strip_prefix(family).is_some_and(|rest| rest.starts_with('_'));
        let names: Vec<&str> =
            catalogue.tables().iter().filter(twins).map(|t| t.name.as_str()).filter(|name| of_family(name)).collect();
        let kept = (hes == Hes::Union).then(|| kept(tables, family, key, notes));
        for name in names {
            let archived = tables.get(&format!("{name}{END}")).cloned();
            let rows = match &kept {
                None => archived,
                Some((old, new)) => {
                    let current = tables.get(name).cloned();
                    both(archived.map(|rows| of(rows, key, old)), current.map(|rows| of(rows, key, new)))
                }
            };
            match rows {
                Some(rows) => tables.insert(name, rows),
                None => tables.remove(name),
            }
        }
    }
}

/// Keys of the archived rows before the turn, and of the current rows after it; rows without a month are in neither.
fn kept(tables: &Tables, family: &str, key: &str, notes: &mut Vec<Note>) -> (HashSet<Value>, HashSet<Value>) {
    let mut without = 0;
    let mut keys = |table: &str, after: bool| {
        let mut keys = HashSet::new();
        let Some(rows) = tables.get(table) else { return keys };
        let (key, month) = (place(rows, key), place(rows, MONTH));
        for row in &rows.rows {
            let key = key.and_then(|at| row.get(at));
            match (key, month.and_then(|at| row.get(at))) {
                (Some(key), Some(Value::Str(month))) => {
                    if (month.as_ref() >= TURN) == after {
                        keys.insert(key.clone());
                    }
                }
                _ => without += 1,
            }
        }
        keys
    };
    let kept = (keys(&format!("{family}{END}"), false), keys(family, true));
    if without > 0 {
        notes.push(Note::WithoutMonth { table: family.to_owned(), rows: without });
    }
    kept
}

fn place(rows: &Rows, column: &str) -> Option<usize> {
    rows.columns.iter().position(|name| name == column)
}

fn of(mut rows: Rows, key: &str, kept: &HashSet<Value>) -> Rows {
    let at = place(&rows, key);
    rows.rows.retain(|row| at.and_then(|at| row.get(at)).is_some_and(|key| kept.contains(key)));
    rows
}

/// Archived rows, then current ones; a column that one side lacks is NULL there.
fn both(archived: Option<Rows>, current: Option<Rows>) -> Option<Rows> {
    let (mut all, more) = match (archived, current) {
        (Some(archived), Some(current)) => (archived, current),
        (one, other) => return one.or(other),
    };
    for column in &more.columns {
        if place(&all, column).is_none() {
            all.columns.push(column.clone());
            all.rows.iter_mut().for_each(|row| row.push(Value::Null));
        }
    }
    let from: Vec<Option<usize>> = all.columns.iter().map(|column| place(&more, column)).collect();
    let cell = |row: &Vec<Value>, at: &Option<usize>| at.and_then(|at| row.get(at)).cloned().unwrap_or(Value::Null);
    all.rows.extend(more.rows.iter().map(|row| from.iter().map(|at| cell(row, at)).collect()));
    Some(all)
}
