//! deciles-charts: tables and charts of the deciles of measures over time (actions.md 6).
//! One file after another; the results get their names together, when all of them are whole.

mod behind;
mod cell;
mod chart;
mod config;
mod evidence;
mod options;
mod percentiles;
mod pool;
mod profile;
mod read;
mod select;
mod source;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufWriter, Write as _};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use crate::context::Ambient;
use crate::evidence::Writer;
use crate::fault::{Exit, Fault, FaultCode};
use crate::files::Compat;
use crate::staged::nameless;
use crate::text::{clean, warn};
use crate::workspace::Workspace;
use crate::{Context, Outcome};

use behind::Behind;
use chart::Artist;
use evidence::{Done, Known};
use options::{Asked, Options};
use pool::Pool;
use select::Selected;
use source::Source;
use table::Deciles;

pub(crate) const NAME: &str = "deciles-charts";

/// Most dates named in a warning.
const DATES_SHOWN: usize = 5;

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
        Asked::Run(options) => {
            let evidence = Writer::of(context, NAME, (profile.name, profile.revision));
            make(&options, evidence, context, pool::DEFAULT_LIMIT)
        }
    }
}

fn make(options: &Options, evidence: Option<Writer>, context: &mut Context<'_>, limit: usize) -> Outcome {
    let workspace = Workspace::new(context.cwd).map_err(|fault| vec![fault])?;
    let selected =
        select::select(&workspace, &options.input, options.compat, context.stderr).map_err(|fault| vec![fault])?;
    if selected.is_empty() {
        return Ok(());
    }
    let folder = workspace.results_folder(&options.output_dir, "--output-dir").map_err(|fault| vec![fault])?;
    let artist = Artist::new(options.compat.is_original(), options.config.tables);
    let (results, owners) = (BTreeMap::new(), BTreeMap::new());
    let mut run = Run { workspace, options, limit, artist, folder, results, owners, evidence };
    let mut faults = Vec::new();
    for file in &selected {
        faults.extend(run.file(file, context).err());
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    for id in options.config.named_measures().filter(|id| !run.owners.contains_key(*id)) {
        warn(context.stderr, &format!("`measures.{id}` of the config speaks of a measure that is not here"));
    }
    let mut published = Vec::new();
    for (done, known) in run.results.into_values() {
        for Done { whole, path, hash } in done {
            whole.publish().map_err(|fault| vec![fault])?;
            published.extend(hash.map(|hash| (path, hash, Arc::clone(&known))));
        }
    }
    if let Some(writer) = &run.evidence {
        for (path, hash, known) in published {
            writer.write(&path, hash, &known.of(&path, writer), context.stderr);
        }
    }
    Ok(())
}

struct Run<'a> {
    workspace: Workspace,
    options: &'a Options,
    /// Bytes of values that are held in memory.
    limit: usize,
    artist: Artist,
    /// The open output folder.
    folder: Arc<OwnedFd>,
    /// By measure.
    results: BTreeMap<String, (Vec<Done>, Arc<Known>)>,
    /// Which file a measure came from.
    owners: BTreeMap<String, PathBuf>,
    evidence: Option<Writer>,
}

impl Run<'_> {
    /// Makes the results of one file, complete but for their names.
    fn file(&mut self, file: &Selected, context: &mut Context<'_>) -> Result<(), Fault> {
        let options = self.options;
        let folder = Arc::clone(&self.folder);
        let mut pool = Pool::new(self.limit, || nameless(&folder));
        let source = Source::open(&self.workspace, &file.path, context.stderr)?;
        let mut behind = self.evidence.as_ref().map(|_| Behind::new(self.limit / 2));
        let id = file.id.as_deref();
        let measures = read::read(source, id, options.compat, &mut pool, behind.as_mut(), context.stderr)?;
        for measure in measures {
            self.claim(&measure.id, file, context)?;
            let asked = match options.compat {
                Compat::Original2022 => percentiles::asked_2022(options.config.outer),
                _ => percentiles::asked(options.config.outer),
            };
            let deciles = Deciles::of(measure, asked, options.config.minimum_groups, &mut pool, behind.as_mut())
                .map_err(|error| Fault::writing("values to the disk that do not fit into memory", &error))?;
            tell(&deciles, options.config.outer, context);
            let done = self.results_of(&deciles)?;
            let known = match self.evidence {
                Some(_) => Known::of_measure(&deciles, options, &done),
                None => Known::default(),
            };
            self.results.insert(deciles.id, (done, Arc::new(known)));
        }
        Ok(())
    }

    /// No measure may replace the results of another.
    fn claim(&mut self, id: &str, file: &Selected, context: &mut Context<'_>) -> Result<(), Fault> {
        let Some(owner) = self.owners.insert(id.to_owned(), file.path.clone()) else { return Ok(()) };
        let (one, other) = (owner.display(), file.path.display());
        let message = format!("{one} and {other} both hold the measure {id}");
        if self.options.compat == Compat::Safe {
            let fault = Fault::new(FaultCode::OutputCollision, Exit::Data, message);
            return Err(fault.help("use a pattern that matches only one of them, or two actions with two folders"));
        }
        warn(context.stderr, &format!("{message}; the results are those of the last"));
        Ok(())
    }

    fn results_of(&self, deciles: &Deciles) -> Result<Vec<Done>, Fault> {
        let mut staged = Vec::new();
        if self.options.config.tables {
            let name = format!("deciles_table_{}.csv", deciles.id);
            staged.push(self.stage(&name, |out| deciles.write_table(out))?);
        }
        if self.options.config.charts {
            let chart = self.artist.draw(deciles, &self.options.config.labels(&deciles.id));
            for format in &self.options.config.formats {
                let name = format!("deciles_chart_{}.{}", deciles.id, format.ending());
                staged.push(self.stage(&name, |out| out.write_all(&self.artist.render(&chart, *format)?))?);
            }
        }
        Ok(staged)
    }

    fn stage(&self, name: &str, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<Done, Fault> {
        let path = self.options.output_dir.join(name);
        let mut staged = Workspace::stage_in(&self.folder, name.into(), &path, "the result")?;
        let what = staged.what().to_owned();
        let mut out = BufWriter::with_capacity(64 << 10, staged.file());
        write(&mut out).and_then(|()| out.flush()).map_err(|error| Fault::writing(&what, &error))?;
        drop(out);
        let hash = self.evidence.as_ref().map(|_| staged.sha256());
        Ok(Done { whole: staged.close()?, path, hash })
    }
}

/// What a person should know about a measure's result.
fn tell(deciles: &Deciles, outer: bool, context: &mut Context<'_>) {
    let id = &deciles.id;
    if deciles.is_empty() {
        warn(context.stderr, &format!("measure {id} has no values; its results say so"));
    }
    if !deciles.thin.is_empty() {
        let which = if deciles.thin.len() == deciles.dates.len() {
            "on every date".to_owned()
        } else {
            let shown: Vec<String> = deciles.thin.iter().take(DATES_SHOWN).map(ToString::to_string).collect();
            let more = deciles.thin.len().saturating_sub(DATES_SHOWN);
            let more = if more > 0 { format!(" and {more} more dates") } else { String::new() };
            format!("on {}{more}", shown.join(", "))
        };
        let needed = if outer { "500 values for the 1st and 99th percentile" } else { "50 values for deciles" };
        let message = format!(
            "measure {id}: {which} fewer than 5 values lie beyond the outermost percentile, so it may describe single \
             practices (needed: {needed}); `minimum_groups` in the config blanks such dates"
        );
        let _ = writeln!(context.stderr, "warning: {}", clean(&message));
    }
}
