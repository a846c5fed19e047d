//! Calls as older programs know them: the open job requests of a backend.
//! Spec site.md 13 (compatibility).

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{answer, known};
use crate::Opened;
use crate::access::Refusal;
use crate::clock::moment;
use crate::pages::number;
use crate::store::StoreError;

/// Requests in one answer.
const ROWS: i64 = 100;

#[derive(Debug, Serialize)]
struct Page {
    count: i64,
    next: Option<String>,
    previous: Option<String>,
    results: Vec<Item>,
}

#[derive(Debug, Serialize)]
struct Item {
    backend: String,
    sha: Option<String>,
    identifier: String,
    force_run_dependencies: bool,
    requested_actions: Vec<String>,
    cancelled_actions: Vec<String>,
    created_by: String,
    created_at: String,
    workspace: Workspace,
}

#[derive(Debug, Serialize)]
struct Workspace {
    name: String,
    repo: String,
    branch: String,
    db: &'static str,
    created_by: Option<String>,
    created_at: String,
}

/// `/api/v2/job-requests/?backend=`: requests that have not ended, the newest first. `next` leads to older ones.
pub(super) async fn open_requests(
    State(site): State<Opened>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let given = known(query.as_deref(), &["backend", "after"])?;
    let value = |key: &str| given.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let bad = |_| Refusal::Malformed("`after` is the number that `next` gave.".to_owned());
    let after = value("after").map(number).transpose().map_err(bad)?;
    let backend = value("backend").filter(|slug| !slug.is_empty());
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM job_request r JOIN backend b ON b.id = r.backend
         WHERE r.status IN ('pending', 'running') AND (?1 IS NULL OR b.slug = ?1)",
    )
    .bind(backend)
    .fetch_one(site.store.readers())
    .await?;
    let rows = sqlx::query(
        "SELECT r.number, b.slug, r.commit_id, r.identifier, r.force_run_dependencies, a.username, r.created_at, r.branch,
             w.name, o.url, c.username AS maker, w.created_at AS made_at,
             (SELECT json_group_array(name) FROM (SELECT name FROM requested_action WHERE job_request = r.number
              ORDER BY position)) AS requested,
             (SELECT json_group_array(action) FROM (SELECT DISTINCT action FROM cancellation
              WHERE job_request = r.number ORDER BY action)) AS cancelled
         FROM job_request r JOIN backend b ON b.id = r.backend JOIN workspace w ON w.id = r.workspace
         JOIN repo o ON o.id = w.repo JOIN account a ON a.id = r.requested_by LEFT JOIN account c ON c.id = w.created_by
         WHERE r.status IN ('pending', 'running') AND (?1 IS NULL OR b.slug = ?1) AND (?2 IS NULL OR r.number < ?2)
         ORDER BY r.number DESC LIMIT ?3",
    )
    .bind(backend)
    .bind(after)
    .bind(ROWS + 1)
    .fetch_all(site.store.readers())
    .await?;
    let is_more = i64::try_from(rows.len()).is_ok_and(|rows| rows > ROWS);
    let shown = rows.get(..rows.len() - usize::from(is_more)).unwrap_or_default();
    let results = shown.iter().map(item).collect::<Result<Vec<_>, _>>()?;
    let last = shown.last().map(|row| row.try_get::<i64, _>("number")).transpose()?;
    let next = last.filter(|_| is_more).map(|last| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(backend.map(|slug| ("backend", slug))).append_pair("after", &last.to_string());
        format!("{}/api/v2/job-requests/?{}", site.settings.origin, query.finish())
    });
    answer(&asked, &Page { count, next, previous: None, results })
}

fn item(row: &SqliteRow) -> Result<Item, Refusal> {
    let time = |name| row.try_get::<i64, _>(name).map(|at| moment(at).to_string());
    let names = |name: &str| {
        let text: String = row.try_get(name)?;
        serde_json::from_str(&text).map_err(|error| StoreError::Damaged(error.to_string()))
    };
    Ok(Item {
        backend: row.try_get("slug")?,
        sha: row.try_get("commit_id")?,
        identifier: row.try_get("identifier")?,
        force_run_dependencies: row.try_get("force_run_dependencies")?,
        requested_actions: names("requested")?,
        cancelled_actions: names("cancelled")?,
        created_by: row.try_get("username")?,
        created_at: time("created_at")?,
        workspace: Workspace {
            name: row.try_get("name")?,
            repo: row.try_get("url")?,
            branch: row.try_get("branch")?,
            // Older programs choose tables by this word; there is one database.
            db: "full",
            created_by: row.try_get("maker")?,
            created_at: time("made_at")?,
        },
    })
}
