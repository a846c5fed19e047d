//! Cancelling jobs, and cleaning up after a laptop run that was killed.
//! Spec jobs.md 7 and 18.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pipeline::ActionName;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};

use super::attempts::{end_attempt, mark_cancelled};
use super::change::{JobHead, head_query};
use super::event::{Event, append};
use super::{Cancelled, State, StateError, Status, StatusCode};
use crate::{JobId, JobState, RequestId};

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
        let mut tx = writers.durable.begin_with("BEGIN IMMEDIATE").await?;
        let phase: Option<String> = sqlx::query_scalar("SELECT phase FROM request WHERE id = ?")
            .bind(request.to_string())
            .fetch_optional(&mut *tx)
            .await?;
        let phase = phase.ok_or(StateError::UnknownRequest(request))?;
        let actions: BTreeSet<&ActionName> = actions.iter().collect();
        let mut done = Cancelled::default();
        if phase == "checking" {
            for action in actions {
                sqlx::query("INSERT OR IGNORE INTO cancel_wish (request, action) VALUES (?, ?)")
                    .bind(request.to_string())
                    .bind(action.as_str())
                    .execute(&mut *tx)
                    .await?;
                done.noted.push(action.clone());
            }
            tx.commit().await?;
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
        cancel_all(&mut tx, jobs, &mut done, now).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Ends every pending or running job as cancelled: what a laptop does with what a killed run left behind. Its
    /// sandboxes died with it. Gives the jobs, in order.
    ///
    /// # Errors
    /// The database refused.
    pub async fn interrupt_leftovers(&self, now: Timestamp) -> Result<Vec<JobId>, StateError> {
        let mut writers = self.writers.lock().await;
        let mut tx = writers.durable.begin_with("BEGIN IMMEDIATE").await?;
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
        tx.commit().await?;
        Ok(jobs)
    }
}

/// Cancels jobs given as (seq, id). What needs a job comes after it in the plan, so the last one goes first: otherwise it
/// would fail as a dependant of a cancelled job and stay the latest job of its action. The lists are in the given order.
pub(super) async fn cancel_all(
    tx: &mut SqliteConnection,
    jobs: Vec<(i64, JobId)>,
    done: &mut Cancelled,
    now: Timestamp,
) -> Result<(), StateError> {
    let mut last_first: Vec<_> = jobs.into_iter().enumerate().collect();
    last_first.sort_by_key(|(_, (seq, _))| std::cmp::Reverse(*seq));
    let mut each = BTreeMap::new();
    for (place, (_, job)) in last_first {
        let mut one = Cancelled::default();
        cancel_one(tx, job, &mut one, now).await?;
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
    done: &mut Cancelled,
    now: Timestamp,
) -> Result<(), StateError> {
    let mut head = JobHead::load(tx, job).await?;
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
