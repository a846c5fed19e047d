//! Reads case files: tables as text, a graph in a small form, a binding, expected rows.
//! The head of `form.rs` describes the form of graphs, `cases/README.md` the files.

pub(crate) mod data;
pub(crate) mod form;

use query::Graph;
use query::reference::{Bindings, Tables};

/// One file.
pub(crate) struct Case {
    pub graph: Graph,
    pub tables: Tables,
    pub bindings: Bindings,
    pub expected: Expected,
    /// Of totals by name: lines of CSV, header first.
    pub totals: Vec<(String, Vec<String>)>,
}

pub(crate) enum Expected {
    /// Lines of CSV, header first, and D501 counts as `variable=patients`.
    Rows(Vec<String>, Vec<String>),
    /// Code of a fault of the run, and words of its message.
    Stop(String, Vec<String>),
    /// Codes of faults of the graph in order, and words of their messages.
    Faults(Vec<String>, Vec<String>),
}

/// Sections of a file: the words after `---` and the lines below.
pub(crate) fn sections(text: &str) -> Vec<(Vec<&str>, Vec<&str>)> {
    let mut sections: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for line in text.lines().skip(1) {
        match line.strip_prefix("--- ") {
            Some(head) => sections.push((head.split_whitespace().collect(), Vec::new())),
            None => {
                if !line.trim().is_empty() {
                    sections.last_mut().expect("a section").1.push(line);
                }
            }
        }
    }
    sections
}

pub(crate) fn read(text: &str) -> Case {
    let mut tables = Tables::default();
    let mut patients = Vec::new();
    let mut bindings = Bindings::new();
    let mut graph = None;
    let mut expected = None;
    let mut counts = Vec::new();
    let mut totals = Vec::new();
    for (head, lines) in sections(text) {
        match head.as_slice() {
            ["patients", ids @ ..] => patients.extend(ids.iter().map(|id| id.parse::<i64>().expect("an id"))),
            ["table", name] => tables.insert(name, data::table(name, &lines)),
            ["file", name, columns @ ..] => {
                let (inline, rows) = data::file(name, columns, &lines);
                tables.insert_inline(inline, rows);
            }
            ["graph", flags @ ..] => graph = Some(form::read(&lines, flags)),
            ["bind", pairs @ ..] => {
                for pair in pairs {
                    let (name, value) = pair.split_once('=').expect("name=value");
                    bindings.insert(name.to_owned(), form::constant(value).expect("a constant"));
                }
            }
            ["expect"] => expected = Some(Expected::Rows(lines.iter().map(|l| (*l).to_owned()).collect(), Vec::new())),
            ["total", name] => totals.push(((*name).to_owned(), lines.iter().map(|l| (*l).to_owned()).collect())),
            ["counts", pairs @ ..] => counts = pairs.iter().map(|p| (*p).to_owned()).collect(),
            ["stop", code] => {
                expected = Some(Expected::Stop((*code).to_owned(), lines.iter().map(|l| (*l).to_owned()).collect()));
            }
            ["faults", codes @ ..] => {
                let codes = codes.iter().map(|c| (*c).to_owned()).collect();
                expected = Some(Expected::Faults(codes, lines.iter().map(|l| (*l).to_owned()).collect()));
            }
            other => panic!("unknown section {other:?}"),
        }
    }
    if tables.get("Patient").is_none() {
        tables.insert("Patient", data::patients(&patients));
    }
    let mut expected = expected.expect("what is expected");
    if let Expected::Rows(_, of) = &mut expected {
        *of = counts;
    }
    Case { graph: graph.expect("a graph"), tables, bindings, expected, totals }
}
