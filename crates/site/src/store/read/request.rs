//! Everything that the page of one job request shows, in two statements; three while jobs wait.
//! Spec site.md 4, 18.

use std::collections::HashMap;

use protocol::fact::job::Engine;
use serde::Deserialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, SqlitePool};

use super::estimate::{Estimate, estimates};
use super::job::{Attempt, OTHERS, OtherJob};
use super::parts::{Alert, BackendFace, Cancellation, Decision, Need, ORG, Permission, Person, ProjectFace};
use super::parts::{backend, get, json, many, project};
use crate::store::StoreError;
use crate::store::ids::{AccountId, ProjectId};

/// A request that came before this one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Earlier {
    /// Its number.
    pub number: i64,
    /// Its commit.
    pub commit: Option<String>,
}

/// One job of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// Its identifier.
    pub identifier: String,
    /// What it runs.
    pub action: String,
    /// In plan order.
    pub position: i64,
    /// Whether it reads the database.
    pub db: bool,
    /// How many places it takes.
    pub weight: i64,
    /// `pending`, `running`, `succeeded`, `failed` or `unknown`.
    pub status: String,
    /// Exactly what is the case; new codes of newer backends too.
    pub code: String,
    /// What goes with the code, as JSON.
    pub params: serde_json::Value,
    /// Which attempt this is; 0 before the first.
    pub attempt: i64,
    /// The image that ran, with its digest.
    pub image: Option<String>,
    /// The built-in action that ran; text of another form is none.
    pub engine: Option<Engine>,
    /// When it was planned.
    pub created_at: i64,
    /// The last news of it.
    pub updated_at: i64,
    /// When it began.
    pub started_at: Option<i64>,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// How long it ran, by the backend's own measure.
    pub runtime_s: Option<i64>,
    /// The jobs it reads from.
    pub needs: Vec<Need>,
    /// Earlier attempts.
    pub attempts: Vec<Attempt>,
}

/// A request and all around it.
#[derive(Debug, Clone)]
pub struct RequestPage {
    /// The public number.
    pub number: i64,
    /// The identifier.
    pub identifier: String,
    /// Name of the workspace.
    pub workspace: String,
    /// The project.
    pub project: ProjectFace,
    /// Its row.
    pub project_id: ProjectId,
    /// The backend.
    pub backend: BackendFace,
    /// `open`, `paused`, `db_maintenance`, if told.
    pub mode: Option<String>,
    /// `scheduled` or `manual`.
    pub mode_kind: Option<String>,
    /// Since when.
    pub mode_since: Option<i64>,
    /// The backend's last contact.
    pub last_contact_at: Option<i64>,
    /// Its program.
    pub version: Option<String>,
    /// Its data.
    pub data_version: Option<String>,
    /// Its clock minus ours, in microseconds.
    pub clock_offset: Option<i64>,
    /// Who asked.
    pub requested_by: Person,
    /// Their row.
    pub requested_by_id: AccountId,
    /// As it was at the time.
    pub branch: String,
    /// None only on old records.
    pub commit: Option<String>,
    /// The repository.
    pub repo: String,
    /// Whether its code is not public.
    pub is_private: bool,
    /// Run needed actions again.
    pub force_run_dependencies: bool,
    /// The text of project.yaml, if the site has it.
    pub yaml: Option<Vec<u8>>,
    /// Its hash.
    pub yaml_sha256: Option<String>,
    /// `ok`, `stale` or `unchecked`.
    pub codelists: String,
    /// Data permissions in force at the time.
    pub permissions: Vec<Permission>,
    /// Whether it is an old record.
    pub is_import: bool,
    /// When it was asked, by the site's clock.
    pub created_at: i64,
    /// `waiting`, `delivered` or `answered`.
    pub delivery: String,
    /// Derived (spec site.md 2.4).
    pub status: String,
    /// Why, for a refused one, and others.
    pub reason: Option<String>,
    /// Places of the reason, as JSON or text.
    pub detail: Option<String>,
    /// Whether a person stopped it.
    pub cancelled: bool,
    /// When the first of its jobs began.
    pub first_started_at: Option<i64>,
    /// When the last ended.
    pub last_finished_at: Option<i64>,
    /// Compute time of its finished jobs.
    pub runtime_s: i64,
    /// Jobs pending, running, succeeded, failed.
    pub counts: [i64; 4],
    /// The last news.
    pub news_at: i64,
    /// What was ticked, in that order.
    pub requested_actions: Vec<String>,
    /// Why each action runs or does not.
    pub decisions: Vec<Decision>,
    /// What the requester says of it, for everybody to read.
    pub note: String,
    /// Whether its workspace takes requests no more.
    pub is_archived: bool,
    /// What somebody wants stopped.
    pub cancellations: Vec<Cancellation>,
    /// The request before.
    pub previous: Option<Earlier>,
    /// The last one before that succeeded.
    pub previous_successful: Option<Earlier>,
    /// The last one before that failed.
    pub previous_failed: Option<Earlier>,
    /// The latest request that ran failed actions of this one again.
    pub superseded_by: Option<i64>,
    /// Messages of the operators.
    pub alerts: Vec<Alert>,
    /// Its jobs, in plan order.
    pub jobs: Vec<JobRow>,
    /// Jobs of other requests that it uses or waits for.
    pub others: Vec<OtherJob>,
    /// What is likely for the jobs that wait, by their actions.
    pub estimates: HashMap<String, Estimate>,
}

