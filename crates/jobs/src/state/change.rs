//! The one place where a job's status changes: checks the move, sets the times, records the event and the message.
//! Spec jobs.md 4 and 9.

use jiff::Timestamp;
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::event::{Event, Message, append, send};
use super::{StateError, Status, StatusCode, Times};
use crate::{JobId, JobState};

/// What a change needs to know of a job.
pub(super) struct JobHead {
    pub(super) id: JobId,
    pub(super) request: String,
    pub(super) workspace: String,
    pub(super) action: String,
    pub(super) code: StatusCode,
    pub(super) message: String,
    pub(super) times: Times,
    pub(super) fence: i64,
    pub(super) attempts: i64,
    pub(super) cancel_requested_at: Option<i64>,
    pub(super) seq: i64,
    pub(super) cancelled_by: Option<String>,
    /// What is told of its end waits for the results of this attempt to be in place.
    pub(super) hold: Option<String>,
}

macro_rules! head_query {
    ($rest:literal) => {
        concat!(
            "SELECT job.id, job.request, job.workspace, job.action, job.code, job.message, job.created_at, ",
            "job.updated_at, job.started_at, job.completed_at, job.code_updated_at_ns, job.fence, job.attempts, ",
            "job.cancel_requested_at, job.seq, job.cancelled_by FROM job ",
            $rest
        )
    };
}
pub(super) use head_query;

/// The newest job of an action that is not cancelled.
pub(super) const NEWEST: &str =
    "SELECT id FROM job WHERE workspace = ? AND action = ? AND cancelled = 0 ORDER BY seq DESC LIMIT 1";

/// The pending jobs that are pinned to a job.
pub(super) const DEPENDANTS: &str =
    head_query!("JOIN pin ON pin.job = job.id WHERE pin.pinned = ? AND job.state = 'pending' ORDER BY job.seq");

impl JobHead {
    pub(super) fn read(row: &SqliteRow) -> Result<Self, StateError> {
        Ok(Self {
            id: row.try_get::<String, _>(0)?.parse()?,
            request: row.try_get(1)?,
            workspace: row.try_get(2)?,
            action: row.try_get(3)?,
            code: row.try_get::<String, _>(4)?.parse()?,
            message: row.try_get(5)?,
            times: Times {
                created_at: row.try_get(6)?,
                updated_at: row.try_get(7)?,
                started_at: row.try_get(8)?,
                completed_at: row.try_get(9)?,
                status_code_updated_at: row.try_get(10)?,
            },
            fence: row.try_get(11)?,
            attempts: row.try_get(12)?,
            cancel_requested_at: row.try_get(13)?,
            seq: row.try_get(14)?,
            cancelled_by: row.try_get(15)?,
            hold: None,
        })
    }

    pub(super) async fn load(tx: &mut SqliteConnection, job: JobId) -> Result<Self, StateError> {
        let row = sqlx::query(head_query!("WHERE id = ?")).bind(job.to_string()).fetch_optional(tx).await?;
        row.as_ref().map(Self::read).transpose()?.ok_or(StateError::UnknownJob(job))
    }

    /// The job, if this is still its fence and it runs.
    pub(super) async fn load_running(
        tx: &mut SqliteConnection,
        job: JobId,
        fence: i64,
        to: StatusCode,
    ) -> Result<Self, StateError> {
        let head = Self::load(tx, job).await?;
        if head.fence != fence {
            return Err(StateError::OldFence { job, held: fence, current: head.fence });
        }
        if head.code.state() != JobState::Running {
            return Err(StateError::NotAllowed { job, from: head.code, to });
        }
        Ok(head)
    }

    /// Gives the job another code. The same code again only refreshes its words and, once a minute, its time.
    pub(super) async fn change(
        &mut self,
        tx: &mut SqliteConnection,
        status: &Status,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let (from, to) = (self.code, status.code);
        let moved = from != to;
        if moved && !from.may_become(to) || !moved && !to.state().is_active() {
            return Err(StateError::NotAllowed { job: self.id, from, to });
        }
        let times = if moved { self.times.moved(from, to, now) } else { self.times.heard_again(now) };
        if !moved && times == self.times && self.message == status.message {
            return Ok(());
        }
        sqlx::query(
            "UPDATE job SET state = ?, code = ?, reason = ?, message = ?, numbers = ?, updated_at = ?, \
             started_at = ?, completed_at = ?, code_updated_at_ns = ? WHERE id = ?",
        )
        .bind(to.state().as_str())
        .bind(to.as_str())
        .bind(status.reason.as_ref().map(super::Reason::as_str))
        .bind(&status.message)
        .bind(serde_json::to_string(&status.numbers)?)
        .bind(times.updated_at)
        .bind(times.started_at)
        .bind(times.completed_at)
        .bind(times.status_code_updated_at)
        .bind(self.id.to_string())
        .execute(&mut *tx)
        .await?;
        (self.code, self.times, self.message) = (to, times, status.message.clone());
        if moved { self.tell(tx, from, status, now).await } else { Ok(()) }
    }

