//! Makes table rows of an old record: when it is imported, and again at each `rebuild`.
//! Spec site.md 2.4, 2.5.

use protocol::text::hashes::Sha256Hex;
use serde_json::Value;

use super::Cause;
use super::place::missing;
use super::record::{Job, NoJobs, Place, Record, Request};
use crate::facts::status::Status;
use crate::facts::{settle_action, settle_request};
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError, words};

/// Where a record belongs; or what it names that is not there.
pub(super) async fn place(change: &mut Change, record: &Record) -> Result<Result<Place, Cause>, StoreError> {
    let (number, request) = match record {
        Record::Request(request) => (request.number, Some(request)),
        Record::Job(job) => (job.request_number, None),
        Record::Error(error) => (error.request_number, None),
    };
    let Some(request) = request else {
        let row: Option<(i64, String, String, bool)> = sqlx::query_as(
            "SELECT b.id, b.slug, r.identifier, r.is_import FROM job_request r JOIN backend b ON b.id = r.backend
             WHERE r.number = ?",
        )
        .bind(number)
        .fetch_optional(&mut **change)
        .await?;
        return Ok(match row {
            None => Err(missing("job request", &number.to_string())),
            Some((_, _, _, false)) => Err(Cause::Taken(format!("job request {number}"))),
            Some((backend, slug, request, true)) => Ok(Place { backend, slug, request }),
        });
    };
    let row: Option<(i64,)> = sqlx::query_as("SELECT id FROM backend WHERE slug = ?")
        .bind(&request.backend)
        .fetch_optional(&mut **change)
        .await?;
    let Some((backend,)) = row else { return Ok(Err(missing("backend", &request.backend))) };
    let (workspace, person): (bool, bool) = sqlx::query_as(
        "SELECT EXISTS (SELECT 1 FROM workspace WHERE name = ?),
                EXISTS (SELECT 1 FROM account WHERE username_key = lower(?))",
    )
    .bind(&request.workspace)
    .bind(&request.requested_by)
    .fetch_one(&mut **change)
    .await?;
    if !workspace {
        return Ok(Err(missing("workspace", &request.workspace)));
    }
    if !person {
        return Ok(Err(missing("user", &request.requested_by)));
    }
    Ok(Ok(Place { backend, slug: request.backend.clone(), request: request.identifier.clone() }))
}

/// Whether this very record was imported before. Another one under its number or name is a cause to refuse it.
pub(super) async fn known(
    change: &mut Change,
    record: &Record,
    body: &Value,
) -> Result<Result<bool, Cause>, StoreError> {
    let taken = |what: String| Ok(Err(Cause::Taken(what)));
    let rows: Vec<(Option<String>,)> = match record {
        Record::Request(request) => {
            sqlx::query_as(
                "SELECT f.text FROM job_request r LEFT JOIN backend_fact f ON f.request = r.identifier
                     AND f.kind = 'import.request' WHERE r.number = ? OR r.identifier = ?",
            )
            .bind(request.number)
            .bind(&request.identifier)
            .fetch_all(&mut **change)
            .await?
        }
        Record::Job(job) => {
            sqlx::query_as(
                "SELECT f.text FROM job j JOIN job_request r ON r.number = j.job_request
                 LEFT JOIN backend_fact f ON f.request = r.identifier AND f.kind = 'import.job'
                     AND json_extract(f.text, '$.body.identifier') = j.identifier
                 WHERE j.identifier = ?1 OR (j.job_request = ?2 AND j.action = ?3)",
            )
            .bind(&job.identifier)
            .bind(job.request_number)
            .bind(&job.action)
            .fetch_all(&mut **change)
            .await?
        }
        Record::Error(error) => {
            sqlx::query_as(
                "SELECT f.text FROM job_request r JOIN backend_fact f ON f.request = r.identifier
                     AND f.kind = 'import.error' WHERE r.number = ?",
            )
            .bind(error.request_number)
            .fetch_all(&mut **change)
            .await?
        }
    };
    let Some((text,)) = rows.first() else { return Ok(Ok(false)) };
    let same = text.as_ref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let same = same.as_ref().and_then(|fact| fact.get("body")) == Some(body);
    if same && rows.len() == 1 {
        return Ok(Ok(true));
    }
    match record {
        Record::Request(request) => taken(format!("job request {} or {}", request.number, request.identifier)),
        Record::Job(job) => taken(format!("job {} or the action {} of its request", job.identifier, job.action)),
        Record::Error(error) => taken(format!("the error of job request {}", error.request_number)),
    }
}

/// Writes a record into the tables. Its fact is stored.
pub(crate) async fn apply(change: &mut Change, backend: i64, record: &Record) -> Result<(), StoreError> {
    let number = match record {
        Record::Request(request) => {
            write_request(change, backend, request).await?;
            request.number
        }
        Record::Job(job) => {
            write_job(change, job).await?;
            job.request_number
        }
        Record::Error(NoJobs { request_number, .. }) => *request_number,
    };
    settle(change, number).await?;
    if let Record::Job(job) = record {
        let row: (i64, i64) = sqlx::query_as("SELECT backend, workspace FROM job_request WHERE number = ?")
            .bind(number)
            .fetch_one(&mut **change)
            .await?;
        settle_action(change, BackendId(row.0), row.1, &job.action, number).await?;
    }
    words::settle(change, number).await
}

