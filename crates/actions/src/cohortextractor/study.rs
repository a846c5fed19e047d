//! `cloister study …`: one study definition at a time, for those who write studies and for black-box tests.
//! Spec study-definitions.md 12.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use cohorts::Format;
use jiff::civil::Date;
use pipeline::report::HumanOptions;
use serde_json::json;
use study::fault::{Severity, Texts};
use study::recording::Recording;
use study::{CheckOptions, Checked};
use warehouse::Policy;

use crate::args::bad_argument;
use crate::fault::{Exit, Fault, FaultCode};
use crate::text::about;
use crate::workspace::Workspace;
use crate::{Context, Outcome};

use super::cohort::{Job, Sound, note_permissions, of_tables, simulated_report, simulated_tables, write_files};
use super::names::{self, Choice, Module};
use super::options::Rows;
use super::options::Simulated;
use super::uses::{self, What};
use super::{dates, record, studies};

/// Which study, and what it is given.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// `study_definition_x`, or only `x`, or the path of its file.
    pub name: String,
    /// `--param` values as written: `k=v`.
    pub params: Vec<String>,
    /// `--index-date-range`.
    pub index_date_range: Option<String>,
}

/// One developer command.
#[derive(Debug, Clone)]
pub enum StudyCommand {
    /// The recording, to stdout or into a file.
    Record {
        /// Which.
        which: Which,
        /// A file inside the workspace.
        out: Option<PathBuf>,
    },
    /// Every fault and lint.
    Check {
        /// Which.
        which: Which,
        /// For programs.
        json: bool,
    },
    /// The graph that it becomes.
    Explain {
        /// Which.
        which: Which,
        /// For programs.
        json: bool,
    },
    /// A recording over a folder of tables: no Python, no job.
    Run {
        /// Of `record`.
        recording: PathBuf,
        /// `<Table>.csv` or `.parquet`.
        data: PathBuf,
        /// The file; `{date}` in its name for several dates.
        out: PathBuf,
        /// One file for each.
        index_dates: Vec<String>,
    },
    /// Simulated patients as a folder of tables.
    Tables {
        /// Which.
        which: Which,
        /// The folder, which must not exist or be empty.
        out: PathBuf,
        /// How many patients the population is to have.
        patients: u64,
        /// Of the patients.
        seed: Option<u64>,
        /// Share of them with untidy rows, from 0 to 1; 0.05 unless given.
        mess: Option<f64>,
    },
}

/// Runs a developer command; 0 done, 1 the answer is no, 2 usage. All that is wrong is said on `context.stderr`.
pub fn study(command: &StudyCommand, context: &mut Context<'_>) -> u8 {
    let outcome = match command {
        StudyCommand::Record { which, out } => recorded(which, out.as_deref(), context),
        StudyCommand::Check { which, json } => check(which, *json, context),
        StudyCommand::Explain { which, json } => explain(which, *json, context),
        StudyCommand::Run { recording, data, out, index_dates } => run(recording, data, out, index_dates, context),
        StudyCommand::Tables { which, out, patients, seed, mess } => {
            let asked = Simulated::new(*patients, mess.unwrap_or(study::simulate::MESS), None);
            tables(which, out, &asked, *seed, context)
        }
    };
    let Err(faults) = outcome else { return 0 };
    for fault in &faults {
        let _ = context.stderr.write_all(fault.render().as_bytes());
    }
    if faults.iter().any(|fault| fault.exit == Exit::Arguments) { 2 } else { 1 }
}

fn module(which: &Which, context: &Context<'_>) -> Result<Module, Vec<Fault>> {
    let name = Path::new(&which.name).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = name.strip_suffix(".py").unwrap_or(name);
    let full = if name.starts_with("study_definition") { name.to_owned() } else { format!("study_definition_{name}") };
    names::chosen(context.cwd, &Choice::Named(full))?.pop().ok_or_else(Vec::new)
}

fn params(which: &Which) -> Result<Vec<(String, String)>, Vec<Fault>> {
    let split = |text: &String| match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err(vec![bad_argument(format!("--param '{text}' is not of the form name=value"))]),
    };
    which.params.iter().map(split).collect()
}

fn range(which: &Which, context: &Context<'_>) -> Result<Vec<Date>, Vec<Fault>> {
    let range = which.index_date_range.as_deref().map(|text| dates::range(text, context.today));
    range.transpose().map(Option::unwrap_or_default).map_err(|fault| vec![fault])
}

fn recording(which: &Which, context: &mut Context<'_>) -> Result<study::record::Recorded, Vec<Fault>> {
    let module = module(which, context)?;
    let params = params(which)?;
    record::recorded(&module, &params, context)
}

