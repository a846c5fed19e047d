//! The codes by which a job tells what is the case with it, and the closed set of values that may go with each.
//! Spec protocol.md 4.5, jobs.md 4. There is no field for a message, a hint, a file name or a number out of study code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shape::{Broken, codes};
use crate::text::ids::{JobId, LogRef};
use crate::text::list::List;
use crate::text::names::{ActionName, ImageName, Username};
use crate::text::time::Moment;
use crate::text::whole::{AttemptNumber, Index, Megabytes, Seconds, UnixSeconds, Weight};

/// Why a job that is not running waits. `code` and `params` on the wire; `params` is absent where a code has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", content = "params", rename_all = "snake_case")]
pub enum Waiting {
    /// Not looked at yet.
    Created,
    /// For the jobs it reads from.
    WaitingOnDependencies(BlockedBy),
    /// For a place.
    WaitingOnWorkers(Room),
    /// For a place at the database.
    WaitingOnDbWorkers(Room),
    /// The backend is paused.
    Paused,
    /// The database is in maintenance.
    WaitingDbMaintenance,
    /// The server is about to restart.
    WaitingOnReboot,
    /// The last attempt ended for a passing reason.
    WaitingOnNewTask(NextTry),
    /// Its image cannot be reached.
    WaitingOnImage(OnImage),
    /// Its code cannot be reached.
    WaitingOnCode(Since),
    /// The disk is short of space.
    WaitingOnDisk(Since),
}

/// Why a running job was put back among the waiting ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", content = "params", rename_all = "snake_case")]
pub enum Reset {
    /// The database went into maintenance.
    WaitingDbMaintenance,
    /// The server is about to restart.
    WaitingOnReboot,
    /// The attempt ended for a passing reason.
    WaitingOnNewTask(NextTry),
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", content = "params", rename_all = "snake_case")]
pub enum Ending {
    /// Completed.
    Succeeded(Completed),
    /// A job that it needs failed; it never had an attempt.
    DependencyFailed(BlockedBy),
    /// The command failed.
    NonzeroExit(Exit),
    /// Declared outputs were not found.
    UnmatchedPatterns(Unmatched),
    /// Somebody cancelled it.
    CancelledByUser(Canceller),
    /// An operator stopped it.
    KilledByAdmin,
    /// It ran longer than its limit.
    TimedOut(TimeLimit),
    /// It could not be run; the cause is in the study or the settings.
    JobError(JobError),
    /// A fault of Cloister.
    InternalError(Internal),
}

codes!(
    /// The stages of a running attempt.
    Stage {
        /// Claimed.
        Initiated,
        /// Its folder is being made.
        Preparing,
        /// Its folder is ready.
        Prepared,
        /// Its command runs.
        Executing,
        /// Its command has ended.
        Executed,
        /// Its outputs are being collected.
        Finalizing,
        /// Its outputs are in the store.
        Finalized,
    }
);

/// The jobs that are waited for, or that failed first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct BlockedBy {
    /// Their ids.
    pub blocked_by: List<JobId, 1, 5_000>,
}

/// The place that a job needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Room {
    /// Where.
    pub pool: Pool,
    /// How much.
    pub weight: Weight,
}

codes!(
    /// A pool of places.
    Pool {
        /// At the database.
        Db,
        /// All others.
        Other,
    }
);

/// When it is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct NextTry {
    /// The attempt that ended.
    pub attempt: AttemptNumber,
    /// How many there can be; absent for a cause whose attempts are not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<AttemptNumber>,
    /// Not before this moment.
    pub retry_at: UnixSeconds,
}

/// The image that cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct OnImage {
    /// As project.yaml names it.
    pub image: ImageName,
    /// Since when.
    pub since: Moment,
}

/// Since when something is the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Since {
    /// Since when.
    pub since: Moment,
}

/// A job that succeeded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Completed {
    /// There if files were held back; how many and which stays inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded: Option<Yes>,
}

/// The word `true`; its absence is "no".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "bool", into = "bool")]
pub struct Yes;

impl TryFrom<bool> for Yes {
    type Error = &'static str;
    fn try_from(yes: bool) -> Result<Self, &'static str> {
        if yes { Ok(Self) } else { Err("only `true` is written") }
    }
}

impl From<Yes> for bool {
    fn from(_: Yes) -> bool {
        true
    }
}

impl JsonSchema for Yes {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Yes".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"const": true})
    }
}

