//! What scheduling knows of a job, and how much may run at once.
//! Spec jobs.md 5.

use std::fmt;
use std::ops::Add;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{JobId, StatusCode, WorkspaceName};

/// Milliseconds since some moment that the caller chose, by a clock that never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(pub u64);

impl Add<Duration> for Moment {
    type Output = Self;
    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Moment {
    /// The time from an earlier moment to this one; none if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Where a job's worker comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// Jobs that read the database.
    Db,
    /// All others.
    Other,
}

impl Pool {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Db, Self::Other];

    /// That of a job.
    pub fn of(is_database: bool) -> Self {
        if is_database { Self::Db } else { Self::Other }
    }

    pub(super) fn index(self) -> usize {
        usize::from(self == Self::Other)
    }
}

/// How much of a pool a job takes, in thousandths of a worker: sums of weights are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u32);

impl Weight {
    /// One worker, what a job weighs that nothing is said about.
    pub const ONE: Self = Self(1000);
    /// The heaviest that can be said.
    const MAX: f64 = 1_000_000.0;

    /// So many workers.
    pub fn workers(count: u32) -> Self {
        Self(count.saturating_mul(1000))
    }

    /// A decimal number of workers; `None` unless it is at least a thousandth and at most a million.
    pub fn decimal(workers: f64) -> Option<Self> {
        let rounded = (workers * 1000.0).round();
        (1.0..=Self::MAX * 1000.0).contains(&rounded).then_some(Self(rounded as u32))
    }

    pub(super) fn thousandths(self) -> u64 {
        u64::from(self.0)
    }

    /// In whole workers, at least one.
    pub fn whole(self) -> u64 {
        self.thousandths().div_ceil(1000).max(1)
    }

    /// More than one worker.
    pub fn is_intensive(self) -> bool {
        self > Self::ONE
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / 1000.0)
    }
}

/// How much may run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Of jobs that read the database.
    pub db: Weight,
    /// Of all others.
    pub other: Weight,
    /// Of both pools; on a laptop `-c` counts jobs, whatever they read.
    pub together: Option<Weight>,
}

impl Capacity {
    /// Of one pool.
    pub fn of(&self, pool: Pool) -> Weight {
        match pool {
            Pool::Db => self.db,
            Pool::Other => self.other,
        }
    }
}

/// The two times that keep scheduling fair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Waiting this long is worth one running job of another workspace.
    pub age_step: Duration,
    /// How long the best-ranked job may not fit until nothing else of its pool starts.
    pub reserve_after: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { age_step: Duration::from_secs(3600), reserve_after: Duration::from_secs(600) }
    }
}

/// What cannot be reached or is short, so that an otherwise ready job cannot start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Held {
    /// Its image.
    Image,
    /// Its code.
    Code,
    /// Room on the disk.
    Disk,
}

impl Held {
    /// The code that says so.
    pub fn code(self) -> StatusCode {
        match self {
            Self::Image => StatusCode::WaitingOnImage,
            Self::Code => StatusCode::WaitingOnCode,
            Self::Disk => StatusCode::WaitingOnDisk,
        }
    }
}

/// A job that is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub job: JobId,
    /// Whose it is.
    pub workspace: WorkspaceName,
    /// Whether it reads the database.
    pub pool: Pool,
    /// How much of the pool it takes; above the capacity it counts as the capacity, and the job runs alone.
    pub weight: Weight,
    /// Rises with the time it was created and, within a plan, with the order of the plan.
    pub seq: i64,
    /// The jobs whose success it waits for.
    pub needs: Vec<JobId>,
    /// It must not start before.
    pub not_before: Option<Moment>,
    /// What it lacks: until it is looked at again at `not_before`, or until somebody says that it is there.
    pub held: Option<Held>,
    /// Stopped for a restart of the server: a pause leaves it waiting for that.
    pub for_reboot: bool,
}