fn recorded(which: &Which, out: Option<&Path>, context: &mut Context<'_>) -> Outcome {
    let recorded = recording(which, context)?;
    let Some(out) = out else {
        let written = context.stdout.write_all(&recorded.json).and_then(|()| context.stdout.write_all(b"\n"));
        return written.map_err(|error| vec![Fault::writing("to stdout", &error)]);
    };
    let single = |fault: Fault| vec![fault];
    let workspace = Workspace::new(context.cwd).map_err(single)?;
    let mut staged = workspace.stage(out, "--out").map_err(single)?;
    staged.file().write_all(&recorded.json).map_err(|error| vec![Fault::writing("--out", &error)])?;
    staged.sync().and_then(|()| staged.publish()).map_err(single)?;
    context.log(&format!("wrote {} ({})", out.display(), Recording::id(&recorded.json)));
    Ok(())
}

fn checked(which: &Which, recording: &Recording, context: &Context<'_>) -> Result<Checked, Vec<Fault>> {
    let options = CheckOptions { index_dates: range(which, context)?, ..CheckOptions::new(context.today) };
    Ok(study::check(recording, &options))
}

fn check(which: &Which, json: bool, context: &mut Context<'_>) -> Outcome {
    let recorded = recording(which, context)?;
    let recording = &recorded.recording;
    let mut checked = checked(which, recording, context)?;
    checked.faults.extend(of_actions(which, &checked, recording, context)?);
    let texts = Texts::read(recording, &checked.faults, |file| record::text_of(file, context));
    study::fault::silence(recording, &mut checked.faults, &texts);
    let faults = checked.faults.iter().filter(|fault| fault.severity >= Severity::Fault).count();
    if json {
        let entries = study::fault::entries(recording, &checked.faults, &texts);
        context.say(&format!(
            "{}\n",
            json!({"schema": "cloister.study_check/1", "study": recording.module, "faults": entries})
        ))?;
    } else {
        let text = study::fault::human(
            recording,
            &checked.faults,
            &texts,
            &HumanOptions { width: 100, ..HumanOptions::default() },
        );
        let _ = write!(context.stderr, "{}", crate::text::clean(&text));
        let variables = checked.study.as_ref().map_or(0, |study| study.columns().count());
        let lints = checked.faults.len() - faults;
        let summary = match checked.study {
            Some(_) if faults == 0 => format!(
                "{}: {variables} columns, {} measures, no faults, {lints} lints\n",
                recording.file,
                checked.measures.len()
            ),
            _ => format!("{}: {faults} faults, {lints} lints\n", recording.file),
        };
        context.say(&summary)?;
    }
    if faults == 0 { Ok(()) } else { Err(vec![Fault::told(Exit::Data)]) }
}

/// What hangs on how the project's actions use a study: expectations, which only drawn rows need, and measures with a row
/// for each patient, which may not be released. Without such an action rows are taken as drawn.
fn of_actions(
    which: &Which,
    checked: &Checked,
    recording: &Recording,
    context: &Context<'_>,
) -> Result<Vec<study::fault::Fault>, Vec<Fault>> {
    let uses = uses::project(context.cwd).map(|project| uses::of(&project, context.today)).unwrap_or_default();
    let mut found = Vec::new();
    let (mut drawn, mut others) = (false, false);
    for one in uses {
        if matches!(&one.study, Choice::Named(name) if *name != recording.module) {
            continue;
        }
        match one.what {
            What::Measures { folder, released } => {
                let new = study::released(&checked.measures, &folder.to_string_lossy(), &released);
                found.extend(new.into_iter().filter(|fault| !found.contains(fault)).collect::<Vec<_>>());
            }
            What::Cohort { rows, .. } => match rows {
                Rows::Expectations { .. } => drawn = true,
                _ => others = true,
            },
        }
    }
    if let Some(study) = &checked.study {
        let date = range(which, context)?.first().copied();
        let faults = studies::of_expectations(study, recording, date, context);
        let lenient = others && !drawn;
        found.extend(faults.into_iter().map(|fault| if lenient { fault.only_shown() } else { fault }));
    }
    Ok(found)
}

/// A study without faults, or all of them told.
fn sound(which: &Which, context: &mut Context<'_>) -> Result<Sound, Vec<Fault>> {
    let module = module(which, context)?;
    let recorded = recording(which, context)?;
    let checked = checked(which, &recorded.recording, context)?;
    let faults = record::told(&checked.faults, &recorded.recording, Exit::Data, context);
    match checked.study {
        Some(study) if faults.is_empty() => Sound::new(module, recorded.recording, study),
        _ => Err(faults),
    }
}

