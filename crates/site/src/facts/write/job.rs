//! The row of a job and of its attempts, as its facts leave them.
//! Spec site.md 2.2, protocol.md 4.3.

use protocol::apply::job::{Job, Status, Why};
use protocol::fact::job::{FinalState, JobStarted};
use protocol::text::ids::JobId;
use protocol::text::whole::AttemptNumber;

use super::{coded, text, word};
use crate::facts::touched::TouchedJob;
use crate::store::{Change, StoreError};

struct State {
    status: &'static str,
    code: String,
    params: String,
    attempt: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    runtime_s: Option<i64>,
    metrics: Option<String>,
    commitment: Option<String>,
}

fn number(attempt: AttemptNumber) -> i64 {
    i64::try_from(attempt.get()).unwrap_or(i64::MAX)
}

fn state(job: &Job) -> State {
    let before = i64::try_from(job.earlier.len()).unwrap_or(i64::MAX);
    let blank = State {
        status: "pending",
        code: String::new(),
        params: "{}".to_owned(),
        attempt: before,
        started_at: None,
        finished_at: None,
        runtime_s: None,
        metrics: None,
        commitment: None,
    };
    match &job.status {
        Status::Pending(why) => {
            let (code, params) = match why {
                Why::Waiting(why) => coded(why),
                Why::Reset(why) => coded(why),
            };
            State { code, params, ..blank }
        }
        Status::Running { started, at, stage } => State {
            status: "running",
            code: word(stage),
            attempt: number(started.attempt),
            started_at: Some(at.microseconds()),
            ..blank
        },
        Status::Ended { finished, at, ran } => {
            let (code, params) = coded(&finished.how);
            State {
                status: match finished.state {
                    FinalState::Succeeded => "succeeded",
                    FinalState::Failed => "failed",
                },
                code,
                params,
                attempt: ran.map_or(before, |(attempt, _)| number(attempt)),
                started_at: ran.map(|(_, at)| at.microseconds()),
                finished_at: Some(at.microseconds()),
                runtime_s: finished.runtime_s.and_then(|s| i64::try_from(s.get()).ok()),
                metrics: finished.usage.as_ref().map(text),
                commitment: finished.commitment.as_ref().map(|root| root.as_str().to_owned()),
            }
        }
    }
}

/// Writes a job that facts told of.
pub(super) async fn write(change: &mut Change, id: &JobId, job: &Job, told: &TouchedJob) -> Result<(), StoreError> {
    let now = state(job);
    // What an attempt ran in stays shown after it ended.
    let ran = told.started.as_ref().or(match &job.status {
        Status::Running { started, .. } => Some(started),
        _ => None,
    });
    sqlx::query(
        "UPDATE job SET status = ?, code = ?, params = ?, attempt = ?, started_at = ?, finished_at = ?, runtime_s = ?,
         metrics = ?, commitment = ?, updated_at = ? WHERE identifier = ?",
    )
    .bind(now.status)
    .bind(&now.code)
    .bind(&now.params)
    .bind(now.attempt)
    .bind(now.started_at)
    .bind(now.finished_at)
    .bind(now.runtime_s)
    .bind(&now.metrics)
    .bind(&now.commitment)
    .bind(told.at.microseconds())
    .bind(id.as_str())
    .execute(&mut **change)
    .await?;
    if let Some(started) = ran {
        sqlx::query("UPDATE job SET image = ?, engine = ? WHERE identifier = ?")
            .bind(image(started))
            .bind(engine(started))
            .bind(id.as_str())
            .execute(&mut **change)
            .await?;
    }
    attempts(change, id, job, &now, ran).await
}

fn image(started: &JobStarted) -> Option<&str> {
    started.image.as_ref().map(|image| image.as_str())
}

fn engine(started: &JobStarted) -> Option<String> {
    started.engine.as_ref().map(text)
}

async fn attempts(
    change: &mut Change,
    id: &JobId,
    job: &Job,
    now: &State,
    ran: Option<&JobStarted>,
) -> Result<(), StoreError> {
    for earlier in &job.earlier {
        let (code, params) = coded(&earlier.why);
        sqlx::query(
            "INSERT INTO job_attempt (job, attempt, image, engine, started_at, ended_at, code, params)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (job, attempt) DO UPDATE SET ended_at = ?6, code = ?7, params = ?8",
        )
        .bind(id.as_str())
        .bind(number(earlier.started.attempt))
        .bind(image(&earlier.started))
        .bind(engine(&earlier.started))
        .bind(earlier.at.microseconds())
        .bind(earlier.ended.microseconds())
        .bind(code)
        .bind(params)
        .execute(&mut **change)
        .await?;
    }
    let Some(started_at) = now.started_at else { return Ok(()) };
    let ended = now.finished_at.is_some();
    sqlx::query(
        "INSERT INTO job_attempt (job, attempt, image, engine, started_at, ended_at, code, params)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (job, attempt) DO UPDATE SET ended_at = ?6, code = ?7, params = ?8",
    )
    .bind(id.as_str())
    .bind(now.attempt)
    .bind(ran.and_then(image))
    .bind(ran.and_then(engine))
    .bind(started_at)
    .bind(now.finished_at)
    .bind(ended.then_some(&now.code))
    .bind(if ended { now.params.as_str() } else { "{}" })
    .execute(&mut **change)
    .await?;
    Ok(())
}
