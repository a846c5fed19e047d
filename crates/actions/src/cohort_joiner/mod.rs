//! cohort-joiner: the columns of one file added to many others, by patient_id (actions.md 4).
//! One left file after another; each result gets its name when it is whole.

mod block;
mod columns;
mod csv_side;
mod index;
mod inputs;
mod key;
mod lines;
mod matches;
mod options;
mod original;
mod profile;
mod spill;
mod tell;
#[cfg(test)]
mod tests;
mod trouble;
mod typed;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use crate::context::Ambient;
use crate::evidence::{Made, PatientRows, Rule, Unit, Writer};
use crate::fault::{Fault, FaultCode};
use crate::files::{Compat, Format, data_fault};
use crate::staged::nameless;
use crate::text::{about, warn};
use crate::workspace::Workspace;
use crate::{Context, Outcome};

use inputs::{Inputs, Left, Side};
use matches::{Gathering, Keys};
use options::{Asked, Options};
use profile::{Duplicates, Profile};
use tell::{Counts, Form};
use trouble::Trouble;

pub(crate) const NAME: &str = "cohort-joiner";

/// Bytes of a right side that are held in memory (actions.md 10, less what everything else takes).
const LIMIT: usize = 448 << 20;

/// Name and revision of what a version runs as.
pub(crate) fn profile(version: &str) -> Option<(&'static str, u32)> {
    let profile = profile::resolve(Some(version)).ok()?.profile;
    Some((profile.name, profile.revision))
}

pub(crate) fn run(version: Option<&str>, args: &[OsString], context: &mut Context<'_>, ambient: &Ambient) -> Outcome {
    let resolved = profile::resolve(version).map_err(|fault| vec![fault])?;
    let profile = resolved.profile;
    let (asked, warnings) = options::read(args, profile, Compat::variable(context, ambient));
    let quiet = matches!(asked, Ok(Asked::Help | Asked::Version));
    for warning in resolved.warning.iter().chain(&warnings).filter(|_| !quiet) {
        warn(context.stderr, warning);
    }
    match asked? {
        Asked::Help => context.say(&options::help()),
        Asked::Version => {
            let (version, program) = (&resolved.version, env!("CARGO_PKG_VERSION"));
            let (name, revision) = (profile.name, profile.revision);
            context.say(&format!("{NAME} {version} (profile {name} revision {revision}, cloister {program})\n"))
        }
        Asked::Run(options) => make(&options, profile, context, LIMIT),
    }
}

