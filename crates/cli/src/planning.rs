//! What `plan` and `run` have in common: the request, the runtimes of this machine, and the plan as it is shown.
//! Spec cli.md 4.2 (steps 1 to 4), 6.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

use jiff::Timestamp;
use jobs::explain::{LastRun, PlanView, RunKind, RuntimeView};
use jobs::local::{Judged, image_identity};
use jobs::provenance::ImageIdentity;
use jobs::{JobId, Plan, PlanRequest, RequestId, Stale};
use pipeline::report::visible;
use pipeline::{Action, ActionName, DataKind, Diagnostic, DummyRows, Population, Project, RuntimeRef, Severity};
use runtimes::{Found, Kind, Missing, Options};

use crate::args::{self, Selection};
use crate::check::human;
use crate::project;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// What every runtime of a project is on this machine.
pub(crate) type Located = BTreeMap<RuntimeRef, Result<Found, Missing>>;

/// The request that the words of the command line make. Without actions everything is meant.
pub(crate) fn request(selection: &Selection, settings: &Settings) -> PlanRequest {
    let stale = match selection.stale {
        Some(args::Stale::Keep) => Stale::Keep,
        None if settings.one("run.stale") == Some("keep") => Stale::Keep,
        _ => Stale::Rerun,
    };
    let mut requested: Vec<ActionName> = selection.actions.iter().map(ActionName::new).collect();
    if requested.is_empty() {
        requested.push(ActionName::new("run_all"));
    }
    PlanRequest { requested, force: selection.force_run_dependencies, stale, codelists_ok: true, commit: None }
}

/// The project if nothing is wrong with it; else every fault is printed. Warnings are for the caller to show.
pub(crate) fn sound<'a>(
    found: &'a project::Found,
    diagnostics: &[Diagnostic],
    terminal: &Terminal,
) -> Option<&'a Project> {
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        terminal.error(&human(found, diagnostics, terminal, terminal.color_err));
        return None;
    }
    found.loaded.project.as_ref()
}

/// Puts the dummy patients that a person asked for in the place of the project's.
pub(crate) fn dummies(selection: &Selection, found: &mut project::Found) -> Result<(), Box<dyn Error>> {
    let tables = selection.dummy_tables.as_deref().map(|folder| inside(folder, &found.folder)).transpose()?;
    let Some(project) = found.loaded.project.as_mut() else { return Ok(()) };
    if let Some(patients) = selection.population {
        project.population = Population(patients);
    }
    project.dummy = match (tables, selection.dummy) {
        (Some(folder), _) => DummyRows::Tables(folder),
        (None, Some(args::DummyKind::Simulated)) => DummyRows::Simulated,
        (None, _) => DummyRows::Expectations,
    };
    Ok(())
}

/// A job sees the study's folder and nothing else.
fn inside(folder: &Path, study: &Path) -> Result<String, Box<dyn Error>> {
    let shown = visible(&folder.display().to_string()).into_owned();
    let real = |path: &Path| path.canonicalize().map_err(|why| format!("error: --dummy-tables {shown}: {why}"));
    let (tables, study) = (real(folder)?, real(study)?);
    let below = tables.strip_prefix(&study).ok().and_then(Path::to_str).filter(|below| !below.is_empty());
    if !tables.is_dir() || below.is_none() {
        let why = format!("error: --dummy-tables {shown} is no folder inside the study: copy the tables into one");
        return Err(why.into());
    }
    Ok(below.unwrap_or_default().to_owned())
}

/// Looks for each distinct runtime once. Builds and fetches nothing.
pub(crate) fn locate(project: &Project, options: &Options) -> Located {
    let distinct: BTreeSet<&RuntimeRef> = project.actions.iter().map(|action| &action.runtime).collect();
    distinct.into_iter().map(|runtime| (runtime.clone(), runtimes::locate(runtime, options))).collect()
}

/// What each action would run in, where anything was found.
pub(crate) fn images(project: &Project, located: &Located) -> BTreeMap<ActionName, ImageIdentity> {
    let image = |runtime: &RuntimeRef| Some(image_identity(located.get(runtime)?.as_ref().ok()?.located()));
    project.actions.iter().filter_map(|action| Some((action.name.clone(), image(&action.runtime)?))).collect()
}

