//! The states and codes of a job, and which code may follow which.
//! Spec jobs.md 4 and 9.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Not started, or put back.
    Pending,
    /// Claimed by an attempt.
    Running,
    /// Finished well.
    Succeeded,
    /// Finished badly, or never started and never will.
    Failed,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Running, Self::Succeeded, Self::Failed];

    /// The name in the database, in messages and on the site.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
    /// Pending or running.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }
}

/// A stored word that this program does not know: the state was written by a newer one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {what} that this program knows")]
pub struct UnknownWord {
    pub(crate) what: &'static str,
    pub(crate) text: String,
}

impl FromStr for JobState {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let unknown = || UnknownWord { what: "state of a job", text: text.to_owned() };
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(unknown)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $state:ident;)*) => {
        /// Why a job stands where it stands. The names are public and never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum StatusCode {
            $($(#[doc = $doc])* $variant,)*
        }

        impl StatusCode {
            /// Every code, in the order of the spec's table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in the database, in messages and on the site.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The state that a job with this code is in.
            pub fn state(self) -> JobState {
                match self {
                    $(Self::$variant => JobState::$state,)*
                }
            }
        }
    };
}

codes! {
    /// Created, not looked at yet.
    Created = "created", Pending;
    /// Waiting for pinned jobs.
    WaitingOnDependencies = "waiting_on_dependencies", Pending;
    /// Waiting for a worker.
    WaitingOnWorkers = "waiting_on_workers", Pending;
    /// Waiting for a database worker.
    WaitingOnDbWorkers = "waiting_on_db_workers", Pending;
    /// The backend is paused; starts afterwards.
    Paused = "paused", Pending;
    /// The database is in maintenance. A running job was reset.
    WaitingDbMaintenance = "waiting_db_maintenance", Pending;
    /// Stopped for a restart of the server.
    WaitingOnReboot = "waiting_on_reboot", Pending;
    /// The last attempt ended for a passing reason; there will be another.
    WaitingOnNewTask = "waiting_on_new_task", Pending;
    /// The image cannot be reached.
    WaitingOnImage = "waiting_on_image", Pending;
    /// The code cannot be reached.
    WaitingOnCode = "waiting_on_code", Pending;
    /// The disk is short.
    WaitingOnDisk = "waiting_on_disk", Pending;
    /// Claimed by an attempt.
    Initiated = "initiated", Running;
    /// Its workspace is being built.
    Preparing = "preparing", Running;
    /// Its workspace is ready.
    Prepared = "prepared", Running;
    /// Its command runs.
    Executing = "executing", Running;
    /// Its command ended.
    Executed = "executed", Running;
    /// Its outputs are being collected.
    Finalizing = "finalizing", Running;
    /// Its outputs are collected; seen only in logs.
    Finalized = "finalized", Running;
    /// Completed.
    Succeeded = "succeeded", Succeeded;
    /// A job it needs failed; it never had an attempt.
    DependencyFailed = "dependency_failed", Failed;
    /// The command failed.
    NonzeroExit = "nonzero_exit", Failed;
    /// Declared outputs were not found.
    UnmatchedPatterns = "unmatched_patterns", Failed;
    /// Cancelled.
    CancelledByUser = "cancelled_by_user", Failed;
    /// An operator stopped it for good.
    KilledByAdmin = "killed_by_admin", Failed;
    /// Ran longer than its limit.
    TimedOut = "timed_out", Failed;
    /// Could not be run; the cause lies in the study or the settings.
    JobError = "job_error", Failed;
    /// A fault of this program.
    InternalError = "internal_error", Failed;
    /// Only read in old records.
    StaleCodelists = "stale_codelists", Failed;
}

use StatusCode as C;

/// Pending codes that may follow one another in any order as the world changes.
const WAITING: &[C] = &[
    C::WaitingOnDependencies,
    C::WaitingOnWorkers,
    C::WaitingOnDbWorkers,
    C::Paused,
    C::WaitingDbMaintenance,
    C::WaitingOnImage,
    C::WaitingOnCode,
    C::WaitingOnDisk,
];
/// How a job that never started may end, whatever it waits for.
const GIVEN_UP: &[C] = &[C::DependencyFailed, C::CancelledByUser, C::KilledByAdmin, C::JobError, C::InternalError];
/// The codes that put a running job back to pending and empty `started_at`.
const RESET: &[C] = &[C::WaitingDbMaintenance, C::WaitingOnReboot, C::WaitingOnNewTask];
/// How an attempt may end before its command has begun.
const NOT_RUN: &[C] = &[C::CancelledByUser, C::KilledByAdmin, C::TimedOut, C::JobError, C::InternalError];
/// How it may end once its command runs or has run.
const RUN: &[C] = &[C::Succeeded, C::NonzeroExit, C::UnmatchedPatterns];

/// Which codes may follow which; what no row names is forbidden. A stage may be skipped, never gone back to.
const MOVES: &[(&[C], &[&[C]])] = &[
    (&[C::Created, C::WaitingOnReboot, C::WaitingOnNewTask], &[WAITING, GIVEN_UP, &[C::Initiated]]),
    (WAITING, &[WAITING, GIVEN_UP, &[C::Initiated]]),
    (
        &[C::Initiated],
        &[&[C::Preparing, C::Prepared, C::Executing, C::Executed, C::Finalizing, C::Finalized], RESET, NOT_RUN],
    ),
    (&[C::Preparing], &[&[C::Prepared, C::Executing, C::Executed, C::Finalizing, C::Finalized], RESET, NOT_RUN]),
    (&[C::Prepared], &[&[C::Executing, C::Executed, C::Finalizing, C::Finalized], RESET, NOT_RUN]),
    (&[C::Executing], &[&[C::Executed, C::Finalizing, C::Finalized], RESET, NOT_RUN, RUN]),
    (&[C::Executed], &[&[C::Finalizing, C::Finalized], RESET, NOT_RUN, RUN]),
    (&[C::Finalizing], &[&[C::Finalized], RESET, NOT_RUN, RUN]),
    (&[C::Finalized], &[RESET, NOT_RUN, RUN]),
];

impl StatusCode {
    /// Whether a job may go from this code to `next`. Staying is not a move. Final codes never change.
    pub fn may_become(self, next: Self) -> bool {
        self != next
            && MOVES
                .iter()
                .filter(|(from, _)| from.contains(&self))
                .any(|(_, to)| to.iter().any(|codes| codes.contains(&next)))
    }

    /// Whether reaching this code from a running one ends the attempt and empties `started_at`.
    pub fn is_reset(self) -> bool {
        RESET.contains(&self)
    }
}

impl FromStr for StatusCode {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let unknown = || UnknownWord { what: "code of a job", text: text.to_owned() };
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or_else(unknown)
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
