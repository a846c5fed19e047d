//! Whether the site lives and can serve, for whoever watches it.
//! Spec site.md 3 (`/health`), 19: a word for each part that fails.

use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;

use super::Routes;
use crate::access::Access;
use crate::store::{self, StoreError};
use crate::{Opened, Site};

/// How long an answer counts: whoever asks often costs nothing.
const COUNTS: Duration = Duration::from_millis(500);
/// How long the one writer may be busy until it counts as locked.
const PATIENCE: Duration = Duration::from_secs(1);
/// Bytes that must be free: less than this, and soon nothing can be written.
const FREE: usize = 1 << 20;

/// The last answer.
#[derive(Debug, Default)]
pub struct Health(Mutex<Option<(Instant, String)>>);

pub(super) fn routes() -> Routes {
    Routes::new().get("/health/live", Access::Public, live).get("/health/ready", Access::Public, ready)
}

async fn live() -> &'static str {
    "ok\n"
}

async fn ready(State(site): State<Opened>) -> (StatusCode, String) {
    let known = |last: &Mutex<Option<(Instant, String)>>| last.lock().ok().and_then(|last| last.clone());
    let failed = match known(&site.health.0).filter(|(at, _)| at.elapsed() < COUNTS) {
        Some((_, failed)) => failed,
        None => {
            let failed: String = look(&site).await.iter().map(|part| format!("{part}\n")).collect();
            if let Ok(mut last) = site.health.0.lock() {
                *last = Some((Instant::now(), failed.clone()));
            }
            failed
        }
    };
    if failed.is_empty() { (StatusCode::OK, "ok\n".to_owned()) } else { (StatusCode::SERVICE_UNAVAILABLE, failed) }
}

/// `database`: it cannot be read. `migrations`: another program changed its tables. `locked`: it cannot be written.
/// `disk`: no space. `files`: nothing can be written beside it.
async fn look(site: &Site) -> Vec<&'static str> {
    let mut failed = Vec::new();
    let version = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(site.store.readers()).await;
    match version {
        Ok(version) if version == store::version() => {}
        Ok::<i64, _>(_) => failed.push("migrations"),
        Err(_) => failed.push("database"),
    }
    match tokio::time::timeout(PATIENCE, site.store.change()).await {
        Ok(Ok(change)) => drop(change.rollback().await),
        Ok(Err(StoreError::Busy)) | Err(_) => failed.push("locked"),
        Ok(Err(_)) if failed.is_empty() => failed.push("database"),
        Ok(Err(_)) => {}
    }
    let data = site.settings.data.clone();
    let written = tokio::task::spawn_blocking(move || {
        // A file without a name: nothing of it stays, even when we are killed.
        let mut file = tempfile::tempfile_in(data)?;
        file.write_all(&vec![1; FREE])?;
        file.sync_data()
    });
    match written.await {
        Ok(Ok(())) => {}
        Ok(Err(error))
            if matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) =>
        {
            failed.push("disk");
        }
        _ => failed.push("files"),
    }
    failed
}