/// How the command failed. The number of its exit status never leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Exit {
    /// In three words.
    pub exit: ExitKind,
    /// The exit code of a trusted built-in database action, one of a closed set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine_exit: Option<EngineExit>,
    /// The memory limit that was met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_mb: Option<Megabytes>,
}

codes!(
    /// How a command failed.
    ExitKind {
        /// It said so.
        Error,
        /// Something ended it.
        Killed,
        /// It met its memory limit.
        OutOfMemory,
    }
);

/// The exit codes of trusted built-in database actions, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct EngineExit(u8);

impl EngineExit {
    /// The codes (spec protocol.md 4.5).
    pub const ALL: [u8; 10] = [2, 3, 4, 5, 6, 10, 11, 12, 13, 14];
}

impl TryFrom<u8> for EngineExit {
    type Error = Broken;
    fn try_from(code: u8) -> Result<Self, Broken> {
        if Self::ALL.contains(&code) { Ok(Self(code)) } else { Err(Broken("not an exit code of a database action")) }
    }
}

impl From<EngineExit> for u8 {
    fn from(code: EngineExit) -> u8 {
        code.0
    }
}

impl JsonSchema for EngineExit {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EngineExit".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"enum": Self::ALL})
    }
}

/// Which declared outputs were not found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Unmatched {
    /// Places in the action's declared outputs, in file order; off by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmatched: Option<List<Index, 1, 1_000>>,
}

/// Who cancelled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Canceller {
    /// The user of the site; absent if it was done at the backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Username>,
}

/// The limit that was met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct TimeLimit {
    /// From the backend's settings.
    pub limit_s: Seconds,
}

/// A fault of Cloister.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Internal {
    /// The key to the inner log.
    #[serde(rename = "ref")]
    pub log: LogRef,
}

/// Why a job could not be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct JobError {
    /// In one word.
    pub reason: JobErrorReason,
    /// The action whose output is missing, with `missing_input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<ActionName>,
    /// The image that is gone, with `image_gone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageName>,
    /// The rule, with `refused_by_policy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<PolicyRule>,
    /// The limit, with `disk_limit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_mb: Option<Megabytes>,
    /// How often it was tried, with `retries_exhausted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<AttemptNumber>,
    /// The key to the inner log.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub log: Option<LogRef>,
}

codes!(
    /// Why a job could not be run.
    JobErrorReason {
        /// An output of a needed action is not there.
        MissingInput,
        /// The commit cannot be read.
        BadCommit,
        /// The image is no longer to be had.
        ImageGone,
        /// An output is a link or a special file.
        UnsafeOutput,
        /// More outputs than allowed.
        TooManyOutputs,
        /// More bytes than allowed.
        DiskLimit,
        /// A rule of the backend's own policy.
        RefusedByPolicy,
        /// Tried as often as is allowed.
        RetriesExhausted,
    }
);
codes!(
    /// The rules of a backend's policy that a job can meet before it starts.
    PolicyRule {
        /// A permission ended or was taken away.
        PermissionEnded,
        /// The workspace is archived.
        WorkspaceArchived,
        /// The project is retired.
        ProjectRetired,
        /// The repository is no longer allowed.
        RepoNotAllowed,
        /// The image is no longer allowed.
        ImageNotAllowed,
        /// The person may no longer run jobs here.
        PersonNotAllowed,
    }
);

impl Ending {
    /// Whether it is a success.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Succeeded(_))
    }

    /// The rules that span its values.
    pub(super) fn check(&self) -> Result<(), Broken> {
        match self {
            Self::NonzeroExit(exit) if exit.limit_mb.is_some() && exit.exit != ExitKind::OutOfMemory => {
                Err(Broken("`limit_mb` goes with `out_of_memory` alone"))
            }
            Self::NonzeroExit(exit) if exit.engine_exit.is_some() && exit.exit != ExitKind::Error => {
                Err(Broken("`engine_exit` goes with `error` alone"))
            }
            Self::JobError(error) => error.check(),
            _ => Ok(()),
        }
    }
}

impl JobError {
    fn check(&self) -> Result<(), Broken> {
        use JobErrorReason as Why;
        for (there, with) in [
            (self.needed.is_some(), Why::MissingInput),
            (self.image.is_some(), Why::ImageGone),
            (self.rule.is_some(), Why::RefusedByPolicy),
            (self.limit_mb.is_some(), Why::DiskLimit),
            (self.attempts.is_some(), Why::RetriesExhausted),
        ] {
            if there && self.reason != with {
                return Err(Broken("a value of `job_error` does not go with its reason"));
            }
        }
        Ok(())
    }
}
