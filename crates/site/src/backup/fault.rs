//! Why a backup cannot be made, trusted or put back.
//! Spec site.md 17.

use std::path::PathBuf;

use crate::audit::VerifyError;
use crate::facts::FactsError;
use crate::store::StoreError;

/// Why a backup cannot be made, trusted or put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to back up.
    #[error("there is no site in {}: name the folder of its data with --data", .0.display())]
    NoSite(PathBuf),
    /// The tables are of another version of this program.
    #[error(
        "the database of the site has version {stored}, this program makes backups of version {program}: use the program that serves the site"
    )]
    OtherVersion {
        /// Of the tables.
        stored: i64,
        /// Of this program.
        program: i64,
    },
    /// Somebody else is at it.
    #[error("another backup is being made or removed in {}: wait until it is done", .0.display())]
    Busy(PathBuf),
    /// A file or folder.
    #[error("cannot {what} {path}: {source}", path = path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A file of the site that no backup can hold.
    #[error("{path} cannot be in a backup: {why}", path = path.display())]
    Odd {
        /// Which.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// Files of mirrors came and went whenever they were looked at.
    #[error("the files below {} change too fast to be copied; try again when fewer repositories are fetched", .0.display())]
    Restless(PathBuf),
    /// There is no backup, or none of that name.
    #[error("there is no backup in {folder}{named}", folder = folder.display())]
    None {
        /// Where it was looked for.
        folder: PathBuf,
        /// ` called NAME`, or nothing.
        named: String,
    },
    /// A byte of it is not as it was written.
    #[error("the backup cannot be trusted: {path} {why}", path = path.display())]
    Damaged {
        /// The file that is wrong.
        path: PathBuf,
        /// How.
        why: String,
    },
    /// The place to restore into has something in it.
    #[error("{} is not empty: a backup is put back only where nothing can be lost", .0.display())]
    NotEmpty(PathBuf),
    /// The chain of facts.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] VerifyError),
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// For `map_err`: what was tried with which file.
pub(super) fn failed(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.into();
    move |source| BackupError::File { what, path, source }
}