/// The plan with all that there is to say about it.
pub(crate) fn view(
    project: &Project,
    request: &PlanRequest,
    plan: &Plan,
    judged: &Judged,
    located: &Located,
    id: Option<&RequestId>,
) -> PlanView {
    let mut view = PlanView::of(project, request, plan);
    for action in &mut view.actions {
        let Some(model) = project.action(&action.action) else { continue };
        action.staleness = judged.staleness.get(&action.action).cloned();
        action.missing = judged.missing.get(&action.action).cloned().unwrap_or_default();
        action.runtime = runtime(model, located);
        action.command = model.expand(project, DataKind::Dummy).words;
        action.job = id.filter(|_| action.is_new()).map(|id| JobId::of(id, &action.action));
        let past = judged.past.get(&action.action);
        action.last = judged.seen.rows.get(&action.action).map(|row| LastRun {
            job: row.job,
            state: row.code.state(),
            finished_at: row.completed_at.and_then(|at| Timestamp::from_second(at).ok()),
            seconds: past.and_then(|past| past.milliseconds).map(|ms| ms as f64 / 1e3),
            peak_bytes: past.and_then(|past| past.peak_bytes),
        });
    }
    view.warnings.extend(judged.edited.iter().map(|edited| {
        let (path, action) = (visible(&edited.path), visible(edited.action.as_str()));
        format!("`{path}` was changed by hand since {action} made it; it is used as it is")
    }));
    view
}

/// Why this program has no engine for an action whose runtime it knows (X206).
pub(crate) fn lack(action: &Action) -> Option<String> {
    actions::lacks(&action.runtime.name, action.words.get(1..).unwrap_or_default())
}

fn runtime(action: &Action, located: &Located) -> RuntimeView {
    let (written, runtime) = (action.written_runtime(), &action.runtime);
    let (resolved, kind) = match located.get(runtime) {
        Some(Ok(found)) => {
            let kind = match found.located().kind {
                Kind::Builtin if lack(action).is_some() => RunKind::Planned,
                Kind::Builtin => RunKind::Builtin,
                Kind::Native => RunKind::Native,
            };
            (found.located().resolved.to_string(), kind)
        }
        Some(Err(missing)) if missing.code == "X206" && runtimes::catalogue().runtimes.contains_key(&runtime.name) => {
            (runtime.to_string(), RunKind::Planned)
        }
        _ => (runtime.to_string(), RunKind::Missing),
    };
    RuntimeView { written: written.to_string(), resolved, kind }
}

/// Why a request cannot be planned, in the form of all our errors.
pub(crate) fn refused(rejection: &jobs::PlanRejection, project: &Project) -> Box<dyn Error> {
    match rejection {
        jobs::PlanRejection::UnknownAction { unknown, .. } => {
            let mut text = String::new();
            for one in unknown {
                let name = visible(one.name.as_str());
                text.push_str(&format!("error[X103]: `{name}` is not an action of this project\n"));
                let begun = || begun(one.name.as_str(), project);
                if let Some(near) = one.nearest.first().map(ActionName::as_str).or_else(begun) {
                    text.push_str(&format!("  = help: did you mean `{}`?\n", visible(near)));
                }
            }
            text.push_str(&valid(project));
            text.into()
        }
        other => format!("error: {other}").into(),
    }
}

/// The one action whose name begins so.
fn begun<'a>(name: &str, project: &'a Project) -> Option<&'a str> {
    let mut begun = project.actions.iter().map(|action| action.name.as_str()).filter(|full| full.starts_with(name));
    let first = begun.next().filter(|_| !name.is_empty())?;
    begun.next().is_none().then_some(first)
}

/// Every name that can be asked for, `run_all` first and explained.
pub(crate) fn valid(project: &Project) -> String {
    let mut text = "actions of this project:\n  run_all (all of them)".to_owned();
    for action in project.run_all() {
        text.push_str(&format!("\n  {}", visible(action.name.as_str())));
    }
    text
}
