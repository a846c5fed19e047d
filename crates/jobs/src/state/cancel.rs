//! Cancelling jobs, and cleaning up after a laptop run that was killed.
//! Spec jobs.md 7 and 18.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pipeline::ActionName;
use serde_json::json;
use sqlx::SqliteConnection;

use super::attempts::{end_attempt, mark_cancelled};
use super::change::{JobHead, head_query};
use super::event::{Event, Message, append, send};
use super::{Cancelled, State, StateError, Status, StatusCode};
use crate::{JobId, JobState, RequestId};

/// A cancel from outside: who wants it, and the order that gets exactly one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelOrder<'a> {
    /// The order's id.
    pub id: &'a str,
    /// As the order names them.
    pub by: &'a str,
}

impl State {
    /// Cancels the jobs of these actions of a request. Pending ones end at once, running ones are marked, finished ones
    /// are left alone; jobs that wait for one that ended fail with it. Doing it twice is the same as once.
    ///
    /// # Errors
    /// The request is unknown, or does not have all of these actions: nothing is cancelled.
    pub async fn cancel(
        &self,
        request: RequestId,
        actions: &[ActionName],
        now: Timestamp,
    ) -> Result<Cancelled, StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        let done = cancel_actions(&mut tx, request, actions, None, now).await?;
        self.commit(tx).await?;
        Ok(done)
    }

    /// The same by an order from outside. Its answer (`cancel.done`) is written in the same transaction: what became of
    /// each action, or which ones are unknown, in which case nothing is cancelled. While the request is being checked the
    /// order waits for its plan, and is answered with it. An order that was answered, or that waits, changes nothing.
    ///
    /// # Errors
    /// The database refused.
    pub async fn cancel_for(
        &self,
        order: CancelOrder<'_>,
        request: RequestId,
        actions: &[ActionName],
        now: Timestamp,
    ) -> Result<(), StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        let known: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE answers = ?1) OR \
             EXISTS (SELECT 1 FROM cancel_wish WHERE answers = ?1)",
        )
        .bind(order.id)
        .fetch_one(&mut *tx)
        .await?;
        if known {
            return Ok(());
        }
        cancel_and_answer(&mut tx, order, request, actions, now).await?;
        self.commit(tx).await
    }

    /// Ends every pending or running job as cancelled: what a laptop does with what a killed run left behind. Its
    /// sandboxes died with it. Gives the jobs, in order.
    ///
    /// # Errors
    /// The database refused.
    pub async fn interrupt_leftovers(&self, now: Timestamp) -> Result<Vec<JobId>, StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin().await?;
        let rows =
            sqlx::query(head_query!("WHERE state IN ('pending', 'running') ORDER BY seq")).fetch_all(&mut *tx).await?;
        let mut jobs = Vec::new();
        for row in &rows {
            let mut head = JobHead::read(row)?;
            let status = Status::new(StatusCode::CancelledByUser, "The run that it belonged to was interrupted");
            if head.code.state() == JobState::Running {
                let attempt = head.id.attempt(u32::try_from(head.attempts).unwrap_or(u32::MAX));
                end_attempt(&mut tx, attempt, &status, None, now).await?;
            }
            head.change(&mut tx, &status, now).await?;
            mark_cancelled(&mut tx, &head, now).await?;
            jobs.push(head.id);
        }
        self.commit(tx).await?;
        Ok(jobs)
    }
}

