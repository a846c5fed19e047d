//! Real-mode files from a folder of patient tables: the study's graph, asked over plain rows (study-definitions.md 3, 9.2).
//! Small and slow by intent: the reference interpreter stands in for the engine.

use std::io::Read;
use std::path::Path;

use query::Inline;
use query::reference::{self, Bindings, Rows, RunCode, RunFault, Tables, Value};
use study::lower::INDEX_DATE;
use study::model::Study;
use study::recording::Recording;
use study::{Flavour, LowerError};

use crate::Context;
use crate::fault::{Exit, Fault, FaultCode};
use crate::workspace::Workspace;

use super::{Job, Sound, answered};

pub(crate) fn prepare(
    sound: &Sound,
    jobs: Vec<Job>,
    folder: &Path,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Result<Vec<(Job, cohorts::Memory)>, Vec<Fault>> {
    let graph =
        study::lower(&sound.study, &sound.recording, Flavour::Tpp).map_err(|error| vec![of_lowering(&error)])?;
    let mut tables = open(folder, workspace, context)?;
    add_files(&sound.study, &sound.recording, &mut tables, workspace)?;
    let mut made = Vec::with_capacity(jobs.len());
    for job in jobs {
        let mut bindings = Bindings::new();
        if graph.parameters().contains_key(INDEX_DATE) {
            let date = job.date.or(sound.study.index_date);
            bindings.insert(INDEX_DATE.to_owned(), date.map_or(Value::Null, Value::Date));
        }
        let answer = reference::run(&graph, &tables, &bindings).map_err(|fault| vec![of_run(&fault)])?;
        for count in &answer.counts {
            let place = count.source.as_ref().map(|source| format!("{source}: ")).unwrap_or_default();
            let patients = crate::text::about(count.patients);
            context
                .log(&format!("note: {place}a date or number is out of range, and missing, for {patients} patients"));
        }
        let source = answered::source(&sound.study, &answer).map_err(|fault| vec![fault])?;
        made.push((job, source));
    }
    Ok(made)
}

fn open(_folder: &Path, _workspace: &Workspace, _context: &mut Context<'_>) -> Result<Tables, Vec<Fault>> {
    let message = "this version of cloister cannot read folders of patient tables yet";
    Err(vec![Fault::new(FaultCode::NoEngine, Exit::Data, message)])
}

/// Adds the files of the workspace that the study takes values from.
pub(crate) fn add_files(
    study: &Study,
    recording: &Recording,
    tables: &mut Tables,
    workspace: &Workspace,
) -> Result<(), Vec<Fault>> {
    let graph = study::lower(study, recording, Flavour::Tpp).map_err(|error| vec![of_lowering(&error)])?;
    for inline in graph.inlines() {
        let rows = value_file(inline, workspace).map_err(|fault| vec![fault])?;
        tables.insert_inline(inline.clone(), rows);
    }
    Ok(())
}

/// A csv of one row per patient; a blank cell is missing (study-definitions.md 7.4).
fn value_file(inline: &Inline, workspace: &Workspace) -> Result<Rows, Fault> {
    let bad = |why: String| {
        let fault = Fault::new(FaultCode::Study("D511"), Exit::DummyBad, format!("{}: {why}", inline.file));
        fault.help("a value file is a csv with one row per patient: patient_id and the columns that the study reads")
    };
    let file = workspace.open(Path::new(&inline.file), "the value file", Exit::DummyBad)?;
    let packed = inline.file.ends_with(".gz");
    let bytes: Box<dyn Read> = match packed {
        true => Box::new(crate::gz::Unpacked::new(file, crate::gz::UnpackLimits::default())),
        false => Box::new(file),
    };
    let mut reader = crate::csv::CsvReader::new(bytes);
    let mut records: Vec<(u64, Vec<String>)> = vec![(1, Vec::new())];
    while let Some(field) = reader.next().map_err(|error| bad(error.to_string()))? {
        let (last, line) = (field.last, field.line);
        let text = String::from_utf8_lossy(field.bytes).into_owned();
        if let Some((at, record)) = records.last_mut() {
            *at = if record.is_empty() { line } else { *at };
            record.push(text);
        }
        if last {
            records.push((line + 1, Vec::new()));
        }
    }
    records.pop();
    let mut records = records.into_iter();
    let header = records.next().map(|(_, header)| header).unwrap_or_default();
    let mut places = Vec::new();
    let mut columns = vec!["patient_id".to_owned()];
    let id = header.iter().position(|name| name.trim() == "patient_id");
    let id = id.ok_or_else(|| bad("it has no column patient_id".to_owned()))?;
    for (name, kind) in &inline.columns {
        let place = header.iter().position(|found| found.trim() == name);
        places.push((place.ok_or_else(|| bad(format!("it has no column {name}")))?, name, *kind));
        columns.push(name.clone());
    }
    let mut seen = std::collections::HashSet::new();
    let mut rows = Vec::new();
    for (line, record) in records {
        let patient = record.get(id).and_then(|text| text.trim().parse::<i64>().ok());
        let patient = patient.ok_or_else(|| bad(format!("line {line}: patient_id is no whole number")))?;
        if !seen.insert(patient) {
            return Err(bad(format!("line {line}: a patient of an earlier line comes again; each may have one row")));
        }
        let mut row = vec![Value::Int(patient)];
        for (place, name, kind) in &places {
            let text = record.get(*place).map(String::as_str).unwrap_or_default();
            let value = value(text, *kind)
                .ok_or_else(|| bad(format!("line {line}: the value of {name} is no {}", word(*kind))))?;
            row.push(value);
        }
        rows.push(row);
    }
    Ok(Rows { columns, rows })
}

fn value(text: &str, kind: query::Type) -> Option<Value> {
    use query::Type as T;
    let plain = text.trim();
    if plain.is_empty() {
        return Some(Value::Null);
    }
    match kind {
        T::Str => Some(Value::text(text)),
        T::Int => plain.parse().ok().map(Value::Int),
        T::Float => plain.parse().ok().map(Value::Float),
        T::Bool => match plain {
            "1" | "True" | "true" | "1.0" => Some(Value::Bool(true)),
            "0" | "False" | "false" | "0.0" => Some(Value::Bool(false)),
            _ => None,
        },
        T::Date => super::super::dates::iso(plain.get(..10)?).map(Value::Date),
        _ => None,
    }
}

fn word(kind: query::Type) -> &'static str {
    use query::Type as T;
    match kind {
        T::Int => "whole number",
        T::Float => "number",
        T::Bool => "0 or 1",
        T::Date => "date as YYYY-MM-DD",
        _ => "text",
    }
}

fn of_lowering(error: &LowerError) -> Fault {
    Fault::new(FaultCode::Study("SD211"), Exit::Unreadable, error.to_string())
}

/// Data that contradict what a study says of them.
pub(crate) fn of_run(fault: &RunFault) -> Fault {
    let place = match (&fault.variable, &fault.source_line) {
        (Some(variable), Some(line)) => format!("{variable} ({line}): "),
        (Some(one), None) | (None, Some(one)) => format!("{one}: "),
        (None, None) => String::new(),
    };
    Fault::new(FaultCode::Study(fault.code.as_str()), Exit::Database, format!("{place}{}", fault.message))
}
