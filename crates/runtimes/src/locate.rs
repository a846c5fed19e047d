//! The front door: what a reference of a project.yaml is on this machine. Starts nothing of a study.
//! Spec cli.md 5, jobs.md 19.

use pipeline::{RuntimeRef, TagStatus};
use sandbox::Root;

use crate::build::Plan;
use crate::catalogue::{Entry, Family, find, settle};
use crate::located::{Found, Kind, Located, Missing, Tried};
use crate::options::{Choice, Options, Profile};
use crate::program::{Program, Start, variables};
use crate::python::library;
use crate::python::locate::Request;
use crate::python::lock::Group;
use crate::python::recorder::recorder_python;

/// The built-in action that reads study definitions, which are Python.
const READS_STUDIES: &str = "cohortextractor";
/// The variable that tells it which Python does so.
const RECORDER_PYTHON: &str = "CLOISTER_RECORDER_PYTHON";

/// What may stand in where no environment of a locked list can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// The system's own interpreter, with whatever packages it has.
    System,
    /// Nothing.
    None,
}

/// Finds what `reference` is on this machine.
///
/// Takes a few looks at the file system when the environment is there; otherwise interpreters are asked for their
/// version, each once. Nothing is built or fetched.
///
/// # Errors
/// [`Missing`] tells the code (X205 nothing found, X206 no engine in this version), every candidate that was tried,
/// and the command that mends it. `reference` need not come from a checked project: any text gets an answer.
pub fn locate(reference: &RuntimeRef, options: &Options) -> Result<Found, Missing> {
    search(reference, options, Fallback::System)
}

/// The same, but the system's own interpreter never stands in: what an installation promises is the locked list.
///
/// # Errors
/// As [`locate`]; with `options.packages` and `options.offline` the files that the folder lacks are named.
pub fn locate_locked(reference: &RuntimeRef, options: &Options) -> Result<Found, Missing> {
    search(reference, options, Fallback::None)
}

fn search(reference: &RuntimeRef, options: &Options, fallback: Fallback) -> Result<Found, Missing> {
    let missing = |code, reason: String, fix: Option<String>| Missing {
        reference: reference.to_string(),
        code,
        reason,
        tried: Vec::new(),
        fix,
    };
    let Some(entry) = find(&reference.name) else {
        let reason = "this is no runtime; a reusable action runs only as an action of a study";
        return Err(missing("X206", reason.to_owned(), None));
    };
    if let TagStatus::Unknown { nearest } = entry.judge(&reference.tag) {
        let reason = format!("there is no such version; the nearest are {}", nearest.join(", "));
        return Err(missing("X205", reason, None));
    }
    let resolved = settle(reference);
    let found = match configured(reference, options) {
        Some(choice) => chosen(entry, choice, reference, resolved, options, fallback),
        None => of_family(entry, reference, resolved, options, fallback),
    }?;
    match entry.family {
        Family::Python | Family::Jupyter => with_library(found, options).map_err(|error| {
            let folder = options.cache_dir.display();
            missing("X205", format!("this program's Python packages cannot be written below {folder} ({error})"), None)
        }),
        _ => Ok(found),
    }
}

/// A Python that can import this program's own packages, now or once it is built.
fn with_library(found: Found, options: &Options) -> std::io::Result<Found> {
    match found {
        Found::Ready(program) => library::with(program, options.library, &options.cache_dir).map(Found::Ready),
        Found::Build(plan) => {
            Ok(Found::Build(Plan { library: Some((options.library, options.cache_dir.clone())), ..plan }))
        }
    }
}

fn of_family(
    entry: &Entry,
    reference: &RuntimeRef,
    resolved: RuntimeRef,
    options: &Options,
    fallback: Fallback,
) -> Result<Found, Missing> {
    let missing =
        |code, reason: String| Missing { reference: reference.to_string(), code, reason, tried: Vec::new(), fix: None };
    match entry.family {
        Family::Builtin => builtin(reference, resolved, options),
        Family::Planned => Err(missing("X206", format!("{} is known, but not in this version yet", entry.name))),
        Family::Python => Request { reference, resolved, group: Group::Python, options, fallback }.locate(),
        Family::Jupyter => Request { reference, resolved, group: Group::Jupyter, options, fallback }.locate(),
        Family::R => crate::r::locate::Request { reference, resolved, options, fallback }.locate(),
        Family::Stata => Err(Missing {
            tried: vec![
                tried("container", "this version of the program starts no containers"),
                tried("native", "Stata on this machine cannot be used in this version yet"),
            ],
            ..missing("X205", "nothing on this machine runs it".to_owned())
        }),
    }
}

