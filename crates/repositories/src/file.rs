//! One file at a commit: project.yaml, action.yaml. Judged by its folder and its size before a byte of it is read.
//! Spec jobs.md 2 (`project_missing`, `project_changed`), 19, 23; sandbox.md 13 row 42.

use std::convert::Infallible;
use std::fmt;

use sha2::{Digest, Sha256};

use crate::objects::{Kind, Objects, Oid};
use crate::tree::{Mode, commit_tree, tree_object};
use crate::{BadTree, Commit, Error, Limits, ReadError, Refusal, TreePath};

/// The file at the root of a study that says what it does.
pub const PROJECT_FILE: &str = "project.yaml";
/// Its largest size, 8 MiB (spec jobs.md 23).
pub(crate) const LARGEST_PROJECT_FILE: u64 = 8 << 20;

/// What stands where a file must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name is its meaning")]
pub enum FileKind {
    Link,
    Folder,
    Submodule,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "a link",
            Self::Folder => "a folder",
            Self::Submodule => "a submodule",
        })
    }
}

/// Why a file at a commit is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Nothing is there: for project.yaml `project_missing`.
    #[error("commit {commit} has no file `{path}`; add it and push, or choose a commit that has it")]
    Absent {
        /// The commit.
        commit: Commit,
        /// The path.
        path: TreePath,
    },
    /// Something else is there: for project.yaml `project_missing`.
    #[error("`{path}` of commit {commit} is {kind}: a regular file must be there")]
    NotAFile {
        /// The commit.
        commit: Commit,
        /// The path, of the first segment that is in the way.
        path: TreePath,
        /// What is there.
        kind: FileKind,
    },
    /// Larger than allowed: `too_large`.
    #[error("`{path}` of commit {commit} has {size} bytes; at most {limit} are read")]
    TooLarge {
        /// The commit.
        commit: Commit,
        /// The path.
        path: TreePath,
        /// Its bytes.
        size: u64,
        /// The most that are read.
        limit: u64,
    },
    /// Other bytes than those the order was given for: `project_changed`.
    #[error("`{path}` of commit {commit} is not the one that was asked for (SHA-256 {found} instead of {expected})")]
    Changed {
        /// The commit.
        commit: Commit,
        /// The path.
        path: TreePath,
        /// Hexadecimal.
        found: String,
        /// Hexadecimal.
        expected: String,
    },
    /// The commit, the mirror or this machine.
    #[error(transparent)]
    Tree(ReadError<Infallible>),
}

impl FileError {
    /// The code with which a request is refused whose project.yaml this is; `None` as for [`Error::refusal`]. A commit whose
    /// folders cannot be read has no project.yaml either.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Absent { .. } | Self::NotAFile { .. } => Some(Refusal::ProjectMissing),
            Self::TooLarge { .. } => Some(Refusal::TooLarge),
            Self::Changed { .. } => Some(Refusal::ProjectChanged),
            Self::Tree(ReadError::BadCommit { .. }) => Some(Refusal::ProjectMissing),
            Self::Tree(ReadError::TooLarge { .. }) => Some(Refusal::TooLarge),
            Self::Tree(ReadError::Repository(error)) => error.refusal(),
            Self::Tree(ReadError::Sink(never)) => match *never {},
        }
    }
}

impl From<Error> for FileError {
    fn from(error: Error) -> Self {
        Self::Tree(error.into())
    }
}

/// project.yaml at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFile {
    /// Its bytes, as stored.
    pub bytes: Vec<u8>,
    /// Their SHA-256.
    pub sha256: [u8; 32],
    commit: Commit,
}

impl ProjectFile {
    pub(crate) fn new(commit: Commit, bytes: Vec<u8>) -> Self {
        Self { sha256: Sha256::digest(&bytes).into(), bytes, commit }
    }

    /// Whether these are the bytes that an order names.
    ///
    /// # Errors
    /// `Changed` if not.
    pub fn expect(self, sha256: [u8; 32]) -> Result<Self, FileError> {
        if self.sha256 == sha256 {
            return Ok(self);
        }
        let hex = |hash: &[u8]| data_encoding::HEXLOWER.encode(hash);
        Err(FileError::Changed {
            commit: self.commit,
            path: TreePath::root().join(PROJECT_FILE.as_bytes()),
            found: hex(&self.sha256),
            expected: hex(&sha256),
        })
    }
}

/// The bytes of one regular file.
pub(crate) fn read_file(objects: &mut Objects, commit: Commit, path: &str, limit: u64) -> Result<Vec<u8>, FileError> {
    let mut folder = commit_tree(objects, commit).map_err(FileError::Tree)?;
    let mut at = TreePath::root();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let most = Limits::BACKEND.files.saturating_mul(2);
        let entries = tree_object(objects, commit, &at, folder, most).map_err(FileError::Tree)?;
        at = at.join(segment.as_bytes());
        let Some(entry) = entries.into_iter().find(|entry| entry.name == segment.as_bytes()) else {
            return Err(FileError::Absent { commit, path: at });
        };
        let kind = match (entry.mode, segments.peek()) {
            (Mode::File { .. }, None) => return blob(objects, commit, at, entry.id, limit),
            (Mode::Folder, Some(_)) => {
                folder = entry.id;
                continue;
            }
            (Mode::File { .. }, Some(_)) => return Err(FileError::Absent { commit, path: at }),
            (Mode::Folder, None) => FileKind::Folder,
            (Mode::Link, _) => FileKind::Link,
            (Mode::Submodule, _) => FileKind::Submodule,
        };
        return Err(FileError::NotAFile { commit, path: at, kind });
    }
    Err(FileError::Absent { commit, path: at })
}

fn blob(objects: &mut Objects, commit: Commit, path: TreePath, id: Oid, limit: u64) -> Result<Vec<u8>, FileError> {
    match objects.whole(id, limit)? {
        Ok((Kind::Blob, bytes)) => Ok(bytes),
        Ok(_) => Err(FileError::Tree(ReadError::BadCommit { commit, path, why: BadTree::WrongKind })),
        Err(size) => Err(FileError::TooLarge { commit, path, size, limit }),
    }
}
