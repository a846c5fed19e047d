//! Job requests, as the command line lists them.
//! Spec site.md 10 (job requests: the log plus undelivered, refused, stale).

use serde::Serialize;

use crate::clock::MINUTE;
use crate::people::Fault;
use crate::store::Store;

/// Which requests are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// All.
    All,
    /// Not yet fetched by their backend.
    Waiting,
    /// Refused by their backend, or by the site itself.
    Refused,
    /// Not ended, and without news for half an hour.
    Stale,
    /// Not ended.
    Open,
}

impl Show {
    /// As the address of the page says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::Stale => "stale",
            Self::Open => "open",
        }
    }
}

row! {
/// A job request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Its number.
    pub number: i64,
    /// Its long id.
    pub identifier: String,
    /// Its status.
    pub status: String,
    /// Why, in one word.
    pub reason: Option<String>,
    /// `waiting`, `delivered` or `answered`.
    pub delivery: String,
    /// Its workspace.
    pub workspace: String,
    /// Slug of its backend.
    pub backend: String,
    /// Who asked.
    pub username: String,
    /// When, in microseconds.
    #[serde(serialize_with = "super::at")]
    pub created_at: i64,
    /// The last news of it.
    #[serde(serialize_with = "super::at")]
    pub news_at: i64,
}
}

/// The newest requests below a number, at most so many.
///
/// # Errors
/// The database failed.
pub async fn requests(
    store: &Store,
    show: Show,
    workspace: Option<i64>,
    (below, most): (Option<i64>, u32),
    now: i64,
) -> Result<Vec<Request>, Fault> {
    let rows = sqlx::query_as(
        "SELECT r.number, r.identifier, r.status, r.reason, r.delivery, w.name AS workspace, b.slug AS backend,
                a.username, r.created_at, r.news_at
         FROM job_request r JOIN workspace w ON w.id = r.workspace JOIN backend b ON b.id = r.backend
         JOIN account a ON a.id = r.requested_by
         WHERE (?1 IS NULL OR r.number < ?1) AND (?4 IS NULL OR r.workspace = ?4) AND CASE ?2
             WHEN 'waiting' THEN r.delivery = 'waiting' AND r.status = 'pending' AND r.is_import = 0
             WHEN 'refused' THEN r.status = 'failed' AND r.reason IS NOT NULL AND r.reason <> 'job_failure'
             WHEN 'stale' THEN r.status IN ('pending', 'running') AND r.news_at < ?3
             WHEN 'open' THEN r.status IN ('pending', 'running')
             ELSE 1 END
         ORDER BY r.number DESC LIMIT ?5",
    );
    let rows = rows.bind(below).bind(show.as_str()).bind(now - 30 * MINUTE).bind(workspace).bind(most);
    Ok(rows.fetch_all(store.readers()).await?)
}

/// The number of a request by its number or long id.
///
/// # Errors
/// [`Fault::Refused`]: there is none.
pub async fn request(store: &Store, text: &str) -> Result<i64, Fault> {
    let found = sqlx::query_scalar(
        "SELECT number FROM job_request WHERE identifier = ?1 OR number = CAST(?1 AS INTEGER)
         AND ?1 = CAST(CAST(?1 AS INTEGER) AS TEXT)",
    );
    let found = found.bind(text.trim()).fetch_optional(store.readers()).await?;
    let none = || crate::access::Refusal::Invalid(format!("there is no job request {}", text.trim()));
    found.ok_or_else(|| Fault::Refused(none()))
}
