//! What attempts need: state, store, a runtime, a place for volumes, and the limits.
//! Spec jobs.md 9, 10; sandbox.md 5, 6.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use runtimes::Program;
use sandbox::{IsolationLevel, Limits, Runtime};

use super::{Admission, Publisher};
use crate::collect::CollectLimits;
use crate::log::LogLimits;
use crate::provenance::CodeTree;
use crate::schedule::{Tries, Weights};
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
    /// How heavy jobs are.
    pub weights: Weights,
    /// How patient the engine is with what passes.
    pub tries: Tries,
    /// The longest that making a workspace may take.
    pub prepare_limit: Duration,
    /// The longest that collecting outputs may take.
    pub finalise_limit: Duration,
    /// No job starts while the disk of the volumes has fewer bytes free.
    pub disk_low: u64,
    /// How long an attempt is this agent's; `None` on a laptop, whose attempts die with it.
    pub lease: Option<Lease>,
}

/// How long an attempt belongs to the agent that claimed it, unless it is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// From a claim or renewal to its end.
    pub length: Duration,
    /// How often it is renewed.
    pub renew: Duration,
}

impl RunSettings {
    /// Of a laptop, with the limits of each job, TERM to KILL, and the least isolation that is acceptable
    /// (spec jobs.md 23).
    pub fn laptop(limits: Limits, grace: Duration, isolation: IsolationLevel) -> Self {
        Self {
            owner: format!("local:{}", std::process::id()),
            limits,
            grace,
            isolation,
            die_with_parent: true,
            keep_volumes: None,
            collect: CollectLimits::default(),
            log: LogLimits::default(),
            sample_every: Duration::from_secs(2),
            weights: Weights::default(),
            tries: Tries::LAPTOP,
            prepare_limit: Duration::from_secs(3600),
            finalise_limit: Duration::from_secs(6 * 3600),
            disk_low: 2 << 30,
            lease: None,
        }
    }

    /// What a backend runs with: sandboxes outlive it, attempts are leased, waits are long.
    pub fn backend(limits: Limits, isolation: IsolationLevel) -> Self {
        Self {
            owner: format!("backend:{}", std::process::id()),
            die_with_parent: false,
            sample_every: Duration::from_secs(10),
            tries: Tries::BACKEND,
            disk_low: 20 << 30,
            lease: Some(Lease { length: Duration::from_secs(60), renew: Duration::from_secs(15) }),
            ..Self::laptop(limits, Duration::from_secs(10), isolation)
        }
    }

    /// The end of a lease that begins now, in Unix seconds.
    pub(super) fn lease_until(&self, now: Timestamp) -> Option<i64> {
        let length = i64::try_from(self.lease?.length.as_secs()).unwrap_or(i64::MAX);
        Some(now.as_second().saturating_add(length))
    }
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
    /// What is asked before each start.
    pub admission: Arc<dyn Admission>,
}

/// A planned job with what its attempt needs and the state does not hold.
pub struct Work {
    /// As stored.
    pub job: Job,
    /// Who asked for it.
    pub created_by: String,
    /// For which project; empty on a laptop.
    pub project: String,
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