fn explain(which: &Which, json: bool, context: &mut Context<'_>) -> Outcome {
    let sound = sound(which, context)?;
    note_permissions(&sound, context);
    let graph = &sound.graph;
    let text = if json { String::from_utf8_lossy(&graph.to_json()).into_owned() } else { graph.to_string() };
    context.say(&format!("{}\n", text.trim_end()))
}

fn run(recording: &Path, data: &Path, out: &Path, index_dates: &[String], context: &mut Context<'_>) -> Outcome {
    let single = |fault: Fault| vec![fault];
    let io = |what: &Path, error: &std::io::Error| {
        vec![Fault::new(FaultCode::FileNotFound, Exit::Data, format!("{} cannot be read: {error}", what.display()))]
    };
    let bytes = std::fs::read(context.cwd.join(recording)).map_err(|error| io(recording, &error))?;
    let recording = Recording::parse(&bytes)
        .map_err(|error| single(Fault::new(FaultCode::MalformedFile, Exit::Data, error.to_string())))?;
    let mut dates = Vec::new();
    for text in index_dates {
        let date = dates::iso(text).ok_or_else(|| {
            vec![bad_argument(format!("--index-date {text} is not a date")).help("write it as YYYY-MM-DD")]
        })?;
        dates.push(date);
    }
    let name = out.to_str().unwrap_or_default();
    if dates.len() > 1 && !name.contains("{date}") {
        let fault = bad_argument(format!("--out {name} is one file, and there are {} index dates", dates.len()));
        return Err(vec![fault.help("write {date} where the date goes, such as --out out_{date}.csv")]);
    }
    let Some((_, format)) = out.file_name().and_then(|name| name.to_str()).and_then(Format::of_name) else {
        let known = Format::ALL.map(Format::extension).join(", ");
        return Err(vec![
            bad_argument(format!("--out {name} does not end in a known format"))
                .help(format!("end it in one of {known}")),
        ]);
    };
    let options = CheckOptions { index_dates: dates.clone(), ..CheckOptions::new(context.today) };
    let checked = study::check(&recording, &options);
    let faults = record::told(&checked.faults, &recording, Exit::Data, context);
    let Some(study) = checked.study.filter(|_| faults.is_empty()) else { return Err(faults) };
    let full = std::path::absolute(context.cwd.join(out)).map_err(|error| io(out, &error))?;
    let folder = full.parent().unwrap_or(Path::new("/"));
    let file = |date: Option<Date>| {
        let name = full.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        PathBuf::from(name.replace("{date}", &date.map(|date| date.to_string()).unwrap_or_default()))
    };
    let wanted: Vec<Option<Date>> = if dates.is_empty() { vec![None] } else { dates.into_iter().map(Some).collect() };
    let jobs = wanted.into_iter().map(|date| Job { path: file(date), date }).collect();
    let tables = of_tables((&context.cwd.join(data), data), &Policy::default(), context)?;
    let module = Module::named(&recording.module);
    let workspace = Workspace::new(context.cwd).map_err(single)?;
    let sound = Sound::new(module, recording, study)?;
    note_permissions(&sound, context);
    let made = super::cohort::asked(&sound, jobs, tables, &workspace, context)?;
    let target = Workspace::new(folder).map_err(single)?;
    write_files(&made, format, &target, context)
}

fn tables(which: &Which, out: &Path, asked: &Simulated, seed: Option<u64>, context: &mut Context<'_>) -> Outcome {
    let full = context.cwd.join(out);
    let used = std::fs::read_dir(&full).is_ok_and(|mut entries| entries.next().is_some());
    if used || full.is_file() {
        let fault = bad_argument(format!("--out {} holds something already", out.display()));
        return Err(vec![fault.help("name a folder that does not exist yet")]);
    }
    let sound = sound(which, context)?;
    let dates = range(which, context)?;
    let workspace = Workspace::new(context.cwd).map_err(|fault| vec![fault])?;
    let made = simulated_tables(&sound, &dates, asked, seed, &workspace, context)?;
    let failed = |error: std::io::Error| vec![Fault::writing(&format!("--out {}", out.display()), &error)];
    std::fs::create_dir_all(&full).map_err(failed)?;
    made.store().save(&full).map_err(failed)?;
    let inside = about(made.inside());
    context.log(&format!("wrote {} (synthetic; {inside} patients in the population)", out.display()));
    context.say(&simulated_report(&made, &sound))
}
