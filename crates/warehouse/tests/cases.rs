//! Every file of `cases/` is a folder of tables as text, with the rows, notes or faults that reading it gives.
//! `<CR>`, `<BOM>`, `<FF>` (no UTF-8) and `<NUL>` stand for what no editor keeps.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::fs;
use std::path::Path;

use query::reference::Rows;
use query::{Catalogue, Value};
use warehouse::{Filter, Hes, Policy, open_with};

fn bytes(lines: &[&str]) -> Vec<u8> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let text = text.replace("<CR>", "\r").replace("<BOM>", "\u{feff}").replace("<NUL>", "\0");
    let mut bytes = Vec::new();
    for (at, part) in text.split("<FF>").enumerate() {
        if at > 0 {
            bytes.push(0xff);
        }
        bytes.extend(part.as_bytes());
    }
    bytes
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(v) => v.to_string(),
        Value::Int(v) => v.to_string(),
        Value::Float(v) => format!("{v:?}"),
        Value::Str(v) if v.is_empty() => "\"\"".to_owned(),
        Value::Str(v) => v.to_string(),
        Value::Date(v) => v.to_string(),
        Value::DateTime(v) => v.to_string(),
    }
}

fn lines(rows: &Rows) -> Vec<String> {
    let row = |row: &Vec<Value>| row.iter().map(cell).collect::<Vec<_>>().join(",");
    std::iter::once(rows.columns.join(",")).chain(rows.rows.iter().map(row)).collect()
}

/// What is wrong with a case, if anything.
fn judge(text: &str) -> Result<(), String> {
    let mut sections: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for line in text.lines().skip(1) {
        match line.strip_prefix("--- ") {
            Some(head) => sections.push((head.split(' ').collect(), Vec::new())),
            None => sections.last_mut().expect("a section").1.push(line),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    for (head, lines) in &sections {
        if let ["file", name] = head.as_slice() {
            fs::write(folder.path().join(name), bytes(lines)).unwrap();
        }
    }
    let hes = sections.iter().find_map(|(head, _)| match head.as_slice() {
        ["hes", "union"] => Some(Hes::Union),
        ["hes", "current"] => Some(Hes::Current),
        _ => None,
    });
    let lifts = |filter: &Filter| sections.iter().any(|(head, _)| *head == ["lift", filter.lifted_by()]);
    let policy = Policy::lifting(Filter::ALL.into_iter().filter(lifts));
    let opened = open_with(folder.path(), Catalogue::tpp(), &policy, hes);
    let mut notes: &[&str] = &[];
    for (head, expected) in &sections {
        let found = match (head.as_slice(), &opened) {
            (["file" | "hes" | "lift", _], _) => continue,
            (["hidden"], Ok(opened)) => {
                vec![format!("patients {}", opened.hidden.patients), format!("rows {}", opened.hidden.rows)]
            }
            (["absent", table], Ok(opened)) if opened.tables.get(table).is_none() => Vec::new(),
            (["notes"], _) => {
                notes = expected;
                continue;
            }
            (["faults"], Err(faults)) => faults.shown.iter().map(ToString::to_string).collect(),
            (["rows", table], Ok(opened)) => lines(opened.tables.get(table).ok_or("the table is absent")?),
            (_, Err(faults)) => return Err(faults.to_string()),
            (other, Ok(_)) => return Err(format!("{other:?} does not come")),
        };
        if found != *expected {
            return Err(format!("{head:?} finds\n{}", found.join("\n")));
        }
    }
    let found: Vec<String> = opened.iter().flat_map(|o| &o.notes).map(ToString::to_string).collect();
    if found != notes { Err(format!("notes\n{}", found.join("\n"))) } else { Ok(()) }
}

#[test]
fn every_case_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if let Err(what) = judge(&fs::read_to_string(&path).unwrap()) {
            wrong.push(format!("{}: {what}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
