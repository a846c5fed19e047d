//! What a running engine asks about jobs that others may have changed, and what an operator asks of it.
//! Spec jobs.md 5, 7, 21.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row;

use super::change::JobHead;
use super::event::{Event, append};
use super::{State, StateError, Status, StatusCode};
use crate::{JobId, JobState};

/// How many jobs change their code in one transaction: others get their turn in between.
const AT_ONCE: usize = 100;

/// What an operator wants of a running attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kill {
    /// It ends, and its job is tried again.
    Retry,
    /// It ends, and its job fails with it.
    Fail,
}

impl Kill {
    fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Fail => "fail",
        }
    }
}

/// Where a job stands, as far as somebody else may have moved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outside {
    pub(crate) code: StatusCode,
    pub(crate) message: String,
    pub(crate) cancel_requested: bool,
    pub(crate) kill: Option<Kill>,
}

/// Where the asked jobs stand.
pub(super) const OUTSIDE: &str = "SELECT job.id, job.code, job.message, job.cancel_requested_at IS NOT NULL, job.kill \
     FROM json_each(?) AS asked CROSS JOIN job ON job.id = asked.value";

impl State {
    /// Where these jobs stand.
    pub(crate) async fn outside(&self, jobs: &[JobId]) -> Result<BTreeMap<JobId, Outside>, StateError> {
        let rows = sqlx::query(OUTSIDE).bind(serde_json::to_string(jobs)?).fetch_all(&self.readers).await?;
        let mut found = BTreeMap::new();
        for row in rows {
            let outside = Outside {
                code: row.try_get::<String, _>(1)?.parse()?,
                message: row.try_get(2)?,
                cancel_requested: row.try_get(3)?,
                kill: row
                    .try_get::<Option<String>, _>(4)?
                    .map(|kill| if kill == Kill::Fail.as_str() { Kill::Fail } else { Kill::Retry }),
            };
            found.insert(row.try_get::<String, _>(0)?.parse()?, outside);
        }
        Ok(found)
    }

    /// Those of these jobs that have succeeded.
    pub(crate) async fn succeeded_of(&self, jobs: &[JobId]) -> Result<BTreeSet<JobId>, StateError> {
        let found = self.outside(jobs).await?.into_iter();
        Ok(found.filter(|(_, row)| row.code.state() == JobState::Succeeded).map(|(job, _)| job).collect())
    }

    /// Says what pending jobs wait for. A job that has begun or ended meanwhile, or that the code of a reset would be
    /// said of, is left as it is.
    ///
    /// # Errors
    /// The database refused.
    pub async fn set_codes(&self, codes: &[(JobId, Status)], now: Timestamp) -> Result<(), StateError> {
        for some in codes.chunks(AT_ONCE) {
            let mut writers = self.writers.lock().await;
            let mut tx = writers.quick.begin().await?;
            for (job, status) in some {
                let mut head = JobHead::load(&mut tx, *job).await?;
                let is_told = head.code == status.code || head.code.may_become(status.code);
                if head.code.state() == JobState::Pending && is_told {
                    head.change(&mut tx, status, now).await?;
                }
            }
            self.commit(tx).await?;
        }
        Ok(())
    }

    /// Asks for the end of a running attempt; the engine does it. With [`Kill::Fail`] a pending job fails at once.
    /// Gives where the job stands afterwards.
    ///
    /// # Errors
    /// There is no such job, or it has ended.
    pub async fn kill(&self, job: JobId, kill: Kill, now: Timestamp) -> Result<StatusCode, StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        let mut head = JobHead::load(&mut tx, job).await?;
        match (head.code.state(), kill) {
            (JobState::Running, _) => {
                sqlx::query("UPDATE job SET kill = ? WHERE id = ?")
                    .bind(kill.as_str())
                    .bind(job.to_string())
                    .execute(&mut *tx)
                    .await?;
                let body = json!({ "job": head.id, "action": head.action, "kill": kill.as_str() });
                let event =
                    Event { kind: "kill_requested", workspace: &head.workspace, request: head.request.clone(), body };
                append(&mut tx, event, now).await?;
            }
            (JobState::Pending, Kill::Fail) => {
                let status = Status::killed();
                head.change(&mut tx, &status, now).await?;
                head.fail_dependants(&mut tx, now).await?;
            }
            (JobState::Pending, Kill::Retry) => {}
            (JobState::Succeeded | JobState::Failed, _) => {
                return Err(StateError::NotAllowed { job, from: head.code, to: StatusCode::KilledByAdmin });
            }
        }
        let code = head.code;
        self.commit(tx).await?;
        Ok(code)
    }
}
