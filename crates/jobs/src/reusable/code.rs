//! The code of a reusable action: its repository's tree and nothing of the study's.
//! Spec project-yaml.md 9; jobs.md 17 (the tree the action gets), 20, 23.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::Arc;

use pipeline::{Action, Project, ReusableAction, RuntimeRef};
use repositories::{Limits, ReadError, TreePath, TreeSink};

use super::{Found, NotFound};
use crate::ObjectId;
use crate::local::code_tree;
use crate::provenance::CodeTree;
use crate::store::{Store, hash_of};
use crate::tree::{CommitTree, Entry, Note, Tree, of_commit};

/// The code that a job gets.
#[derive(Debug, Clone)]
pub struct ActionCode {
    /// git's name of the tree.
    pub tree_id: String,
    /// All of it.
    pub tree: Arc<Tree>,
    /// The same, as it counts in run keys.
    pub code: CodeTree,
    /// What the job does not see, or sees otherwise than the author may think.
    pub notes: Vec<Note>,
}

/// The code of each reusable action, by `name:tag`.
pub type ActionCodes = BTreeMap<RuntimeRef, ActionCode>;

/// What is known of the reusable actions of a project.
#[derive(Debug, Clone, Default)]
pub struct Reusable {
    /// The code of those that were found.
    pub codes: ActionCodes,
    /// Those that were not: nothing is known of what they would run.
    pub unknown: BTreeSet<RuntimeRef>,
}

impl Reusable {
    /// The code of what was found, stored so that jobs can be given it.
    ///
    /// # Errors
    /// The first whose code cannot be used, with why.
    pub fn stored<'f>(
        found: impl IntoIterator<Item = &'f Found>,
        unknown: BTreeSet<RuntimeRef>,
        store: &Store,
    ) -> Result<Self, (RuntimeRef, NotFound)> {
        Self::with(found, unknown, |found| found.store(&Limits::BACKEND, store))
    }

    /// The same for a look: nothing is stored.
    ///
    /// # Errors
    /// As [`Reusable::stored`].
    pub fn surveyed<'f>(
        found: impl IntoIterator<Item = &'f Found>,
        unknown: BTreeSet<RuntimeRef>,
    ) -> Result<Self, (RuntimeRef, NotFound)> {
        Self::with(found, unknown, |found| found.survey(&Limits::BACKEND))
    }

    fn with<'f>(
        found: impl IntoIterator<Item = &'f Found>,
        unknown: BTreeSet<RuntimeRef>,
        read: impl Fn(&Found) -> Result<ActionCode, NotFound>,
    ) -> Result<Self, (RuntimeRef, NotFound)> {
        let mut codes = ActionCodes::new();
        for found in found {
            let reference = found.action.reference.clone();
            match read(found) {
                Ok(code) => drop(codes.insert(reference, code)),
                Err(error) => return Err((reference, error)),
            }
        }
        Ok(Self { codes, unknown })
    }

    /// The code of an action, if it is not the study's.
    pub fn code_of(&self, action: &Action) -> Option<&ActionCode> {
        self.codes.get(&action.reusable.as_ref()?.reference)
    }

    /// Whether nothing is known of what an action would run.
    pub(crate) fn is_unknown(&self, action: &Action) -> bool {
        action.reusable.is_none() && self.unknown.contains(&action.runtime)
    }
}

impl Found {
    /// Reads its code into `store`.
    ///
    /// # Errors
    /// The tree cannot be used (P804), or this machine refuses.
    pub fn store(&self, limits: &Limits, store: &Store) -> Result<ActionCode, NotFound> {
        let CommitTree { tree, tree_id, notes } = of_commit(&self.commit, limits, store).map_err(unusable)?;
        Ok(ActionCode { tree_id, code: code_tree(&tree), tree: Arc::new(tree), notes })
    }

    /// Only hashes it: nothing can be laid out from what this gives.
    ///
    /// # Errors
    /// As [`Found::store`].
    pub fn survey(&self, limits: &Limits) -> Result<ActionCode, NotFound> {
        let mut sink = Hashing::default();
        let summary = self.commit.read_tree(limits, &mut sink).map_err(unusable)?;
        let tree = sink.0;
        Ok(ActionCode { tree_id: summary.tree_id, code: code_tree(&tree), tree: Arc::new(tree), notes: Vec::new() })
    }
}

fn unusable<E: std::fmt::Display>(error: ReadError<E>) -> NotFound {
    match error {
        ReadError::BadCommit { .. } | ReadError::TooLarge { .. } => {
            pipeline::ReusableFault::NoActionFile { why: error.to_string() }.into()
        }
        other => NotFound::Machine(other.to_string()),
    }
}

/// The project as it runs, by what was found.
pub fn expand<'f>(project: &Project, found: impl IntoIterator<Item = &'f Found>) -> Project {
    let known: BTreeMap<RuntimeRef, ReusableAction> =
        found.into_iter().map(|found| (found.action.reference.clone(), found.action.clone())).collect();
    project.with_reusable(&known)
}

/// Takes a tree without keeping a byte of it.
#[derive(Default)]
struct Hashing(Tree);

impl TreeSink for Hashing {
    type Stored = ObjectId;
    type Error = io::Error;

    fn store(&mut self, _size: u64, mut bytes: &mut dyn Read) -> io::Result<ObjectId> {
        hash_of(&mut bytes)
    }

    fn file(&mut self, path: &TreePath, executable: bool, size: u64, object: &ObjectId) -> io::Result<()> {
        let mode = if executable { 0o755 } else { 0o644 };
        let entry = Entry::File { mode, object: *object, size };
        self.0.entries.extend(path.as_str().map(|path| (path.to_owned(), entry)));
        Ok(())
    }

    fn link(&mut self, path: &TreePath, target: &[u8]) -> io::Result<()> {
        let target = String::from_utf8(target.to_vec()).ok().map(|target| Entry::Link { target });
        self.0.entries.extend(path.as_str().zip(target).map(|(path, entry)| (path.to_owned(), entry)));
        Ok(())
    }
}
