//! `cloister env`: native runtimes of this machine. Spec cli.md 5, 9, 12.

use std::error::Error;
use std::path::{Path, PathBuf};

use pipeline::RuntimeRef;
use pipeline::report::visible;
use runtimes::{
    BuildError, BuiltinEngine, Builtins, Choice, Configured, Found, Located, Options, Places, Plan, Profile, Program,
    Progress,
};
use serde_json::json;

use crate::args::{Env, EnvCommand, Global, TextFormat};
use crate::check::settings;
use crate::exit::Exit;
use crate::settings::Settings;
use crate::terminal::Terminal;
use crate::words::{bytes, elapsed};

/// What `env list` asks about, in the order people look for them.
pub(crate) const LISTED: [&str; 5] = ["python:v1", "python:v2", "jupyter:v1", "r:v1", "r:v2"];

#[derive(Debug, thiserror::Error)]
#[error(
    "error: there is no home folder to keep runtimes and sandboxes in: set CLOISTER_CACHE_DIR to a folder of yours"
)]
pub(crate) struct NoCache;

pub(crate) fn env(args: &Env, global: &Global, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let settings = settings(global, None, terminal)?;
    let mut options = options(&settings, global, None, None)?;
    match &args.command {
        EnvCommand::List { format } => list(&options, *format, terminal),
        EnvCommand::Install { runtimes, packages } => {
            if let Some(folder) = packages {
                std::fs::read_dir(folder).map_err(|why| {
                    let folder = visible(&folder.to_string_lossy()).into_owned();
                    format!("error: the folder of packages {folder} cannot be read: {why}")
                })?;
            }
            options.packages.clone_from(packages);
            let mut exit = Exit::Done;
            for text in runtimes {
                if let Err(trouble) = install(&reference(text), &options, terminal) {
                    let code = trouble.downcast_ref::<runtimes::Missing>();
                    let code = code.map_or(String::new(), |missing| format!("[{}]", missing.code));
                    terminal.error(&format!("error{code}: {trouble}"));
                    exit = Exit::No;
                }
            }
            Ok(exit)
        }
    }
}

/// Where sandboxes of all projects live: this user's own folder, outside any project.
pub(crate) fn runs_folder() -> Result<PathBuf, NoCache> {
    Ok(runtimes::default_cache_dir().ok_or(NoCache)?.join("runs"))
}

/// What `runtimes` needs to know of this program, its user and this machine.
pub(crate) fn options(
    settings: &Settings,
    global: &Global,
    study: Option<&Path>,
    project: Option<&pipeline::Project>,
) -> Result<Options, Box<dyn Error>> {
    let engines = actions::catalogue().iter().filter(|action| action.engine);
    let configured = settings
        .runtimes
        .iter()
        .map(|(text, path)| Configured { reference: reference(text), choice: Choice::Native(path.clone()) });
    Ok(Options {
        // Looking needs no folder; building says that it cannot make this one.
        cache_dir: runtimes::default_cache_dir().unwrap_or_else(|| "/nonexistent/CLOISTER_CACHE_DIR-is-not-set".into()),
        offline: global.offline || settings.one("network.offline") == Some("true"),
        packages: None,
        builtins: Builtins {
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("cloister")),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            project_version: project.map(|project| project.version.text.clone()),
            era: settings.one("cohortextractor.era").filter(|era| *era != "2021").map(str::to_owned),
            engines: engines.map(|action| BuiltinEngine { name: action.name.to_owned(), profile }).collect(),
        },
        configured: configured.collect(),
        places: Places::here(study),
        library: study::record::PACKAGE,
    })
}

/// What a built-in action runs as.
fn profile(reference: &RuntimeRef) -> Option<Profile> {
    let found = actions::profile(&reference.name, &reference.tag)?;
    Some(Profile { name: found.name.to_owned(), revision: found.revision })
}

/// `name` alone means the newest generation (cli.md 5: default of `exec` and its like).
pub(crate) fn reference(text: &str) -> RuntimeRef {
    let (name, tag) = text.split_once(':').unwrap_or((text, if matches!(text, "python" | "r") { "v2" } else { "v1" }));
    RuntimeRef { name: name.to_owned(), tag: tag.to_owned() }
}

