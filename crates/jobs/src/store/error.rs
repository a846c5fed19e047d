//! What can go wrong with stored bytes, with the store's faults apart from the source's.
//! Spec jobs.md 8: a store that cannot write is retried, an object that is gone is the job's `missing_input`.

use std::io;
use std::path::PathBuf;

use sandbox::folder::FolderError;

use crate::ObjectId;

/// A failure of [`Store`](super::Store).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store's own folder cannot be made or opened.
    #[error("the store {} cannot be opened: {source}", path.display())]
    Open {
        /// The folder.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// An object is not there.
    #[error("stored bytes {id} are missing; run the action that made them again")]
    Missing {
        /// The object.
        id: ObjectId,
    },
    /// An object has other bytes than its name says.
    #[error("stored bytes {id} are damaged; run the action that made them again")]
    Damaged {
        /// The object.
        id: ObjectId,
    },
    /// What was to be stored cannot be read.
    #[error("cannot be read: {source}")]
    Read {
        /// The system's words.
        source: io::Error,
    },
    /// Bytes cannot be written, most often because the disk is full.
    #[error("cannot write: {source}")]
    Write {
        /// The system's words.
        source: io::Error,
    },
    /// A path was refused.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl StoreError {
    /// Whether the object itself is the cause: it is missing or damaged.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Damaged { .. })
    }
}
