//! What attempts need: state, store, a runtime, a place for volumes, and the limits.
//! Spec jobs.md 9, 10; sandbox.md 5, 6.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use runtimes::Program;
use sandbox::{IsolationLevel, Limits, Runtime};

use super::Publisher;
use crate::collect::CollectLimits;
use crate::log::LogLimits;
use crate::provenance::CodeTree;
use crate::state::{Job, State};
use crate::store::Store;
use crate::tree::Tree;
use crate::{JobId, ObjectId};

/// How attempts run here.
#[derive(Debug, Clone)]
pub struct RunSettings {
    /// Who claims: `host:process`.
    pub owner: String,
    /// Limits of each job.
    pub limits: Limits,
    /// TERM to KILL.
    pub grace: Duration,
    /// The least isolation that is acceptable.
    pub isolation: IsolationLevel,
    /// Whether sandboxes end with this process.
    pub die_with_parent: bool,
    /// Where volumes are put after the end for a look into them, if they are kept.
    pub keep_volumes: Option<PathBuf>,
    /// Limits of collections.
    pub collect: CollectLimits,
    /// How much of a log is kept.
    pub log: LogLimits,
    /// How often a running job is looked at.
    pub sample_every: Duration,
}

/// The place where attempts run.
pub struct Workshop {
    /// What is true of jobs.
    pub state: State,
    /// Objects.
    pub store: Store,
    /// Isolation.
    pub runtime: Arc<dyn Runtime>,
    /// One folder per attempt.
    pub volumes: PathBuf,
    /// Limits and the like.
    pub settings: RunSettings,
    /// Where results are shown.
    pub publisher: Arc<dyn Publisher>,
}

/// A planned job with what its attempt needs and the state does not hold.
pub struct Work {
    /// As stored.
    pub job: Job,
    /// Who asked for it.
    pub created_by: String,
    /// What runs its command.
    pub program: Program,
    /// The code.
    pub tree: Arc<Tree>,
    /// The same, as it counts in the run key.
    pub code: CodeTree,
    /// Outputs that were changed by hand since they were recorded, by job and path: what is read instead, with its size.
    pub edited: Arc<BTreeMap<(JobId, String), (ObjectId, u64)>>,
    /// All actions of the project.
    pub actions: Arc<BTreeSet<String>>,
}
