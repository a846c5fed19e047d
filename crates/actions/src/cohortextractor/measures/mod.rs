//! `generate_measures`: files of patients into numerators, denominators and values by group and date.
//! One read of each file makes all measures; nothing appears before all of them are made (study-definitions.md 11).

mod groups;
mod keys;
mod listed;
mod number;
mod select;
mod sums;
mod suppress;
mod table;
mod write;

#[cfg(test)]
mod model;

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use cohorts::Format;
use study::fault::Severity;
use study::model::Measure;
use study::recording::Recording;

use crate::fault::{Exit, Fault, FaultCode};
use crate::staged::Staged;
use crate::text::warn;
use crate::workspace::Workspace;
use crate::{Context, Outcome};

use super::names::{self, Choice, Module};
use super::options;

pub use number::Era;

use groups::{Groups, POPULATION};
use listed::Listed;
use select::Chosen;
use suppress::Done;
use table::{PatientFile, Table};
use write::Combined;

pub(crate) fn run(asked: &options::Measures, context: &mut Context<'_>) -> Outcome {
    let modules = names::chosen(context.cwd, &asked.study)?;
    let workspace = Workspace::new(context.cwd).map_err(|fault| vec![fault])?;
    let mut making = Vec::new();
    for module in &modules {
        let recorded = super::record::recorded(module, &asked.params, context)?;
        let recording = &recorded.recording;
        if recording.measures.is_some() {
            making.push((module, checked(recording, context)?));
        } else if asked.study != Choice::All {
            let message = format!("analysis/{}.py has no list `measures`", module.name());
            let fault = Fault::new(FaultCode::Study("SD004"), Exit::Unreadable, message);
            let help = "write measures = [Measure(id=..., numerator=..., denominator=..., group_by=...)]";
            return Err(vec![fault.help(help)]);
        }
    }
    if making.is_empty() {
        warn(context.stderr, "no study definition has a list `measures`; nothing is made");
    }
    let mut patients = Listed::default();
    for (module, measures) in making {
        one_study(module, &measures, asked, &mut patients, &workspace, context)?;
    }
    Ok(())
}

/// The measures of a module. Lints of its study have been told when its patients were extracted.
fn checked(recording: &Recording, context: &mut Context<'_>) -> Result<Vec<Measure>, Vec<Fault>> {
    let checked = study::check(recording, &study::CheckOptions::new(context.today));
    // A module of measures alone needs no study.
    let told = |fault: &study::fault::Fault| {
        let about_measures = fault.code.starts_with("SD7");
        about_measures || (fault.severity == Severity::Fault && fault.code != "SD004")
    };
    let found: Vec<_> = checked.faults.into_iter().filter(told).collect();
    let faults = super::record::told(&found, recording, Exit::Unreadable, context);
    if faults.is_empty() { Ok(checked.measures) } else { Err(faults) }
}

