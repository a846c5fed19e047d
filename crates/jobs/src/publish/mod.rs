//! Outputs into the project folder of a laptop, in place, after all of them were checked.
//! Spec cli.md 4.3, jobs.md 18, project-yaml.md 6.4.8.

mod target;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::Path;

use sandbox::folder::{FolderError, SafeFolder};
use serde::{Deserialize, Serialize};

use target::{Target, is_protected, judge, same_bytes};

use crate::ObjectId;
use crate::collect::CollectedOutput;
use crate::refusal::Unsafe;
use crate::store::{Store, StoreError};

/// Mode of files in a project folder.
const FILE_MODE: u32 = 0o644;

/// An output of the action's previous success, as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its path.
    pub path: String,
    /// Its bytes then.
    pub object: ObjectId,
}

/// Why an obsolete output was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptBecause {
    /// Its bytes are not those that were recorded.
    Edited,
    /// It differs from a new output only by case: on some file systems both are one file.
    CaseTwin,
    /// It belongs to the project's own settings.
    Protected,
    /// It could not be read or removed.
    Refused,
}

/// What [`publish`] did, each list sorted as given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    /// New or changed files.
    pub written: Vec<String>,
    /// Files that had these bytes already.
    pub unchanged: Vec<String>,
    /// Obsolete outputs that were deleted.
    pub removed: Vec<String>,
    /// Obsolete outputs that were kept, to be named to the researcher.
    pub kept: Vec<(String, KeptBecause)>,
}

/// Why nothing, or not everything, was published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// `job_error/unsafe_output`; nothing was written.
    #[error(transparent)]
    Unsafe(#[from] Unsafe),
    /// The project folder cannot be read or written.
    #[error(transparent)]
    Folder(FolderError),
    /// Stored bytes cannot be read.
    #[error(transparent)]
    Store(StoreError),
    /// The manifest that is there is not one.
    #[error(transparent)]
    Manifest(#[from] crate::manifest::BadManifest),
    /// The log or the manifest cannot be made.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted.
        what: &'static str,
        /// The cause.
        source: std::io::Error,
    },
}

impl From<FolderError> for PublishError {
    fn from(error: FolderError) -> Self {
        Unsafe::from_folder(&error).map_or_else(|| Self::Folder(error), Self::Unsafe)
    }
}

impl From<StoreError> for PublishError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Folder(error) => error.into(),
            other => Self::Store(other),
        }
    }
}

/// Opens a project folder for writing. A privileged process gives what it makes there to the folder's owner.
///
/// # Errors
/// As [`SafeFolder::at`].
pub fn open_project(path: &Path) -> Result<SafeFolder, FolderError> {
    let folder = SafeFolder::at(path)?;
    let found = folder.found()?;
    let privileged = rustix::process::geteuid().is_root() && found.uid != 0;
    Ok(if privileged { folder.with_owner(found.uid, found.gid) } else { folder })
}

/// Whether every output can be written to its place; writes nothing.
///
/// # Errors
/// `Unsafe` as [`publish`] gives it, or the folder cannot be read.
pub fn check(project: &SafeFolder, outputs: &[CollectedOutput]) -> Result<(), PublishError> {
    outputs.iter().try_for_each(|output| judge(project, output).map(|_| ()))
}

/// Writes collected outputs to their places. All of them are checked before the first is written; each is written under
/// another name and renamed, so a reader never sees half a file.
///
/// `obsolete` are the outputs of the action's previous success, for a job that succeeded (none for a failed one), without
/// those that another action has written since. Those that `outputs` does not have are deleted if their bytes are still
/// the recorded ones.
///
/// # Errors
/// `Unsafe` if an output would be written through a link, over a folder or special file, or would change `project.yaml`,
/// `cloister.toml` or anything in `.git/` or `metadata/`: then nothing was written. Others may come after some files are in
/// place; publishing again is right.
pub fn publish(
    project: &SafeFolder,
    store: &Store,
    outputs: &[CollectedOutput],
    obsolete: &[Recorded],
) -> Result<Published, PublishError> {
    let mut published = Published::default();
    let mut to_write = Vec::new();
    for output in outputs {
        match judge(project, output)? {
            Target::Unchanged => published.unchanged.push(output.path.clone()),
            Target::Write => to_write.push(output),
        }
    }
    for output in to_write {
        project.write_atomic(&output.path, FILE_MODE, |file| {
            store.copy_into(output.object, file).map_err(PublishError::from)
        })?;
        published.written.push(output.path.clone());
    }
    let produced: HashSet<&str> = outputs.iter().map(|o| o.path.as_str()).collect();
    let folded: HashSet<String> = outputs.iter().map(|o| o.path.to_lowercase()).collect();
    for old in obsolete.iter().filter(|old| !produced.contains(old.path.as_str())) {
        match retire(project, old, &folded) {
            Retired::Removed => published.removed.push(old.path.clone()),
            Retired::Gone => {}
            Retired::Kept(why) => published.kept.push((old.path.clone(), why)),
        }
    }
    Ok(published)
}

enum Retired {
    Removed,
    Gone,
    Kept(KeptBecause),
}

fn retire(project: &SafeFolder, old: &Recorded, folded: &HashSet<String>) -> Retired {
    if is_protected(&old.path) {
        return Retired::Kept(KeptBecause::Protected);
    }
    if folded.contains(&old.path.to_lowercase()) {
        return Retired::Kept(KeptBecause::CaseTwin);
    }
    match same_bytes(project, &old.path, old.object, None) {
        Ok(Some(true)) => match project.remove(&old.path) {
            Ok(_) => Retired::Removed,
            Err(_) => Retired::Kept(KeptBecause::Refused),
        },
        Ok(Some(false)) => Retired::Kept(KeptBecause::Edited),
        Ok(None) => Retired::Gone,
        Err(error) if error.is_unsafe() => Retired::Kept(KeptBecause::Edited),
        Err(_) => Retired::Kept(KeptBecause::Refused),
    }
}
