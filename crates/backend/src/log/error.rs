//! What can go wrong with the backend's own record, in words for its operator.
//! Spec protocol.md 4.1, 9 (e): none of it ever leaves.

use std::path::PathBuf;

use protocol::fact::chain::CannotAppend;
use protocol::text::ids::Ulid;
use protocol::text::whole::{Epoch, Seq};

/// A step that the log did not take. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The folder of state cannot be used.
    #[error("{path}: {source}; the folder `state` of the settings must exist, be writable and belong to this user")]
    Folder {
        /// What was touched.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process holds the file.
    #[error("{path} is held by another process of this backend: end that one first")]
    Held {
        /// The lock.
        path: PathBuf,
    },
    /// The file is not ours, or of a later program.
    #[error("{path} {what}; start the program that made it, or restore the file from a copy")]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// SQLite refused.
    #[error("backend.sqlite: {0}")]
    Database(#[from] sqlx::Error),
    /// A row is not what was once written.
    #[error("backend.sqlite is damaged: {what}; restore it from a copy and see `cloister backend new-epoch`")]
    Damaged {
        /// Which row.
        what: String,
    },
    /// A fact that may not be told.
    #[error("a fact of `{source_name}` cannot be told: {cause}")]
    Fact {
        /// Who told it.
        source_name: String,
        /// Why.
        cause: CannotAppend,
    },
    /// An answer so long that not even its parts fit.
    #[error("the answer of `{source_name}` does not fit into facts; refuse the request as `too_large`")]
    TooLarge {
        /// Who told it.
        source_name: String,
    },
    /// Applied is what was never stored.
    #[error("directive {0} was never received")]
    UnknownDirective(Ulid),
    /// A new epoch would continue where nothing was told.
    #[error("epoch {epoch} has no fact {seq}: a new epoch continues at a fact that is here")]
    NoPlace {
        /// The open epoch.
        epoch: Epoch,
        /// The place.
        seq: Seq,
    },
    /// The chain has not begun, or has: see [`Log::begin`](super::Log::begin).
    #[error("no epoch is open: the first fact of a chain opens one")]
    NotBegun,
}

impl LogError {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }
}
