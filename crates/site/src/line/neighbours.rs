//! What the operator's command line does to the same tables while this process serves: polls are woken, open pages told.
//! Spec site.md 4.10 (a cancel reaches an online backend in less than a second), 10 (command line twins), 14.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::SqliteConnection;
use sqlx::pool::PoolConnection;

use crate::facts::Changed;
use crate::store::StoreError;
use crate::store::ids::BackendId;
use crate::{Opened, Site};

/// How often the tables are asked whether anything was committed.
const EACH: Duration = Duration::from_millis(300);

#[derive(Debug, Default)]
struct Known {
    /// Changes with every commit of another connection.
    commits: i64,
    /// The last cursor of each backend's line.
    lines: BTreeMap<i64, i64>,
    /// The last record of the audit log.
    acts: i64,
}

/// Watches until it is dropped.
pub(crate) async fn watch(site: Opened) {
    let mut known = None;
    let mut held: Option<PoolConnection<sqlx::Sqlite>> = None;
    loop {
        if let Err(error) = turn(&site, &mut held, &mut known).await {
            tracing::warn!(%error, "it cannot be seen what other processes write");
            held = None;
        }
        tokio::time::sleep(EACH).await;
    }
}

async fn turn(
    site: &Site,
    held: &mut Option<PoolConnection<sqlx::Sqlite>>,
    known: &mut Option<Known>,
) -> Result<(), StoreError> {
    let tables = match held {
        Some(tables) => tables,
        None => held.insert(site.store.readers().acquire().await?),
    };
    let (commits,): (i64,) = sqlx::query_as("PRAGMA data_version").fetch_one(&mut **tables).await?;
    if known.as_ref().is_some_and(|known| known.commits == commits) {
        return Ok(());
    }
    let now = Known { commits, ..look(tables).await? };
    if let Some(before) = known.as_ref() {
        for (backend, _) in now.lines.iter().filter(|(backend, last)| before.lines.get(*backend) != Some(*last)) {
            site.line.wake_backend(BackendId(*backend));
        }
        if now.acts > before.acts {
            let rows: Vec<(Option<i64>,)> = sqlx::query_as(
                "SELECT object_id FROM audit_event WHERE seq > ? AND actor IS NULL AND action = 'request_cancelled'",
            )
            .bind(before.acts)
            .fetch_all(&mut **tables)
            .await?;
            let requests = rows.into_iter().filter_map(|(number,)| number).collect();
            site.hub.tell(&Changed { requests, ..Changed::default() });
        }
    }
    *known = Some(now);
    Ok(())
}

async fn look(tables: &mut SqliteConnection) -> Result<Known, StoreError> {
    let lines: Vec<(i64, i64)> = sqlx::query_as("SELECT id, line_last FROM backend").fetch_all(&mut *tables).await?;
    let (acts,): (i64,) =
        sqlx::query_as("SELECT coalesce(max(seq), 0) FROM audit_event").fetch_one(&mut *tables).await?;
    Ok(Known { commits: 0, lines: lines.into_iter().collect(), acts })
}
