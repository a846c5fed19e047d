//! Writes what facts changed: requests and their plan, jobs and attempts, what hangs on the jobs of an action.
//! Spec site.md 2.2, 2.4.

mod action;
mod backend;
mod job;
mod plan;
mod request;

use std::collections::{BTreeMap, BTreeSet};

use protocol::apply::book::Book;
use protocol::fact::words::Cancelled;
use protocol::text::ids::RequestId;
use serde::Serialize;
use serde_json::Value;

use super::touched::Touched;
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError, words};

pub(crate) use action::settle as settle_action;
pub(super) use backend::of_backend;
pub(crate) use request::settle as settle_request;

/// A request's place in the tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub number: i64,
    pub workspace: i64,
}

/// Writes all that was touched. Gives the numbers of the requests.
pub(super) async fn all(
    change: &mut Change,
    backend: BackendId,
    book: &Book,
    touched: &Touched,
) -> Result<BTreeSet<i64>, StoreError> {
    for request in &touched.lost {
        if let Some(request) = book.requests.get(request) {
            request::make_again(change, backend, &request.order).await?;
        }
    }
    let rows = rows(change, backend, touched).await?;
    for (id, row) in &rows {
        let Some(request) = book.requests.get(id) else { continue };
        request::answer(change, backend, *row, request, touched.answered.get(id).copied()).await?;
    }
    let mut actions = BTreeSet::new();
    for (id, told) in &touched.jobs {
        let Some(job) = book.jobs.get(id) else { continue };
        job::write(change, id, job, told).await?;
        if job.ended().is_some()
            && let Some(row) = rows.get(&job.request)
        {
            actions.insert((row.workspace, job.action.to_string(), row.number));
        }
    }
    for (id, row) in &rows {
        if touched.answered.contains_key(id) {
            for action in plan::actions(book, id) {
                actions.insert((row.workspace, action, row.number));
            }
            words::settle(change, row.number).await?;
        }
    }
    for (workspace, action, number) in &actions {
        action::settle(change, backend, *workspace, action, *number).await?;
    }
    for (directive, answered_at) in &touched.cancels {
        let Some(done) = book.cancels.get(directive).and_then(|cancel| cancel.done.as_ref()) else { continue };
        cancelled(change, directive.as_str(), *answered_at, &done.actions).await?;
    }
    for (id, row) in &rows {
        request::settle(change, row.number).await?;
        sqlx::query("UPDATE job_request SET news_at = ? WHERE number = ?")
            .bind(touched.requests.get(id).copied())
            .bind(row.number)
            .execute(&mut **change)
            .await?;
    }
    Ok(rows.values().map(|row| row.number).collect())
}

async fn rows(
    change: &mut Change,
    backend: BackendId,
    touched: &Touched,
) -> Result<BTreeMap<RequestId, Row>, StoreError> {
    let mut rows = BTreeMap::new();
    for id in touched.requests.keys() {
        let row: Option<(i64, i64)> =
            sqlx::query_as("SELECT number, workspace FROM job_request WHERE identifier = ? AND backend = ?")
                .bind(id.as_str())
                .bind(backend.0)
                .fetch_optional(&mut **change)
                .await?;
        if let Some((number, workspace)) = row {
            rows.insert(id.clone(), Row { number, workspace });
        }
    }
    Ok(rows)
}

async fn cancelled(
    change: &mut Change,
    directive: &str,
    at: i64,
    actions: &BTreeMap<protocol::text::names::ActionName, Cancelled>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE directive SET answered_at = ? WHERE id = ?")
        .bind(at)
        .bind(directive)
        .execute(&mut **change)
        .await?;
    sqlx::query("UPDATE cancellation SET answered_at = ? WHERE directive = ?")
        .bind(at)
        .bind(directive)
        .execute(&mut **change)
        .await?;
    for (action, outcome) in actions {
        sqlx::query("UPDATE cancellation SET result = ? WHERE directive = ? AND action = ?")
            .bind(word(outcome))
            .bind(directive)
            .bind(action.as_str())
            .execute(&mut **change)
            .await?;
    }
    Ok(())
}

/// A code as its word.
pub(super) fn word<T: Serialize>(code: &T) -> String {
    match serde_json::to_value(code) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A code with its values, as two texts.
pub(super) fn coded<T: Serialize>(code: &T) -> (String, String) {
    let Ok(Value::Object(mut map)) = serde_json::to_value(code) else { return (String::new(), "{}".to_owned()) };
    let params = map.remove("params").unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let code = map.remove("code").and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default();
    (code, text(&params))
}

/// A value as text in canonical form, so that the same facts always give the same bytes.
pub(super) fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| protocol::json::canonical(&value).ok())
        .unwrap_or_else(|| "null".to_owned())
}
