//! Lists of requests by any filters: the event log, and the short lists on other pages.
//! Spec site.md 6.1. One statement at any depth: pages are found by key, never by skipping rows.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqlitePool};

use super::parts::{BackendFace, ORG, Person, ProjectFace, backend, get, many, project};
use crate::store::{StoreError, words};

/// Which requests are wanted. All that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words that must all be found, as they were typed.
    pub q: Option<String>,
    /// A status.
    pub status: Option<String>,
    /// Slug of a backend.
    pub backend: Option<String>,
    /// Slug of an organisation.
    pub org: Option<String>,
    /// Slug of a project.
    pub project: Option<String>,
    /// Name of a workspace.
    pub workspace: Option<String>,
    /// A username.
    pub user: Option<String>,
    /// An action that was asked for, or ran.
    pub action: Option<String>,
    /// A code that one of the jobs has.
    pub code: Option<String>,
    /// Created at or after this moment.
    pub from: Option<i64>,
    /// Created before this moment.
    pub before: Option<i64>,
    /// Numbers below this one.
    pub after: Option<i64>,
    /// Only on backends in use.
    pub active_backends: bool,
    /// Only what is not final.
    pub open: bool,
}

/// One row of a list.
#[derive(Debug, Clone)]
pub struct ListRow {
    /// The public number.
    pub number: i64,
    /// The identifier.
    pub identifier: String,
    /// Derived status.
    pub status: String,
    /// Whether a person stopped it.
    pub cancelled: bool,
    /// Jobs pending, running, succeeded, failed.
    pub counts: [i64; 4],
    /// Name of the workspace.
    pub workspace: String,
    /// The project.
    pub project: ProjectFace,
    /// The backend.
    pub backend: BackendFace,
    /// Who asked.
    pub requested_by: Person,
    /// The first three actions asked for.
    pub actions: Vec<String>,
    /// How many were asked for.
    pub actions_in_all: i64,
    /// The commit.
    pub commit: Option<String>,
    /// When it was asked.
    pub created_at: i64,
    /// When the first job began.
    pub first_started_at: Option<i64>,
    /// Compute time.
    pub runtime_s: i64,
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Newest first.
    pub rows: Vec<ListRow>,
    /// The key of the next page, if there is one.
    pub next: Option<i64>,
    /// How many there are in all, counted to one more than is told.
    pub total: u64,
}

const SELECT: &str = "SELECT r.*, w.name workspace_name, project.slug project_slug, project.number project_number,
    project.name project_name, org.slug org_slug, org.name org_name, b.id backend_id, b.slug backend_slug, b.name backend_name,
    b.data_kind, a.username, a.fullname,
    (SELECT json_group_array(name) FROM (SELECT name FROM requested_action WHERE job_request = r.number
        ORDER BY position LIMIT 3)) actions,
    (SELECT count(*) FROM requested_action WHERE job_request = r.number) actions_in_all";
const TABLES: &str = " FROM job_request r JOIN workspace w ON w.id = r.workspace JOIN project ON project.id = w.project
    JOIN backend b ON b.id = r.backend JOIN account a ON a.id = r.requested_by ";

/// Reads the newest `limit` requests, without counting how many there are. One statement.
///
/// # Errors
/// The database failed.
pub async fn newest(readers: &SqlitePool, filter: &Filter, limit: u32) -> Result<Vec<ListRow>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(SELECT);
    from(&mut query, filter, limit);
    query.build().fetch_all(readers).await?.iter().map(row).collect()
}

/// Reads up to `limit` requests, and how many there are without `after`: one statement, and a second one only behind the end
/// of a list.
///
/// # Errors
/// The database failed.
pub async fn requests(readers: &SqlitePool, filter: &Filter, limit: u32) -> Result<Listed, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(SELECT);
    query.push(", ");
    total(&mut query, filter);
    from(&mut query, filter, limit.saturating_add(1));
    let found = query.build().fetch_all(readers).await?;
    let total: i64 = match found.first() {
        Some(first) => get(first, "total")?,
        None if filter.after.is_none() => 0,
        None => {
            let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
            total(&mut query, filter);
            get(&query.build().fetch_one(readers).await?, "total")?
        }
    };
    let mut rows = found.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    Ok(Listed {
        next: rows.last().filter(|_| more).map(|row| row.number),
        rows,
        total: u64::try_from(total).unwrap_or_default(),
    })
}

