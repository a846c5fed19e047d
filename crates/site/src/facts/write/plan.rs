//! The plan with which a backend answers an order: jobs, what they need, what is kept, why.
//! Spec protocol.md 4.3, 4.4; site.md 2.2.

use protocol::apply::book::{Book, Outcome};
use protocol::fact::request::{Accepted, Decision, KeptJob};
use protocol::fact::words::{Decided, NeedKind, ReasonCode};
use protocol::text::ids::RequestId;

use super::{Row, text, word};
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

/// The actions of new jobs of a request.
pub(super) fn actions(book: &Book, request: &RequestId) -> Vec<String> {
    match book.requests.get(request).map(|request| &request.outcome) {
        Some(Outcome::Accepted(plan)) => plan.jobs.iter().map(|job| job.action.to_string()).collect(),
        _ => Vec::new(),
    }
}

/// Writes the plan of a request that was accepted.
pub(super) async fn write(
    change: &mut Change,
    backend: BackendId,
    row: Row,
    plan: &Accepted,
    at: i64,
) -> Result<(), StoreError> {
    for (position, job) in (0i64..).zip(&plan.jobs) {
        sqlx::query(
            "INSERT INTO job (identifier, job_request, backend, workspace, position, action, run_command, db, weight,
                              status, code, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'pending', 'created', ?10, ?10)",
        )
        .bind(job.job.as_str())
        .bind(row.number)
        .bind(backend.0)
        .bind(row.workspace)
        .bind(position)
        .bind(job.action.as_str())
        .bind(job.run_command.as_str())
        .bind(job.db)
        .bind(i64::try_from(job.weight.get()).unwrap_or(1))
        .bind(at)
        .execute(&mut **change)
        .await?;
        for (position, need) in (0i64..).zip(&job.needs) {
            let kept = need.kind == NeedKind::Reuses;
            let staleness = if kept { staleness(&plan.decisions, need.action.as_str()) } else { None };
            sqlx::query(
                "INSERT INTO job_need (job, position, action, needed, kind, staleness) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(job.job.as_str())
            .bind(position)
            .bind(need.action.as_str())
            .bind(need.job.as_str())
            .bind(word(&need.kind))
            .bind(staleness.map(|code| word(&code)))
            .execute(&mut **change)
            .await?;
        }
    }
    for (position, decision) in (0i64..).zip(&plan.decisions) {
        sqlx::query("INSERT INTO decision (job_request, position, action, decision, reasons) VALUES (?, ?, ?, ?, ?)")
            .bind(row.number)
            .bind(position)
            .bind(decision.action.as_str())
            .bind(word(&decision.decision))
            .bind(text(&decision.reasons))
            .execute(&mut **change)
            .await?;
    }
    kept(change, row.number, &plan.attached, &plan.reused).await
}

/// Writes the jobs of other requests that a request uses.
pub(super) async fn kept(
    change: &mut Change,
    number: i64,
    attached: &[KeptJob],
    reused: &[KeptJob],
) -> Result<(), StoreError> {
    let attached = attached.iter().map(|kept| (kept, "attached"));
    let all = attached.chain(reused.iter().map(|kept| (kept, "reused")));
    for (position, (kept, kind)) in (0i64..).zip(all) {
        sqlx::query("INSERT INTO kept_job (job_request, position, action, job, kind) VALUES (?, ?, ?, ?, ?)")
            .bind(number)
            .bind(position)
            .bind(kept.action.as_str())
            .bind(kept.job.as_str())
            .bind(kind)
            .execute(&mut **change)
            .await?;
    }
    Ok(())
}

/// How up to date a kept action is, as the plan says of it.
fn staleness(decisions: &[Decision], action: &str) -> Option<ReasonCode> {
    use ReasonCode::{PossiblyStale, Stale, Unknown, UpToDate};
    let decision = decisions.iter().find(|d| d.action.as_str() == action && d.decision == Decided::Keep)?;
    decision
        .reasons
        .iter()
        .map(|reason| reason.code)
        .find(|code| matches!(code, UpToDate | Stale | PossiblyStale | Unknown))
}
