//! Which files are joined, and all that can be said against it before anything is written (actions.md 4.1).
//! Faults of all files come together.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::fault::{Exit, Fault, FaultCode};
use crate::files::{self, Format, data_fault, format_of, has_magic};
use crate::text::warn;
use crate::workspace::Workspace;

use super::columns::{self, Header};
use super::csv_side::CsvSide;
use super::options::{Options, no_pattern};
use super::profile::{Names, Profile};
use super::typed;

/// What files of the left side are called in faults.
pub(super) const LEFT: &str = "the left file";
/// What the file of the right side is called.
pub(super) const RIGHT: &str = "the right file";

/// A file of either side.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) path: PathBuf,
    pub(super) format: Format,
    pub(super) header: Header,
}

impl Side {
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn read(
        workspace: &Workspace,
        path: &Path,
        part: &str,
        original: bool,
        stderr: &mut dyn Write,
    ) -> Result<Self, Fault> {
        let format = format_of(path)?;
        let header = match format {
            Format::Csv | Format::CsvGz => CsvSide::open(workspace, path, part, original, stderr)?.header,
            _ => typed::header(workspace, path, format, part, stderr)?,
        };
        Ok(Self { path: path.to_owned(), format, header })
    }
}

pub(super) fn is_csv(format: Format) -> bool {
    matches!(format, Format::Csv | Format::CsvGz)
}

/// All files of a run, fit to be joined.
pub(super) struct Inputs {
    pub(super) left: Vec<Left>,
    pub(super) right: Side,
}

/// A file of the left side, and what becomes of it.
pub(super) struct Left {
    pub(super) side: Side,
    pub(super) result: PathBuf,
    pub(super) names: Vec<Vec<u8>>,
}

/// Finds the files and reads what their heads say; nothing only where the original would do nothing in silence.
pub(super) fn check(
    workspace: &Workspace,
    options: &Options,
    profile: &Profile,
    stderr: &mut dyn Write,
) -> Result<Option<Inputs>, Vec<Fault>> {
    let mut faults = Vec::new();
    let right = right(workspace, options, profile, stderr).map_err(|fault| faults.push(fault)).ok();
    let matches = files::find(workspace, &options.lhs, "--lhs", LEFT).unwrap_or_else(|fault| {
        faults.push(fault);
        Vec::new()
    });
    if matches.is_empty() && faults.iter().all(|fault| fault.code != FaultCode::OutsideWorkspace) {
        let message = format!("no file matches --lhs '{}'", options.lhs);
        let near = files::near_misses(workspace, &options.lhs);
        let help = match near.as_slice() {
            [] => "in a shell, put the pattern in quotes; paths are relative to the workspace".to_owned(),
            near => format!("near it stand: {}", near.join(", ")),
        };
        if options.compat.is_original() && faults.is_empty() {
            warn(stderr, &format!("{message}; nothing is made, as in the original program ({help})"));
            return Ok(None);
        }
        faults.push(Fault::new(FaultCode::NoInputMatched, Exit::Data, message).help(help));
    }
    if profile.rhs == Names::Plain {
        let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
        faults.extend(matches.iter().filter_map(|path| no_pattern("the file of --lhs", &name(path)?)));
    }
    let results: Vec<PathBuf> = matches.iter().map(|path| result_of(path, options)).collect();
    faults.extend(collisions(&matches, &results));
    if let Some(dir) = &options.output_dir {
        let inputs = matches.iter().chain(right.as_ref().map(|right| &right.path));
        let held: Vec<&PathBuf> = inputs.filter(|input| workspace.stands_in(input, dir)).collect();
        if let [first, rest @ ..] = held.as_slice() {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            let message = format!("--output-dir {} is the folder of {}{more}", dir.display(), first.display());
            let fault = Fault::new(FaultCode::OutputDirHoldsInput, Exit::Arguments, message);
            faults
                .push(fault.help("results have the names of their inputs; name another folder, such as output/joined"));
        }
    }
    let mut left = Vec::new();
    for (path, result) in matches.into_iter().zip(results) {
        match Side::read(workspace, &path, LEFT, options.compat.is_original(), stderr) {
            Ok(side) => left.push((side, result)),
            Err(fault) => faults.push(fault),
        }
    }
    let Some(right) = right else { return Err(faults) };
    let mut joined = Vec::new();
    for (side, result) in left {
        match columns::joined(&side.header, &right.header, options.compat.is_original()) {
            Ok(names) => joined.push(Left { side, result, names }),
            Err(name) => faults.push(columns::clash(&side.name(), &right.name(), &name)),
        }
    }
    if faults.is_empty() { Ok(Some(Inputs { left: joined, right })) } else { Err(faults) }
}

fn right(workspace: &Workspace, options: &Options, profile: &Profile, stderr: &mut dyn Write) -> Result<Side, Fault> {
    let mut path = PathBuf::from(&options.rhs);
    if profile.rhs == Names::Pattern && has_magic(&options.rhs) {
        let found = files::find(workspace, &options.rhs, "--rhs", RIGHT)?;
        path = match found.as_slice() {
            [] => {
                let fault = data_fault(FaultCode::FileNotFound, format!("no file matches --rhs '{}'", options.rhs));
                return Err(fault.help("name the file whose columns are added"));
            }
            [only] => only.clone(),
            [first, ..] => {
                let (count, first) = (found.len(), first.clone());
                let message = format!("{count} files match --rhs '{}'; {} is used", options.rhs, first.display());
                warn(stderr, &message);
                first
            }
        };
    }
    Side::read(workspace, &path, RIGHT, options.compat.is_original(), stderr)
}

/// Where a result stands: under the name of its input, or beside it with a name of its own.
fn result_of(path: &Path, options: &Options) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    if let Some(dir) = &options.output_dir {
        return dir.join(name);
    }
    let text = name.to_string_lossy();
    let (stem, ending) = match Format::of_name(&text) {
        Some((stem, format)) => (stem, format.extension()),
        None => text.rsplit_once('.').unwrap_or((&text, "")),
    };
    path.with_file_name(format!("{stem}_joined.{ending}"))
}

fn collisions(matches: &[PathBuf], results: &[PathBuf]) -> Vec<Fault> {
    let mut owners: HashMap<&Path, &Path> = HashMap::new();
    let mut faults = Vec::new();
    for (path, result) in matches.iter().zip(results) {
        if let Some(owner) = owners.insert(result, path) {
            let (one, other, result) = (owner.display(), path.display(), result.display());
            let message = format!("{one} and {other} would both become {result}");
            let fault = data_fault(FaultCode::OutputCollision, message);
            faults.push(fault.help("use a pattern that matches only one of them, or two actions with two folders"));
        }
    }
    faults
}
