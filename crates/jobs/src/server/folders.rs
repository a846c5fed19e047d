//! The folders of a backend: what only the service sees, what reviewers see, and its own records.
//! Spec jobs.md 13.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use sandbox::folder::FolderError;
use serde::{Deserialize, Serialize};

use crate::lock::{Lock, NoLock};
use crate::state::StateError;
use crate::store::StoreError;

/// Why a backend's folders cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another process runs it.
    #[error(
        "another process is running this backend{}; stop it, or wait for it",
        process.map(|id| format!(" (process {id})")).unwrap_or_default()
    )]
    Locked {
        /// Who.
        process: Option<u32>,
    },
    /// No backend ever ran with this state folder.
    #[error("{}: no backend has run here; name the `state` folder of its settings", .0.display())]
    NotThere(PathBuf),
    /// A file of ours.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder of ours.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The records cannot be opened, and there is a copy of them.
    #[error("{source}\nThe newest copy is {}: stop everything, put it in the place of {}, and start again", snapshot.display(), records.display())]
    Damaged {
        /// Why not.
        source: StateError,
        /// The newest copy.
        snapshot: PathBuf,
        /// Where it belongs.
        records: PathBuf,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ServerError {
    /// The records of these folders cannot be opened.
    pub(super) fn of_records(source: StateError, folders: &Folders) -> Self {
        let copies = folders.state.join("snapshots");
        match (&source, super::upkeep::snapshots(&copies).pop()) {
            (StateError::Open { .. } | StateError::Altered { .. } | StateError::NotOurs { .. }, Some(newest)) => {
                Self::Damaged { source, snapshot: copies.join(newest), records: folders.records() }
            }
            _ => Self::State(source),
        }
    }

    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// Where a backend keeps things. They may be on different file systems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folders {
    /// Records.
    pub state: PathBuf,
    /// Outputs of all levels, logs, objects: readable by the service alone.
    pub high: PathBuf,
    /// Moderately sensitive outputs: readable by reviewers too.
    pub medium: PathBuf,
}

impl Folders {
    /// The file that says where the other folders are, for an operator who names only `state`.
    const PLACES: &'static str = "places.json";

    pub(super) fn make(&self) -> Result<(), ServerError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o750);
        for folder in [&self.state, &self.high.join("workspaces"), &self.volumes(), &self.medium.join("workspaces")] {
            builder.create(folder).map_err(ServerError::io(folder))?;
        }
        let path = self.state.join(Self::PLACES);
        let text = serde_json::to_vec(self).map_err(|error| ServerError::io(&path)(error.into()))?;
        let temporary = self.state.join("places.json.tmp");
        std::fs::write(&temporary, text)
            .and_then(|()| std::fs::rename(&temporary, &path))
            .map_err(ServerError::io(&path))
    }

    /// Those of the backend whose records are in `state`.
    ///
    /// # Errors
    /// None ever ran with it.
    pub fn of_state(state: &Path) -> Result<Self, ServerError> {
        let path = state.join(Self::PLACES);
        let text = std::fs::read(&path).map_err(|_| ServerError::NotThere(state.to_owned()))?;
        let mut folders: Self = serde_json::from_slice(&text).map_err(|error| ServerError::io(&path)(error.into()))?;
        folders.state = state.to_owned();
        Ok(folders)
    }

    pub(super) fn take_lock(&self) -> Result<Lock, ServerError> {
        let path = self.lock();
        Lock::take(&path).map_err(|error| match error {
            NoLock::Held { process } => ServerError::Locked { process },
            NoLock::Io(source) => ServerError::io(&path)(source),
        })
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.state.join("jobs.lock")
    }

    /// The file of requests, jobs and attempts.
    pub fn records(&self) -> PathBuf {
        self.state.join("state.sqlite")
    }

    /// Where operators' commands ring when they have changed the records.
    pub fn bell(&self) -> PathBuf {
        self.state.join("bell")
    }

    /// Bare mirrors of repositories.
    pub fn mirrors(&self) -> PathBuf {
        self.state.join("repos")
    }

    pub(crate) fn volumes(&self) -> PathBuf {
        self.high.join("volumes")
    }

    /// The folder of a job's log and metadata, by the month in which it was made, in UTC.
    pub(crate) fn log_of(created_at: i64, job: &str) -> String {
        let at = jiff::Timestamp::from_second(created_at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        format!("{}/os-job-{job}", at.strftime("%Y-%m"))
    }
}
