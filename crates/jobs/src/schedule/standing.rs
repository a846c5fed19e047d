//! Why a pending job waits, for people: in the order cancel, pause, maintenance, dependencies, resources.
//! Spec jobs.md 4, 5, 6.

use super::{Held, Moment, Pool, Weight};
use crate::{JobId, StatusCode};

/// What a pending job waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing starts.
    Paused,
    /// It was stopped for a restart of the server, and nothing starts yet.
    Reboot,
    /// The database is in maintenance.
    Maintenance,
    /// Jobs that have not succeeded.
    Dependencies(Vec<JobId>),
    /// Its next try.
    NextTry(Moment),
    /// What cannot be reached or is short.
    Held(Held),
    /// A worker.
    Worker {
        /// Of this pool.
        pool: Pool,
        /// 1 + the eligible jobs of the pool ranked before it.
        position: usize,
        /// Its weight; above 1 it is resource intensive.
        weight: Weight,
    },
}

impl Standing {
    /// The code that says so.
    pub fn code(&self) -> StatusCode {
        match self {
            Self::Paused => StatusCode::Paused,
            Self::Reboot => StatusCode::WaitingOnReboot,
            Self::Maintenance => StatusCode::WaitingDbMaintenance,
            Self::Dependencies(_) => StatusCode::WaitingOnDependencies,
            Self::NextTry(_) => StatusCode::WaitingOnNewTask,
            Self::Held(held) => held.code(),
            Self::Worker { pool: Pool::Db, .. } => StatusCode::WaitingOnDbWorkers,
            Self::Worker { pool: Pool::Other, .. } => StatusCode::WaitingOnWorkers,
        }
    }
}