fn make(options: &Options, profile: &Profile, context: &mut Context<'_>, limit: usize) -> Outcome {
    let workspace = Workspace::new(context.cwd).map_err(|fault| vec![fault])?;
    let Some(inputs) = inputs::check(&workspace, options, profile, context.stderr)? else { return Ok(()) };
    let Some(first) = inputs.left.first() else { return Ok(()) };
    let folder = match &options.output_dir {
        Some(dir) => workspace.results_folder(dir, "--output-dir"),
        None => workspace.results_folder(first.result.parent().unwrap_or(Path::new(".")), "the folder of the results"),
    };
    let folder = folder.map_err(|fault| vec![fault])?;
    let form = match options {
        Options { quiet: true, .. } => Form::Quiet,
        Options { json: true, .. } => Form::Json,
        _ => Form::Text,
    };
    let evidence = Writer::of(context, NAME, (profile.name, profile.revision));
    let (lines, table, told) = ([None, None], None, false);
    let mut run = Run { workspace, options, limit, form, folder, lines, table, told, evidence };
    let mut faults = Vec::new();
    for left in &inputs.left {
        match run.file(left, &inputs, context) {
            Ok(()) => {}
            // Without its right side no file can be joined.
            Err(Failed::Right(fault)) => {
                faults.push(fault);
                break;
            }
            Err(Failed::Left(fault)) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// What is known of a result: each of its rows is about one patient, so it has no cells that could be released.
fn made(counts: Counts, keys: Keys) -> Made {
    let Counts { rows, matched, .. } = counts;
    let patient_rows =
        PatientRows { rows, matched, unmatched: rows.saturating_sub(matched), duplicate_ids: keys.repeated };
    Made { rules: vec![Rule::PatientRows], patient_rows: Some(patient_rows), ..Made::of(Unit::Patients) }
}

/// The hash of a result, if it could be read back.
type Hash = io::Result<String>;

/// Which side is at fault.
enum Failed {
    Left(Fault),
    Right(Fault),
}

struct Run<'a> {
    workspace: Workspace,
    options: &'a Options,
    /// Bytes of a right side that are held in memory.
    limit: usize,
    form: Form,
    /// The open output folder, or that of the first result.
    folder: Arc<OwnedFd>,
    /// The right side for csv files, once it has been needed; as the original has it a second time, with whole numbers as
    /// floats for left files of which a row has no partner.
    lines: [Option<lines::Right>; 2],
    /// The right side for files with types.
    table: Option<typed::Right>,
    /// What is to be said of the right side has been said.
    told: bool,
    evidence: Option<Writer>,
}

impl Run<'_> {
    /// Makes the result of one left file.
    fn file(&mut self, left: &Left, inputs: &Inputs, context: &mut Context<'_>) -> Result<(), Failed> {
        let keys = self.prepare(left, inputs, context).map_err(Failed::Right)?;
        let (counts, hash) = self.join(left, &inputs.right, context).map_err(Failed::Left)?;
        tell::file(&left.side.name(), counts, keys, self.form, context.stderr);
        if let (Some(evidence), Some(hash)) = (&self.evidence, hash) {
            evidence.write(&left.result, hash, &made(counts, keys), context.stderr);
        }
        Ok(())
    }

    /// Reads the right side in the form that this file needs.
    fn prepare(&mut self, left: &Left, inputs: &Inputs, context: &mut Context<'_>) -> Result<Keys, Fault> {
        let original = self.options.compat.is_original();
        let right = &inputs.right;
        let failed = |trouble: Trouble| trouble.fault("the rows of --rhs to the disk that do not fit into memory");
        let keys = if inputs::is_csv(left.side.format) {
            self.prepare_lines(0, right, context).map_err(failed)?
        } else {
            if self.table.is_none() {
                let mut make_file = || room(&self.folder);
                let reading = typed::Reading::new(self.limit, original, &mut make_file);
                let made = typed::Right::read(&self.workspace, right, reading, original, context.stderr);
                self.table = Some(made.map_err(failed)?);
            }
            self.table.as_ref().map(|table| table.keys)
        };
        let keys = keys.unwrap_or_default();
        if keys.extra > 0 && !self.told {
            self.told = true;
            match self.options.duplicates {
                Duplicates::Warn => tell::duplicates(&right.name(), keys, self.form, context.stderr),
                Duplicates::Multiply => {}
                Duplicates::Error => {
                    let message = format!("{} has patient_ids more than once: {}", right.name(), about(keys.repeated));
                    let fault = data_fault(FaultCode::DuplicateKey, message);
                    return Err(fault.help("keep one row for each, or allow them with --rhs-duplicates=warn"));
                }
            }
        }
        Ok(keys)
    }

    /// Reads the right side as text, the second time with whole numbers as floats.
    fn prepare_lines(&mut self, at: usize, right: &Side, context: &mut Context<'_>) -> Result<Option<Keys>, Trouble> {
        if self.lines[at].is_none() {
            let original = self.options.compat.is_original();
            let folder = Arc::clone(&self.folder);
            let mut make_file = || room(&folder);
            let gathering = Gathering::new(self.limit, original, &mut make_file);
            let workspace = &self.workspace;
            let made = match right.format {
                Format::Csv | Format::CsvGz if original => {
                    let mut sink = io::sink();
                    let stderr: &mut dyn io::Write = if at == 0 { context.stderr } else { &mut sink };
                    lines::Right::of_csv_as_original(workspace, right, at == 1, gathering, stderr)
                }
                Format::Csv | Format::CsvGz => lines::Right::of_csv(workspace, right, gathering, context.stderr),
                _ => typed::lines(workspace, right, gathering, original, at == 1),
            };
            self.lines[at] = Some(made?);
        }
        Ok(self.lines[at].as_ref().map(|lines| lines.keys))
    }

    /// Which form of the right side a csv file gets.
    fn form_of(&mut self, left: &Left, right: &Side, context: &mut Context<'_>) -> Result<usize, Trouble> {
        let Some(lines) = self.lines[0].as_ref().filter(|_| self.options.compat.is_original()) else { return Ok(0) };
        let at = usize::from(lines.has_gaps(&self.workspace, &left.side.path, &mut || room(&self.folder))?);
        self.prepare_lines(at, right, context)?;
        Ok(at)
    }

    /// The hash of what was published only where evidence is wanted.
    fn join(&mut self, left: &Left, right: &Side, context: &mut Context<'_>) -> Result<(Counts, Option<Hash>), Fault> {
        let name = left.result.file_name().unwrap_or_default().to_owned();
        let folder = match self.options.output_dir {
            Some(_) => Arc::clone(&self.folder),
            None => {
                let folder = left.result.parent().unwrap_or(Path::new("."));
                self.workspace.results_folder(folder, "the folder of the results")?
            }
        };
        let mut staged = Workspace::stage_in(&folder, name, &left.result, "the result")?;
        let what = staged.what().to_owned();
        let form = if inputs::is_csv(left.side.format) { self.form_of(left, right, context) } else { Ok(0) };
        let counts = form.and_then(|form| self.write(left, form, staged.file(), context));
        let counts = counts.map_err(|trouble| trouble.fault(&what))?;
        let hash = self.evidence.as_ref().map(|_| staged.sha256());
        staged.sync()?;
        staged.publish()?;
        Ok((counts, hash))
    }

    fn write(&self, left: &Left, form: usize, out: &mut File, context: &mut Context<'_>) -> Result<Counts, Trouble> {
        let stderr = &mut *context.stderr;
        let mut make_file = || room(&self.folder);
        match (&self.lines[form], &self.table) {
            (Some(lines), _) if inputs::is_csv(left.side.format) => {
                let mut join = |out: &mut dyn io::Write| match self.options.compat.is_original() {
                    true => lines.join_as_original(&self.workspace, left, &mut make_file, stderr, out),
                    false => lines.join(&self.workspace, left, &mut make_file, stderr, out),
                };
                match left.side.format {
                    Format::CsvGz => cohorts::gzip(self.options.gzip_level, out, join),
                    _ => join(out),
                }
            }
            (_, Some(table)) => table.join(&self.workspace, left, self.options, &mut make_file, stderr, out),
            _ => Ok(Counts::default()),
        }
    }
}

/// A file for rows that do not fit into memory.
fn room(folder: &OwnedFd) -> Result<File, Trouble> {
    nameless(folder).map_err(|error| Fault::writing("the rows that do not fit into memory", &error).into())
}
