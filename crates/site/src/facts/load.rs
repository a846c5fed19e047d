//! Reads from the tables that part of a backend's book which a batch of facts touches.
//! Spec protocol.md 4.2. What is read back is what `apply` asks for: an ended job says only that it ended.

use std::collections::BTreeMap;

use protocol::apply::book::{Book, Cancel, Outcome, Release, Request, part};
use protocol::apply::job::{Earlier, Job, Status, Why};
use protocol::directive::{DirectiveBody, DirectiveKind};
use protocol::fact::FactBody;
use protocol::fact::codes::Ending;
use protocol::fact::envelope::Fact;
use protocol::fact::job::{JobFinished, JobStarted};
use protocol::fact::request::CancelDone;
use protocol::order::Order;
use protocol::text::ids::{JobId, RequestId};
use protocol::text::whole::AttemptNumber;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::touched::Named;
use crate::clock::moment;
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}

fn list<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<Value> = names.into_iter().map(|name| Value::from(name.to_string())).collect();
    Value::from(names).to_string()
}

/// A code and its values as one of the closed sets. A code without values is written without `params`.
fn coded<T: DeserializeOwned>(code: &str, params: &str) -> Option<T> {
    let params: Value = serde_json::from_str(params).ok()?;
    let with = json!({"code": code, "params": params});
    T::deserialize(&with).or_else(|_| T::deserialize(&json!({"code": code}))).ok()
}

/// The part of the book that these names are about.
pub(super) async fn book(change: &mut Change, backend: BackendId, named: &Named) -> Result<Book, StoreError> {
    let mut book = Book::default();
    requests(change, backend, named, &mut book).await?;
    jobs(change, backend, named, &mut book).await?;
    cancels(change, backend, named, &mut book).await?;
    releases(change, backend, named, &mut book).await?;
    Ok(book)
}

async fn requests(change: &mut Change, backend: BackendId, named: &Named, book: &mut Book) -> Result<(), StoreError> {
    if named.requests.is_empty() {
        return Ok(());
    }
    let rows: Vec<(String, bool, Option<String>)> = sqlx::query_as(
        "SELECT r.identifier, r.answered_at IS NOT NULL, d.text FROM job_request r
         LEFT JOIN directive d ON d.request = r.identifier AND d.kind = 'job_request' AND d.backend = r.backend
         WHERE r.backend = ? AND r.is_import = 0 AND r.identifier IN (SELECT value FROM json_each(?))",
    )
    .bind(backend.0)
    .bind(list(&named.requests))
    .fetch_all(&mut **change)
    .await?;
    for (id, answered, text) in rows {
        let id: RequestId = id.parse().map_err(|_| damaged("the identifier of a request"))?;
        let order = match text {
            Some(text) => order(&text)?,
            // Made again after a restore from the very order that its answer repeats.
            None => match named.orders.get(&id) {
                Some(order) => order.clone(),
                None => continue,
            },
        };
        let outcome = if answered { Outcome::Answered } else { Outcome::Sent };
        book.requests.insert(id, Request { order, outcome });
    }
    Ok(())
}

/// The order in a stored directive.
pub(super) fn order(text: &str) -> Result<Order, StoreError> {
    let whole: Value = serde_json::from_str(text).map_err(|_| damaged("a directive"))?;
    let body = whole.get("body").ok_or_else(|| damaged("a directive"))?;
    match DirectiveBody::read(DirectiveKind::JobRequest, body) {
        Ok(DirectiveBody::JobRequest(order)) => Ok(order),
        _ => Err(damaged("the order of a directive")),
    }
}

type JobRow = (String, String, String, String, String, String, i64, Option<String>, Option<String>, Option<i64>);

