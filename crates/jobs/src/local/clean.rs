//! Removing what runs left behind, of this program and this project only.
//! Spec cli.md 9: never outputs, logs or codelists; what is removed is listed.

use std::fs;
use std::path::{Path, PathBuf};

use sandbox::folder::{SafeFolder, is_temporary};

use super::LocalError;
use super::study::Places;
use crate::engine::discard;

/// How much is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Sandboxes and half-written files of dead runs.
    Remains,
    /// Also records and stored objects: the next run knows of no earlier one.
    State,
}

/// What was, or would be, removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cleaned {
    /// Paths with their bytes.
    pub removed: Vec<(PathBuf, u64)>,
    /// What could not be removed, in words.
    pub problems: Vec<String>,
}

/// Looks for what dead runs left and, unless `dry_run`, removes it. `runs` is the folder given to [`super::Study::open`].
///
/// # Errors
/// A living run has the lock, or the folder cannot be read; a link stands where one of our folders must be.
pub fn clean(
    project: &Path,
    runs: &Path,
    runtime: &dyn sandbox::Runtime,
    extent: Extent,
    dry_run: bool,
) -> Result<Cleaned, LocalError> {
    let places = Places::of(project, runs)?;
    let folder = SafeFolder::at(&places.project)?;
    let mut cleaned = Cleaned::default();
    places.check(&folder)?;
    if folder.stat("metadata/cloister")?.is_none() {
        return Ok(cleaned);
    }
    let _lock = places.take_lock()?;
    for path in [places.volumes(), places.kept()].iter().flat_map(|dir| entries(dir)) {
        let bytes = size(&path);
        let before = cleaned.problems.len();
        if !dry_run {
            discard(runtime, &path, &mut cleaned.problems);
        }
        if cleaned.problems.len() == before {
            cleaned.removed.push((path, bytes));
        }
    }
    let mut ours = temporary_files(&folder);
    if extent == Extent::State {
        ours.push("metadata/cloister".into());
    }
    for path in ours {
        let bytes = size(&places.project.join(&path));
        // Beneath the project's own descriptor, through no link.
        match if dry_run { Ok(()) } else { folder.remove(&path).map(drop) } {
            Ok(()) => cleaned.removed.push((places.project.join(&path), bytes)),
            Err(error) => cleaned.problems.push(error.to_string()),
        }
    }
    Ok(cleaned)
}

/// What stands in a folder of ours, which lies outside any project.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Files that a killed run was writing when it died.
pub(super) fn temporary_files(folder: &SafeFolder) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut walk = folder.walk(u64::MAX);
    while let Some(entry) = walk.next() {
        let Ok(entry) = entry else { continue };
        if entry.depth == 1 && entry.name() == ".git" || entry.path == Path::new("metadata/cloister") {
            walk.skip();
        } else if entry.found.kind == sandbox::folder::Kind::File && is_temporary(entry.name()) {
            found.push(entry.path.to_owned());
        }
    }
    found
}

/// Bytes of a file, or of all files below a folder; 0 for what cannot be read.
pub fn size(path: &Path) -> u64 {
    let Ok(found) = path.symlink_metadata() else { return 0 };
    if !found.is_dir() {
        return found.len();
    }
    let Ok(folder) = SafeFolder::at(path) else { return 0 };
    let mut bytes = 0u64;
    let mut walk = folder.walk(u64::MAX);
    while let Some(entry) = walk.next() {
        if let Ok(entry) = entry
            && entry.found.kind == sandbox::folder::Kind::File
        {
            bytes = bytes.saturating_add(entry.found.size);
        }
    }
    bytes
}
