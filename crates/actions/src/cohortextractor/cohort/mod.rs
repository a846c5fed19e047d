//! `generate_cohort`: a study definition into files with one row per patient (study-definitions.md 9).
//! Everything that can be wrong with studies and arguments is told before the first row is made.

mod answered;
mod drawn;
mod dummy_file;
mod files;
mod repository;
mod simulated;
mod tables;

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use query::Graph;
use study::model::Study;
use study::recording::Recording;
use study::{Flavour, LowerError};

use crate::args::bad_argument;
use crate::context::Ambient;
use crate::fault::{Exit, Fault, FaultCode};
use crate::text::warn;
use crate::workspace::Workspace;
use crate::{Context, Outcome};

use super::names::{self, Choice, Module};
use super::options::{Cohort, Rows, Simulated};
use repository::Repository;

pub(crate) use files::write as write_files;
pub(crate) use simulated::{tables_of as simulated_tables, text as simulated_report};
pub(crate) use tables::{asked, note_permissions, opened as of_tables};

/// A study that is sound.
pub(crate) struct Sound {
    pub(crate) module: Module,
    pub(crate) recording: Recording,
    pub(crate) study: Study,
    /// What it asks.
    pub(crate) graph: Graph,
}

impl Sound {
    pub(crate) fn new(module: Module, recording: Recording, study: Study) -> Result<Self, Vec<Fault>> {
        let lowered = study::lower(&study, &recording, Flavour::Tpp);
        let fault = |error: LowerError| Fault::new(FaultCode::Study("SD211"), Exit::Unreadable, error.to_string());
        let graph = lowered.map_err(|error| vec![fault(error)])?;
        Ok(Self { module, recording, study, graph })
    }
}

/// One file to be made.
pub(crate) struct Job {
    pub(crate) path: PathBuf,
    /// Of the range; `None`: the study's own.
    pub(crate) date: Option<Date>,
}

impl Job {
    /// The index date that the file is made for, if the study has one.
    pub(crate) fn index_date(&self, sound: &Sound) -> Option<Date> {
        self.date.or(sound.study.index_date)
    }
}

