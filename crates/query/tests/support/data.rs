//! Tables as text and answers as text: unquoted empty is NULL, `""` is empty text.
//! Types come from the catalogue; a cell that cannot be read fails the test.

use std::collections::BTreeMap;

use query::reference::{Answer, Rows};
use query::totals::{CountRow, Total, Totals};
use query::{Catalogue, Graph, Inline, Named, Type, Value};

pub(crate) fn patients(ids: &[i64]) -> Rows {
    let row = |id: &i64| vec![Value::Int(*id), Value::Date("1980-01-01".parse().unwrap()), Value::text("F")];
    let columns = ["Patient_ID", "DateOfBirth", "Sex"];
    Rows { columns: columns.iter().map(|c| (*c).to_owned()).collect(), rows: ids.iter().map(row).collect() }
}

pub(crate) fn table(name: &str, lines: &[&str]) -> Rows {
    let catalogue = Catalogue::tpp();
    let table = catalogue.table(name).unwrap_or_else(|| panic!("no table {name}"));
    typed(lines, |column| {
        let column = catalogue.column(table, column).unwrap_or_else(|| panic!("{name} has no {column}"));
        (column.name.clone(), column.kind.value_type())
    })
}

pub(crate) fn file(name: &str, columns: &[&str], lines: &[&str]) -> (Inline, Rows) {
    let columns: BTreeMap<String, Type> = columns
        .iter()
        .map(|column| {
            let (name, kind) = column.split_once(':').expect("name:type");
            (name.to_owned(), super::form::kind(kind).expect("a type"))
        })
        .collect();
    let rows = typed(lines, |column| match column {
        "patient_id" => (column.to_owned(), Type::Int),
        column => (column.to_owned(), columns[column]),
    });
    (Inline { file: name.to_owned(), columns }, rows)
}

fn typed(lines: &[&str], kind: impl Fn(&str) -> (String, Type)) -> Rows {
    let (head, rows) = lines.split_first().expect("a header");
    let columns: Vec<(String, Type)> = head.split(',').map(kind).collect();
    let row = |line: &&str| {
        let cells = cells(line);
        assert_eq!(cells.len(), columns.len(), "cells of {line}");
        cells
            .into_iter()
            .zip(&columns)
            .map(|(cell, (_, kind))| cell.map_or(Value::Null, |c| value(&c, *kind)))
            .collect()
    };
    Rows { rows: rows.iter().map(row).collect(), columns: columns.iter().map(|c| c.0.clone()).collect() }
}

fn cells(line: &str) -> Vec<Option<String>> {
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        let cell;
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').expect("a closing quote");
            cell = Some(quoted[..end].to_owned());
            rest = &quoted[end + 1..];
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            cell = (end > 0).then(|| rest[..end].to_owned());
            rest = &rest[end..];
        }
        cells.push(cell);
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return cells,
        }
    }
}

fn value(cell: &str, kind: Type) -> Value {
    match kind {
        Type::Bool => Value::Bool(matches!(cell, "1" | "true")),
        Type::Int => Value::Int(cell.parse().unwrap_or_else(|_| panic!("{cell} is no int"))),
        Type::Float => Value::Float(cell.parse().unwrap_or_else(|_| panic!("{cell} is no float"))),
        Type::Str => Value::text(cell),
        Type::Date => Value::Date(cell.parse().unwrap_or_else(|_| panic!("{cell} is no date"))),
        Type::DateTime => {
            let midnight = format!("{cell}T00:00:00");
            let text = if cell.len() == 10 { &midnight } else { cell };
            Value::DateTime(text.parse().unwrap_or_else(|_| panic!("{cell} is no time")))
        }
    }
}

/// An answer as lines of CSV.
pub(crate) fn lines(answer: &Answer) -> Vec<String> {
    let mut lines =
        vec![["patient_id"].into_iter().chain(answer.columns.iter().map(String::as_str)).collect::<Vec<_>>().join(",")];
    for row in &answer.rows {
        let cells = row.values.iter().map(text);
        lines.push([row.patient_id.to_string()].into_iter().chain(cells).collect::<Vec<_>>().join(","));
    }
    lines
}

/// The groups of one total as lines of CSV.
pub(crate) fn total_lines(graph: &Graph, totals: &Totals, name: &str) -> Vec<String> {
    let names = |named: &[Named]| named.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    let number = |total: &Total| match total {
        Total::Whole(number) => number.to_string(),
        Total::Float(number) => format!("{number:?}"),
        Total::OutOfRange => "out of range".to_owned(),
    };
    let mut lines = Vec::new();
    for (sum, rows) in graph.grouped_sums().iter().zip(&totals.sums).filter(|(sum, _)| sum.name == name) {
        let head = [names(&sum.group_by), names(&sum.numerators), vec!["denominator".to_owned()]].concat();
        lines.push(head.join(","));
        for row in rows {
            let numbers = row.numerators.iter().chain([&row.denominator]).map(number);
            lines.push(row.keys.iter().map(text).chain(numbers).collect::<Vec<_>>().join(","));
        }
    }
    for (counts, rows) in graph.event_counts().iter().zip(&totals.counts).filter(|(counts, _)| counts.name == name) {
        lines.push([names(&counts.group_by), vec!["count".to_owned()]].concat().join(","));
        let line =
            |row: &CountRow| row.keys.iter().map(text).chain([row.count.to_string()]).collect::<Vec<_>>().join(",");
        lines.extend(rows.iter().map(line));
    }
    lines
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(v) => v.to_string(),
        Value::Int(v) => v.to_string(),
        Value::Float(v) => format!("{v:?}"),
        Value::Str(v) if v.is_empty() || v.contains(',') => format!("\"{v}\""),
        Value::Str(v) => v.to_string(),
        Value::Date(v) => v.to_string(),
        Value::DateTime(v) => v.to_string(),
    }
}