async fn cancel_actions(
    tx: &mut SqliteConnection,
    request: RequestId,
    actions: &[ActionName],
    order: Option<CancelOrder<'_>>,
    now: Timestamp,
) -> Result<Cancelled, StateError> {
    let phase: Option<String> = sqlx::query_scalar("SELECT phase FROM request WHERE id = ?")
        .bind(request.to_string())
        .fetch_optional(&mut *tx)
        .await?;
    let phase = phase.ok_or(StateError::UnknownRequest(request))?;
    let actions: BTreeSet<&ActionName> = actions.iter().collect();
    let mut done = Cancelled::default();
    if phase == "checking" {
        for action in actions {
            sqlx::query(
                "INSERT OR IGNORE INTO cancel_wish (request, action, wished_by, answers) \
                 VALUES (?, ?, ?, ?)",
            )
            .bind(request.to_string())
            .bind(action.as_str())
            .bind(order.map(|order| order.by))
            .bind(order.map_or("", |order| order.id))
            .execute(&mut *tx)
            .await?;
            done.noted.push(action.clone());
        }
        return Ok(done);
    }
    let mut jobs = Vec::new();
    let mut unknown = Vec::new();
    for action in actions {
        let row = sqlx::query(head_query!("WHERE request = ? AND action = ?"))
            .bind(request.to_string())
            .bind(action.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        match row {
            Some(row) => {
                let head = JobHead::read(&row)?;
                jobs.push((head.seq, head.id));
            }
            None => unknown.push(action.clone()),
        }
    }
    if !unknown.is_empty() {
        return Err(StateError::UnknownActions { request, actions: unknown });
    }
    cancel_all(tx, jobs, order.map(|order| order.by), &mut done, now).await?;
    Ok(done)
}

/// Cancels for an order and writes its answer, unless the order has to wait for the plan.
pub(super) async fn cancel_and_answer(
    tx: &mut SqliteConnection,
    order: CancelOrder<'_>,
    request: RequestId,
    actions: &[ActionName],
    now: Timestamp,
) -> Result<(), StateError> {
    let outcomes: BTreeMap<&str, &str> = match cancel_actions(tx, request, actions, Some(order), now).await {
        Ok(done) if !done.noted.is_empty() => return Ok(()),
        Ok(done) => {
            let of = |action: &ActionName| {
                if done.finished.contains(&JobId::of(&request, action)) { "already_finished" } else { "stopped" }
            };
            actions.iter().map(|action| (action.as_str(), of(action))).collect()
        }
        Err(StateError::UnknownRequest(_)) => actions.iter().map(|action| (action.as_str(), "unknown")).collect(),
        Err(StateError::UnknownActions { actions: unknown, .. }) => {
            let body = unknown.iter().map(|action| (action.as_str(), "unknown")).collect();
            return answer(tx, order, request, body, now).await;
        }
        Err(error) => return Err(error),
    };
    answer(tx, order, request, outcomes, now).await
}

async fn answer(
    tx: &mut SqliteConnection,
    order: CancelOrder<'_>,
    request: RequestId,
    outcomes: BTreeMap<&str, &str>,
    now: Timestamp,
) -> Result<(), StateError> {
    let body = json!({ "request": request, "directive": order.id, "actions": outcomes });
    send(tx, Message { kind: "cancel.done", body: &body, held_for: None, answers: Some(order.id) }, now).await?;
    Ok(())
}

/// Cancels jobs given as (seq, id). What needs a job comes after it in the plan, so the last one goes first: otherwise it
/// would fail as a dependant of a cancelled job and stay the latest job of its action. The lists are in the given order.
pub(super) async fn cancel_all(
    tx: &mut SqliteConnection,
    jobs: Vec<(i64, JobId)>,
    by: Option<&str>,
    done: &mut Cancelled,
    now: Timestamp,
) -> Result<(), StateError> {
    let mut last_first: Vec<_> = jobs.into_iter().enumerate().collect();
    last_first.sort_by_key(|(_, (seq, _))| std::cmp::Reverse(*seq));
    let mut each = BTreeMap::new();
    for (place, (_, job)) in last_first {
        let mut one = Cancelled::default();
        cancel_one(tx, job, by, &mut one, now).await?;
        each.insert(place, one);
    }
    for one in each.into_values() {
        done.ended.extend(one.ended);
        done.marked.extend(one.marked);
        done.finished.extend(one.finished);
        done.failed_dependants.extend(one.failed_dependants);
    }
    Ok(())
}

async fn cancel_one(
    tx: &mut SqliteConnection,
    job: JobId,
    by: Option<&str>,
    done: &mut Cancelled,
    now: Timestamp,
) -> Result<(), StateError> {
    let mut head = JobHead::load(tx, job).await?;
    if head.code.state().is_active() && head.cancel_requested_at.is_none() && by.is_some() {
        let note = sqlx::query("UPDATE job SET cancelled_by = ? WHERE id = ?");
        note.bind(by).bind(job.to_string()).execute(&mut *tx).await?;
        head.cancelled_by = by.map(str::to_owned);
    }
    match head.code.state() {
        JobState::Succeeded | JobState::Failed => done.finished.push(job),
        JobState::Pending => {
            head.change(tx, &Status::cancelled(), now).await?;
            mark_cancelled(tx, &head, now).await?;
            done.ended.push(job);
            done.failed_dependants.extend(head.fail_dependants(tx, now).await?);
        }
        JobState::Running => {
            if head.cancel_requested_at.is_none() {
                mark_cancelled(tx, &head, now).await?;
                let body = json!({ "job": head.id, "action": head.action });
                let event =
                    Event { kind: "cancel_requested", workspace: &head.workspace, request: head.request.clone(), body };
                append(tx, event, now).await?;
            }
            done.marked.push(job);
        }
    }
    Ok(())
}