/// Reads one request by its number. `None` if there is no such request, or it is not of this project and workspace.
///
/// # Errors
/// The database failed, or holds what it should not.
pub async fn request_page(
    readers: &SqlitePool,
    place: (&str, &str),
    number: i64,
    now: i64,
) -> Result<Option<RequestPage>, StoreError> {
    // `+` and `|| ''` keep the indexes of numbers and states away, which would walk through all requests of a backend or a
    // state: `job_request_before` leads to those of this workspace in the order that is asked for.
    let earlier = |and: &str| {
        format!(
            "(SELECT json_object('number', e.number, 'commit', e.commit_id) FROM job_request e WHERE e.workspace = r.workspace
              AND e.backend = r.backend AND +e.number < r.number {and} ORDER BY e.created_at DESC, e.number DESC LIMIT 1)"
        )
    };
    let sql = format!(
        "SELECT r.*, w.name workspace_name, w.project project_id, w.archived_at, project.slug project_slug, project.number project_number,
            project.name project_name, org.slug org_slug, org.name org_name, b.id backend_id, b.slug backend_slug, b.name backend_name,
            b.data_kind, b.mode, b.mode_kind, b.mode_since, b.last_contact_at, b.version, b.data_version, b.clock_offset,
            a.username, a.fullname, repo.url repo_url, repo.is_private, y.body yaml,
            (SELECT json_group_array(name) FROM (SELECT name FROM requested_action WHERE job_request = r.number
                ORDER BY position)) requested,
            (SELECT json_group_array(json_array(action, decision, reasons)) FROM (SELECT * FROM decision
                WHERE job_request = r.number ORDER BY position)) decisions,
            (SELECT json_group_array(json_object('action', c.action, 'by', p.fullname, 'at', c.requested_at,
                'reason', c.reason, 'answered_at', c.answered_at, 'result', c.result)) FROM cancellation c
                LEFT JOIN account p ON p.id = c.requested_by WHERE c.job_request = r.number) cancellations,
            (SELECT json_group_array(json_object('code', k.code, 'title', k.title, 'reason', g.reason,
                'approved_by', p.fullname, 'approved_at', g.approved_at, 'expires_at', g.expires_at))
                FROM permission_grant g JOIN permission_kind k ON k.id = g.permission_kind
                LEFT JOIN account p ON p.id = g.approved_by WHERE g.project = w.project
                AND k.code IN (SELECT CASE type WHEN 'object' THEN json_extract(value, '$.code') ELSE value END
                    FROM json_each(r.permissions)) AND g.approved_at <= r.created_at
                AND (g.revoked_at IS NULL OR g.revoked_at > r.created_at)) granted,
            (SELECT json_group_array(json_object('title', title, 'message', message, 'level', level)) FROM site_alert
                WHERE audience = 'everyone' AND from_at <= ?4 AND (until_at IS NULL OR until_at > ?4)) alerts,
            (SELECT max(n.job_request) FROM job j JOIN job n ON n.identifier = j.superseded_by
                WHERE j.job_request = r.number AND j.status = 'failed') superseded,
            {} previous, {} previous_successful, {} previous_failed, {OTHERS}
         FROM job_request r JOIN workspace w ON w.id = r.workspace JOIN project ON project.id = w.project {ORG}
         JOIN backend b ON b.id = r.backend JOIN account a ON a.id = r.requested_by JOIN repo ON repo.id = w.repo
         LEFT JOIN project_yaml y ON y.sha256 = r.project_yaml
         WHERE r.number = ?1 AND project.slug = ?2 AND w.name = ?3",
        earlier(""),
        earlier("AND e.status || '' = 'succeeded'"),
        earlier("AND e.status || '' = 'failed'"),
    );
    // Only constants of this file are put together.
    let query = sqlx::query(AssertSqlSafe(sql)).bind(number).bind(place.0).bind(place.1).bind(now);
    let Some(row) = query.fetch_optional(readers).await? else { return Ok(None) };
    let mut page = page(&row, jobs(readers, number).await?)?;
    if page.counts[0] > 0 && !page.is_import {
        page.estimates = estimates(readers, number, page.backend.id.0, get(&row, "workspace")?).await?;
    }
    Ok(Some(page))
}

