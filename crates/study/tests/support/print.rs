//! The csv text of a real file (study-definitions.md 9.2), written here once more, so that no writer is tested by itself.

use cohorts::DatePrecision;
use query::Value;
use query::reference::PatientRow;
use study::model::{ColumnType, Study};

/// Header and rows, LF.
pub fn file(study: &Study, rows: &[Vec<String>]) -> String {
    let mut names = vec!["patient_id".to_owned()];
    names.extend(study.columns().map(|id| study[id].name.clone()));
    let mut out = line(&names);
    for row in rows {
        out += &line(row);
    }
    out
}

fn line(cells: &[String]) -> String {
    let quoted = |cell: &String| {
        if cell.contains([',', '"', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

/// What the lowered graph answers.
pub fn of_graph(study: &Study, rows: &[PatientRow]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let mut cells = vec![row.patient_id.to_string()];
            cells.extend(study.columns().zip(&row.values).map(|(id, value)| cell(study[id].kind, value)));
            cells
        })
        .collect();
    file(study, &rows)
}

fn cell(kind: ColumnType, value: &Value) -> String {
    match (value, kind) {
        (Value::Null, ColumnType::Date(_)) => String::new(),
        (Value::Bool(b), ColumnType::Bool) => u8::from(*b).to_string(),
        (Value::Int(n), ColumnType::Int | ColumnType::IntCategory { .. }) => n.to_string(),
        (Value::Float(n), ColumnType::Float) => float(*n),
        (Value::Str(t), ColumnType::Str) => t.to_string(),
        (Value::Date(day), ColumnType::Date(precision)) => {
            let length = match precision {
                DatePrecision::Year => 4,
                DatePrecision::Month => 7,
                DatePrecision::Day => 10,
            };
            day.to_string()[..length].to_owned()
        }
        other => panic!("{other:?} in a file"),
    }
}

/// As Python's repr: the shortest that reads back; an exponent below 1e-4 and from 1e16.
pub fn float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap();
    let exponent: i32 = exponent.parse().unwrap();
    if number != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let plain = number.to_string();
    if plain.contains('.') { plain } else { plain + ".0" }
}
