//! A project folder opened for running: locked, with its state and store.
//! Spec cli.md 4.2 (step 2), 4.3; jobs.md 18.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pipeline::{ActionName, Project};
use sandbox::folder::{FolderError, Kind, SafeFolder};

use super::OutputPaths;
use super::publisher::{ProjectFolder, make_metadata};
use super::snapshots::{held_by_snapshots, newest_snapshot};
use crate::WorkspaceName;
use crate::engine::{NoRules, RunSettings, Workshop};
use crate::lock::{Lock, NoLock};
use crate::publish::open_project;
use crate::state::{State, StateError};
use crate::store::{Durability, Freed, Store, StoreError};
use crate::tree::{Snapshot, Tree, snapshot, survey};

/// Why a project folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// Somebody else runs it.
    #[error(
        "another `cloister` is running in this folder{}. Wait for it, or stop it, and try again",
        process.map(|id| format!(" (process {id})")).unwrap_or_default()
    )]
    Locked {
        /// Who.
        process: Option<u32>,
    },
    /// A link or file where the metadata folder must be, or a folder that cannot be written.
    #[error("the project folder: {0}")]
    Folder(#[from] FolderError),
    /// A file of ours.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The state cannot be opened, and there is a copy of it.
    #[error("{source}\nThere is a snapshot, {snapshot}: `cloister backend restore` puts it in place")]
    Damaged {
        /// Why not.
        source: StateError,
        /// The newest copy.
        snapshot: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A thread of this program broke.
    #[error("a fault of this program: {0}")]
    Fault(String),
}

impl LocalError {
    pub(super) fn of_state(source: StateError, places: &Places) -> Self {
        match (&source, newest_snapshot(places)) {
            (StateError::Open { .. } | StateError::Altered { .. } | StateError::NotOurs { .. }, Some(snapshot)) => {
                Self::Damaged { source, snapshot }
            }
            _ => Self::State(source),
        }
    }

    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// Where the state is, below the project folder.
const STATE: &str = "metadata/cloister/state.sqlite";

/// The files of a project folder that are ours.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) project: PathBuf,
    pub(super) home: PathBuf,
    /// Where sandboxes of this project live: never inside it, because what comes with a repository, or belongs to another
    /// user, must not be taken for ours.
    runs: PathBuf,
}

/// The folder of a project's sandboxes below `runs`: its name for people, its path's hash for us.
pub fn runs_of(runs: &Path, project: &Path) -> PathBuf {
    let hash = crate::ObjectId::of(project.as_os_str().as_bytes()).hex();
    let name = project.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(40).collect();
    runs.join(format!("{name}-{}", &hash[..16]))
}

impl Places {
    pub(super) fn of(project: &Path, runs: &Path) -> Result<Self, LocalError> {
        let project = project.canonicalize().map_err(LocalError::io(project))?;
        let home = project.join("metadata/cloister");
        let runs = runs_of(runs, &project);
        Ok(Self { project, home, runs })
    }

    /// The places of a project in which something ran before, with its folder; `None` of any other.
    pub(super) fn of_past(project: &Path, runs: &Path) -> Result<Option<(Self, SafeFolder)>, LocalError> {
        let places = Self::of(project, runs)?;
        let folder = open_project(&places.project)?;
        places.check(&folder)?;
        Ok(folder.stat(STATE)?.is_some().then_some((places, folder)))
    }

    /// Makes the folders of sandboxes, for this user alone, and refuses what somebody else made.
    pub(super) fn make_runs(&self) -> Result<(), LocalError> {
        use std::os::unix::fs::{DirBuilderExt, MetadataExt};
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        for folder in [self.volumes(), self.kept()] {
            builder.create(&folder).map_err(LocalError::io(&folder))?;
        }
        for folder in [self.runs.clone(), self.volumes(), self.kept()] {
            let about = folder.symlink_metadata().map_err(LocalError::io(&folder))?;
            if !about.is_dir() || about.uid() != rustix::process::geteuid().as_raw() || about.mode() & 0o022 != 0 {
                let source = io::Error::other("somebody else can write there; remove it");
                return Err(LocalError::Io { path: folder, source });
            }
        }
        Ok(())
    }

    /// The state's own files are plain ones or absent, and so are the folders on the way.
    ///
    /// # Errors
    /// A link or another thing in the place of one of them: it may have come with the repository.
    pub(super) fn check(&self, folder: &SafeFolder) -> Result<(), LocalError> {
        let ours =
            ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"].map(|name| format!("metadata/cloister/{name}"));
        for path in ours.into_iter().chain(["metadata/cloister.lock".to_owned()]) {
            match folder.stat(&path)? {
                None => {}
                Some(found) if found.kind == Kind::File => {}
                Some(_) => return Err(FolderError::Link { path: path.into() }.into()),
            }
        }
        Ok(())
    }
    /// Removes what SQLite would take for the journal of a write that was cut off: it plays such a file back, and removes a
    /// second file that it names. Ours is always a write-ahead log, except for the moment in which it is made one: so only
    /// who holds the lock may say that a journal is not ours.
    pub(super) fn forget_journal(&self, folder: &SafeFolder) -> Result<(), LocalError> {
        if folder.stat("metadata/cloister/state.sqlite-journal")?.is_some() {
            folder.remove("metadata/cloister/state.sqlite-journal").map_err(|error| error.first)?;
        }
        Ok(())
    }

    /// As [`Places::forget_journal`], for those who work beside a run. While one goes on it has done so itself.
    pub(super) fn forget_journal_unless_running(&self, folder: &SafeFolder) -> Result<(), LocalError> {
        match self.take_lock() {
            Ok(_held) => self.forget_journal(folder),
            Err(LocalError::Locked { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) fn take_lock(&self) -> Result<Lock, LocalError> {
        Lock::take(&self.lock()).map_err(|error| match error {
            NoLock::Held { process } => LocalError::Locked { process },
            NoLock::Io(source) => LocalError::io(&self.lock())(source),
        })
    }
    pub(super) fn lock(&self) -> PathBuf {
        self.project.join("metadata/cloister.lock")
    }
    pub(super) fn state(&self) -> PathBuf {
        self.home.join("state.sqlite")
    }
    pub(super) fn volumes(&self) -> PathBuf {
        self.runs.join("volumes")
    }
    pub(super) fn snapshots(&self) -> PathBuf {
        self.home.join("snapshots")
    }
    pub(super) fn bell(&self) -> PathBuf {
        self.runs.join("bell")
    }
    pub(super) fn kept(&self) -> PathBuf {
        self.runs.join("kept")
    }
}

/// A job has eight descriptions; twice that may be kept for each one that counts.
const COMPONENTS_PER_JOB: usize = 16;

/// A project folder that this process runs.
pub struct Study {
    pub(super) shop: Arc<Workshop>,
    pub(super) folder: SafeFolder,
    pub(super) places: Places,
    pub(super) workspace: WorkspaceName,
    _lock: Lock,
}

impl Study {
    /// Takes the lock and opens, or begins, state and store. Call [`Study::recover`] next. `runs` is a folder of this user
    /// outside any project, for the sandboxes of all of them; with `keep_volumes` they stay there for a look.
    ///
    /// # Errors
    /// Another process has the lock; the folder, state or store cannot be used.
    pub async fn open(
        project: &Path,
        runs: &Path,
        runtime: Arc<dyn sandbox::Runtime>,
        mut settings: RunSettings,
        keep_volumes: bool,
    ) -> Result<Self, LocalError> {
        let places = Places::of(project, runs)?;
        let folder = open_project(&places.project)?;
        make_metadata(&folder)?;
        places.check(&folder)?;
        places.make_runs()?;
        settings.keep_volumes = keep_volumes.then(|| places.kept());
        let lock = places.take_lock()?;
        places.forget_journal(&folder)?;
        let state = State::open(&places.state()).await.map_err(|source| LocalError::of_state(source, &places))?;
        let owner = folder.found()?;
        let store = Store::open(&places.home, Durability::Kill)?;
        let privileged = rustix::process::geteuid().is_root() && owner.uid != 0;
        let store = if privileged { store.with_owner(owner.uid, owner.gid) } else { store };
        let name = places.project.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let publisher = ProjectFolder::new(folder.try_clone()?, name);
        let shop = Workshop {
            state,
            store,
            runtime,
            volumes: places.volumes(),
            settings,
            publisher: Arc::new(publisher),
            admission: Arc::new(NoRules),
        };
        let workspace = WorkspaceName::local();
        let study = Self { shop: Arc::new(shop), folder, places, workspace, _lock: lock };
        // Also when the run ends early, its owner must be able to go on.
        give_to_owner(&study.folder, &study.places.home)?;
        Ok(study)
    }

    /// The code as it is now, stored so that jobs can be given it.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn snapshot(&self, project: &Project) -> Result<Snapshot, LocalError> {
        let outputs = OutputPaths::of(project);
        Ok(snapshot(&self.places.project, &|path| outputs.contains(path), &self.shop.store)?)
    }

    /// What jobs run in.
    pub fn workshop(&self) -> &Arc<Workshop> {
        &self.shop
    }

    /// Where the engine of this study listens for changes by others.
    pub fn bell(&self) -> PathBuf {
        self.places.bell()
    }

    /// What is known of earlier runs.
    pub fn view(&self) -> StudyView<'_> {
        StudyView { state: Some(&self.shop.state), folder: &self.folder, workspace: &self.workspace, runs: true }
    }

    /// Removes objects that nothing needs any more: what is not in `tree` and not an output of the newest run or the
    /// newest success of one of these actions (spec cli.md 13).
    ///
    /// # Errors
    /// State or store cannot be read or written.
    pub async fn tidy(&self, project: &Project, tree: &Tree) -> Result<Freed, LocalError> {
        let names: Vec<&ActionName> = project.actions.iter().map(|action| &action.name).collect();
        let latest = self.shop.state.latest_jobs(&self.workspace, names.iter().copied()).await?;
        let ended = self.shop.state.latest_ended_jobs(&self.workspace, names.iter().copied()).await?;
        let past = self.shop.state.history(&self.workspace, names).await?;
        let jobs: BTreeSet<_> = latest
            .rows
            .values()
            .chain(ended.rows.values())
            .map(|row| row.job)
            .chain(past.values().map(|p| p.job))
            .collect();
        let jobs: Vec<_> = jobs.into_iter().collect();
        // Forgetting looks at every job there ever was, so it waits until it is worth it.
        if self.shop.state.components_held().await? > COMPONENTS_PER_JOB * jobs.len() + 64 {
            self.shop.state.forget_components(&jobs).await?;
        }
        let mut keep: HashSet<_> = tree.entries.keys().filter_map(|path| tree.object(path)).collect();
        keep.extend(self.shop.state.outputs_of(&jobs).await?.into_values().flatten().map(|output| output.object));
        let read = self.shop.state.components_of(&jobs).await?;
        keep.extend(read.values().flat_map(|components| components.inputs.iter().map(|input| input.object)));
        keep.extend(held_by_snapshots(&self.places).await?);
        let shop = self.shop.clone();
        let freed = tokio::task::spawn_blocking(move || shop.store.gc(&keep)).await;
        Ok(freed.map_err(|fault| LocalError::Fault(fault.to_string()))??)
    }

    /// Leaves everything in order: the state in one file, all files with the owner of the project folder.
    ///
    /// # Errors
    /// The state or the folder cannot be written.
    pub async fn close(self) -> Result<(), LocalError> {
        give_to_owner(&self.folder, &self.places.home)?;
        match Arc::try_unwrap(self.shop) {
            Ok(shop) => Ok(shop.state.close().await?),
            // Somebody still looks; nothing is lost by leaving the log of the state beside it.
            Err(_) => Ok(()),
        }
    }
}

/// Gives files that a privileged process made to the owner of the project folder: SQLite makes them as it goes.
pub(super) fn give_to_owner(folder: &SafeFolder, home: &Path) -> Result<(), LocalError> {
    let owner = folder.found()?;
    if owner.uid == 0 || !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let below = folder.folder("metadata")?;
    let files = ["cloister.lock", "cloister/state.sqlite", "cloister/state.sqlite-wal", "cloister/state.sqlite-shm"];
    for file in files {
        match below.open(file) {
            Ok(file) => {
                let ids = (Some(owner.uid), Some(owner.gid));
                std::os::unix::fs::fchown(&file, ids.0, ids.1).map_err(LocalError::io(home))?;
            }
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What planning reads of a project folder; also without a lock, for commands that write nothing.
#[derive(Clone, Copy)]
pub struct StudyView<'a> {
    /// `None` if nothing ever ran here.
    pub state: Option<&'a State>,
    /// The project folder.
    pub folder: &'a SafeFolder,
    /// The workspace.
    pub workspace: &'a WorkspaceName,
    /// Whether a process runs this folder now. If none does, jobs that are pending or running were left by a dead one and
    /// count as cancelled, which the next run makes them.
    pub runs: bool,
}

/// A project folder opened only to look.
pub struct Look {
    state: Option<State>,
    folder: SafeFolder,
    places: Places,
    workspace: WorkspaceName,
}

impl Look {
    /// Opens what is there; makes and changes nothing.
    ///
    /// # Errors
    /// The folder or the state cannot be read.
    pub async fn at(project: &Path) -> Result<Self, LocalError> {
        let places = Places::of(project, Path::new("/"))?;
        let folder = SafeFolder::at(&places.project)?;
        places.check(&folder)?;
        let there = folder.stat(STATE)?.is_some();
        let state = if there { State::open_to_read(&places.state()).await? } else { None };
        Ok(Self { state, folder, places, workspace: WorkspaceName::local() })
    }

    /// The code as it is now; nothing is stored.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn survey(&self, project: &Project) -> Result<Snapshot, LocalError> {
        let outputs = OutputPaths::of(project);
        Ok(survey(&self.places.project, &|path| outputs.contains(path))?)
    }

    /// What is known of earlier runs.
    pub fn view(&self) -> StudyView<'_> {
        let runs = Lock::is_held(&self.places.lock());
        StudyView { state: self.state.as_ref(), folder: &self.folder, workspace: &self.workspace, runs }
    }
}
