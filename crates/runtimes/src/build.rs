//! Building what is missing: a plan that can be announced, its progress, and why it may fail.
//! Spec cli.md 12: announced first, resumed where it was cut off, used offline afterwards.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::located::Located;
use crate::options::{Library, Options};
use crate::program::Program;

/// What a build of a missing environment would do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it is for; the identity is final already.
    pub located: Located,
    /// For the announcement: `Python 3.8.18 with pandas 1.0.1`.
    pub title: String,
    /// Bytes still to be fetched; 0 if everything is in the cache.
    pub bytes: u64,
    /// Bytes that the finished environment takes on disk, about.
    pub unpacked: u64,
    /// How long it takes at 8 MB a second and on an ordinary laptop.
    pub expected: Duration,
    pub(crate) work: Work,
    /// Packages of this program's own for the result, and the cache in which they lie.
    pub(crate) library: Option<(Library, PathBuf)>,
}

/// What a build needs to know, by kind.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    Python(Box<crate::python::build::Work>),
    R(Box<crate::r::build::Work>),
}

/// What a fetch is reckoned with, bytes a second.
const FETCHED_A_SECOND: u64 = 8_000_000;
/// What unpacking and compiling are reckoned with, bytes of the finished environment a second.
const INSTALLED_A_SECOND: u64 = 12_000_000;

/// How long a build takes.
pub(crate) fn expected(bytes: u64, unpacked: u64) -> Duration {
    Duration::from_secs(5 + bytes / FETCHED_A_SECOND + unpacked / INSTALLED_A_SECOND)
}

/// Why nothing can be built without a connection, and what to do: `first` and `count - 1` more files are lacking, in the
/// folder that was given or in the cache.
pub(crate) fn not_here(
    first: &str,
    count: usize,
    bytes: u64,
    options: &Options,
    resolved: &str,
) -> (String, Option<String>) {
    let megabytes = bytes.div_ceil(1_000_000);
    match &options.packages {
        Some(folder) => {
            let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            let verdict = format!("the folder {} lacks {first}{more} ({megabytes} MB)", folder.display());
            (verdict, Some("put the files of the same runtime there; docs/ci.md says where they come from".to_owned()))
        }
        None => {
            let verdict = format!("its packages are not here ({megabytes} MB), and --offline forbids fetching them");
            (verdict, Some(format!("cloister env install {resolved}")))
        }
    }
}

/// How far a build is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Another build of the same environment is under way, or what a killed one left is still ending.
    Waiting,
    /// Fetching; `done` and `total` are bytes, and include what was there before.
    Fetching {
        /// So far.
        done: u64,
        /// In the end.
        total: u64,
    },
    /// Unpacking this many packages.
    Installing {
        /// How many.
        packages: usize,
    },
    /// Byte code is made once, because a run cannot write it.
    Compiling,
    /// It is complete.
    Done,
}

/// Why an environment could not be built. What was fetched is kept for the next try.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file operation failed.
    #[error("{what} {path} failed: {source}")]
    Io {
        /// What was attempted.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The disk of the cache folder is too small.
    #[error(
        "{folder} has {free} MB free, {title} needs {needed} MB: free some space, or name another folder with \
         CLOISTER_CACHE_DIR"
    )]
    Space {
        /// What was to be built.
        title: String,
        /// The cache folder.
        folder: PathBuf,
        /// Megabytes (10^6 bytes).
        needed: u64,
        /// Megabytes.
        free: u64,
    },
    /// The interpreter changed or broke since it was found.
    #[error("{interpreter} cannot be used: {verdict}")]
    Interpreter {
        /// Its file.
        interpreter: PathBuf,
        /// Why.
        verdict: String,
    },
    /// No pip to fetch and install with.
    #[error("{interpreter}: {verdict}. Install one: {fix}")]
    NoPip {
        /// The interpreter to serve.
        interpreter: PathBuf,
        /// What was found.
        verdict: String,
        /// The command.
        fix: String,
    },
    /// The package index or mirror could not be reached, or lacks something.
    #[error(
        "{packages} could not be fetched. {hint} What has arrived is kept; run the same command again to go on.\n{messages}"
    )]
    Fetch {
        /// Which: `numpy 1.18.1 and 7 more`.
        packages: String,
        /// What to look at.
        hint: &'static str,
        /// The end of what pip or apt says.
        messages: String,
    },
    /// pip or apt said it fetched a file, but its bytes are not those of the list.
    #[error("{package} arrived with other bytes than the locked list names; it was not used")]
    Bytes {
        /// Name and version.
        package: String,
    },
    /// A program that makes the environment failed.
    #[error("{what} failed; nothing half built is used.\n{messages}")]
    Step {
        /// Which step.
        what: &'static str,
        /// The end of its messages.
        messages: String,
    },
}

impl BuildError {
    pub(crate) fn io<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Self + use<'a> {
        move |source| Self::Io { what, path: path.to_path_buf(), source }
    }
}

/// Builds what a plan names and returns the program.
///
/// Two builds of one environment never run at the same time, also in different processes: the second waits and then
/// finds it complete. A build that was killed is begun anew, with what had been fetched. Blocks until it is done.
pub fn build(plan: &Plan, progress: &mut dyn FnMut(Progress)) -> Result<Program, BuildError> {
    let program = match &plan.work {
        Work::Python(work) => crate::python::build::build(work, &plan.located, progress)?,
        Work::R(work) => crate::r::build::build(work, &plan.located, progress)?,
    };
    let program = match &plan.library {
        Some((library, cache_dir)) => crate::python::library::with(program, library, cache_dir)
            .map_err(BuildError::io("writing this program's packages below", cache_dir))?,
        None => program,
    };
    progress(Progress::Done);
    Ok(program)
}
