//! How each backend stands now.
//! Spec site.md 6.4.

use std::collections::HashMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, SqlitePool};

use super::parts::{ALERTS, Alert, BackendFace, backend, get, many};
use crate::store::StoreError;
use crate::store::ids::BackendId;

/// A backend now.
#[derive(Debug, Clone)]
pub struct BackendNow {
    /// Its name and kind of data.
    pub face: BackendFace,
    /// `tpp`, `emis` or `other`.
    pub flavour: String,
    /// How long without contact until it counts as missing, in seconds.
    pub alert_after_s: i64,
    /// Its last contact.
    pub last_contact_at: Option<i64>,
    /// `open`, `paused`, `db_maintenance`, if told.
    pub mode: Option<String>,
    /// `scheduled` or `manual`.
    pub mode_kind: Option<String>,
    /// Since when.
    pub mode_since: Option<i64>,
    /// Until when, if planned.
    pub mode_ends_at: Option<i64>,
    /// Its program.
    pub version: Option<String>,
    /// Its data.
    pub data_version: Option<String>,
    /// Its clock minus ours, in microseconds.
    pub clock_offset: Option<i64>,
    /// Jobs that run: (database, others).
    pub running: (i64, i64),
    /// Jobs that wait: (database, others).
    pub waiting: (i64, i64),
    /// When the oldest waiting job was planned.
    pub oldest_waiting_at: Option<i64>,
    /// When a job last succeeded.
    pub last_success_at: Option<i64>,
}

impl BackendNow {
    /// Whether it has been silent for too long, or was never heard.
    pub fn is_missing(&self, now: i64) -> bool {
        self.last_contact_at.is_none_or(|at| now.saturating_sub(at) > self.alert_after_s.saturating_mul(1_000_000))
    }
}

const NOW: &str = "SELECT b.*, b.id backend_id, b.slug backend_slug, b.name backend_name,
    (SELECT max(finished_at) FROM (SELECT q.last_finished_at finished_at FROM job_request q WHERE q.backend = b.id
        AND q.status = 'succeeded' ORDER BY q.number DESC LIMIT 20)) last_success,
    o.db_running, o.running, o.db_waiting, o.waiting, o.oldest
    FROM backend b LEFT JOIN (SELECT r.backend, sum(j.status = 'running' AND j.db) db_running,
        sum(j.status = 'running' AND NOT j.db) running, sum(j.status = 'pending' AND j.db) db_waiting,
        sum(j.status = 'pending' AND NOT j.db) waiting, min(CASE WHEN j.status = 'pending' THEN j.created_at END) oldest
        FROM job_request r JOIN job j ON j.job_request = r.number WHERE r.status IN ('pending', 'running')
        AND j.status IN ('pending', 'running') GROUP BY r.backend) o ON o.backend = b.id";

/// What stands on the pages that are about this moment.
#[derive(Debug, Clone, Default)]
pub struct Now {
    /// Messages of the operators.
    pub alerts: Vec<Alert>,
    /// All backends in use, by name.
    pub backends: Vec<BackendNow>,
    /// Whether one person alone may give the roles that need two elsewhere.
    pub one_person: bool,
}

/// Reads all backends in use, and what the operators tell everybody at this moment.
///
/// # Errors
/// The database failed.
pub async fn now(readers: &SqlitePool, at: i64) -> Result<Now, StoreError> {
    // Only constants are put together. The messages come with each backend, and alone where there is none.
    let sql = AssertSqlSafe(format!(
        "WITH now AS ({NOW} WHERE b.is_active = 1) SELECT now.*, told.* FROM (SELECT {ALERTS},
             (SELECT value = 'off' FROM setting WHERE name = 'two_people') one_person) told
         LEFT JOIN now ON 1 ORDER BY now.name"
    ));
    let rows = sqlx::query(sql).bind(at).fetch_all(readers).await?;
    let mut all = Now::default();
    for row in &rows {
        if all.alerts.is_empty() {
            all.alerts = many(row, "alerts")?;
            all.one_person = get::<Option<bool>>(row, "one_person")?.unwrap_or(false);
        }
        if get::<Option<i64>>(row, "backend_id")?.is_some() {
            all.backends.push(one(row)?);
        }
    }
    Ok(all)
}

/// How long jobs of one backend waited that began in some time: the median, in microseconds; none where none began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waited {
    /// Of those that began today, in UTC.
    pub today: Option<i64>,
    /// Of those that began in the last seven days.
    pub week: Option<i64>,
}

/// Requests that are looked at for [`Waited`], the newest ones: more than some weeks have.
const LATELY: i64 = 1_000;
const DAY: i64 = 86_400_000_000;

/// Reads how long jobs waited on each backend where any began in the last seven days.
///
/// # Errors
/// The database failed.
pub async fn waited(readers: &SqlitePool, at: i64) -> Result<HashMap<BackendId, Waited>, StoreError> {
    let rows = sqlx::query(
        "SELECT j.backend, j.started_at, max(j.started_at - j.created_at, 0) waited FROM job j WHERE j.started_at > ?1
         AND j.job_request > (SELECT coalesce(max(number), 0) FROM job_request) - ?2 ORDER BY waited",
    )
    .bind(at.saturating_sub(7 * DAY))
    .bind(LATELY)
    .fetch_all(readers)
    .await?;
    let mut all: HashMap<BackendId, (Vec<i64>, Vec<i64>)> = HashMap::new();
    for row in &rows {
        let (today, week) = all.entry(BackendId(get(row, "backend")?)).or_default();
        let waited = get(row, "waited")?;
        week.push(waited);
        if get::<i64>(row, "started_at")?.div_euclid(DAY) == at.div_euclid(DAY) {
            today.push(waited);
        }
    }
    // They come in order.
    let median = |sorted: Vec<i64>| sorted.get(sorted.len().saturating_sub(1) / 2).copied();
    Ok(all.into_iter().map(|(id, (today, week))| (id, Waited { today: median(today), week: median(week) })).collect())
}

/// One backend, in use or not.
///
/// # Errors
/// The database failed.
pub async fn backend_now(readers: &SqlitePool, slug: &str) -> Result<Option<BackendNow>, StoreError> {
    let sql = AssertSqlSafe(format!("{NOW} WHERE b.slug = ?"));
    sqlx::query(sql).bind(slug).fetch_optional(readers).await?.as_ref().map(one).transpose()
}

fn one(row: &SqliteRow) -> Result<BackendNow, StoreError> {
    let count = |column: &str| Ok::<i64, StoreError>(get::<Option<i64>>(row, column)?.unwrap_or(0));
    Ok(BackendNow {
        face: backend(row)?,
        flavour: get(row, "flavour")?,
        alert_after_s: get(row, "alert_after_s")?,
        last_contact_at: get(row, "last_contact_at")?,
        mode: get(row, "mode")?,
        mode_kind: get(row, "mode_kind")?,
        mode_since: get(row, "mode_since")?,
        mode_ends_at: get(row, "mode_ends_at")?,
        version: get(row, "version")?,
        data_version: get(row, "data_version")?,
        clock_offset: get(row, "clock_offset")?,
        running: (count("db_running")?, count("running")?),
        waiting: (count("db_waiting")?, count("waiting")?),
        oldest_waiting_at: get(row, "oldest")?,
        last_success_at: get(row, "last_success")?,
    })
}