fn one_study(
    module: &Module,
    measures: &[Measure],
    asked: &options::Measures,
    patients: &mut Listed,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Outcome {
    let names = workspace.files_of(&asked.folder);
    let (files, warnings) = select::by_date(names.iter().map(String::as_str), module.suffix())?;
    warnings.iter().for_each(|warning| warn(context.stderr, warning));
    if files.is_empty() {
        let (suffix, folder) = (module.suffix(), asked.folder.display());
        warn(
            context.stderr,
            &format!(
                "{folder} has no file input{suffix}_YYYY-MM-DD of patients, so no measure is made; generate_cohort with \
             --index-date-range makes them"
            ),
        );
        return Ok(());
    }
    patients.add(measures, &files, &asked.folder, workspace, context)?;
    let mut made: Vec<Made> = Vec::new();
    let mut faults = Vec::new();
    for file in &files {
        match one_file(file, measures, asked, workspace, context) {
            Ok(new) => made.extend(new),
            Err(found) => faults.extend(found),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let single = |fault: Fault| vec![fault];
    let mut staged = Vec::new();
    for measure in measures {
        let path = asked.folder.join(format!("measure_{}.csv", measure.id));
        let target = workspace.stage(&path, "the measure").map_err(single)?;
        let what = target.what().to_owned();
        let mut target = target;
        {
            let mut combined = Combined::new(BufWriter::new(target.file()), what.clone());
            for one in made.iter().filter(|one| one.measure == measure.id) {
                let shown = one.path.display().to_string();
                match &one.rows {
                    Some(rows) => combined.append(rows.as_slice(), &shown, &one.date),
                    None => {
                        let file = workspace.open(&one.path, "the measure", Exit::Data).map_err(single)?;
                        combined.append(file, &shown, &one.date)
                    }
                }
                .map_err(single)?;
            }
            combined.finish().flush().map_err(|error| vec![Fault::writing(&what, &error)])?;
        }
        target.sync().map_err(single)?;
        staged.push((path, target));
    }
    for one in made.iter() {
        let Some(rows) = &one.rows else { continue };
        let mut target = workspace.stage(&one.path, "the measure").map_err(single)?;
        target.file().write_all(rows).map_err(|error| vec![Fault::writing(&one.path.display().to_string(), &error)])?;
        finish(target, &one.path, context)?;
    }
    for (path, target) in staged {
        target.publish().map_err(single)?;
        context.log(&format!("wrote {}", path.display()));
    }
    Ok(())
}

fn finish(target: Staged, path: &Path, context: &mut Context<'_>) -> Outcome {
    target.sync().and_then(|()| target.publish()).map_err(|fault| vec![fault])?;
    context.log(&format!("wrote {}", path.display()));
    Ok(())
}

/// One measure of one date.
struct Made {
    measure: String,
    date: String,
    path: PathBuf,
    /// `None`: the file was there already.
    rows: Option<Vec<u8>>,
}

fn one_file(
    file: &Chosen,
    measures: &[Measure],
    asked: &options::Measures,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Result<Vec<Made>, Vec<Fault>> {
    let path_of = |measure: &Measure| asked.folder.join(format!("measure_{}_{}.csv", measure.id, file.date));
    let is_there = |measure: &Measure| asked.skip_existing && workspace.identify(&path_of(measure)).is_some();
    let (there, wanted): (Vec<&Measure>, Vec<&Measure>) = measures.iter().partition(|measure| is_there(measure));
    let mut made: Vec<Made> = Vec::new();
    for measure in there {
        context.log(&format!("{} is there already", path_of(measure).display()));
        made.push(Made { measure: measure.id.clone(), date: file.date.clone(), path: path_of(measure), rows: None });
    }
    if wanted.is_empty() {
        return Ok(made);
    }
    let wanted: Vec<Measure> = wanted.into_iter().cloned().collect();
    let path = asked.folder.join(&file.name);
    let what = path.display().to_string();
    let mut table = open(workspace, &path, file.format).map_err(|fault| vec![fault])?;
    missing_columns(&table, &what, &wanted)?;
    context.log(&format!("reading {what}"));
    let groups = Groups::read(&mut table, &what, &wanted).map_err(|fault| vec![fault])?;
    for measure in &wanted {
        let outcome = groups.result(measure, &what).map_err(|fault| vec![fault])?;
        let (rows, emptied) = write::render(&outcome, measure, groups.cells, context.era);
        for (column, done) in emptied {
            let more = if done == Done::SmallAndNext {
                ", and the next larger ones, which would have given them away"
            } else {
                ""
            };
            context
                .log(&format!("measure {} of {}: small numbers of {column} are left out{more}", measure.id, file.date));
        }
        made.push(Made {
            measure: measure.id.clone(),
            date: file.date.clone(),
            path: path_of(measure),
            rows: Some(rows),
        });
    }
    Ok(made)
}

fn open(workspace: &Workspace, path: &Path, format: Format) -> Result<Table, Fault> {
    let file = workspace.open(path, "the file of patients", Exit::Data)?;
    Table::open(file, format, path.display().to_string())
}

fn missing_columns(table: &dyn PatientFile, what: &str, measures: &[Measure]) -> Outcome {
    let mut faults = Vec::new();
    for measure in measures {
        let missing: Vec<&str> =
            groups::needed(measure).into_iter().filter(|name| !table.columns().iter().any(|c| c == name)).collect();
        if !missing.is_empty() {
            let message =
                format!("{what} has no column {}, which the measure {} needs", missing.join(" and no "), measure.id);
            let mut shown: Vec<&str> = table.columns().iter().map(String::as_str).take(40).collect();
            if table.columns().len() > shown.len() {
                shown.push("…");
            }
            let fault = Fault::new(FaultCode::Study("SD701"), Exit::Data, message);
            faults.push(fault.help(format!("its columns are {}; `{POPULATION}` is always there", shown.join(", "))));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}
