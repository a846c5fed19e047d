//! What is stored of a job, its attempts and its outputs.
//! Spec jobs.md 9.

use std::collections::{BTreeMap, BTreeSet};

use pipeline::ActionName;
use serde::{Deserialize, Serialize};

use super::{JobDefinition, Status, Times, WaiverMode};
use crate::collect::CollectedOutput;
use crate::plan::{LatestJob, PinnedNeed};
use crate::provenance::{Component, Components, Staleness};
use crate::{AttemptId, Commit, JobId, JobState, ObjectId, RequestId, RunKey, StatusCode, WorkspaceName};

/// A job to be stored with a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// What it runs.
    pub definition: JobDefinition,
    /// Whose outputs it reads, in written order.
    pub pins: Vec<PinnedNeed>,
}

/// A stored pin: a needed action and the exact job whose outputs are read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredPin {
    /// The needed action.
    pub action: ActionName,
    /// Its job.
    pub job: JobId,
}

/// A stored job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The request it belongs to.
    pub request: RequestId,
    /// Rises with every job; within a request it is the order of the plan.
    pub seq: i64,
    /// What it runs.
    pub definition: JobDefinition,
    /// Whose outputs it reads, in written order.
    pub pins: Vec<StoredPin>,
    /// Where it stands.
    pub status: Status,
    /// Since when.
    pub times: Times,
    /// Unix seconds before which it must not start again.
    pub next_try_at: Option<i64>,
    /// Unix seconds; its sandbox is being ended.
    pub cancel_requested_at: Option<i64>,
    /// Raised by every claim; news of older attempts are refused.
    pub fence: i64,
    /// How many attempts it has had.
    pub attempts: u32,
    /// How many of them ended and count against the number of tries.
    pub tries: u32,
    /// How its key was computed, once it has finished.
    pub run_key: Option<RunKey>,
}

impl Job {
    /// Where it stands.
    pub fn state(&self) -> JobState {
        self.status.code.state()
    }
}

/// One claimed try at running a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// Must still be the job's when the attempt reports.
    pub fence: i64,
}

/// Who runs an attempt, and until when it is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The agent.
    pub owner: String,
    /// Unix seconds; `None` on a laptop, whose attempts die with it.
    pub lease_until: Option<i64>,
    /// The waivers under which it begins.
    pub waivers: BTreeSet<WaiverMode>,
}

/// How an attempt ended that is not the job's end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AttemptEnd {
    /// Of the command, if it ran.
    pub exit_code: Option<i32>,
    /// How long it ran, by a clock that never goes back.
    #[serde(default)]
    pub milliseconds: Option<u64>,
    /// Whether it counts as a try; stops for a mode do not.
    pub counts: bool,
    /// Unix seconds before which the next one must not start.
    pub next_try_at: Option<i64>,
}

/// The end of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobResult {
    /// A final code with its words.
    pub status: Status,
    /// What was collected; for a failed job these are partial results, never used as inputs.
    pub outputs: Vec<CollectedOutput>,
    /// What made them.
    pub components: Option<Components>,
    /// Of the command, if it ran.
    pub exit_code: Option<i32>,
    /// How long the command ran.
    pub milliseconds: Option<u64>,
    /// The most memory it held.
    pub peak_bytes: Option<u64>,
}

/// What the end of a job did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The code it really ended with: a job that was being cancelled is cancelled.
    pub code: StatusCode,
    /// The jobs that waited for it and failed with it, nearest first.
    pub failed_dependants: Vec<JobId>,
}

impl Finished {
    /// An end that was on record before, with all that followed from it.
    pub(crate) fn as_is(code: StatusCode) -> Self {
        Self { code, failed_dependants: Vec::new() }
    }
}

/// What cancelling did, by action.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cancelled {
    /// Ended at once.
    pub ended: Vec<JobId>,
    /// Running: marked, their sandboxes are to be ended.
    pub marked: Vec<JobId>,
    /// Finished before: unchanged.
    pub finished: Vec<JobId>,
    /// The jobs that waited for those that ended, and failed with them.
    pub failed_dependants: Vec<JobId>,
    /// Not planned yet: their jobs will be cancelled when they are made.
    pub noted: Vec<ActionName>,
}

/// What storing a plan did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// So many new jobs.
    Created(usize),
    /// The request was known; so many jobs belong to it.
    NoChange(usize),
}

/// The newest job of an action that is not cancelled, as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct LatestRow {
    /// Its id.
    pub job: JobId,
    /// The request it belongs to.
    pub request: RequestId,
    /// Where it stands.
    pub code: StatusCode,
    /// The commit it runs.
    pub commit: Option<Commit>,
    /// Unix seconds.
    pub completed_at: Option<i64>,
    /// Its key, once it has finished.
    pub run_key: Option<RunKey>,
    /// The hash of each component of its key.
    pub hashes: BTreeMap<Component, ObjectId>,
}

impl LatestRow {
    /// As planning takes it, with what only the caller can know: whether every output is still there, and whether it is
    /// what would be made now.
    pub fn judged(&self, outputs_missing: bool, staleness: Staleness) -> LatestJob {
        let (job, state, commit) = (self.job, self.code.state(), self.commit.clone());
        LatestJob { job, state, outputs_missing, staleness, commit }
    }
}

/// The latest jobs of some actions at one moment; planning works from it, and storing the plan checks it again.
#[derive(Debug, Clone, PartialEq)]
pub struct LatestJobs {
    /// The workspace.
    pub workspace: WorkspaceName,
    /// The actions that were asked about.
    pub asked: BTreeSet<ActionName>,
    /// Those that have one.
    pub rows: BTreeMap<ActionName, LatestRow>,
}

/// The last success of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRun {
    /// Its job.
    pub job: JobId,
    /// Unix seconds.
    pub completed_at: Option<i64>,
    /// How long its command ran.
    pub milliseconds: Option<u64>,
    /// The most memory it held.
    pub peak_bytes: Option<u64>,
}