async fn write_request(change: &mut Change, backend: i64, request: &Request) -> Result<(), StoreError> {
    let mut hash = None;
    if let Some(text) = &request.project_yaml {
        let digest = Sha256Hex::of(&[text.as_bytes()]);
        sqlx::query("INSERT INTO project_yaml (sha256, body) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(digest.as_str())
            .bind(text.as_bytes())
            .execute(&mut **change)
            .await?;
        hash = Some(digest);
    }
    sqlx::query(
        "INSERT INTO job_request (number, identifier, workspace, backend, requested_by, branch, commit_id,
             force_run_dependencies, stale, notify, project_yaml, codelists, is_import, created_at, delivery, status,
             answered_at, news_at)
         SELECT ?1, ?2, w.id, ?3, a.id, ?4, ?5, ?6, 'keep', ?7, ?8, ?9, 1, ?10, 'answered', 'unknown', ?10, ?10
         FROM workspace w, account a WHERE w.name = ?11 AND a.username_key = lower(?12)
         ON CONFLICT (number) DO UPDATE SET delivery = 'answered', answered_at = ?10, news_at = ?10",
    )
    .bind(request.number)
    .bind(&request.identifier)
    .bind(backend)
    .bind(&request.branch)
    .bind(&request.commit)
    .bind(request.force_run_dependencies)
    .bind(request.notify)
    .bind(hash.as_ref().map(|hash| hash.as_str()))
    .bind(&request.codelists)
    .bind(request.created_at)
    .bind(&request.workspace)
    .bind(&request.requested_by)
    .execute(&mut **change)
    .await?;
    for (position, action) in (0i64..).zip(&request.requested_actions) {
        sqlx::query(
            "INSERT INTO requested_action (job_request, position, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(request.number)
        .bind(position)
        .bind(action)
        .execute(&mut **change)
        .await?;
    }
    Ok(())
}

async fn write_job(change: &mut Change, job: &Job) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO job (identifier, job_request, backend, workspace, position, action, run_command, db, status, code,
             created_at, updated_at, started_at, finished_at, runtime_s, attempt)
         SELECT ?1, number, backend, workspace, (SELECT count(*) FROM job WHERE job_request = ?2), ?3, ?4, ?5, ?6, ?7,
             ?8, ?9, ?10, ?11, ?12, ?13 FROM job_request WHERE number = ?2",
    )
    .bind(&job.identifier)
    .bind(job.request_number)
    .bind(&job.action)
    .bind(&job.run_command)
    .bind(job.is_database())
    .bind(&job.status)
    .bind(&job.code)
    .bind(job.created_at)
    .bind(job.updated_at)
    .bind(job.started_at)
    .bind(job.finished_at)
    .bind(job.runtime_s())
    .bind(i64::from(job.started_at.is_some()))
    .execute(&mut **change)
    .await?;
    sqlx::query("UPDATE job_request SET news_at = max(news_at, ?) WHERE number = ?")
        .bind(job.updated_at)
        .bind(job.request_number)
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// The status of an old request: by its jobs where they say it, else as the old site said.
pub(crate) async fn settle(change: &mut Change, number: i64) -> Result<(), StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT f.text FROM job_request r JOIN backend_fact f ON f.request = r.identifier
         WHERE r.number = ? AND f.kind IN ('import.request', 'import.error') AND f.text IS NOT NULL ORDER BY f.arrival",
    )
    .bind(number)
    .fetch_all(&mut **change)
    .await?;
    let (mut request, mut error) = (None, None);
    for (text,) in rows {
        match record(&text)? {
            Record::Request(found) => request = Some(found),
            Record::Error(found) => error = Some(found),
            Record::Job(_) => {}
        }
    }
    let Some(request) = request else { return Ok(()) };
    let (jobs, unknown): (i64, i64) =
        sqlx::query_as("SELECT count(*), count(*) FILTER (WHERE status = 'unknown') FROM job WHERE job_request = ?")
            .bind(number)
            .fetch_one(&mut **change)
            .await?;
    settle_request(change, number).await?;
    if jobs > 0 && unknown == 0 && error.is_none() {
        return Ok(());
    }
    let (status, reason, detail) = match &error {
        Some(error) => (Status::Failed, Some(error.code.clone()), error.detail.clone().or(request.detail.clone())),
        None => (Status::of(&request.status), None, request.detail.clone()),
    };
    sqlx::query("UPDATE job_request SET status = ?, reason = ?, detail = ?, cancelled = 0 WHERE number = ?")
        .bind(status.as_str())
        .bind(reason)
        .bind(detail)
        .bind(number)
        .execute(&mut **change)
        .await?;
    // Of jobs that were not kept, or whose end is not known, the request itself has to say how long they ran.
    if jobs == 0 || request.runtime_s.is_some() {
        let finished = if status.is_final() { request.finished_at } else { None };
        sqlx::query(
            "UPDATE job_request SET first_started_at = ?, last_finished_at = ?, runtime_s = ? WHERE number = ?",
        )
        .bind(request.started_at)
        .bind(finished)
        .bind(request.runtime_s.unwrap_or(0))
        .bind(number)
        .execute(&mut **change)
        .await?;
    }
    Ok(())
}

/// The record in the text of a stored fact.
pub(crate) fn record(text: &str) -> Result<Record, StoreError> {
    let damaged = |error: serde_json::Error| StoreError::Damaged(format!("an imported record: {error}"));
    let mut whole: Value = serde_json::from_str(text).map_err(damaged)?;
    serde_json::from_value(whole.get_mut("body").map(Value::take).unwrap_or_default()).map_err(damaged)
}