fn list(options: &Options, format: TextFormat, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let mut entries = Vec::new();
    for text in LISTED {
        let found = runtimes::locate(&reference(text), options);
        if format == TextFormat::Human {
            terminal.line(&format!("{text:<11} {}", state(&found)));
            continue;
        }
        entries.push(match &found {
            Ok(found) => json!({
                "runtime": text,
                "state": if matches!(found, Found::Ready(_)) { "ready" } else { "not_built" },
                "title": found.located().title,
                "identity": found.located().identity,
                "warnings": found.located().warnings.iter().map(|w| json!({"code": w.code, "message": w.message}))
                    .collect::<Vec<_>>(),
            }),
            Err(missing) => {
                json!({ "runtime": text, "state": "missing", "code": missing.code, "reason": missing.reason })
            }
        });
    }
    if format == TextFormat::Json {
        terminal.line(&json!({ "schema": "cloister.environments/1", "runtimes": entries }).to_string());
    }
    Ok(Exit::Done)
}

fn state(found: &Result<Found, runtimes::Missing>) -> String {
    let text = match found {
        Ok(Found::Ready(program)) => format!("ready      {}", program.located.title),
        Ok(Found::Build(plan)) => {
            format!("not built  {} ({} to fetch, about {})", plan.title, bytes(plan.bytes), elapsed(plan.expected))
        }
        Err(missing) => format!("missing    {}", missing.reason),
    };
    let fix = found.as_ref().err().and_then(|missing| missing.fix.as_ref());
    let fix = fix.map_or_else(String::new, |fix| format!("\n            to mend it: {fix}"));
    let warnings = found.as_ref().map_or(&[][..], |found| found.located().warnings.as_slice());
    let warnings: String =
        warnings.iter().map(|w| format!("\n            warning[{}]: {}", w.code, visible(&w.message))).collect();
    format!("{text}{fix}{warnings}")
}

/// Makes one runtime ready, saying first what it will cost.
fn install(reference: &RuntimeRef, options: &Options, terminal: &Terminal) -> Result<(), Box<dyn Error>> {
    let found = runtimes::locate_locked(reference, options)?;
    warn(found.located(), terminal);
    let program = match found {
        Found::Ready(program) => program,
        Found::Build(plan) => build(reference, &plan, terminal)?,
    };
    terminal.line(&format!("{reference}: ready: {}", program.located.title));
    Ok(())
}

/// What the researcher should know before anything runs in it.
pub(crate) fn warn(located: &Located, terminal: &Terminal) {
    for warning in &located.warnings {
        terminal.note(&format!("warning[{}]: {}", warning.code, visible(&warning.message)));
    }
}

/// Builds what is missing, saying first what it will cost.
pub(crate) fn build(reference: &RuntimeRef, plan: &Plan, terminal: &Terminal) -> Result<Program, BuildError> {
    terminal.note(&format!(
        "{reference}: building {}: {} to fetch, about {}",
        plan.title,
        bytes(plan.bytes),
        elapsed(plan.expected)
    ));
    let started = std::time::Instant::now();
    let mut last = String::new();
    let program = runtimes::build(plan, &mut |progress| {
        let words = progress_words(&progress);
        if words != last {
            terminal.note(&format!("{reference}: {words}"));
            last = words;
        }
    })?;
    terminal.note(&format!("{reference}: built in {}", elapsed(started.elapsed())));
    Ok(program)
}

/// One line per tenth of the download, so that a log stays short.
fn progress_words(progress: &Progress) -> String {
    match progress {
        Progress::Waiting => "waiting for another build of the same runtime".to_owned(),
        Progress::Fetching { done, total } => {
            format!("fetching, {} of {}", tenth(*done, *total), bytes(*total))
        }
        Progress::Installing { packages } => format!("installing {packages} packages"),
        Progress::Compiling => "preparing for fast starts".to_owned(),
        Progress::Done => "done".to_owned(),
    }
}

fn tenth(done: u64, total: u64) -> String {
    let tenths = if total == 0 { 10 } else { u128::from(done) * 10 / u128::from(total) };
    format!("{} %", tenths.min(10) * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_means_the_newest_generation() {
        assert_eq!(reference("python").to_string(), "python:v2");
        assert_eq!(reference("jupyter").to_string(), "jupyter:v1");
        assert_eq!(reference("r:v1").to_string(), "r:v1");
    }

    #[test]
    fn downloads_are_told_in_tenths() {
        assert_eq!(tenth(0, 100), "0 %");
        assert_eq!(tenth(59, 100), "50 %");
        assert_eq!(tenth(0, 0), "100 %");
    }
}
