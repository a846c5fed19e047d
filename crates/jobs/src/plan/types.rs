//! What planning takes and gives.
//! Spec jobs.md 3.

use std::fmt;

use pipeline::ActionName;
use serde::{Deserialize, Serialize};

use crate::{Commit, JobId, JobState, Stale, Staleness};

/// The part of a request that planning looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRequest {
    /// Actions by name; `run_all` stands for every action.
    pub requested: Vec<ActionName>,
    /// Whether every needed action runs again.
    pub force: bool,
    /// What is done about what is out of date.
    pub stale: Stale,
    /// Whether the codelists are as published; if not, nothing may read the database.
    pub codelists_ok: bool,
    /// The request's commit, to tell jobs of another one.
    pub commit: Option<Commit>,
}

/// The newest job of an action in the workspace that is not cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatestJob {
    /// Its id.
    pub job: JobId,
    /// Where it stands.
    pub state: JobState,
    /// Whether a recorded output is gone or known to be damaged.
    pub outputs_missing: bool,
    /// Whether it is what would be made now; looked at only if it succeeded.
    pub staleness: Staleness,
    /// The commit it runs.
    pub commit: Option<Commit>,
}

/// What is done about a visited action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// A new job.
    New,
    /// Its latest job is used as it is, or as it will be.
    Keep,
}

/// Why; it implies the decision. In the order of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Keep: it is pending or running.
    AlreadyActive,
    /// New: it is named in the request.
    Requested,
    /// New: everything is made again.
    Forced,
    /// New: an output of its last success is gone.
    OutputMissing,
    /// New: its last success is out of date.
    Stale,
    /// Keep: it succeeded.
    Succeeded,
    /// New: its last run failed.
    FailedBefore,
    /// New: there is no earlier run.
    NeverRun,
}

impl Reason {
    /// What it means for the action.
    pub fn decision(self) -> Decision {
        match self {
            Self::AlreadyActive | Self::Succeeded => Decision::Keep,
            _ => Decision::New,
        }
    }
    /// Its name in plans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyActive => "already_active",
            Self::Requested => "requested",
            Self::Forced => "forced",
            Self::OutputMissing => "output_missing",
            Self::Stale => "stale",
            Self::Succeeded => "succeeded",
            Self::FailedBefore => "failed_before",
            Self::NeverRun => "never_run",
        }
    }
}

/// The exact job whose outputs a new job will read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pin {
    /// A kept job, finished or not.
    Existing(JobId),
    /// The new job of that action in this plan.
    New,
}

/// A need of a new job with its pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedNeed {
    /// The needed action.
    pub action: ActionName,
    /// Whose outputs.
    pub pin: Pin,
}

/// A visited action and what is done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visited {
    /// Its name.
    pub action: ActionName,
    /// Its position in the project.
    pub index: usize,
    /// Why it is new or kept.
    pub reason: Reason,
    /// One for each need of a new job, in written order; empty for a kept one.
    pub pins: Vec<PinnedNeed>,
    /// The needs whose pinned jobs are not finished, in written order.
    pub waits_for: Vec<ActionName>,
    /// 1 + the largest wave of its needs, over the whole project.
    pub wave: u32,
}

impl Visited {
    /// New or kept.
    pub fn decision(&self) -> Decision {
        self.reason.decision()
    }
    /// Whether a new job is made for it.
    pub fn is_new(&self) -> bool {
        self.decision() == Decision::New
    }
}

/// Why a plan has no new job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NothingToDo {
    /// Every visited action has succeeded before.
    AllSucceeded,
    /// At least one is pending or running.
    AlreadyScheduled,
}

impl NothingToDo {
    /// Its name in plans and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllSucceeded => "all_succeeded",
            Self::AlreadyScheduled => "already_scheduled",
        }
    }
}

/// Something a plan does that its reader may not expect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "warning")]
pub enum PlanWarning {
    /// A kept success rests on an action whose latest run failed; kept actions' needs are not visited.
    NeedFailed {
        /// The kept action.
        kept: ActionName,
        /// What it needs, directly or not.
        need: ActionName,
    },
    /// A kept success rests on an action whose outputs are gone.
    NeedOutputsMissing {
        /// The kept action.
        kept: ActionName,
        /// What it needs, directly or not.
        need: ActionName,
    },
    /// A job that is waited for, or stands in the way, runs other code than the request's.
    OtherCommit {
        /// The action.
        action: ActionName,
        /// Its pending or running job.
        job: JobId,
        /// The commit that runs.
        commit: Commit,
    },
}

impl fmt::Display for PlanWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeedFailed { kept, need } => {
                write!(f, "{kept} is reused, so {need}, which it needs and which failed last time, is not run again")
            }
            Self::NeedOutputsMissing { kept, need } => {
                write!(f, "{kept} is reused, so {need}, which it needs and whose outputs are gone, is not run again")
            }
            Self::OtherCommit { action, job, commit } => {
                write!(f, "{action} is already scheduled as job {job}, at commit {}", commit.short())
            }
        }
    }
}

/// Every visited action, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Dependencies first, otherwise in the order of visiting.
    pub visited: Vec<Visited>,
    /// Why there is no new job, if there is none.
    pub nothing_to_do: Option<NothingToDo>,
    /// What its reader may not expect.
    pub warnings: Vec<PlanWarning>,
}

impl Plan {
    /// The actions that get a new job, in the order of the plan.
    pub fn new_jobs(&self) -> impl Iterator<Item = &Visited> {
        self.visited.iter().filter(|visited| visited.is_new())
    }
}