fn from(query: &mut QueryBuilder<Sqlite>, filter: &Filter, limit: u32) {
    query.push(TABLES).push(ORG);
    conditions(query, filter);
    if let Some(after) = filter.after {
        query.push(" AND r.number < ").push_bind(after);
    }
    query.push(" ORDER BY r.number DESC LIMIT ").push_bind(i64::from(limit));
}

/// How many fit, whatever the page; the database counts once, not for each row.
fn total(query: &mut QueryBuilder<Sqlite>, filter: &Filter) {
    query.push("(SELECT count(*) FROM (SELECT 1 FROM job_request r");
    conditions(query, filter);
    query.push(" LIMIT 10001)) total");
}

fn conditions(query: &mut QueryBuilder<Sqlite>, filter: &Filter) {
    query.push(" WHERE 1");
    // Names become rows first, so that nothing is joined for each request, also where they are only counted. The `+` keeps
    // indexes away that would give all requests of many workspaces, to be sorted for the newest few.
    for (named, value) in [
        (" AND r.status = (", &filter.status),
        (" AND r.backend = (SELECT id FROM backend WHERE slug = ", &filter.backend),
        (" AND r.workspace = (SELECT id FROM workspace WHERE name = ", &filter.workspace),
        (" AND r.requested_by = (SELECT id FROM account WHERE username = ", &filter.user),
        (
            " AND +r.workspace IN (SELECT w.id FROM workspace w JOIN project p ON p.id = w.project WHERE p.slug = ",
            &filter.project,
        ),
        (
            " AND +r.workspace IN (SELECT w.id FROM workspace w JOIN project_org po ON po.project = w.project
              JOIN org o ON o.id = po.org WHERE o.slug = ",
            &filter.org,
        ),
    ] {
        if let Some(value) = value {
            query.push(named).push_bind(value.clone()).push(")");
        }
    }
    if let Some(action) = &filter.action {
        query
            .push(" AND (EXISTS (SELECT 1 FROM requested_action x WHERE x.job_request = r.number AND x.name = ")
            .push_bind(action.clone())
            .push(") OR EXISTS (SELECT 1 FROM job x WHERE x.job_request = r.number AND x.action = ")
            .push_bind(action.clone())
            .push("))");
    }
    if let Some(code) = &filter.code {
        query
            .push(" AND (r.reason = ")
            .push_bind(code.clone())
            .push(" OR EXISTS (SELECT 1 FROM job x WHERE x.job_request = r.number AND x.code = ")
            .push_bind(code.clone())
            .push("))");
    }
    if let Some(from) = filter.from {
        query.push(" AND r.created_at >= ").push_bind(from);
    }
    if let Some(before) = filter.before {
        query.push(" AND r.created_at < ").push_bind(before);
    }
    if filter.open {
        query.push(" AND r.status IN ('pending', 'running')");
    }
    if filter.active_backends {
        query.push(" AND +r.backend IN (SELECT id FROM backend WHERE is_active = 1)");
    }
    if let Some(typed) = &filter.q {
        match words::query(typed) {
            Some(words) => {
                query
                    .push(" AND r.number IN (SELECT rowid FROM request_words WHERE request_words MATCH ")
                    .push_bind(words)
                    .push(")");
            }
            None => {
                query.push(" AND 0");
            }
        }
    }
}

fn row(row: &SqliteRow) -> Result<ListRow, StoreError> {
    Ok(ListRow {
        number: get(row, "number")?,
        identifier: get(row, "identifier")?,
        status: get(row, "status")?,
        cancelled: get(row, "cancelled")?,
        counts: [
            get(row, "jobs_pending")?,
            get(row, "jobs_running")?,
            get(row, "jobs_succeeded")?,
            get(row, "jobs_failed")?,
        ],
        workspace: get(row, "workspace_name")?,
        project: project(row)?,
        backend: backend(row)?,
        requested_by: Person { username: get(row, "username")?, fullname: get(row, "fullname")? },
        actions: many(row, "actions")?,
        actions_in_all: get(row, "actions_in_all")?,
        commit: get(row, "commit_id")?,
        created_at: get(row, "created_at")?,
        first_started_at: get(row, "first_started_at")?,
        runtime_s: get(row, "runtime_s")?,
    })
}
