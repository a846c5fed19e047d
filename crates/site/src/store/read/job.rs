//! One job: its page, where it is, and the jobs of other requests that a request uses.
//! Spec site.md 4.3 (reused work), 5.

use serde::Deserialize;
use sqlx::{AssertSqlSafe, SqlitePool};

use super::parts::get;
use super::request::{JOB, JobRow, job};
use crate::store::StoreError;

/// One attempt of a job.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attempt {
    /// Counted from 1.
    pub attempt: i64,
    /// The image that ran.
    pub image: Option<String>,
    /// When it began.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Why.
    pub code: Option<String>,
    /// What goes with the code, as JSON.
    pub params: String,
}

/// A job of another request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OtherJob {
    /// Its identifier.
    pub identifier: String,
    /// Its action, as the site knows it.
    pub action: String,
    /// `attached` or `reused` for what this request keeps; none for what its jobs only name.
    pub kind: Option<String>,
    /// Its status, if the site knows the job.
    pub status: Option<String>,
    /// Its code.
    pub code: Option<String>,
    /// The request it belongs to, with that request's project and workspace.
    pub request: Option<(i64, String, String)>,
}

/// The jobs of other requests that a request (`?1`) keeps, or that its jobs read from, as a list in one column.
pub(super) const OTHERS: &str = "(WITH named (job, action, kind) AS (
        SELECT job, action, kind FROM kept_job WHERE job_request = ?1
        UNION ALL
        SELECT n.needed, n.action, NULL FROM job j JOIN job_need n ON n.job = j.identifier WHERE j.job_request = ?1
            AND n.needed NOT IN (SELECT job FROM kept_job WHERE job_request = ?1)),
    other AS (
        SELECT named.job, named.action, max(named.kind) kind, o.status, o.code, o.job_request, p.slug, w.name
        FROM named LEFT JOIN job o ON o.identifier = named.job LEFT JOIN job_request r ON r.number = o.job_request
        LEFT JOIN workspace w ON w.id = r.workspace LEFT JOIN project p ON p.id = w.project
        WHERE o.job_request IS NULL OR o.job_request <> ?1 GROUP BY named.job ORDER BY named.action)
    SELECT json_group_array(json_object('identifier', job, 'action', action, 'kind', kind, 'status', status, 'code', code,
        'request', CASE WHEN name IS NOT NULL THEN json_array(job_request, slug, name) END)) FROM other) others";

/// What a job used. Only for people with `job_metrics_view`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Usage {
    /// Mean, in percent of one processor.
    pub cpu_mean: i64,
    /// Peak, in percent of one processor.
    pub cpu_peak: i64,
    /// Mean, in megabytes.
    pub mem_mb_mean: i64,
    /// Peak, in megabytes.
    pub mem_mb_peak: i64,
}

/// What the page of a job shows beside the job.
#[derive(Debug, Clone)]
pub struct JobPage {
    /// The job.
    pub job: JobRow,
    /// Its command, as the backend resolved it.
    pub run_command: Option<String>,
    /// Its use of the machine, as the backend told it in whole numbers.
    pub usage: Option<Usage>,
    /// Jobs that read from it: (identifier, action, request).
    pub needed_by: Vec<(String, String, i64)>,
    /// The run of this action before, on the same workspace and backend: (identifier, request, commit, status).
    pub previous: Option<(String, i64, Option<String>, String)>,
    /// The last one that succeeded before.
    pub previous_succeeded: Option<(String, i64, Option<String>, String)>,
}

/// Reads one job of a request. The request itself is read apart.
///
/// # Errors
/// The database failed, or holds what it should not.
pub async fn job_page(readers: &SqlitePool, number: i64, identifier: &str) -> Result<Option<JobPage>, StoreError> {
    let earlier = |and: &str| {
        format!(
            "(SELECT json_array(e.identifier, e.job_request, q.commit_id, e.status) FROM job e JOIN job_request q
              ON q.number = e.job_request WHERE e.backend = j.backend AND e.workspace = j.workspace AND e.action = j.action
              AND e.job_request < j.job_request {and} ORDER BY e.job_request DESC LIMIT 1)"
        )
    };
    let sql = format!(
        "SELECT {JOB}, {} previous, {} previous_succeeded,
            (SELECT json_group_array(json_array(u.identifier, u.action, u.job_request)) FROM job_need n
                JOIN job u ON u.identifier = n.job WHERE n.needed = j.identifier) needed_by
         FROM job j JOIN job_request r ON r.number = j.job_request WHERE j.job_request = ? AND j.identifier = ?",
        earlier(""),
        earlier("AND e.status = 'succeeded'"),
    );
    // Only constants of this file are put together.
    let row = sqlx::query(AssertSqlSafe(sql)).bind(number).bind(identifier).fetch_optional(readers).await?;
    let Some(row) = row else { return Ok(None) };
    let earlier =
        |column: &str| get::<Option<String>>(&row, column)?.map(|text| super::parts::json(column, &text)).transpose();
    Ok(Some(JobPage {
        job: job(&row)?,
        run_command: get(&row, "run_command")?,
        usage: get::<Option<String>>(&row, "metrics")?.map(|text| super::parts::json("metrics", &text)).transpose()?,
        needed_by: super::parts::many(&row, "needed_by")?,
        previous: earlier("previous")?,
        previous_succeeded: earlier("previous_succeeded")?,
    }))
}

/// Where a job is: (project, workspace, request).
///
/// # Errors
/// The database failed.
pub async fn job_place(readers: &SqlitePool, identifier: &str) -> Result<Option<(String, String, i64)>, StoreError> {
    let row = sqlx::query(
        "SELECT p.slug, w.name, r.number FROM job j JOIN job_request r ON r.number = j.job_request
         JOIN workspace w ON w.id = r.workspace JOIN project p ON p.id = w.project WHERE j.identifier = ?",
    )
    .bind(identifier)
    .fetch_optional(readers)
    .await?;
    row.map(|row| Ok((get(&row, "slug")?, get(&row, "name")?, get(&row, "number")?))).transpose()
}

/// A job and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPlace {
    /// The whole identifier.
    pub identifier: String,
    /// Project, workspace and number of its request.
    pub request: (String, String, i64),
}

/// The one job whose identifier begins so; none if there are several.
///
/// # Errors
/// The database failed.
pub async fn job_of_prefix(readers: &SqlitePool, prefix: &str) -> Result<Option<JobPlace>, StoreError> {
    // `{` follows `z`: all texts that begin with the prefix lie between.
    let rows = sqlx::query(
        "SELECT j.identifier, p.slug, w.name, r.number FROM job j JOIN job_request r ON r.number = j.job_request
         JOIN workspace w ON w.id = r.workspace JOIN project p ON p.id = w.project
         WHERE j.identifier >= ?1 AND j.identifier < ?1 || '{' LIMIT 2",
    )
    .bind(prefix)
    .fetch_all(readers)
    .await?;
    let [row] = &rows[..] else { return Ok(None) };
    let request = (get(row, "slug")?, get(row, "name")?, get(row, "number")?);
    Ok(Some(JobPlace { identifier: get(row, "identifier")?, request }))
}