fn page(row: &SqliteRow, jobs: Vec<JobRow>) -> Result<RequestPage, StoreError> {
    let earlier = |column: &str| -> Result<Option<Earlier>, StoreError> {
        get::<Option<String>>(row, column)?.map(|text| json(column, &text)).transpose()
    };
    let decisions: Vec<(String, String, String)> = many(row, "decisions")?;
    Ok(RequestPage {
        number: get(row, "number")?,
        identifier: get(row, "identifier")?,
        workspace: get(row, "workspace_name")?,
        project: project(row)?,
        project_id: ProjectId(get(row, "project_id")?),
        backend: backend(row)?,
        mode: get(row, "mode")?,
        mode_kind: get(row, "mode_kind")?,
        mode_since: get(row, "mode_since")?,
        last_contact_at: get(row, "last_contact_at")?,
        version: get(row, "version")?,
        data_version: get(row, "data_version")?,
        clock_offset: get(row, "clock_offset")?,
        requested_by: Person { username: get(row, "username")?, fullname: get(row, "fullname")? },
        requested_by_id: AccountId(get(row, "requested_by")?),
        branch: get(row, "branch")?,
        commit: get(row, "commit_id")?,
        repo: get(row, "repo_url")?,
        is_private: get(row, "is_private")?,
        force_run_dependencies: get(row, "force_run_dependencies")?,
        yaml: get(row, "yaml")?,
        yaml_sha256: get(row, "project_yaml")?,
        codelists: get(row, "codelists")?,
        permissions: many(row, "granted")?,
        is_import: get(row, "is_import")?,
        created_at: get(row, "created_at")?,
        delivery: get(row, "delivery")?,
        status: get(row, "status")?,
        reason: get(row, "reason")?,
        detail: get(row, "detail")?,
        cancelled: get(row, "cancelled")?,
        first_started_at: get(row, "first_started_at")?,
        last_finished_at: get(row, "last_finished_at")?,
        runtime_s: get(row, "runtime_s")?,
        counts: [
            get(row, "jobs_pending")?,
            get(row, "jobs_running")?,
            get(row, "jobs_succeeded")?,
            get(row, "jobs_failed")?,
        ],
        news_at: get(row, "news_at")?,
        requested_actions: many(row, "requested")?,
        decisions: decisions
            .into_iter()
            .map(|(action, decision, reasons)| Decision { action, decision, reasons })
            .collect(),
        note: get(row, "note")?,
        is_archived: get::<Option<i64>>(row, "archived_at")?.is_some(),
        cancellations: many(row, "cancellations")?,
        previous: earlier("previous")?,
        previous_successful: earlier("previous_successful")?,
        previous_failed: earlier("previous_failed")?,
        superseded_by: get(row, "superseded")?,
        alerts: many(row, "alerts")?,
        jobs,
        others: many(row, "others")?,
        estimates: HashMap::new(),
    })
}

