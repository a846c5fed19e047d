//! Putting inputs over the code, and both into a fresh workspace.
//! Spec jobs.md 10, sandbox.md 10: files first, links last, nothing through a link.

use std::collections::BTreeSet;

use pipeline::Pattern;
use sandbox::folder::{FolderError, SafeFolder};

use super::{Entry, Tree};
use crate::refusal::{Unsafe, Why};
use crate::store::{Store, StoreError};
use crate::{Leave, NoLeave, ObjectId};

/// A file that a needed action made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Where it goes.
    pub path: String,
    /// Its bytes.
    pub object: ObjectId,
    /// Its size in bytes.
    pub size: u64,
}

/// Why a workspace could not be laid out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// `job_error/unsafe_output`.
    #[error(transparent)]
    Unsafe(#[from] Unsafe),
    /// An object is missing or damaged: `job_error/missing_input` if it is an input.
    #[error("{path}: {source}")]
    Object {
        /// Which file of the workspace it is.
        path: String,
        /// What is wrong.
        source: StoreError,
    },
    /// The workspace cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was stopped, or took too long.
    #[error(transparent)]
    NoLeave(#[from] NoLeave),
}

impl From<FolderError> for LayoutError {
    fn from(error: FolderError) -> Self {
        match Unsafe::from_folder(&error) {
            Some(refused) => Self::Unsafe(refused),
            None => Self::Store(error.into()),
        }
    }
}

impl Tree {
    /// The tree with inputs placed over it, in the order given: an input replaces a file or link of the same path.
    ///
    /// # Errors
    /// [`Unsafe`] naming the path if a link or file stands where an input's folder must be, or a folder where an input must
    /// be.
    pub fn with_inputs(&self, inputs: &[Input]) -> Result<Self, Unsafe> {
        let mut out = self.clone();
        for input in inputs {
            for (at, _) in input.path.match_indices('/') {
                let folder = &input.path[..at];
                match out.entries.get(folder) {
                    None => {}
                    Some(Entry::Link { .. }) => return Err(Unsafe::new(folder, Why::Link)),
                    Some(Entry::File { .. }) => return Err(Unsafe::new(folder, Why::NotAFolder)),
                }
            }
            let below = format!("{}/", input.path);
            if out.entries.range(below.clone()..).next().is_some_and(|(path, _)| path.starts_with(&below)) {
                return Err(Unsafe::new(&input.path, Why::IsFolder));
            }
            let entry = Entry::File { mode: 0o644, object: input.object, size: input.size };
            out.entries.insert(input.path.clone(), entry);
        }
        Ok(out)
    }

    /// Writes everything into an empty folder: files as copies that share nothing with the store a job could change, then
    /// links.
    ///
    /// # Errors
    /// `Object` for a missing or damaged object, `Unsafe` if the folder was not empty or the tree contradicts itself.
    pub fn write_to(&self, store: &Store, folder: &SafeFolder) -> Result<(), LayoutError> {
        self.write_with(store, folder, &Leave::default())
    }

    /// As [`Tree::write_to`], while there is leave.
    ///
    /// # Errors
    /// As [`Tree::write_to`]; `NoLeave` if there is none any more.
    pub fn write_with(&self, store: &Store, folder: &SafeFolder, leave: &Leave) -> Result<(), LayoutError> {
        let mut parent: Option<(&str, SafeFolder)> = None;
        for (path, entry) in &self.entries {
            let Entry::File { mode, object, .. } = entry else { continue };
            leave.check()?;
            let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
            if parent.as_ref().is_none_or(|(open, _)| *open != dir) {
                let made = if dir.is_empty() { folder.try_clone()? } else { folder.make_folders(dir)? };
                parent = Some((dir, made));
            }
            let Some((_, target)) = &parent else { continue };
            let copied = store.copy_with(*object, target, name, *mode, leave);
            copied.map_err(|source| match source {
                // Whatever it says of itself.
                _ if leave.check().is_err() => leave.check().err().map_or(LayoutError::Store(source), Into::into),
                StoreError::Folder(error) => error.into(),
                source if source.is_lost() => LayoutError::Object { path: path.clone(), source },
                source => LayoutError::Store(source),
            })?;
        }
        for (path, entry) in &self.entries {
            if let Entry::Link { target } = entry {
                folder.symlink(target, path)?;
            }
        }
        Ok(())
    }
}

/// Makes the parent folder of every pattern (its part before the first segment with `*`, or before the file name) that
/// lacks it (spec jobs.md 10), after the code and the inputs are in place.
///
/// # Errors
/// `Unsafe` naming the link or file that stands where a folder must be.
pub fn make_parents<'p>(
    folder: &SafeFolder,
    patterns: impl IntoIterator<Item = &'p Pattern>,
) -> Result<(), LayoutError> {
    // The workspace itself is there.
    let folders: BTreeSet<&str> = patterns.into_iter().map(Pattern::parent_folder).collect();
    for path in folders.into_iter().filter(|path| !path.is_empty()) {
        folder.make_folders(path)?;
    }
    Ok(())
}
