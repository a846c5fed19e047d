//! sqlrunner: a SQL query of the study into a csv file (actions.md 7).
//! This version has no database: rows come from a dummy data file, or the header from the SQL itself.

mod compare;
mod dummy;
mod header;
mod log;
mod options;
mod output;
mod profile;
mod query_file;
mod sql;
mod t1oo;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

use crate::args::bad_argument;
use crate::context::Ambient;
use crate::fault::{Exit, Fault, FaultCode};
use crate::files::Compat;
use crate::text::warn;
use crate::workspace::Workspace;
use crate::{Context, Outcome, version};

use log::Log;
use options::{Asked, Options};
use output::Stop;
use profile::{KNOWN, MOVING, Profile};

pub(crate) const NAME: &str = "sqlrunner";

/// Name and revision of what a version runs as.
pub(crate) fn profile(version: &str) -> Option<(&'static str, u32)> {
    let profile = profile::of(version::resolve(NAME, Some(version), MOVING, KNOWN).ok()?.pin);
    Some((profile.name, profile.revision))
}

pub(crate) fn run(version: Option<&str>, args: &[OsString], context: &mut Context<'_>, ambient: &Ambient) -> Outcome {
    let resolved = version::resolve(NAME, version, MOVING, KNOWN).map_err(|fault| vec![fault])?;
    if let Some(warning) = &resolved.warning {
        warn(context.stderr, warning);
    }
    let profile = profile::of(resolved.pin);
    let in_job = context.project_version.is_some();
    let (asked, warnings) = options::read(args, profile, in_job, Compat::variable(context, ambient));
    for warning in &warnings {
        warn(context.stderr, warning);
    }
    let text = match asked? {
        Asked::Help => options::help(),
        Asked::Version => {
            let (name, revision) = (profile.name, profile.revision);
            format!(
                "{NAME} {} (profile {name} revision {revision}, cloister {})\n",
                resolved.pin,
                env!("CARGO_PKG_VERSION")
            )
        }
        Asked::Run(options) => {
            return dummy_run(&options, profile, context, ambient).map_err(|mut fault| {
                if options.compat.is_original() && fault.exit.code() > Exit::Arguments.code() {
                    fault.exit = Exit::Data;
                }
                vec![fault]
            });
        }
    };
    context.stdout.write_all(text.as_bytes()).map_err(|error| vec![Fault::writing("to stdout", &error)])
}

fn dummy_run(options: &Options, profile: &Profile, context: &mut Context<'_>, ambient: &Ambient) -> Result<(), Fault> {
    let workspace = Workspace::new(context.cwd)?;
    let query = query_file::read(&workspace, &options.sql_file)?;
    t1oo::check(&query, profile, context)?;
    if options.dsn.is_some() || ambient.database_url.is_some() {
        let named = if options.dsn.is_some() { "--dsn" } else { "DATABASE_URL" };
        let message = format!("{named} names a database, and this version of cloister cannot connect to one");
        let help = "leave it out to run on dummy data: --dummy-data-file, or the header made from the SQL";
        return Err(Fault::new(FaultCode::DatabaseUnavailable, Exit::Database, message).help(help));
    }
    let to_stdout = options.output.is_none();
    spare_the_query(&workspace, options)?;
    match &options.dummy_data_file {
        Some(path) => {
            let mut dummy = dummy::open(&workspace, path, profile, context.stderr)?;
            compare::check(&query, &mut dummy, options, context.stderr)?;
            if options.output.as_deref().is_some_and(|output| same_file(&workspace, path, output)) {
                warn(context.stderr, "the output is the dummy data file itself; it is left as it is");
                let mut log = Log::start(&workspace, options.log_file.as_deref())?;
                log.event(context, false, "start_writing_results")?;
                log.event(context, false, "finish_writing_results")?;
                return log.publish();
            }
            if to_stdout {
                dummy.validate()?;
            }
            let level = options.gzip_level().filter(|_| !profile.byte_copy);
            write(&workspace, options, level, context, |out, stderr| dummy.copy(out, options.compat, stderr))
        }
        None => {
            let names = header::of_query(&query, options, context.stderr)?;
            write(&workspace, options, options.gzip_level(), context, |out, _| header::write(&names, out))
        }
    }
}

/// Writes the result between its two log lines, then lets result and log appear together.
fn write(
    workspace: &Workspace,
    options: &Options,
    gzip_level: Option<u32>,
    context: &mut Context<'_>,
    rows: impl FnOnce(&mut dyn Write, &mut dyn Write) -> Result<(), Stop>,
) -> Result<(), Fault> {
    let to_stdout = options.output.is_none();
    let log_to_stderr = to_stdout && !options.compat.is_original();
    let staged = options.output.as_deref().map(|path| workspace.stage(path, "--output")).transpose()?;
    let mut log = Log::start(workspace, options.log_file.as_deref())?;
    log.event(context, log_to_stderr, "start_writing_results")?;
    let (stdout, stderr) = (&mut *context.stdout, &mut *context.stderr);
    let result = match staged {
        Some(staged) => Some(output::to_file(staged, gzip_level, |out| rows(out, stderr))?),
        None => output::to_stdout(stdout, |out| rows(out, stderr)).map(|()| None)?,
    };
    log.event(context, log_to_stderr, "finish_writing_results")?;
    log.sync()?;
    if let Some(staged) = result {
        staged.publish()?;
    }
    log.publish()
}

/// No result may replace the files it is made from.
fn spare_the_query(workspace: &Workspace, options: &Options) -> Result<(), Fault> {
    let results = [("--output", &options.output), ("--log-file", &options.log_file)];
    let sources = [Some(&options.sql_file), options.dummy_data_file.as_ref().filter(|_| options.log_file.is_some())];
    for (name, result) in results {
        let Some(result) = result else { continue };
        for source in sources.into_iter().flatten() {
            let dummy_as_output = name == "--output" && Some(source) == options.dummy_data_file.as_ref();
            if !dummy_as_output && same_file(workspace, source, result) {
                let message = format!("{name} {} is a file that the run reads", result.display());
                return Err(bad_argument(message).help("name another file"));
            }
        }
    }
    Ok(())
}

fn same_file(workspace: &Workspace, one: &Path, other: &Path) -> bool {
    workspace.identify(one).is_some_and(|identity| workspace.identify(other) == Some(identity))
}