    /// The message of a change, with all that may be told of it and nothing else, and the entry of the record.
    async fn tell(
        &self,
        tx: &mut SqliteConnection,
        from: StatusCode,
        status: &Status,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let ends = !status.code.state().is_active();
        let mut tells = status.tells.clone();
        if status.code == StatusCode::CancelledByUser && tells.by.is_none() {
            tells.by.clone_from(&self.cancelled_by);
        }
        // A job that runs when it ends has a runtime, also if its command never began.
        tells.ran_ms = if ends && from.state() == JobState::Running { tells.ran_ms.or(Some(0)) } else { None };
        let reference =
            matches!(status.code, StatusCode::JobError | StatusCode::InternalError).then(reference).flatten();
        let image: Option<String> = match status.code {
            StatusCode::Initiated => {
                let image = sqlx::query_scalar("SELECT definition->'image' FROM job WHERE id = ?");
                image.bind(self.id.to_string()).fetch_one(&mut *tx).await?
            }
            _ => None,
        };
        let mut told = json!({
            "job": self.id,
            "request": self.request,
            "action": self.action,
            "from": from,
            "state": status.code.state(),
            "code": status.code,
            "attempt": self.attempts,
            "at": self.times.updated_at,
            "at_ns": self.times.status_code_updated_at,
            "tells": tells,
        });
        if status.code == StatusCode::JobError {
            told["reason"] = json!(status.reason);
        }
        if let Some(image) = image {
            told["image"] = serde_json::from_str(&image)?;
        }
        if let Some(reference) = &reference {
            told["ref"] = json!(reference);
        }
        let hold = self.hold.as_deref().filter(|_| ends);
        send(tx, Message { kind: "job.state", body: &told, held_for: hold, answers: None }, now).await?;
        let body = json!({
            "job": self.id,
            "action": self.action,
            "code": status.code,
            "reason": status.reason,
            "numbers": status.numbers,
            "fence": self.fence,
            "ref": reference,
        });
        let event = Event { kind: "job_state", workspace: &self.workspace, request: self.request.clone(), body };
        append(tx, event, now).await
    }

    /// Makes the newest job of this action that is not cancelled its latest one.
    pub(super) async fn choose_latest(&self, tx: &mut SqliteConnection) -> Result<(), StateError> {
        let newest: Option<String> =
            sqlx::query_scalar(NEWEST).bind(&self.workspace).bind(&self.action).fetch_optional(&mut *tx).await?;
        let query = if newest.is_some() {
            "UPDATE latest_job SET job = ?3 WHERE workspace = ?1 AND action = ?2"
        } else {
            "DELETE FROM latest_job WHERE workspace = ?1 AND action = ?2 AND ?3 IS NULL"
        };
        sqlx::query(query).bind(&self.workspace).bind(&self.action).bind(newest).execute(tx).await?;
        Ok(())
    }

    /// Fails every job that waits for this one, directly or not, nearest first. None of them has an attempt.
    pub(super) async fn fail_dependants(
        &self,
        tx: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<Vec<JobId>, StateError> {
        let message = format!("{}, which it needs, {}", self.action, ending(self.code));
        let status =
            Status::new(StatusCode::DependencyFailed, message).telling(|tells| tells.blocked_by = vec![self.id]);
        let mut failed = Vec::new();
        let mut from = std::collections::VecDeque::from([self.id]);
        while let Some(job) = from.pop_front() {
            let rows = sqlx::query(DEPENDANTS).bind(job.to_string()).fetch_all(&mut *tx).await?;
            for row in &rows {
                let mut head = Self { hold: self.hold.clone(), ..Self::read(row)? };
                head.change(tx, &status, now).await?;
                failed.push(head.id);
                from.push_back(head.id);
            }
        }
        Ok(failed)
    }
}

/// The key to the entry of the record that says more: ten random characters `[a-z2-7]` that say nothing outside.
fn reference() -> Option<String> {
    let mut bytes = [0; 7];
    getrandom::fill(&mut bytes).ok()?;
    let mut text = data_encoding::BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
    text.truncate(10);
    Some(text)
}

/// How a job ended, as the end of a sentence.
fn ending(code: StatusCode) -> &'static str {
    match code {
        StatusCode::CancelledByUser => "was cancelled",
        StatusCode::KilledByAdmin => "was stopped by an operator",
        StatusCode::TimedOut => "ran longer than it may",
        StatusCode::UnmatchedPatterns => "did not make all of its outputs",
        StatusCode::DependencyFailed => "could not start, because a job it needs failed",
        _ => "failed",
    }
}