async fn jobs(change: &mut Change, backend: BackendId, named: &Named, book: &mut Book) -> Result<(), StoreError> {
    if named.jobs.is_empty() {
        return Ok(());
    }
    let names = list(&named.jobs);
    let rows: Vec<JobRow> = sqlx::query_as(
        "SELECT j.identifier, r.identifier, j.action, j.status, j.code, j.params, j.attempt, j.image, j.engine,
                j.started_at
         FROM job j JOIN job_request r ON r.number = j.job_request
         WHERE j.backend = ? AND j.identifier IN (SELECT value FROM json_each(?))",
    )
    .bind(backend.0)
    .bind(&names)
    .fetch_all(&mut **change)
    .await?;
    let mut earlier = attempts(change, &names).await?;
    for (id, request, action, status, code, params, attempt, image, engine, started_at) in rows {
        let bad = || damaged(&format!("the job {id}"));
        // An imported record may have names that no message can have: no fact is about it.
        let (Ok(job), Ok(request), Ok(action)) = (id.parse::<JobId>(), request.parse::<RequestId>(), action.parse())
        else {
            continue;
        };
        let begun = |attempt: i64, image: Option<String>, engine: Option<String>| {
            started(&request, &job, attempt, image, engine)
        };
        let mut before = Vec::new();
        for (attempt, image, engine, at, ended, code, params) in earlier.remove(&id).unwrap_or_default() {
            let started = begun(attempt, image, engine).ok_or_else(bad)?;
            let Some(why) = coded(&code, &params) else { continue };
            before.push(Earlier { started, at: moment(at), ended: moment(ended), why });
        }
        let status = match status.as_str() {
            "pending" => Status::Pending(match coded(&code, &params) {
                Some(waiting) => Why::Waiting(waiting),
                None => Why::Reset(coded(&code, &params).ok_or_else(bad)?),
            }),
            "running" => Status::Running {
                started: begun(attempt, image, engine).ok_or_else(bad)?,
                at: moment(started_at.ok_or_else(bad)?),
                stage: serde_json::from_value(Value::from(code)).map_err(|_| bad())?,
            },
            // How it ended is in its row, and no fact can change it.
            _ => Status::Ended {
                finished: Box::new(JobFinished::new(request.clone(), job.clone(), Ending::KilledByAdmin, None)),
                at: moment(0),
                ran: None,
            },
        };
        book.jobs.insert(job, Job { request, action, status, earlier: before });
    }
    Ok(())
}

type AttemptRow = (i64, Option<String>, Option<String>, i64, i64, String, String);

/// The attempts that ended for a passing reason, by job, in their order.
async fn attempts(change: &mut Change, names: &str) -> Result<BTreeMap<String, Vec<AttemptRow>>, StoreError> {
    type Row = (String, i64, Option<String>, Option<String>, i64, i64, String, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT a.job, a.attempt, a.image, a.engine, a.started_at, a.ended_at, a.code, a.params
         FROM job_attempt a JOIN job j ON j.identifier = a.job
         WHERE a.job IN (SELECT value FROM json_each(?)) AND a.ended_at IS NOT NULL AND a.code IS NOT NULL
           AND j.status IN ('pending', 'running')
         ORDER BY a.job, a.attempt",
    )
    .bind(names)
    .fetch_all(&mut **change)
    .await?;
    let mut all: BTreeMap<String, Vec<AttemptRow>> = BTreeMap::new();
    for (job, attempt, image, engine, started, ended, code, params) in rows {
        all.entry(job).or_default().push((attempt, image, engine, started, ended, code, params));
    }
    Ok(all)
}

fn started(
    request: &RequestId,
    job: &JobId,
    attempt: i64,
    image: Option<String>,
    engine: Option<String>,
) -> Option<JobStarted> {
    Some(JobStarted {
        request: request.clone(),
        job: job.clone(),
        attempt: AttemptNumber::try_from(u64::try_from(attempt).ok()?).ok()?,
        image: image.map(|image| image.parse()).transpose().ok()?,
        engine: engine.map(|engine| serde_json::from_str(&engine)).transpose().ok()?,
    })
}

