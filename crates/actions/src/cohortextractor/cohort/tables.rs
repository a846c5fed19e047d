//! Real-mode files from a folder of patient tables: the study's graph, asked over plain rows (study-definitions.md 3, 9.2).
//! Small and slow by intent: the reference interpreter stands in for the engine.

use std::path::Path;

use query::reference::{self, Bindings, Rows, RunFault, Tables, Value};
use query::{Catalogue, Graph, Inline};
use study::lower::INDEX_DATE;
use warehouse::Policy;

use crate::Context;
use crate::fault::{Exit, Fault, FaultCode};
use crate::text::{about, warn};
use crate::workspace::Workspace;

use super::{Job, Sound, answered};

/// Faults of data that are shown.
const SHOWN: usize = 20;
/// What can be wrong with supplied rows (warehouse.md 12).
const CODES: [&str; 9] = ["D101", "D102", "D103", "D104", "D105", "D203", "D309", "D401", "D511"];

pub(crate) fn prepare(
    sound: &Sound,
    jobs: Vec<Job>,
    folder: &Path,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Result<Vec<(Job, cohorts::Memory)>, Vec<Fault>> {
    let tables = open(folder, workspace, context)?;
    asked(sound, jobs, tables, workspace, context)
}

/// Says what a run over real data needs leave for; over dummy data nothing does (warehouse.md 9).
pub(crate) fn note_permissions(sound: &Sound, context: &mut Context<'_>) {
    for (permission, tables) in sound.graph.permissions(Catalogue::tpp()) {
        let (name, tables) = (sound.module.name(), tables.join(", "));
        context.log(&format!("note: {name}: a real run needs the permission `{permission}`, for {tables}"));
    }
}

/// What a study finds in tables, date by date.
pub(crate) fn asked(
    sound: &Sound,
    jobs: Vec<Job>,
    mut tables: Tables,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Result<Vec<(Job, cohorts::Memory)>, Vec<Fault>> {
    let graph = &sound.graph;
    for (inline, rows) in value_files(graph, workspace)? {
        tables.insert_inline(inline, rows);
    }
    let mut made = Vec::with_capacity(jobs.len());
    for job in jobs {
        let mut bindings = Bindings::new();
        if graph.parameters().contains_key(INDEX_DATE) {
            let date = job.index_date(sound);
            bindings.insert(INDEX_DATE.to_owned(), date.map_or(Value::Null, Value::Date));
        }
        let answer = reference::run(graph, &tables, &bindings).map_err(|fault| vec![of_run(&fault)])?;
        for count in &answer.counts {
            let place = count.source.as_ref().map(|source| format!("{source}: ")).unwrap_or_default();
            let patients = about(count.patients);
            context
                .log(&format!("note: {place}a date or number is out of range, and missing, for {patients} patients"));
        }
        let source = answered::source(&sound.study, &answer).map_err(|fault| vec![fault])?;
        made.push((job, source));
    }
    Ok(made)
}

fn open(folder: &Path, workspace: &Workspace, context: &mut Context<'_>) -> Result<Tables, Vec<Fault>> {
    let inside = workspace.folder(folder, "--dummy-tables").map_err(|fault| vec![fault])?;
    opened((&inside, folder), &Policy::default(), context)
}

/// The tables of a folder, which messages call by its second name, with what there is to say about them.
pub(crate) fn opened(
    (inside, folder): (&Path, &Path),
    policy: &Policy,
    context: &mut Context<'_>,
) -> Result<Tables, Vec<Fault>> {
    let opened = warehouse::open(inside, Catalogue::tpp(), policy);
    let opened = opened.map_err(|faults| {
        let more = faults.count.saturating_sub(SHOWN as u64);
        let mut made: Vec<Fault> = faults.shown.iter().take(SHOWN).map(of_data).collect();
        if let Some(last) = made.last_mut().filter(|_| more > 0) {
            last.message += &format!("\n  … and {more} more faults of the tables");
        }
        made
    })?;
    for note in &opened.notes {
        context.log(&format!("note: {}: {note}", folder.display()));
    }
    if opened.supplied.is_empty() {
        warn(
            context.stderr,
            &format!("{} holds no table, such as Patient.csv: every file will be empty", folder.display()),
        );
    }
    let warehouse::Hidden { patients, rows } = opened.hidden;
    if patients > 0 {
        let patients = about(patients);
        context.log(&format!("note: {patients} patients opted out, or have no practice that takes part"));
    }
    if rows > 0 {
        context.log(&format!("note: {} rows of patients are of practices or times that take no part", about(rows)));
    }
    Ok(opened.tables)
}

/// The files of the workspace that the study takes values from.
pub(crate) fn value_files(graph: &Graph, workspace: &Workspace) -> Result<Vec<(Inline, Rows)>, Vec<Fault>> {
    graph.inlines().into_iter().map(|inline| Ok((inline.clone(), value_file(inline, workspace)?))).collect()
}

fn value_file(inline: &Inline, workspace: &Workspace) -> Result<Rows, Vec<Fault>> {
    let file =
        workspace.open(Path::new(&inline.file), "the value file", Exit::DummyBad).map_err(|fault| vec![fault])?;
    warehouse::read_patient_file(inline, file).map_err(|faults| faults.shown.iter().take(SHOWN).map(of_data).collect())
}

/// A fault of tables or value files; it shows no cell.
fn of_data(fault: &warehouse::Fault) -> Fault {
    let text = fault.to_string();
    let (code, message) = text.split_once(": ").unwrap_or(("", &text));
    let known = CODES.iter().find(|known| **known == code).copied();
    Fault::new(FaultCode::Study(known.unwrap_or("D103")), Exit::DummyBad, message)
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