/// Columns of one job, with its needs and attempts.
pub(super) const JOB: &str = "j.*,
    (SELECT json_group_array(json_object('action', action, 'needed', needed, 'kind', kind, 'staleness', staleness))
        FROM (SELECT * FROM job_need WHERE job = j.identifier ORDER BY position)) needs,
    (SELECT json_group_array(json_object('attempt', attempt, 'image', image, 'started_at', started_at,
        'ended_at', ended_at, 'code', code, 'params', params)) FROM (SELECT * FROM job_attempt
        WHERE job = j.identifier ORDER BY attempt)) attempts";

async fn jobs(readers: &SqlitePool, number: i64) -> Result<Vec<JobRow>, StoreError> {
    let sql = format!("SELECT {JOB} FROM job j WHERE j.job_request = ? ORDER BY j.position, j.action");
    // Only constants of this file are put together.
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(number).fetch_all(readers).await?;
    rows.iter().map(job).collect()
}

pub(super) fn job(row: &SqliteRow) -> Result<JobRow, StoreError> {
    Ok(JobRow {
        identifier: get(row, "identifier")?,
        action: get(row, "action")?,
        position: get(row, "position")?,
        db: get(row, "db")?,
        weight: get(row, "weight")?,
        status: get(row, "status")?,
        code: get(row, "code")?,
        params: json("params", &get::<String>(row, "params")?)?,
        attempt: get(row, "attempt")?,
        image: get(row, "image")?,
        engine: get::<Option<String>>(row, "engine")?.and_then(|text| serde_json::from_str(&text).ok()),
        created_at: get(row, "created_at")?,
        updated_at: get(row, "updated_at")?,
        started_at: get(row, "started_at")?,
        finished_at: get(row, "finished_at")?,
        runtime_s: get(row, "runtime_s")?,
        needs: many(row, "needs")?,
        attempts: many(row, "attempts")?,
    })
}

/// Where a request is, for its short addresses: (project, workspace, number).
///
/// # Errors
/// The database failed.
pub async fn request_place(readers: &SqlitePool, key: &str) -> Result<Option<(String, String, i64)>, StoreError> {
    // A number is written in one way only: no sign, no leading zero.
    let number = key.parse::<i64>().ok().filter(|number| number.to_string() == key);
    let row = sqlx::query(
        "SELECT project.slug, w.name, r.number FROM job_request r JOIN workspace w ON w.id = r.workspace
         JOIN project ON project.id = w.project WHERE r.identifier = ?1 OR r.number = ?2",
    )
    .bind(key)
    .bind(number)
    .fetch_optional(readers)
    .await?;
    row.map(|row| Ok((get(&row, "slug")?, get(&row, "name")?, get(&row, "number")?))).transpose()
}

/// The text of a request's project.yaml, if the site has it.
///
/// # Errors
/// The database failed.
pub async fn yaml_of(readers: &SqlitePool, place: (&str, &str), number: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let row = sqlx::query(
        "SELECT y.body FROM job_request r JOIN workspace w ON w.id = r.workspace JOIN project p ON p.id = w.project
         JOIN project_yaml y ON y.sha256 = r.project_yaml WHERE r.number = ? AND p.slug = ? AND w.name = ?",
    )
    .bind(number)
    .bind(place.0)
    .bind(place.1)
    .fetch_optional(readers)
    .await?;
    row.map(|row| get(&row, "body")).transpose()
}