fn tried(candidate: &str, verdict: &str) -> Tried {
    Tried { candidate: candidate.to_owned(), verdict: verdict.to_owned() }
}

/// The user's own choice for this runtime; `python:latest` in the settings means `python:v1` too.
fn configured<'a>(reference: &RuntimeRef, options: &'a Options) -> Option<&'a Choice> {
    let resolved = settle(reference);
    options.configured.iter().find(|one| settle(&one.reference) == resolved).map(|one| &one.choice)
}

fn chosen(
    entry: &Entry,
    choice: &Choice,
    reference: &RuntimeRef,
    resolved: RuntimeRef,
    options: &Options,
    fallback: Fallback,
) -> Result<Found, Missing> {
    let group = if entry.family == Family::Jupyter { Group::Jupyter } else { Group::Python };
    match (choice, entry.family) {
        (Choice::Native(path), Family::Python | Family::Jupyter) => {
            Request { reference, resolved, group, options, fallback }.configured(path)
        }
        (Choice::Native(path), Family::R) => {
            crate::r::locate::Request { reference, resolved, options, fallback }.configured(path)
        }
        (Choice::Native(path), _) => Err(Missing {
            reference: reference.to_string(),
            code: "X205",
            reason: format!("cloister.toml names {} for it, which this version cannot use", path.display()),
            tried: Vec::new(),
            fix: None,
        }),
        (Choice::Container, _) => Err(Missing {
            reference: reference.to_string(),
            code: "X205",
            reason: "cloister.toml asks for the container, and this version of the program starts no containers".into(),
            tried: Vec::new(),
            fix: None,
        }),
    }
}

/// An engine of this program, if the caller has it: run inside the sandbox as `cloister action …`.
fn builtin(reference: &RuntimeRef, resolved: RuntimeRef, options: &Options) -> Result<Found, Missing> {
    let builtins = &options.builtins;
    let Some(engine) = builtins.engines.iter().find(|engine| engine.name == reference.name) else {
        return Err(Missing {
            reference: reference.to_string(),
            code: "X206",
            reason: format!("{} is known, but not in this version yet", reference.name),
            tried: Vec::new(),
            fix: None,
        });
    };
    let era = builtins.era.as_ref().filter(|_| reference.name == READS_STUDIES);
    // What an era changes is another profile of the action.
    let era_of = |joint: &str| era.map(|era| format!("{joint}era-{era}")).unwrap_or_default();
    let profile = (engine.profile)(reference).map(|own| Profile { name: own.name + &era_of(" "), ..own });
    let located = Located {
        reference: reference.clone(),
        kind: Kind::Builtin,
        title: "built-in".to_owned(),
        warnings: Vec::new(),
        identity: format!("builtin:{resolved}:{}{}", builtins.version, era_of(":")),
        profile,
        resolved,
    };
    let mut prefixes = vec![builtins.program.clone()];
    let mut env = variables(&[]);
    if reference.name == READS_STUDIES
        && let Some(python) = recorder_python(options)
    {
        prefixes.extend(python.prefixes);
        env.push((RECORDER_PYTHON.to_owned(), python.executable.to_string_lossy().into_owned()));
    }
    Ok(Found::Ready(Program {
        located,
        root: Root::Host { prefixes, overlays: Vec::new() },
        env,
        start: Start::Builtin {
            program: builtins.program.clone(),
            project_version: builtins.project_version.clone(),
            era: era.cloned(),
            waived_sql: None,
            evidence: None,
            word: reference.to_string(),
        },
    }))
}

#[cfg(test)]
mod tests;
