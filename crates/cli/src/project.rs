//! Finding a study's folder and loading its project.yaml, with what the outside world says about it.
//! Spec cli.md 2, 3, 4.2.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pipeline::{ActionName, Diagnostic, Loaded, Registry, Severity, Tree};
use sandbox::folder::SafeFolder;

use crate::terminal::Terminal;

/// The largest project.yaml that is read at all; `pipeline` names the limit to the person.
const READ_AT_MOST: u64 = 9 << 20;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(
        "error[X101]: there is no project.yaml in {0} or in a folder above it\n  = help: go to your study's folder, or name it with --project-dir"
    )]
    NoProject(PathBuf),
    #[error(
        "error[X101]: there is no project.yaml in {0} or in a folder above it\n  = help: go to your study's folder, or name it, or the file"
    )]
    NoStudy(PathBuf),
    #[error("error[X101]: {0} does not exist\n  = help: name a study's folder or a project file")]
    Missing(PathBuf),
    #[error("error: {path} cannot be read: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
}

/// A project.yaml as found on disk.
pub(crate) struct Found {
    /// The study's folder.
    pub(crate) folder: PathBuf,
    /// The file.
    pub(crate) file: PathBuf,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// What `pipeline` made of it, the outside world not yet asked.
    pub(crate) loaded: Loaded,
}

impl Found {
    /// How the file is named to people: relative to the current folder where that is shorter.
    pub(crate) fn name(&self) -> String {
        shown(&self.file)
    }

    /// The text of the file, for underlining; damaged bytes are replaced.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// All diagnostics: of the file alone, then with runtimes, reusable actions and files of the checkout.
    pub(crate) fn diagnostics(&self, registry: &Registry) -> Vec<Diagnostic> {
        self.judged(registry, |_| true)
    }

    /// The same for a request. What the outside world lacks is an error only of the actions that the request comes to:
    /// an existing study runs all others too (jobs.md 19: resolved once per request).
    pub(crate) fn diagnostics_for(&self, requested: &[ActionName], registry: &Registry) -> Vec<Diagnostic> {
        let reached = self.loaded.project.as_ref().map(|project| project.reached(requested)).unwrap_or_default();
        self.judged(registry, |action| reached.contains(action))
    }

    fn judged(&self, registry: &Registry, counts: impl Fn(&ActionName) -> bool) -> Vec<Diagnostic> {
        let mut all = self.loaded.diagnostics.clone();
        if let Some(project) = self.loaded.project.as_ref() {
            all.extend(pipeline::resolve(project, registry, &tree(&self.folder)).into_iter().map(|mut one| {
                if one.severity == Severity::Error && !one.action.as_ref().is_none_or(&counts) {
                    one.severity = Severity::Warning;
                }
                one
            }));
            all.sort_by_key(|d| (d.span.map_or(0, |span| span.start.offset), d.code));
        }
        all
    }
}

/// A path relative to the current folder, if it lies below it.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let short = here.as_deref().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
    words_of(short)
}

fn words_of(path: &Path) -> String {
    pipeline::report::visible(&path.to_string_lossy()).into_owned()
}

/// Finds and loads: `wanted` (a folder or a file), else this folder, else the nearest above in the same git work tree.
pub(crate) fn find(wanted: Option<&Path>, terminal: &Terminal) -> Result<Found, Trouble> {
    let file = locate(wanted, terminal)?;
    let folder = file.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    load(folder, file)
}

/// Finds and loads what a person named: a file, a folder, or a folder inside a study.
pub(crate) fn find_path(named: &Path, terminal: &Terminal) -> Result<Found, Trouble> {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let named = if named == Path::new(".") { here } else { here.join(named) };
    if named.symlink_metadata().is_err() {
        return Err(Trouble::Missing(named));
    }
    // Without `..` and links, so that what is above it is what a person calls so.
    let named = if named.join("project.yaml").symlink_metadata().is_err() && named.is_dir() {
        named.canonicalize().unwrap_or(named)
    } else {
        named
    };
    let file = if named.is_dir() { upwards(&named, terminal).ok_or(Trouble::NoStudy(named))? } else { named };
    let folder = file.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    load(folder, file)
}

/// The folder of the study that this folder belongs to; its project.yaml is not read.
pub(crate) fn folder(terminal: &Terminal) -> Result<PathBuf, Trouble> {
    let file = locate(None, terminal)?;
    Ok(file.parent().map_or_else(|| PathBuf::from("."), Path::to_owned))
}

fn locate(wanted: Option<&Path>, terminal: &Terminal) -> Result<PathBuf, Trouble> {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let start = wanted.map_or_else(|| here.clone(), |path| here.join(path));
    let start = if wanted.is_some_and(|path| path == Path::new(".")) { here.clone() } else { start };
    if start.is_file() {
        return Ok(start);
    }
    let found = match wanted {
        Some(path) if path != Path::new(".") => in_folder(&start),
        _ => upwards(&start, terminal),
    };
    found.ok_or(Trouble::NoProject(start))
}

fn in_folder(folder: &Path) -> Option<PathBuf> {
    let file = folder.join("project.yaml");
    file.symlink_metadata().is_ok().then_some(file)
}

/// The project.yaml of this folder, else the nearest above in the same git work tree, which is said.
fn upwards(start: &Path, terminal: &Terminal) -> Option<PathBuf> {
    if let Some(file) = in_folder(start) {
        return Some(file);
    }
    for folder in start.ancestors().skip(1) {
        let below_work_tree = start.ancestors().take_while(|a| *a != folder).all(|a| !a.join(".git").exists());
        if below_work_tree && folder.join("project.yaml").is_file() {
            terminal.note(&format!("note: using {}", words_of(&folder.join("project.yaml"))));
            return Some(folder.join("project.yaml"));
        }
    }
    None
}

/// The same file, read anew.
pub(crate) fn again(found: &Found) -> Result<Found, Trouble> {
    load(found.folder.clone(), found.file.clone())
}

fn load(folder: PathBuf, file: PathBuf) -> Result<Found, Trouble> {
    let bytes = read(&file).map_err(|source| Trouble::Unreadable { path: file.clone(), source })?;
    let loaded = pipeline::load(&bytes, &shown(&file));
    Ok(Found { folder, file, bytes, loaded })
}

/// Reads at most a little more than the largest allowed project.yaml. The file came with a repository: a link is not
/// followed, and nothing but a regular file is opened.
pub(crate) fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::{Error, ErrorKind, Read};
    let name = file.file_name().ok_or(ErrorKind::InvalidInput)?;
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let opened = SafeFolder::at(folder).and_then(|folder| folder.open(name));
    let opened = opened.map_err(|error| {
        let kind = if error.is_missing() { ErrorKind::NotFound } else { ErrorKind::InvalidInput };
        Error::new(kind, error)
    })?;
    let mut bytes = Vec::new();
    opened.take(READ_AT_MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The regular files of the checkout, as `resolve` wants them; unreadable folders are passed over.
pub(crate) fn tree(folder: &Path) -> Tree {
    let mut files = BTreeSet::new();
    let mut waiting = vec![(folder.to_owned(), String::new())];
    while let Some((at, prefix)) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&at) else { continue };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let top = prefix.is_empty();
            let Ok(kind) = entry.file_type() else { continue };
            let path = format!("{prefix}{name}");
            if kind.is_dir() && !(top && (name == ".git" || name == "metadata")) {
                waiting.push((entry.path(), format!("{path}/")));
            } else if kind.is_file() {
                files.insert(path);
            }
        }
    }
    Tree { files }
}
