//! The tree of a commit, by content: what a backend runs, where a laptop runs the working folder.
//! Spec jobs.md 18 (code = commit), 20, 23.

use std::io::Read;

use repositories::{CommitOnBranch, Limits, ReadError, Refusal, TreePath, TreeSink, TreeSummary};

use super::{Entry, Note, Tree};
use crate::store::{Batch, Store, StoreError};
use crate::{ObjectId, RejectionCode};

/// What [`of_commit`] made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitTree {
    /// The files and links, links as they are stored: they may lead anywhere, and are never followed.
    pub tree: Tree,
    /// git's own name of the tree, 40 hexadecimal digits (provenance, spec jobs.md 17).
    pub tree_id: String,
    /// What jobs do not see, or see otherwise than its author may think.
    pub notes: Vec<Note>,
}

/// Reads all of a commit into `store`. Nothing of it is visible there before all of it is.
///
/// # Errors
/// `BadCommit` (`job_error/bad_commit`) or `TooLarge` naming the path; `Repository` for the mirror; `Sink` for the store.
pub fn of_commit(code: &CommitOnBranch, limits: &Limits, store: &Store) -> Result<CommitTree, ReadError<StoreError>> {
    let mut sink = Sink { batch: store.batch(), tree: Tree::default(), notes: Vec::new() };
    let summary = code.read_tree(limits, &mut sink)?;
    let Sink { batch, tree, mut notes } = sink;
    batch.commit().map_err(ReadError::Sink)?;
    let TreeSummary { tree_id, lfs_pointers, submodules, .. } = summary;
    notes.extend(first(&lfs_pointers).map(|(path, count)| Note::LfsPointers { path, count }));
    notes.extend(first(&submodules).map(|(path, count)| Note::Submodules { path, count }));
    Ok(CommitTree { tree, tree_id, notes })
}

fn first(paths: &[TreePath]) -> Option<(String, usize)> {
    paths.first().map(|path| (text(path), paths.len()))
}

fn text(path: &TreePath) -> String {
    String::from_utf8_lossy(path.as_bytes()).into_owned()
}

struct Sink<'s> {
    batch: Batch<'s>,
    tree: Tree,
    notes: Vec<Note>,
}

impl Sink<'_> {
    /// Paths are text here, as in a snapshot: what is not is left out with a note.
    fn insert(&mut self, path: &TreePath, entry: Option<Entry>) {
        match (path.as_str(), entry) {
            (Some(path), Some(entry)) => drop(self.tree.entries.insert(path.to_owned(), entry)),
            _ => self.notes.push(Note::BadName { path: text(path) }),
        }
    }
}

impl TreeSink for Sink<'_> {
    type Stored = ObjectId;
    type Error = StoreError;

    fn store(&mut self, _size: u64, bytes: &mut dyn Read) -> Result<ObjectId, StoreError> {
        self.batch.put(bytes).map(|(object, _)| object)
    }

    fn file(&mut self, path: &TreePath, executable: bool, size: u64, object: &ObjectId) -> Result<(), StoreError> {
        let mode = if executable { 0o755 } else { 0o644 };
        self.insert(path, Some(Entry::File { mode, object: *object, size }));
        Ok(())
    }

    fn link(&mut self, path: &TreePath, target: &[u8]) -> Result<(), StoreError> {
        let target = String::from_utf8(target.to_vec()).ok();
        self.insert(path, target.map(|target| Entry::Link { target }));
        Ok(())
    }
}

impl From<Refusal> for RejectionCode {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::RepoNotAllowed => Self::RepoNotAllowed,
            Refusal::BranchMissing => Self::BranchMissing,
            Refusal::CommitNotFound => Self::CommitNotFound,
            Refusal::CommitNotOnBranch => Self::CommitNotOnBranch,
            Refusal::ProjectMissing => Self::ProjectMissing,
            Refusal::ProjectChanged => Self::ProjectChanged,
            Refusal::TooLarge => Self::TooLarge,
        }
    }
}
