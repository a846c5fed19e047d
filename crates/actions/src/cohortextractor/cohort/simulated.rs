//! Dummy patients with events, the same for all dates of a study, and what the study finds in them (10.2).
//! How near the expectations were met is told in the log, and in full in a report.

use std::io::Write as _;
use std::path::Path;

use serde_json::json;
use study::simulate::{self, Report, Request, Simulation, ValueFiles};

use crate::Context;
use crate::fault::{Exit, Fault, FaultCode};
use crate::workspace::Workspace;

use super::super::options::Simulated;
use super::repository::Repository;
use super::{Job, Sound, answered, tables};

/// Columns that the log names.
const SHOWN: usize = 5;

/// The patients of a study as tables.
pub(crate) fn tables_of(
    sound: &Sound,
    dates: &[jiff::civil::Date],
    asked: &Simulated,
    seed: Option<u64>,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Result<Simulation, Vec<Fault>> {
    let repository = Repository::of(&[sound], dates, context);
    let request = Request { tables: true, ..request(sound, dates, asked, seed, &repository, context) };
    let files = tables::value_files(&sound.graph, workspace)?;
    let made = simulate::simulate_each(&sound.study, &sound.recording, &request, &files, &mut |_, _| {});
    told(made, sound, context)
}

fn request(
    sound: &Sound,
    dates: &[jiff::civil::Date],
    asked: &Simulated,
    seed: Option<u64>,
    repository: &Repository,
    context: &Context<'_>,
) -> Request {
    Request {
        patients: asked.patients,
        seed: seed.unwrap_or(study::expectations::SEED),
        index_dates: dates.to_vec(),
        other_dates: repository.dates(&sound.module),
        today: context.today,
        mess: asked.mess(),
        tables: false,
        census: repository.census.clone(),
    }
}

fn told(
    made: Result<Simulation, simulate::SimulateError>,
    sound: &Sound,
    context: &mut Context<'_>,
) -> Result<Simulation, Vec<Fault>> {
    let made = made.map_err(|error| match error {
        simulate::SimulateError::Run(fault) => vec![tables::of_run(&fault)],
        other => vec![Fault::new(FaultCode::Study("SD211"), Exit::Unreadable, other.to_string())],
    })?;
    super::super::record::told(made.lints(), &sound.recording, Exit::Unreadable, context);
    if let Some(report) = made.reports().last() {
        summary(report, sound, context);
    }
    Ok(made)
}

/// The columns that are furthest from what is expected of them.
fn summary(report: &Report, sound: &Sound, context: &mut Context<'_>) {
    let mut far: Vec<_> = report.columns.iter().filter(|column| column.why.is_some()).collect();
    far.sort_by(|a, b| b.distance().total_cmp(&a.distance()));
    let (all, module) = (report.columns.len(), sound.module.name());
    context.log(&format!("{module}: {} of {all} columns are as expected in simulated patients", all - far.len()));
    for column in far.iter().take(SHOWN) {
        context.log(&format!("  {column}"));
    }
    if far.len() > SHOWN {
        context.log(&format!("  … and {} more: --dummy-report FILE tells all", far.len() - SHOWN));
    }
}

/// What makes the files of a study, and how near its expectations were met.
pub(crate) type Made = (Vec<(Job, cohorts::Memory)>, Vec<serde_json::Value>, String);

pub(crate) fn prepare(
    sound: &Sound,
    jobs: Vec<Job>,
    asked: &Simulated,
    seed: Option<u64>,
    repository: &Repository,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Result<Made, Vec<Fault>> {
    let dates: Vec<_> = jobs.iter().rev().filter_map(|job| job.date).collect();
    let request = request(sound, &dates, asked, seed, repository, context);
    let files: ValueFiles = tables::value_files(&sound.graph, workspace)?;
    let mut sources: Vec<answered::Growing> =
        (0..dates.len().max(1)).map(|_| answered::Growing::new(&sound.study)).collect();
    let mut fault = None;
    let made = simulate::simulate_each(&sound.study, &sound.recording, &request, &files, &mut |date, rows| {
        if let Some(source) = sources.get_mut(date)
            && let Err(wrong) = source.add(&rows)
        {
            fault = Some(wrong);
        }
    });
    if let Some(fault) = fault {
        return Err(vec![fault]);
    }
    let made = told(made, sound, context)?;
    let of_job = |(job, source): (Job, answered::Growing)| (job, source.memory);
    // Jobs stand with the latest date first.
    let sources = jobs.into_iter().zip(sources.into_iter().rev()).map(of_job).collect();
    Ok((sources, reports(&made, sound), text(&made, sound)))
}

/// For programs: by index date what is expected and reached, column by column.
pub(crate) fn reports(made: &Simulation, sound: &Sound) -> Vec<serde_json::Value> {
    let dated = made.index_dates().iter().zip(made.reports());
    let one = |(date, report): (&Option<jiff::civil::Date>, &Report)| {
        json!({
            "study": sound.module.name(),
            "index_date": date.map(|date| date.to_string()),
            "patients": report.patients,
            "columns": report.columns,
        })
    };
    dated.map(one).collect()
}

/// The same for people.
pub(crate) fn text(made: &Simulation, sound: &Sound) -> String {
    let dated = made.index_dates().iter().zip(made.reports());
    let one = |(date, report): (&Option<jiff::civil::Date>, &Report)| {
        let date = date.map(|date| format!(", index date {date}")).unwrap_or_default();
        format!("{}{date}: {report}", sound.module.name())
    };
    dated.map(one).collect::<Vec<_>>().join("\n")
}

/// The reports of all studies into a file: JSON if its name ends so, else text.
pub(crate) fn write_report(
    path: &Path,
    made: &[(Vec<serde_json::Value>, String)],
    workspace: &Workspace,
) -> Result<(), Fault> {
    let bytes = match path.extension().is_some_and(|ending| ending == "json") {
        true => {
            let all: Vec<&serde_json::Value> = made.iter().flat_map(|(reports, _)| reports).collect();
            format!("{:#}\n", json!({"schema": "cloister.simulation/1", "files": all}))
        }
        false => made.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n"),
    };
    let mut staged = workspace.stage(path, "--dummy-report")?;
    staged.file().write_all(bytes.as_bytes()).map_err(|error| Fault::writing("--dummy-report", &error))?;
    staged.sync().and_then(|()| staged.publish())
}
