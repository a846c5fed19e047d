//! From claim to result: what an attempt tells of its job, each in one transaction.
//! Spec jobs.md 4, 8 and 9 (steps 3 to 10).

use jiff::Timestamp;
use sqlx::{Row, SqliteConnection};

use super::change::JobHead;
use super::event::release;
use super::{
    Attempt, AttemptEnd, Claim, Finished, JobResult, State, StateError, Status, StatusCode, components, whole,
};
use crate::{AttemptId, JobId, JobState};

/// Whether a job waits for one that has not succeeded.
pub(super) const WAITS: &str =
    "SELECT EXISTS (SELECT 1 FROM pin JOIN job ON job.id = pin.pinned WHERE pin.job = ? AND job.state <> 'succeeded')";

impl State {
    /// Claims a pending job for a new attempt: `initiated`, with the next fence number.
    ///
    /// # Errors
    /// It is not pending, is cancelled, or waits for a job that has not succeeded. Whether its next try is due is for the
    /// scheduler to say, whose clock is not set back.
    pub async fn claim(&self, job: JobId, claim: &Claim, now: Timestamp) -> Result<Attempt, StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        let mut head = JobHead::load(&mut tx, job).await?;
        let refuse = |why| Err(StateError::NotClaimable { job, why });
        if head.code.state() != JobState::Pending {
            return refuse("it is not pending");
        }
        let waits: bool = sqlx::query_scalar(WAITS).bind(job.to_string()).fetch_one(&mut *tx).await?;
        if waits {
            return refuse("a job it needs has not succeeded");
        }
        head.fence += 1;
        head.attempts += 1;
        let attempt = Attempt { id: job.attempt(u32::try_from(head.attempts).unwrap_or(u32::MAX)), fence: head.fence };
        sqlx::query("UPDATE job SET fence = ?, attempts = ?, next_try_at = NULL, kill = NULL WHERE id = ?")
            .bind(head.fence)
            .bind(head.attempts)
            .bind(job.to_string())
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "INSERT INTO attempt (id, job, number, fence, owner, lease_until, started_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(attempt.id.to_string())
        .bind(job.to_string())
        .bind(head.attempts)
        .bind(head.fence)
        .bind(&claim.owner)
        .bind(claim.lease_until)
        .bind(now.as_second())
        .execute(&mut *tx)
        .await?;
        let begins = Status::new(StatusCode::Initiated, "Starting");
        let begins = begins.telling(|tells| tells.waivers.clone_from(&claim.waivers));
        head.change(&mut tx, &begins, now).await?;
        self.commit(tx).await?;
        Ok(attempt)
    }

    /// Makes a running attempt this agent's: one on the same host that an engine before it left running.
    ///
    /// # Errors
    /// The attempt is no longer the job's.
    pub async fn adopt(&self, attempt: &Attempt, claim: &Claim) -> Result<(), StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        JobHead::load_running(&mut tx, attempt.id.job, attempt.fence, StatusCode::Executing).await?;
        sqlx::query("UPDATE attempt SET owner = ?, lease_until = ? WHERE id = ?")
            .bind(&claim.owner)
            .bind(claim.lease_until)
            .bind(attempt.id.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx).await
    }

    /// Says what a pending job waits for.
    ///
    /// # Errors
    /// The job is not pending, or the code is not one of waiting.
    pub async fn set_code(&self, job: JobId, status: &Status, now: Timestamp) -> Result<(), StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.quick.begin().await?;
        let mut head = JobHead::load(&mut tx, job).await?;
        if head.code.state() != JobState::Pending || status.code.state() != JobState::Pending {
            return Err(StateError::NotAllowed { job, from: head.code, to: status.code });
        }
        head.change(&mut tx, status, now).await?;
        self.commit(tx).await
    }

    /// Says at which stage a running attempt is; again with the same code as a sign of life.
    ///
    /// # Errors
    /// The attempt is no longer the job's, or the stage is not one after the present one.
    pub async fn set_stage(&self, attempt: &Attempt, status: &Status, now: Timestamp) -> Result<(), StateError> {
        let job = attempt.id.job;
        let mut writers = self.writers.lock().await;
        let mut tx = writers.quick.begin().await?;
        let mut head = JobHead::load_running(&mut tx, job, attempt.fence, status.code).await?;
        if status.code.state() != JobState::Running {
            return Err(StateError::NotAllowed { job, from: head.code, to: status.code });
        }
        head.change(&mut tx, status, now).await?;
        self.commit(tx).await
    }

    /// Ends an attempt and puts its job back to pending, with one of the three codes of a reset. If the job is being
    /// cancelled it is cancelled instead; if an operator wants it to fail it fails.
    ///
    /// # Errors
    /// The attempt is no longer the job's, or the code is not one of a reset.
    pub async fn put_back(
        &self,
        attempt: &Attempt,
        status: &Status,
        end: &AttemptEnd,
        now: Timestamp,
    ) -> Result<Finished, StateError> {
        let job = attempt.id.job;
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        let mut head = JobHead::load_running(&mut tx, job, attempt.fence, status.code).await?;
        if !status.code.is_reset() {
            return Err(StateError::NotAllowed { job, from: head.code, to: status.code });
        }
        let to_fail: bool = sqlx::query_scalar("SELECT coalesce(kill = 'fail', 0) FROM job WHERE id = ?")
            .bind(job.to_string())
            .fetch_one(&mut *tx)
            .await?;
        // Cancelling wins over everything, and what an operator wants to fail is not tried again.
        let ended = match (head.cancel_requested_at.is_some(), to_fail) {
            (true, _) => Some(Status::cancelled()),
            (false, true) => Some(Status::killed()),
            (false, false) => None,
        };
        let ended = ended.map(|status| status.telling(|tells| tells.ran_ms = end.milliseconds));
        let status = ended.as_ref().unwrap_or(status);
        head.hold = self.hold_for(attempt.id);
        end_attempt(&mut tx, attempt.id, status, end.exit_code, now).await?;
        head.change(&mut tx, status, now).await?;
        let failed_dependants = if ended.is_some() { head.fail_dependants(&mut tx, now).await? } else { Vec::new() };
        let next_try_at = if ended.is_some() { None } else { end.next_try_at };
        sqlx::query("UPDATE job SET next_try_at = ?, tries = tries + ? WHERE id = ?")
            .bind(next_try_at)
            .bind(end.counts)
            .bind(job.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx).await?;
        Ok(Finished { code: status.code, failed_dependants })
    }

    /// Ends an attempt and with it its job: outputs, final code, what waits for it, event and message, all or nothing.
    ///
    /// If the job is being cancelled it ends cancelled, without outputs, whatever the result says.
    ///
    /// # Errors
    /// The attempt is no longer the job's, or the code is not a final one it can reach.
    pub async fn finish(&self, attempt: &Attempt, result: &JobResult, now: Timestamp) -> Result<Finished, StateError> {
        let job = attempt.id.job;
        let made_by = result.components.as_ref().map(components::Ready::new).transpose()?;
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        let mut head = JobHead::load_running(&mut tx, job, attempt.fence, result.status.code).await?;
        if result.status.code.state().is_active() {
            return Err(StateError::NotAllowed { job, from: head.code, to: result.status.code });
        }
        let cancelled = Status::cancelled();
        let status = if head.cancel_requested_at.is_some() { cancelled } else { result.status.clone() };
        let status = &status.telling(|tells| tells.ran_ms = tells.ran_ms.or(result.milliseconds));
        head.hold = self.hold_for(attempt.id);
        end_attempt(&mut tx, attempt.id, status, result.exit_code, now).await?;
        head.change(&mut tx, status, now).await?;
        sqlx::query("UPDATE job SET milliseconds = ?, peak_bytes = ? WHERE id = ?")
            .bind(result.milliseconds.map(to_stored))
            .bind(result.peak_bytes.map(to_stored))
            .bind(job.to_string())
            .execute(&mut *tx)
            .await?;
        if status.code == StatusCode::CancelledByUser {
            mark_cancelled(&mut tx, &head, now).await?;
        } else {
            store_outputs(&mut tx, job, result).await?;
            let whose = (head.workspace.as_str(), head.request.as_str());
            whole::put_on_record(&mut tx, whose, job, &result.outputs, now).await?;
            if let Some(made_by) = &made_by {
                made_by.store(&mut tx, job).await?;
            }
        }
        let failed_dependants = match status.code.state() {
            JobState::Failed => head.fail_dependants(&mut tx, now).await?,
            _ => Vec::new(),
        };
        self.commit(tx).await?;
        Ok(Finished { code: status.code, failed_dependants })
    }

    /// Fails a pending job that will never start, and all that wait for it.
    ///
    /// # Errors
    /// The job is not pending, or the code is not a final one of a job that never ran.
    pub async fn give_up(&self, job: JobId, status: &Status, now: Timestamp) -> Result<Finished, StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        let mut head = JobHead::load(&mut tx, job).await?;
        if head.code.state() != JobState::Pending || status.code.state().is_active() {
            return Err(StateError::NotAllowed { job, from: head.code, to: status.code });
        }
        head.change(&mut tx, status, now).await?;
        if status.code == StatusCode::CancelledByUser {
            mark_cancelled(&mut tx, &head, now).await?;
        }
        let failed_dependants = head.fail_dependants(&mut tx, now).await?;
        self.commit(tx).await?;
        Ok(Finished { code: status.code, failed_dependants })
    }

    /// Renews the lease of an attempt.
    ///
    /// # Errors
    /// The attempt is no longer the job's.
    pub async fn renew_lease(&self, attempt: &Attempt, lease_until: i64) -> Result<(), StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.quick.begin().await?;
        JobHead::load_running(&mut tx, attempt.id.job, attempt.fence, StatusCode::Executing).await?;
        sqlx::query("UPDATE attempt SET lease_until = ? WHERE id = ?")
            .bind(lease_until)
            .bind(attempt.id.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx).await
    }

    /// Step 9 is done: views, logs and manifest tell of this attempt.
    ///
    /// # Errors
    /// The database refused.
    pub async fn mark_published(&self, attempt: AttemptId) -> Result<(), StateError> {
        const DONE: &str = "UPDATE attempt SET published = 1 WHERE id = ?";
        if !self.holds {
            return self.mark(DONE, attempt).await;
        }
        let id = attempt.to_string();
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        sqlx::query(DONE).bind(&id).execute(&mut *tx).await?;
        release(&mut tx, &id).await?;
        self.commit(tx).await
    }

    fn hold_for(&self, attempt: AttemptId) -> Option<String> {
        self.holds.then(|| attempt.to_string())
    }

    /// Step 10 is done: nothing of this attempt's sandbox is left.
    ///
    /// # Errors
    /// The database refused.
    pub async fn mark_cleaned(&self, attempt: AttemptId) -> Result<(), StateError> {
        self.mark("UPDATE attempt SET cleaned = 1 WHERE id = ?", attempt).await
    }

    async fn mark(&self, query: &'static str, attempt: AttemptId) -> Result<(), StateError> {
        let mut writers = self.writers.lock().await;
        sqlx::query(query).bind(attempt.to_string()).execute(&mut *writers.quick).await?;
        Ok(())
    }

    /// Ended attempts whose steps 9 or 10 are not done, oldest first: (attempt, published, cleaned).
    ///
    /// # Errors
    /// The database refused.
    pub async fn unfinished_attempts(&self) -> Result<Vec<(AttemptId, bool, bool)>, StateError> {
        let rows = sqlx::query(
            "SELECT id, published, cleaned FROM attempt \
             WHERE (published = 0 OR cleaned = 0) AND ended_at IS NOT NULL ORDER BY started_at, id",
        )
        .fetch_all(&self.readers)
        .await?;
        let read = |row: sqlx::sqlite::SqliteRow| {
            Ok((row.try_get::<String, _>(0)?.parse()?, row.try_get(1)?, row.try_get(2)?))
        };
        rows.into_iter().map(read).collect()
    }
}

