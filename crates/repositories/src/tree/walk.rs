//! Listing a whole tree, level by level, each tree object read once however often it is named.
//! Spec jobs.md 23: stops at the limit, so that a tree that names itself a million times costs no more than a full one.

use std::collections::HashMap;
use std::rc::Rc;

use crate::objects::{Kind, Objects, Oid};
use crate::{BadTree, Commit, Error, Limits, ReadError, TreeLimit};

use super::parse::{Entry, Mode, Refused, parse};
use super::{TreePath, TreeSummary};

/// Longest path that a program can open, in bytes.
const LONGEST_PATH: usize = 4095;
/// Bytes of all paths of a tree: what holds them in memory must not grow with their depth.
const ALL_PATHS: usize = 64 << 20;
/// Largest tree object that is read: 200,000 entries with the longest names.
const LARGEST_TREE: u64 = 60 << 20;
/// Largest commit object: all of it but one line is prose.
const LARGEST_COMMIT: u64 = 16 << 20;

/// The tree of a commit.
pub(crate) fn commit_tree<E>(objects: &mut Objects, commit: Commit) -> Result<Oid, ReadError<E>> {
    let bad = |why| ReadError::BadCommit { commit, path: TreePath::root(), why };
    let (kind, bytes) = objects.whole(commit.oid(), LARGEST_COMMIT)?.map_err(|_| bad(BadTree::Malformed))?;
    if kind != Kind::Commit {
        return Err(bad(BadTree::WrongKind));
    }
    let tree =
        bytes.strip_prefix(b"tree ").and_then(|rest| rest.get(..40)).and_then(|hex| std::str::from_utf8(hex).ok());
    let tree = tree.and_then(|hex| hex.parse::<Commit>().ok()).ok_or_else(|| bad(BadTree::Malformed))?;
    Ok(tree.oid())
}

/// One tree object at a path.
pub(crate) fn tree_object<E>(
    objects: &mut Objects,
    commit: Commit,
    path: &TreePath,
    id: Oid,
    most: u64,
) -> Result<Vec<Entry>, ReadError<E>> {
    let too_many = || ReadError::TooLarge { commit, path: path.clone(), limit: TreeLimit::Entries(most) };
    let (kind, raw) = objects.whole(id, LARGEST_TREE)?.map_err(|_| too_many())?;
    if kind != Kind::Tree {
        return Err(ReadError::BadCommit { commit, path: path.clone(), why: BadTree::WrongKind });
    }
    parse(&raw, most).map_err(|refused| match refused {
        Refused::TooMany => too_many(),
        Refused::Bad(name, why) => {
            let path = if name.is_empty() && why == BadTree::Malformed { path.clone() } else { path.join(&name) };
            ReadError::BadCommit { commit, path, why }
        }
    })
}

/// A file or link of the list.
pub(super) struct Leaf {
    pub(super) path: TreePath,
    pub(super) mode: Mode,
    /// Index of its bytes in `blobs`.
    pub(super) blob: usize,
}

/// A whole tree without its bytes.
#[derive(Default)]
pub(super) struct List {
    pub(super) leaves: Vec<Leaf>,
    pub(super) blobs: Vec<Oid>,
    pub(super) summary: TreeSummary,
    known: HashMap<Oid, usize>,
    paths: usize,
    folders: u64,
}

pub(super) fn list<E>(objects: &mut Objects, commit: Commit, limits: &Limits) -> Result<List, ReadError<E>> {
    let root = commit_tree(objects, commit)?;
    let mut list = List::default();
    list.summary.tree_id = root.to_string();
    let mut trees: HashMap<Oid, Rc<[Entry]>> = HashMap::new();
    let mut level = vec![(TreePath::root(), root)];
    while !level.is_empty() {
        let mut below = Vec::new();
        for (folder, id) in &level {
            let entries = match trees.get(id) {
                Some(known) => Rc::clone(known),
                None => {
                    // Folders count apart from files, so a tree may hold as many of each.
                    let read = tree_object(objects, commit, folder, *id, limits.files.saturating_mul(2))?;
                    let read: Rc<[Entry]> = read.into();
                    trees.insert(*id, Rc::clone(&read));
                    read
                }
            };
            for entry in entries.iter() {
                let path = folder.join(&entry.name);
                if let Some(limit) = list.add(&path, entry, limits) {
                    return Err(ReadError::TooLarge { commit, path, limit });
                }
                match entry.mode {
                    Mode::Folder => below.push((path, entry.id)),
                    Mode::Submodule => list.summary.submodules.push(path),
                    mode => {
                        let next = list.blobs.len();
                        let blob = *list.known.entry(entry.id).or_insert(next);
                        if blob == next {
                            list.blobs.push(entry.id);
                        }
                        list.leaves.push(Leaf { path, mode, blob });
                    }
                }
            }
        }
        level = below;
    }
    Ok(list)
}

impl List {
    /// Counts an entry; answers with the limit that it passes.
    fn add(&mut self, path: &TreePath, entry: &Entry, limits: &Limits) -> Option<TreeLimit> {
        let length = path.as_bytes().len();
        self.paths += length;
        let counted = match entry.mode {
            Mode::Folder => {
                self.folders += 1;
                self.folders
            }
            _ => (self.leaves.len() + self.summary.submodules.len()) as u64 + 1,
        };
        if counted > limits.files {
            Some(TreeLimit::Entries(limits.files))
        } else if length > LONGEST_PATH {
            Some(TreeLimit::Path(LONGEST_PATH))
        } else if self.paths > ALL_PATHS {
            Some(TreeLimit::Paths(ALL_PATHS))
        } else {
            None
        }
    }
}

/// The mirror's errors as those of reading.
pub(super) fn missing<E>(objects: &Objects, id: Oid) -> ReadError<E> {
    let error: Error = objects.damaged(format!("object {id} is missing"));
    error.into()
}
