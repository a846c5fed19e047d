//! Runs a study over tables: checked, lowered, played by the query model's reference; and by the naive one beside it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use query::reference::{Bindings, Rows, Tables, Value};
use query::{Catalogue, ColumnKind, Graph, Inline, Severity, Type};
use study::model::{ColumnType, Study};
use study::recording::Recording;
use study::{CheckOptions, Checked, Flavour, check, lower};

use crate::naive;
use crate::support::print;
use crate::support::tables::{Folder, Table, moment};

/// Rows as csv, or the code of the fault that stopped the run.
pub type Ran = Result<String, String>;

/// Checks as a run with these dates does.
pub fn checked(recording: &Recording, dates: &[Date]) -> Checked {
    let mut options = CheckOptions::new(recording.date);
    options.index_dates = dates.to_vec();
    check(recording, &options)
}

/// The graph of a study, found sound by the query model.
pub fn graph(study: &Study, recording: &Recording) -> Result<Graph, String> {
    let graph = lower(study, recording, Flavour::Tpp).map_err(|e| e.to_string())?;
    let faults = query::validate(&graph, Catalogue::tpp());
    let faults: Vec<String> =
        faults.iter().filter(|f| f.severity == Severity::Error).map(|f| format!("{f:?}")).collect();
    if faults.is_empty() { Ok(graph) } else { Err(faults.join("\n")) }
}

/// By the lowered graph.
pub fn lowered(study: &Study, graph: &Graph, tables: &Tables, date: Option<Date>) -> Ran {
    let mut bindings = Bindings::new();
    if graph.parameters().contains_key(study::lower::INDEX_DATE) {
        bindings.insert(study::lower::INDEX_DATE.into(), date.map_or(Value::Null, Value::Date));
    }
    let answer = query::reference::run(graph, tables, &bindings).map_err(|fault| format!("{:?}", fault.code))?;
    Ok(print::of_graph(study, &answer.rows))
}

/// By loops over rows.
pub fn naively(world: &naive::World<'_>) -> Ran {
    let rows = naive::run(world).map_err(|stop| stop.0.to_owned())?;
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(id, values)| {
            let cells = values.into_iter().map(|out| match out {
                naive::Out::Bool(b) => u8::from(b).to_string(),
                naive::Out::Int(n) => n.to_string(),
                naive::Out::Float(n) => print::float(n),
                naive::Out::Text(t) => t,
            });
            std::iter::once(id.to_string()).chain(cells).collect()
        })
        .collect();
    Ok(print::file(world.study, &rows))
}

/// Tables of the catalogue with the types of their columns; an absent column is NULL, an absent key the row's number.
pub fn tables(folder: &Folder) -> Tables {
    let mut tables = Tables::default();
    for (name, table) in folder {
        let known = Catalogue::tpp().table(name).unwrap_or_else(|| panic!("no table {name} in the catalogue"));
        for column in &table.columns {
            assert!(known.open || Catalogue::tpp().column(known, column).is_some(), "no column {column} in {name}");
        }
        let mut columns: Vec<(String, ColumnKind)> = known.columns.iter().map(|c| (c.name.clone(), c.kind)).collect();
        for column in &table.columns {
            if Catalogue::tpp().column(known, column).is_none() {
                columns.push((column.clone(), ColumnKind::Text));
            }
        }
        let rows = (0..table.rows.len())
            .map(|row| columns.iter().map(|(column, kind)| value(table.cell(row, column), *kind)).collect())
            .collect();
        tables.insert(&known.name, Rows { columns: columns.into_iter().map(|(name, _)| name).collect(), rows });
    }
    tables
}

fn value(cell: Option<&str>, kind: ColumnKind) -> Value {
    let Some(cell) = cell else { return Value::Null };
    match kind.value_type() {
        Type::Bool => Value::Bool(matches!(cell.to_ascii_lowercase().as_str(), "1" | "true" | "t")),
        Type::Int => Value::Int(cell.parse().unwrap_or_else(|_| panic!("{cell} is no {kind:?}"))),
        Type::Float => Value::Float(cell.parse().unwrap_or_else(|_| panic!("{cell} is no {kind:?}"))),
        Type::Str => Value::text(cell),
        Type::Date => Value::Date(moment(cell).date()),
        Type::DateTime => Value::DateTime(moment(cell)),
    }
}

