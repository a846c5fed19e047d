//! Asking the repositories of active workspaces now and then, so that a form opens with what is already here.
//! Spec site.md 16: every five minutes (`form::upkeep`).

use sqlx::SqlitePool;

use super::Place;
use crate::Site;

/// A workspace is active if something was asked for in it since then, or it was made since.
const ACTIVE: i64 = 30 * 24 * 3600 * 1_000_000;

/// Asks every active repository once, one after the other. Faults are only logged: the next form says them to who can act.
pub async fn refresh_active(site: &Site) {
    let places = match active(site.store.readers(), site.clock.microseconds()).await {
        Ok(places) => places,
        Err(error) => {
            tracing::warn!(%error, "active workspaces cannot be listed");
            return;
        }
    };
    for place in places {
        if let Err(error) = site.mirrors.refresh(&place, site.clock.microseconds()).await {
            tracing::info!(%error, "a repository was not refreshed");
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
