//! Where every action of a request stands, as far as cancelling is about it.
//! Spec site.md 4.10.

use sqlx::{SqliteConnection, SqlitePool};

use crate::store::StoreError;

/// A request that somebody wants to cancel, or part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The public number.
    pub number: i64,
    /// The long id.
    pub identifier: String,
    /// The row of its backend.
    pub backend: i64,
    /// The backend's name.
    pub backend_name: String,
    /// The row of its project.
    pub project: i64,
    /// Whether the backend has answered the order.
    pub is_answered: bool,
    /// Whether it has ended.
    pub is_final: bool,
    /// Every action, in order: its jobs, or what was asked for while there are none.
    pub items: Vec<Item>,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub action: String,
    /// Its job, if there is one.
    pub job: Option<String>,
    /// `pending`, `running`, `succeeded`, `failed`, `unknown`.
    pub status: String,
    /// The code, as the backend told it.
    pub code: String,
    /// Jobs of other requests that wait for its job.
    pub waiting: Vec<Waiting>,
    /// Who asked to cancel it and when, while that is not answered.
    pub asked: Option<(String, i64)>,
}

/// A job of another request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The number of its request.
    pub request: i64,
    /// The path of its request.
    pub path: String,
    /// Its action.
    pub action: String,
}

impl Item {
    /// Whether there is anything left to stop.
    pub fn is_open(&self) -> bool {
        matches!(self.status.as_str(), "pending" | "running")
    }
}

impl Standing {
    /// The actions that can still be stopped.
    pub fn open(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.is_open())
    }
}

type Head = (String, i64, String, i64, Option<i64>, String);

/// Where the request of this number stands.
///
/// # Errors
/// The database failed.
pub async fn standing(tables: &SqlitePool, number: i64) -> Result<Option<Standing>, StoreError> {
    let mut connection = tables.acquire().await?;
    inside(&mut connection, number).await
}

pub(super) async fn inside(tables: &mut SqliteConnection, number: i64) -> Result<Option<Standing>, StoreError> {
    let head: Option<Head> = sqlx::query_as(
        "SELECT r.identifier, r.backend, b.name, w.project, r.answered_at, r.status FROM job_request r
         JOIN backend b ON b.id = r.backend JOIN workspace w ON w.id = r.workspace WHERE r.number = ?",
    )
    .bind(number)
    .fetch_optional(&mut *tables)
    .await?;
    let Some((identifier, backend, backend_name, project, answered_at, status)) = head else { return Ok(None) };
    let is_final = !matches!(status.as_str(), "pending" | "running");
    let jobs: Vec<(String, Option<String>, String, String)> = sqlx::query_as(
        "SELECT action, identifier, status, code FROM job WHERE job_request = ? ORDER BY position, action",
    )
    .bind(number)
    .fetch_all(&mut *tables)
    .await?;
    let rows = match (jobs.is_empty(), answered_at.is_some() || is_final) {
        (false, _) => jobs,
        // Answered without jobs, or ended without an answer: nothing is left to stop.
        (true, true) => Vec::new(),
        (true, false) => {
            let names: Vec<String> =
                sqlx::query_scalar("SELECT name FROM requested_action WHERE job_request = ? ORDER BY position")
                    .bind(number)
                    .fetch_all(&mut *tables)
                    .await?;
            names.into_iter().map(|name| (name, None, "pending".to_owned(), "created".to_owned())).collect()
        }
    };
    let waiting: Vec<(String, i64, String, String)> = sqlx::query_as(
        "SELECT n.needed, j.job_request, '/' || p.slug || '/' || w.name || '/' || j.job_request || '/', j.action
         FROM job m JOIN job_need n ON n.needed = m.identifier JOIN job j ON j.identifier = n.job
         JOIN workspace w ON w.id = j.workspace JOIN project p ON p.id = w.project
         WHERE m.job_request = ?1 AND m.status IN ('pending', 'running') AND j.job_request <> ?1
           AND j.status = 'pending'
         UNION
         SELECT k.job, k.job_request, '/' || p.slug || '/' || w.name || '/' || k.job_request || '/', k.action
         FROM job m JOIN kept_job k ON k.job = m.identifier JOIN job_request r ON r.number = k.job_request
         JOIN workspace w ON w.id = r.workspace JOIN project p ON p.id = w.project
         WHERE m.job_request = ?1 AND m.status IN ('pending', 'running') AND k.kind = 'attached'
         ORDER BY 2, 4",
    )
    .bind(number)
    .fetch_all(&mut *tables)
    .await?;
    let asked: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT c.action, coalesce(a.fullname, 'the operator'), c.requested_at FROM cancellation c
         LEFT JOIN account a ON a.id = c.requested_by WHERE c.job_request = ? AND c.answered_at IS NULL
         ORDER BY c.requested_at",
    )
    .bind(number)
    .fetch_all(&mut *tables)
    .await?;
    let items = rows.into_iter().map(|(action, job, status, code)| Item {
        waiting: waiting
            .iter()
            .filter(|(needed, ..)| Some(needed) == job.as_ref())
            .map(|(_, request, path, action)| Waiting { request: *request, path: path.clone(), action: action.clone() })
            .collect(),
        asked: asked.iter().find(|(name, ..)| *name == action).map(|(_, by, at)| (by.clone(), *at)),
        action,
        job,
        status,
        code,
    });
    let items = items.collect();
    let is_answered = answered_at.is_some();
    Ok(Some(Standing { number, identifier, backend, backend_name, project, is_answered, is_final, items }))
}