pub(crate) fn run(asked: &Cohort, context: &mut Context<'_>, ambient: &Ambient) -> Outcome {
    has_rows(asked, ambient).map_err(|fault| vec![fault])?;
    let modules = names::chosen(context.cwd, &asked.study)?;
    one_study_where_needed(asked, &modules).map_err(|fault| vec![fault])?;
    let workspace = Workspace::new(context.cwd).map_err(|fault| vec![fault])?;
    let mut studies = Vec::new();
    let mut faults = Vec::new();
    for module in modules {
        match sound(module, asked, context) {
            Ok(sound) => studies.extend(sound),
            Err(found) => faults.extend(found),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if studies.is_empty() {
        warn(context.stderr, "no module has a variable `study`; nothing is made");
    }
    let repository = match &asked.rows {
        Rows::Simulated(_) => {
            let dates = asked.dates.as_deref().unwrap_or_default();
            Repository::of(&studies.iter().collect::<Vec<_>>(), dates, context)
        }
        _ => Repository::default(),
    };
    studies.iter().for_each(|sound| note_permissions(sound, context));
    let mut work = Vec::new();
    let mut reports = Vec::new();
    for sound in &studies {
        let jobs = jobs(sound, asked, &workspace, context);
        match prepared(sound, asked, jobs, (&repository, &mut reports), &workspace, context) {
            Ok(one) => work.push(one),
            Err(found) => faults.extend(found),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    work.into_iter().try_for_each(|work| work(&workspace, context))?;
    match &asked.rows {
        Rows::Simulated(Simulated { report: Some(path), .. }) => {
            simulated::write_report(path, &reports, &workspace).map_err(|fault| vec![fault])
        }
        _ => Ok(()),
    }
}

/// What makes the files of one study, once nothing is left to complain about.
type Work<'a> = Box<dyn FnOnce(&Workspace, &mut Context<'_>) -> Outcome + 'a>;

fn prepared<'a>(
    sound: &'a Sound,
    asked: &'a Cohort,
    jobs: Vec<Job>,
    (repository, reports): (&Repository, &mut Vec<(Vec<serde_json::Value>, String)>),
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Result<Work<'a>, Vec<Fault>> {
    let format = asked.place.format;
    match &asked.rows {
        Rows::Expectations { patients } => {
            let drawn = drawn::prepare(sound, jobs, *patients, asked.seed, workspace, context)?;
            Ok(Box::new(move |workspace, context| files::write(&drawn, format, workspace, context)))
        }
        Rows::Simulated(simulated) => {
            let (made, json, text) =
                simulated::prepare(sound, jobs, simulated, asked.seed, repository, workspace, context)?;
            reports.push((json, text));
            Ok(Box::new(move |workspace, context| files::write(&made, format, workspace, context)))
        }
        Rows::File(path) => {
            let path: &Path = path;
            dummy_file::check(path, format, sound, workspace, context)?;
            Ok(Box::new(move |workspace, context| dummy_file::copy(path, &jobs, workspace, context)))
        }
        Rows::Tables(folder) => {
            let asked = tables::prepare(sound, jobs, folder, workspace, context)?;
            Ok(Box::new(move |workspace, context| files::write(&asked, format, workspace, context)))
        }
        Rows::Database => Ok(Box::new(|_, _| Ok(()))),
    }
}

/// A URL of a database is never used and never shown.
fn has_rows(asked: &Cohort, ambient: &Ambient) -> Result<(), Fault> {
    if asked.rows != Rows::Database {
        return Ok(());
    }
    let help = "add --expectations-population N, --dummy-data-file FILE or --dummy-tables DIR";
    if ambient.database_url.is_some() || asked.names_database {
        let message = "this version of cloister cannot extract patients from a database";
        return Err(Fault::new(FaultCode::DatabaseUnavailable, Exit::Database, message).help(help));
    }
    let message = "nothing says where the patients come from, and there is no backend here to supply them";
    Err(bad_argument(message).help(help))
}

fn one_study_where_needed(asked: &Cohort, modules: &[Module]) -> Result<(), Fault> {
    if modules.len() < 2 {
        return Ok(());
    }
    let named = if asked.place.is_one_file() {
        Some("--output-file")
    } else {
        matches!(asked.rows, Rows::File(_)).then_some("--dummy-data-file")
    };
    named.map_or(Ok(()), |named| {
        let names = modules.iter().map(Module::name).collect::<Vec<_>>().join(", ");
        let message = format!("{named} is for one study, and there are {}: {names}", modules.len());
        let fault = Fault::new(FaultCode::BadArgument, Exit::Unreadable, message);
        Err(fault.help("say which one with --study-definition"))
    })
}

/// Records and checks one module; `None` for a helper that has no study.
fn sound(module: Module, asked: &Cohort, context: &mut Context<'_>) -> Result<Option<Sound>, Vec<Fault>> {
    let recorded = super::record::recorded(&module, &asked.params, context)?;
    let recording = recorded.recording;
    if recording.study.is_none() && asked.study == Choice::All {
        warn(context.stderr, &format!("{} has no variable `study`; it is left out", recording.file));
        return Ok(None);
    }
    let options = study::CheckOptions {
        index_dates: asked.dates.clone().unwrap_or_default(),
        dummy_file: matches!(asked.rows, Rows::File(_)),
        ..study::CheckOptions::new(context.today)
    };
    let checked = study::check(&recording, &options);
    let faults = super::record::told(&checked.faults, &recording, Exit::Unreadable, context);
    match checked.study {
        Some(study) if faults.is_empty() => Sound::new(module, recording, study).map(Some),
        _ => Err(faults),
    }
}

/// The files still to be made, latest date first.
fn jobs(sound: &Sound, asked: &Cohort, workspace: &Workspace, context: &mut Context<'_>) -> Vec<Job> {
    let dates: Vec<Option<Date>> = match &asked.dates {
        Some(dates) => dates.iter().rev().map(|date| Some(*date)).collect(),
        None => vec![None],
    };
    let mut jobs = Vec::new();
    for date in dates {
        let path = asked.place.file(&sound.module, date);
        if asked.skip_existing && workspace.identify(&path).is_some() {
            context.log(&format!("{} is there already", path.display()));
        } else {
            jobs.push(Job { path, date });
        }
    }
    jobs
}
