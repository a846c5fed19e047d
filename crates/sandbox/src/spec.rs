//! What a run is given and how it ended: plain data that both sides of the supervisor share.
//! Spec sandbox.md 3, 5, 6, 12.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The name of one run, unique for ever on a machine: an attempt id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunName(pub String);

/// Where a run's programs come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Root {
    /// The machine's own system folders, read-only (no home, no secrets of /etc), and what else is named.
    Host {
        /// Folders bound read-only at their own path: a native environment, an interpreter's prefix, the program itself.
        prefixes: Vec<PathBuf>,
        /// Trees laid over the system folders, first one uppermost: `{tree}/usr` over `/usr`, `{tree}/etc/X` over `/etc/X`.
        overlays: Vec<PathBuf>,
    },
    /// An unpacked root file system.
    Folder(PathBuf),
}

/// Limits of one run (spec sandbox.md 6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes, /dev/shm included.
    pub memory: u64,
    /// Whole cores.
    pub cpus: u32,
    /// Processes and threads.
    pub processes: u32,
    /// Bytes of workspace and temporary files.
    pub disk: u64,
    /// Files and folders made.
    pub files: u64,
    /// Wall-clock time of the running machine; `None`: no limit.
    pub time: Option<Duration>,
    /// Bytes of log kept: first and last halves, the cut is marked.
    pub log: u64,
}

/// Everything about one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Unique name.
    pub name: RunName,
    /// Programs.
    pub root: Root,
    /// Program and arguments; the program is looked up in the `PATH` of `env`, never in the workspace.
    pub argv: Vec<String>,
    /// The whole environment of the run; nothing is inherited.
    pub env: Vec<(String, String)>,
    /// The folder of this run: `workspace/` (becomes `/workspace`), `tmp/`, and the supervisor's own files
    /// (`spec.json`, `log`, `exit.json`, `lock`).
    pub folder: PathBuf,
    /// Limits.
    pub limits: Limits,
    /// TERM to KILL.
    pub grace: Duration,
    /// The least isolation that is acceptable.
    pub isolation: super::IsolationLevel,
    /// A laptop's run ends with the process that started it; a backend's goes on.
    pub die_with_parent: bool,
}

/// Which limit ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Time.
    Time,
    /// Disk bytes, or files and folders.
    Disk,
}

/// Why the supervisor ended a run, if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitHit {
    /// It did not.
    None,
    /// A limit.
    Limit(Limit),
    /// `stop` was called, or the parent is gone.
    Stopped,
}

/// Whether memory ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutOfMemory {
    /// The run was ended for its memory.
    Yes,
    /// It was not.
    No,
    /// This machine cannot tell.
    Unknown,
}

/// Resources used, exact at exit.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// User and system time.
    pub cpu_seconds: f64,
    /// Highest sum over all processes.
    pub peak_memory: u64,
    /// Highest number of processes and threads seen.
    pub peak_processes: u32,
}

/// How a run ended; written by the supervisor, never by the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exit {
    /// Of the main process; 128 + n for signal n.
    pub code: i32,
    /// The signal, if one ended it.
    pub signal: Option<i32>,
    /// Whether the run as a whole was ended for memory.
    pub out_of_memory: OutOfMemory,
    /// Children killed for memory while the main process went on.
    pub children_out_of_memory: u32,
    /// Which limit or order ended it.
    pub ended_by: LimitHit,
    /// Unix seconds with fraction.
    pub started: f64,
    /// Unix seconds with fraction.
    pub ended: f64,
    /// Resources.
    pub usage: Usage,
    /// What the run really had.
    pub isolation: super::IsolationLevel,
}