async fn cancels(change: &mut Change, backend: BackendId, named: &Named, book: &mut Book) -> Result<(), StoreError> {
    if named.cancels.is_empty() {
        return Ok(());
    }
    let rows: Vec<(String, String, String, Option<i64>)> = sqlx::query_as(
        "SELECT d.id, d.request, d.text, d.answered_at FROM directive d
         WHERE d.backend = ? AND d.kind = 'cancel' AND d.request IS NOT NULL
           AND d.id IN (SELECT value FROM json_each(?))",
    )
    .bind(backend.0)
    .bind(list(&named.cancels))
    .fetch_all(&mut **change)
    .await?;
    for (id, request, text, answered) in rows {
        let bad = || damaged(&format!("the directive {id}"));
        let whole: Value = serde_json::from_str(&text).map_err(|_| bad())?;
        let body = whole.get("body").ok_or_else(bad)?;
        let Ok(DirectiveBody::Cancel(cancel)) = DirectiveBody::read(DirectiveKind::Cancel, body) else {
            return Err(bad());
        };
        let request: RequestId = request.parse().map_err(|_| bad())?;
        let directive = id.parse().map_err(|_| bad())?;
        // What became of each action is in its row; here it only matters that it has an answer.
        let done =
            answered.map(|_| CancelDone { request: request.clone(), directive, part: None, actions: BTreeMap::new() });
        let directive = id.parse().map_err(|_| bad())?;
        book.cancels.insert(directive, Cancel { request, actions: cancel.actions.to_vec(), done });
    }
    Ok(())
}

async fn releases(change: &mut Change, backend: BackendId, named: &Named, book: &mut Book) -> Result<(), StoreError> {
    if named.releases.is_empty() {
        return Ok(());
    }
    let rows: Vec<(String, bool, bool)> = sqlx::query_as(
        "SELECT release, completed_at IS NOT NULL, recalled_at IS NOT NULL FROM backend_release
         WHERE backend = ? AND release IN (SELECT value FROM json_each(?))",
    )
    .bind(backend.0)
    .bind(list(&named.releases))
    .fetch_all(&mut **change)
    .await?;
    for (id, completed, recalled) in rows {
        let step = match (completed, recalled) {
            (_, true) => Release::Recalled,
            (true, false) => Release::Completed,
            (false, false) => Release::Declared,
        };
        book.releases.insert(id.parse().map_err(|_| damaged("a release"))?, step);
    }
    Ok(())
}

/// The begun parts of a long answer that stand right before this place, if any.
pub(super) async fn begun(
    change: &mut Change,
    backend: BackendId,
    epoch: i64,
    before: i64,
) -> Result<Vec<FactBody>, StoreError> {
    let last: Option<(Option<String>,)> = sqlx::query_as(
        "SELECT text FROM backend_fact WHERE backend = ? AND epoch = ? AND seq = ? AND not_applied IS NULL
         AND kind IN ('request.accepted', 'request.nothing_to_do', 'request.refused', 'cancel.done')",
    )
    .bind(backend.0)
    .bind(epoch)
    .bind(before - 1)
    .fetch_optional(&mut **change)
    .await?;
    let Some(body) = last.and_then(|(text,)| body_of(text)) else { return Ok(Vec::new()) };
    let Some((_, number)) = part(&body) else { return Ok(Vec::new()) };
    if number.part >= number.parts {
        return Ok(Vec::new());
    }
    let texts: Vec<(Option<String>,)> = sqlx::query_as(
        "SELECT text FROM backend_fact WHERE backend = ? AND epoch = ? AND seq < ? AND seq >= ? ORDER BY seq",
    )
    .bind(backend.0)
    .bind(epoch)
    .bind(before)
    .bind(before - i64::try_from(number.part.get()).unwrap_or(1))
    .fetch_all(&mut **change)
    .await?;
    Ok(texts.into_iter().filter_map(|(text,)| body_of(text)).collect())
}

fn body_of(text: Option<String>) -> Option<FactBody> {
    body(&text?)
}

fn body(text: &str) -> Option<FactBody> {
    let fact = Fact::read(serde_json::from_str(text).ok()?).ok()?;
    fact.content().ok().map(|content| content.body)
}
