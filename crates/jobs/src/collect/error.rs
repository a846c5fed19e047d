//! Why a job's outputs were not collected, and which reason code that is.
//! Spec jobs.md 4, 11.

use std::io;

use sandbox::folder::FolderError;

use crate::leave::NoLeave;
use crate::log::visible;
use crate::refusal::Unsafe;
use crate::store::StoreError;

/// Why nothing was collected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// A link, special file or bad name where an output is.
    #[error(transparent)]
    Unsafe(#[from] Unsafe),
    /// More files match than a job may have.
    #[error("more than {limit} files match the declared outputs; write fewer, larger files")]
    TooManyOutputs {
        /// `max_outputs`.
        limit: u64,
    },
    /// The matched files are too large together.
    #[error("the declared outputs have {bytes} bytes or more, above the limit of {limit} bytes")]
    TooManyBytes {
        /// Seen when it was given up.
        bytes: u64,
        /// `max_output_bytes`.
        limit: u64,
    },
    /// The workspace holds more than can be looked through.
    #[error("the workspace holds more than {limit} files and folders")]
    TooManyEntries {
        /// The limit.
        limit: u64,
    },
    /// One file could not be stored.
    #[error("`{}`: {source}", visible(path))]
    File {
        /// Its path.
        path: String,
        /// Why.
        source: StoreError,
    },
    /// One file could not be read back to be checked.
    #[error("`{}` could not be checked: {source}", visible(path))]
    Check {
        /// Its path.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The workspace cannot be read.
    #[error("the workspace cannot be read: {0}")]
    Folder(FolderError),
    /// The store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was stopped, or took too long.
    #[error(transparent)]
    NoLeave(#[from] NoLeave),
}

impl CollectError {
    /// The `reason` of `job_error` if the job's own doing is the cause and the result final; `None` if the machine is, and
    /// the collection is to be repeated (spec jobs.md 4, 8).
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Unsafe(_) => Some("unsafe_output"),
            Self::TooManyOutputs { .. } | Self::TooManyEntries { .. } => Some("too_many_outputs"),
            Self::TooManyBytes { .. } => Some("disk_limit"),
            Self::File { .. } | Self::Check { .. } | Self::Folder(_) | Self::Store(_) | Self::NoLeave(_) => None,
        }
    }
}

impl From<FolderError> for CollectError {
    fn from(error: FolderError) -> Self {
        match (Unsafe::from_folder(&error), &error) {
            (Some(refused), _) => Self::Unsafe(refused),
            (None, FolderError::TooMany { limit }) => Self::TooManyEntries { limit: *limit },
            _ => Self::Folder(error),
        }
    }
}