/// Puts the row's number where a table's key is left out.
pub fn fill_keys(folder: &mut Folder) {
    for (name, table) in folder.iter_mut() {
        let Some(key) = Catalogue::tpp().table(name).and_then(|t| t.key()) else { continue };
        if key.kind == ColumnKind::Int64 && key.name != "Patient_ID" && table.column(&key.name).is_none() {
            table.columns.push(key.name.clone());
            for (at, row) in table.rows.iter_mut().enumerate() {
                row.push(Some((at + 1).to_string()));
            }
        }
    }
}

/// Adds the files that a graph reads; a patient twice in one is the code of a fault.
pub fn add_files(tables: &mut Tables, graph: &Graph, files: &[(String, String)]) -> Result<(), String> {
    for (inline, rows) in value_files(graph, files)? {
        tables.insert_inline(inline, rows);
    }
    Ok(())
}

/// The files that a graph reads; a patient twice in one is the code of a fault.
pub fn value_files(graph: &Graph, files: &[(String, String)]) -> Result<Vec<(Inline, Rows)>, String> {
    let rows = |inline: &Inline| {
        let Some((_, text)) = files.iter().find(|(path, _)| *path == inline.file) else {
            return Err(format!("no file {}", inline.file));
        };
        inline_rows(inline, &Table::parse(text)?)
    };
    graph.inlines().into_iter().map(|inline| Ok((inline.clone(), rows(inline)?))).collect()
}

fn inline_rows(inline: &Inline, table: &Table) -> Result<Rows, String> {
    let columns: BTreeMap<&str, Type> = std::iter::once(("patient_id", Type::Int))
        .chain(inline.columns.iter().map(|(n, t)| (n.as_str(), *t)))
        .collect();
    let mut rows = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for row in 0..table.rows.len() {
        let cell = |name: &str, kind| {
            let cell = table.cell(row, name).map(str::trim).filter(|c| !c.is_empty());
            let kind = match kind {
                Type::Bool => ColumnKind::Bool,
                Type::Int => ColumnKind::Int64,
                Type::Float => ColumnKind::Double,
                Type::Date | Type::DateTime => ColumnKind::Date,
                Type::Str => ColumnKind::Text,
            };
            value(cell, kind)
        };
        if !seen.insert(table.cell(row, "patient_id").map(str::to_owned)) {
            return Err("D511".into());
        }
        rows.push(columns.iter().map(|(name, kind)| cell(name, *kind)).collect());
    }
    Ok(Rows { columns: columns.keys().map(|name| (*name).to_owned()).collect(), rows })
}

/// Whether two texts of files say the same; numbers with a point may differ by 1e-12 of their size.
pub fn same(a: &str, b: &str, study: &Study) -> bool {
    if a == b {
        return true;
    }
    let kinds: Vec<ColumnType> = study.columns().map(|id| study[id].kind).collect();
    let close = |at: usize, a: &str, b: &str| {
        let float = at > 0 && kinds.get(at - 1) == Some(&ColumnType::Float);
        a == b
            || float
                && matches!((a.parse::<f64>(), b.parse::<f64>()), (Ok(a), Ok(b)) if (a - b).abs() <= 1e-12 * a.abs().max(b.abs()))
    };
    let (Ok(a), Ok(b)) = (Table::parse(a), Table::parse(b)) else { return false };
    a.columns == b.columns
        && a.rows.len() == b.rows.len()
        && a.rows.iter().zip(&b.rows).all(|(a, b)| {
            a.iter()
                .zip(b)
                .enumerate()
                .all(|(at, (a, b))| close(at, a.as_deref().unwrap_or_default(), b.as_deref().unwrap_or_default()))
        })
}
