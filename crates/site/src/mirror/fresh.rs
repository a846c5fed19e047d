//! Asking the repositories of active workspaces now and then, so that a form opens with what is already here.
//! Spec site.md 16: every five minutes.

use std::time::Duration;

use sqlx::SqlitePool;
use tokio::sync::watch;

use super::{Mirrors, Place};

/// How often.
const EVERY: Duration = Duration::from_secs(300);
/// A workspace is active if something was asked for in it since then, or it was made since.
const ACTIVE: i64 = 30 * 24 * 3600 * 1_000_000;

/// Refreshes until `stop` says true. Faults are only logged: the next form says them to who can act.
pub async fn keep_fresh(mirrors: Mirrors, tables: SqlitePool, now: impl Fn() -> i64, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.wait_for(|stopped| *stopped) => return,
        }
        match active(&tables, now()).await {
            Ok(places) => {
                for place in places {
                    tokio::select! {
                        done = mirrors.refresh(&place, now()) => {
                            if let Err(error) = done {
                                tracing::info!(%error, "a repository was not refreshed");
                            }
                        }
                        _ = stop.wait_for(|stopped| *stopped) => return,
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "active workspaces cannot be listed"),
        }
    }
}

async fn active(tables: &SqlitePool, now: i64) -> Result<Vec<Place>, sqlx::Error> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT DISTINCT r.url, w.branch FROM workspace w JOIN repo r ON r.id = w.repo \
         WHERE w.archived_at IS NULL AND (w.created_at > ?1 OR EXISTS \
         (SELECT 1 FROM job_request q WHERE q.workspace = w.id AND q.created_at > ?1)) ORDER BY r.url, w.branch",
    )
    .bind(now - ACTIVE)
    .fetch_all(tables)
    .await?;
    Ok(rows.into_iter().map(|(repo, branch)| Place { repo, branch }).collect())
}
