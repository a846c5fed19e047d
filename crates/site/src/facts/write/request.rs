//! The row of a request: its answer, and the numbers over its jobs.
//! Spec site.md 2.4.

use protocol::apply::book::{Outcome, Request};
use protocol::fact::words::NothingReason;
use protocol::order::{Order, Stale};
use protocol::text::time::Moment;

use super::{Row, plan, text, word};
use crate::facts::status::Jobs;
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

/// Writes what a request was answered, if it was in this batch.
pub(super) async fn answer(
    change: &mut Change,
    backend: BackendId,
    row: Row,
    request: &Request,
    answered: Option<(Moment, i64)>,
) -> Result<(), StoreError> {
    let (status, reason, detail, tree) = match &request.outcome {
        Outcome::Sent | Outcome::Answered => return Ok(()),
        Outcome::Checking(body) => {
            // A refusal of the order itself, told before, is not undone by a word about reaching code.
            sqlx::query(
                "UPDATE job_request SET status = 'pending', reason = ?, detail = ?
                 WHERE number = ? AND answered_at IS NULL",
            )
            .bind(word(&body.reason))
            .bind(text(&serde_json::json!({"since": body.since.to_string()})))
            .bind(row.number)
            .execute(&mut **change)
            .await?;
            return Ok(());
        }
        Outcome::Accepted(body) => {
            plan::write(change, backend, row, body, answered.map_or(0, |(at, _)| at.microseconds())).await?;
            let reason = body.jobs.is_empty().then(|| {
                let waits = !body.attached.is_empty();
                word(&if waits { NothingReason::AlreadyScheduled } else { NothingReason::AllSucceeded })
            });
            let status = if body.jobs.is_empty() { "nothing_to_do" } else { "pending" };
            (status, reason, None, Some(body.tree.as_str()))
        }
        Outcome::NothingToDo(body) => {
            plan::kept(change, row.number, &body.attached, &body.reused).await?;
            ("nothing_to_do", Some(word(&body.reason)), None, None)
        }
        Outcome::Refused(body) => {
            let faults = (!body.faults.is_empty()).then(|| text(&serde_json::json!({"faults": body.faults})));
            ("failed", Some(word(&body.reason)), faults, None)
        }
    };
    let Some((at, received_at)) = answered else { return Ok(()) };
    sqlx::query(
        "UPDATE job_request SET status = ?, reason = ?, detail = ?, tree = coalesce(?, tree), answered_at = ?,
         delivery = 'answered' WHERE number = ?",
    )
    .bind(status)
    .bind(reason)
    .bind(detail)
    .bind(tree)
    .bind(at.microseconds())
    .bind(row.number)
    .execute(&mut **change)
    .await?;
    sqlx::query("UPDATE directive SET answered_at = ? WHERE backend = ? AND request = ? AND kind = 'job_request'")
        .bind(received_at)
        .bind(backend.0)
        .bind(request.order.request.as_str())
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// Counts a request's jobs anew and writes what follows from them.
///
/// # Errors
/// The database failed.
pub(crate) async fn settle(change: &mut Change, number: i64) -> Result<(), StoreError> {
    type Row = (i64, i64, i64, i64, i64, Option<i64>, Option<i64>, i64);
    let (pending, running, succeeded, failed, cancelled, first_started, last_finished, runtime_s): Row =
        sqlx::query_as(
            "SELECT count(*) FILTER (WHERE status = 'pending'), count(*) FILTER (WHERE status = 'running'),
                    count(*) FILTER (WHERE status = 'succeeded'), count(*) FILTER (WHERE status = 'failed'),
                    count(*) FILTER (WHERE status = 'failed' AND code = 'cancelled_by_user'),
                    min(started_at), max(finished_at),
                    coalesce(sum(runtime_s) FILTER (WHERE status IN ('succeeded', 'failed')), 0)
             FROM job WHERE job_request = ?",
        )
        .bind(number)
        .fetch_one(&mut **change)
        .await?;
    let jobs = Jobs { pending, running, succeeded, failed, cancelled, first_started, last_finished, runtime_s };
    if jobs.total() == 0 {
        return Ok(());
    }
    let shown = jobs.shown();
    sqlx::query(
        "UPDATE job_request SET status = ?, reason = ?, detail = NULL, cancelled = ?, first_started_at = ?,
         last_finished_at = ?, runtime_s = ?, jobs_pending = ?, jobs_running = ?, jobs_succeeded = ?, jobs_failed = ?
         WHERE number = ?",
    )
    .bind(shown.status.as_str())
    .bind(shown.reason)
    .bind(shown.cancelled)
    .bind(jobs.first_started)
    .bind(shown.last_finished)
    .bind(jobs.runtime_s)
    .bind(jobs.pending)
    .bind(jobs.running)
    .bind(jobs.succeeded)
    .bind(jobs.failed)
    .bind(number)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Makes a request again that this site lost when it was restored: from the order that its answer repeats.
pub(super) async fn make_again(change: &mut Change, backend: BackendId, order: &Order) -> Result<(), StoreError> {
    let number = i64::try_from(order.number.get()).unwrap_or(i64::MAX);
    let at = order.created_at.microseconds();
    sqlx::query(
        "INSERT INTO job_request (number, identifier, workspace, backend, requested_by, branch, commit_id,
             force_run_dependencies, stale, project_yaml, codelists, permissions, created_at, delivery, status, news_at)
         SELECT ?1, ?2, w.id, ?3, a.id, ?4, ?5, ?6, ?7, (SELECT sha256 FROM project_yaml WHERE sha256 = ?8), ?9, ?10,
                ?11, 'delivered', 'pending', ?11
         FROM workspace w, account a WHERE w.name = ?12 AND a.username_key = lower(?13)
         ON CONFLICT DO NOTHING",
    )
    .bind(number)
    .bind(order.request.as_str())
    .bind(backend.0)
    .bind(order.branch.as_str())
    .bind(order.commit.as_str())
    .bind(order.force_run_dependencies)
    .bind(word(&order.stale.unwrap_or(Stale::Keep)))
    .bind(order.project_yaml_sha256.as_str())
    .bind(word(&order.codelists))
    .bind(text(&order.permissions))
    .bind(at)
    .bind(order.workspace.as_str())
    .bind(order.requested_by.username.as_str())
    .execute(&mut **change)
    .await?;
    for (position, action) in (0i64..).zip(&order.requested_actions) {
        sqlx::query(
            "INSERT INTO requested_action (job_request, position, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(number)
        .bind(position)
        .bind(action.as_str())
        .execute(&mut **change)
        .await?;
    }
    Ok(())
}