/// SQLite holds 63 bits; nothing measured here comes near.
pub(super) fn to_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) async fn end_attempt(
    tx: &mut SqliteConnection,
    attempt: AttemptId,
    status: &Status,
    exit_code: Option<i32>,
    now: Timestamp,
) -> Result<(), StateError> {
    sqlx::query("UPDATE attempt SET ended_at = ?, ended_as = ?, reason = ?, exit_code = ? WHERE id = ?")
        .bind(now.as_second())
        .bind(status.code.as_str())
        .bind(status.reason.as_ref().map(super::Reason::as_str))
        .bind(exit_code)
        .bind(attempt.to_string())
        .execute(tx)
        .await?;
    Ok(())
}

/// From now on the job is no longer anyone's latest one.
pub(super) async fn mark_cancelled(
    tx: &mut SqliteConnection,
    head: &JobHead,
    now: Timestamp,
) -> Result<(), StateError> {
    sqlx::query("UPDATE job SET cancelled = 1, cancel_requested_at = coalesce(cancel_requested_at, ?) WHERE id = ?")
        .bind(now.as_second())
        .bind(head.id.to_string())
        .execute(&mut *tx)
        .await?;
    head.choose_latest(tx).await
}

async fn store_outputs(tx: &mut SqliteConnection, job: JobId, result: &JobResult) -> Result<(), StateError> {
    sqlx::query(
        "INSERT INTO output (job, path, level, size, object, mtime_ns, excluded, row_count, col_count) \
         SELECT ?1, value->>'path', value->>'level', value->>'size', value->>'object', value->>'mtime_ns', \
         value->>'excluded', value->>'row_count', value->>'col_count' FROM json_each(?2)",
    )
    .bind(job.to_string())
    .bind(serde_json::to_string(&result.outputs)?)
    .execute(tx)
    .await?;
    Ok(())
}
