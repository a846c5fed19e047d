//! dataset-report: an HTML page about the columns of each file, which tells nothing about single patients (actions.md 5).
//! Files are read as streams into counters; the page is made from what of them may be shown.

mod ahead;
mod csv_file;
mod detail;
mod evidence;
mod guess;
mod kind;
mod names;
mod number;
mod options;
mod page;
mod profile;
mod protect;
mod report;
mod rounding;
mod survey;
#[cfg(test)]
mod tests;
mod typed_column;
mod typed_file;

use std::ffi::OsString;
use std::io::{BufWriter, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use crate::context::Ambient;
use crate::evidence::Writer;
use crate::fault::{Exit, Fault, FaultCode};
use crate::files::{Compat, Format, Opened, find, format_of, near_misses};
use crate::text::warn;
use crate::workspace::Workspace;
use crate::{Context, Outcome};

use options::{Asked, Options};
use profile::Profile;
use report::Manner;
use survey::Survey;
use typed_file::Wanted;

pub(crate) const NAME: &str = "dataset-report";

/// The column of which nothing is told but its type.
const PATIENT_ID: &str = "patient_id";

/// Name and revision of what a version runs as.
pub(crate) fn profile(version: &str) -> Option<(&'static str, u32)> {
    let profile = profile::resolve(Some(version)).ok()?.profile;
    Some((profile.name, profile.revision))
}

pub(crate) fn run(version: Option<&str>, args: &[OsString], context: &mut Context<'_>, ambient: &Ambient) -> Outcome {
    let resolved = profile::resolve(version).map_err(|fault| vec![fault])?;
    let profile = resolved.profile;
    let (asked, warnings) = options::read(args, profile, Compat::variable(context, ambient), context.is_dummy());
    let quiet = matches!(asked, Ok(Asked::Help | Asked::Version));
    for warning in resolved.warnings.iter().chain(&warnings).filter(|_| !quiet) {
        warn(context.stderr, warning);
    }
    match asked? {
        Asked::Help => context.say(options::help()),
        Asked::Version => {
            let (version, program) = (&resolved.version, env!("CARGO_PKG_VERSION"));
            let (name, revision) = (profile.name, profile.revision);
            context.say(&format!("{NAME} {version} (profile {name} revision {revision}, cloister {program})\n"))
        }
        Asked::Run(options) => make(&options, profile, context),
    }
}

fn make(options: &Options, profile: &Profile, context: &mut Context<'_>) -> Outcome {
    let workspace = Workspace::new(context.cwd).map_err(|fault| vec![fault])?;
    let found = find(&workspace, &options.pattern, "--input-files", PART).map_err(|fault| vec![fault])?;
    if found.is_empty() {
        return nothing_matched(&workspace, options, context).map_err(|fault| vec![fault]);
    }
    // A file of another format has no page and takes no name.
    let (mut inputs, mut faults) = (Vec::new(), Vec::new());
    for path in &found {
        match format_of(path) {
            Ok(format) => inputs.push((path.as_path(), format)),
            Err(fault) => faults.push(fault),
        }
    }
    let named = names::of(&inputs, options.compat).map_err(|fault| vec![fault])?;
    named.warnings.iter().for_each(|warning| warn(context.stderr, warning));
    if !inputs.is_empty() {
        let folder = workspace.results_folder(&options.output_dir, "--output-dir").map_err(|fault| vec![fault])?;
        let evidence = Writer::of(context, NAME, (profile.name, profile.revision));
        let run = Run { workspace, options, profile, folder, evidence };
        for ((path, format), name) in inputs.iter().zip(named.names) {
            // One after another: each result is whole before the next file is opened, and stays if that one is bad.
            faults.extend(run.file(path, *format, name, context).err());
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// What an input is to this action, in faults.
const PART: &str = "the input file";

fn nothing_matched(workspace: &Workspace, options: &Options, context: &mut Context<'_>) -> Result<(), Fault> {
    let message = format!("no file matches '{}'", options.pattern);
    let near = near_misses(workspace, &options.pattern);
    let near = match near.as_slice() {
        [] => "patterns are relative to the folder of the study, as in output/input_*.csv".to_owned(),
        near => format!("near it stand: {}", near.join(", ")),
    };
    if options.compat.is_original() {
        warn(context.stderr, &format!("{message}; nothing is made, as in the original program ({near})"));
        return Ok(());
    }
    Err(Fault::new(FaultCode::NoInputMatched, Exit::Data, message).help(near))
}

struct Run<'a> {
    workspace: Workspace,
    options: &'a Options,
    profile: &'a Profile,
    /// The open output folder.
    folder: Arc<OwnedFd>,
    evidence: Option<Writer>,
}

impl Run<'_> {
    /// Makes the page of one file; nothing stands under its name before it is whole.
    fn file(&self, path: &Path, format: Format, name: OsString, context: &mut Context<'_>) -> Result<(), Fault> {
        let survey = self.survey(path, format, context)?;
        let manner = Manner { original: self.options.compat.is_original(), whole: self.profile.whole };
        let report = report::report(&survey, manner);
        let result = self.options.output_dir.join(&name);
        let mut staged = Workspace::stage_in(&self.folder, name, &result, "the report")?;
        let what = staged.what().to_owned();
        let mut out = BufWriter::with_capacity(64 << 10, staged.file());
        page::write(&report, &path.display().to_string(), &mut out)
            .and_then(|()| out.flush())
            .map_err(|error| Fault::writing(&what, &error))?;
        drop(out);
        let hash = self.evidence.as_ref().map(|_| staged.sha256());
        staged.close()?.publish()?;
        if let (Some(evidence), Some(hash)) = (&self.evidence, hash) {
            evidence.write(&result, hash, &evidence::of(&survey, &report), context.stderr);
        }
        Ok(())
    }

    fn survey(&self, path: &Path, format: Format, context: &mut Context<'_>) -> Result<Survey, Fault> {
        let opened = Opened::open(&self.workspace, path, PART, context.stderr)?;
        match format {
            Format::Csv | Format::CsvGz => csv_file::survey(opened, self.options.detail, context.stderr),
            _ => {
                let wanted = Wanted { numbers: self.profile.typed_numbers, detail: self.options.detail };
                typed_file::survey(opened, format, wanted, context.stderr)
            }
        }
    }
}
