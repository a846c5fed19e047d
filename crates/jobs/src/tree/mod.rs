//! The code part of a workspace: which file has which bytes, and how it is laid out for a job.
//! Spec jobs.md 10, 17, 18; sandbox.md 10; cli.md 4.3.

mod commit;
mod layout;
mod note;
mod snapshot;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use commit::{CommitTree, of_commit};
pub use layout::{Input, LayoutError, make_parents};
pub use note::Note;
pub use snapshot::{Snapshot, snapshot, survey};

use crate::ObjectId;

/// One entry of a tree; folders exist only through what they hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A regular file.
    File {
        /// 0o644, or 0o755 if its owner may execute it.
        mode: u32,
        /// Its bytes.
        object: ObjectId,
        /// Its size in bytes.
        size: u64,
    },
    /// A symbolic link; in a snapshot of a folder it stays inside the tree, in a commit it may lead anywhere.
    Link {
        /// Its text.
        target: String,
    },
}

/// All files and links of a folder by their path, `/` between segments. The order is that of the paths' bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tree {
    /// By path.
    pub entries: BTreeMap<String, Entry>,
}

impl Entry {
    /// The bytes of a file.
    pub fn object(&self) -> Option<ObjectId> {
        match self {
            Self::File { object, .. } => Some(*object),
            Self::Link { .. } => None,
        }
    }
}

impl Tree {
    /// The object at a path, if a file is there.
    pub fn object(&self, path: &str) -> Option<ObjectId> {
        self.entries.get(path).and_then(Entry::object)
    }
}
