//! What stands around the recorder: one command in a copied folder, with limits, without anything else.
//! Spec study-definitions.md 14, sandbox.md 2 and 5.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::package;

/// A Python that runs the recorder: CPython 3.8 or newer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// Absolute.
    pub executable: PathBuf,
    /// Folders that it needs besides the system's: its prefix, and that of its environment.
    pub prefixes: Vec<PathBuf>,
}

impl Python {
    /// A Python by its file alone: its folders follow from the path, and from where links lead.
    #[must_use]
    pub fn at(executable: impl Into<PathBuf>) -> Python {
        let executable = executable.into();
        let mut files = vec![executable.clone()];
        // A link to a link to an interpreter: each may stand in an environment of its own.
        while let Some(target) = files.last().and_then(|path| std::fs::read_link(path).ok())
            && files.len() < 8
        {
            let folder = files.last().and_then(|path| path.parent()).unwrap_or(Path::new("/")).to_owned();
            files.push(folder.join(target));
        }
        files.extend(executable.canonicalize());
        // By its name, and by where its folder really is.
        let real = |file: &PathBuf| Some(file.parent()?.canonicalize().ok()?.join(file.file_name()?));
        let files: Vec<PathBuf> = files.iter().filter_map(real).chain([executable.clone()]).collect();
        let mut prefixes: Vec<PathBuf> = files.iter().filter_map(|file| prefix(file)).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        Python { executable, prefixes }
    }
}

/// The folder that an interpreter's file belongs to: only one that is Python's own, so that nothing else (a home with an
/// interpreter in its `bin/`) becomes visible with it.
fn prefix(file: &Path) -> Option<PathBuf> {
    let prefix = file.parent()?.parent()?;
    let is_pythons = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("python3");
    let has_library = || {
        std::fs::read_dir(prefix.join("lib"))
            .is_ok_and(|mut all| all.any(|e| e.is_ok_and(|e| is_pythons(&e.file_name()))))
    };
    let own = prefix.join("pyvenv.cfg").is_file() || has_library();
    (own && !prefix.starts_with("/usr") && prefix.parent().is_some()).then(|| prefix.to_owned())
}

/// What the recorder may use (spec study-definitions.md 14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Wall-clock time.
    pub time: Duration,
    /// Processor time.
    pub cpu: Duration,
    /// Bytes.
    pub memory: u64,
    /// Bytes of what it prints that are kept.
    pub printed: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(300), cpu: Duration::from_secs(120), memory: 4 << 30, printed: 1 << 20 }
    }
}

/// One run of the recorder.
#[derive(Debug)]
pub struct Run<'a> {
    /// Holds `workspace/` (the copy, with the recorder in it) and `tmp/`; both are the run's own.
    pub folder: &'a Path,
    /// What was copied.
    pub root: &'a Path,
    /// The module.
    pub module: &'a str,
    /// `--param` values.
    pub params: &'a [(String, String)],
    /// `OPENSAFELY_BACKEND`.
    pub backend: &'a str,
}

impl Run<'_> {
    /// The words after the interpreter: `-B -X utf8 <recorder> MODULE PARAMS_JSON LIMITS_JSON`.
    pub(super) fn words(&self, limits: &Limits) -> Vec<String> {
        let params: serde_json::Map<_, _> =
            self.params.iter().map(|(key, value)| (key.clone(), serde_json::Value::from(value.as_str()))).collect();
        let limits = serde_json::json!({"cpu_seconds": limits.cpu.as_secs().max(1), "memory_bytes": limits.memory});
        let words = ["-B", "-X", "utf8", package::PLACE, self.module];
        let given = [serde_json::Value::Object(params).to_string(), limits.to_string()];
        words.into_iter().map(str::to_owned).chain(given).collect()
    }

    /// The whole environment of the recorder (spec sandbox.md 5), with `home` as the only other folder to write to.
    pub(super) fn environment(&self, python: &Python, home: &str) -> Vec<(String, String)> {
        let own = python.executable.parent().map(|folder| format!("{}:", folder.display())).unwrap_or_default();
        let below_home = |name: &str| format!("{home}/{name}");
        [
            ("PATH", format!("{own}/usr/local/bin:/usr/bin:/bin")),
            ("LANG", "C.UTF-8".to_owned()),
            ("LC_ALL", "C.UTF-8".to_owned()),
            ("TZ", "Etc/UTC".to_owned()),
            ("HOME", home.to_owned()),
            ("TMPDIR", home.to_owned()),
            ("XDG_CACHE_HOME", below_home(".cache")),
            ("XDG_CONFIG_HOME", below_home(".config")),
            ("XDG_DATA_HOME", below_home(".local/share")),
            ("OPENSAFELY_BACKEND", self.backend.to_owned()),
            ("PYTHONHASHSEED", "0".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}

/// How a run of the recorder ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// With this code.
    Exited(i32),
    /// By this signal.
    Signal(i32),
    /// The wall-clock time was over.
    OutOfTime,
    /// The processor time was over.
    OutOfCpu,
    /// It was ended for its memory.
    OutOfMemory,
    /// It was ended for what it wrote to disk.
    OutOfDisk,
}

/// The end of a run of the recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub how: How,
    /// What it printed, both streams as they came, cut in the middle at the limit.
    pub printed: Vec<u8>,
}

/// Why the recorder could not be run at all: this machine's doing.
#[derive(Debug, thiserror::Error)]
pub enum FenceError {
    /// No Python.
    #[error("the Python for study definitions, {}, cannot be started: {source}", path.display())]
    NoPython {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The sandbox.
    #[error("study definitions are only read inside a sandbox: {0}")]
    Sandbox(#[from] sandbox::Error),
    /// Restricting the recorder failed.
    #[error("the recorder could not be fenced in: {0}")]
    Walls(String),
    /// An operation of the system failed.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted.
        what: &'static str,
        /// The cause.
        source: io::Error,
    },
}

/// Runs the recorder where it can do no harm, and waits until nothing of it is left.
pub trait Fence {
    /// Runs the recorder once over `run.folder`.
    ///
    /// # Errors
    /// What this machine cannot do; whatever the study does ends in [`Ended`].
    fn run(&self, run: &Run<'_>) -> Result<Ended, FenceError>;
}
