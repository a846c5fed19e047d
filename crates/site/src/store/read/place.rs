//! Workspaces, projects, organisations and people, as the public sees them.
//! Spec site.md 3, 6.2, 6.3.

use serde::Deserialize;
use sqlx::{AssertSqlSafe, SqlitePool};

use super::parts::{BackendFace, ORG, Org, Permission, Person, ProjectFace, get, many, project, title};
use crate::store::StoreError;
use crate::store::ids::ProjectId;

/// One action of a workspace on one backend, as its newest run left it.
#[derive(Debug, Clone)]
pub struct ActionNow {
    /// The action.
    pub action: String,
    /// Where.
    pub backend: BackendFace,
    /// Identifier of the newest job.
    pub job: String,
    /// Its status.
    pub status: String,
    /// Its code.
    pub code: String,
    /// Its request.
    pub request: i64,
    /// When it was last heard of.
    pub updated_at: i64,
    /// The newest success: (request, commit, end).
    pub succeeded: Option<(i64, Option<String>, Option<i64>)>,
}

/// A workspace.
#[derive(Debug, Clone)]
pub struct WorkspacePage {
    /// The row of its project.
    pub project_id: ProjectId,
    /// Its name.
    pub name: String,
    /// Its project.
    pub project: ProjectFace,
    /// Its repository.
    pub repo: String,
    /// Whether the code is not public.
    pub is_private: bool,
    /// Its branch.
    pub branch: String,
    /// What it is for.
    pub purpose: String,
    /// When it was archived, and why.
    pub archived: Option<(i64, Option<String>)>,
    /// When it was made.
    pub created_at: i64,
    /// Whether new requests notify who made them, unless they say otherwise.
    pub notify: bool,
    /// Its actions on each backend.
    pub actions: Vec<ActionNow>,
}

impl WorkspacePage {
    /// Whether nothing waits or runs in it.
    pub fn is_quiet(&self) -> bool {
        !self.actions.iter().any(|action| matches!(action.status.as_str(), "pending" | "running"))
    }
}

/// The project of a workspace, if the workspace is one of it.
///
/// # Errors
/// The database failed.
pub async fn workspace_face(
    readers: &SqlitePool,
    project_slug: &str,
    name: &str,
) -> Result<Option<ProjectFace>, StoreError> {
    let sql = format!(
        "SELECT project.slug project_slug, project.number project_number, project.name project_name, org.slug org_slug,
            org.name org_name FROM workspace w JOIN project ON project.id = w.project {ORG}
         WHERE project.slug = ? AND w.name = ?"
    );
    // Only constants are put together.
    let row = sqlx::query(AssertSqlSafe(sql)).bind(project_slug).bind(name).fetch_optional(readers).await?;
    row.as_ref().map(project).transpose()
}

/// Reads a workspace of a project.
///
/// # Errors
/// The database failed.
pub async fn workspace_page(
    readers: &SqlitePool,
    project_slug: &str,
    name: &str,
) -> Result<Option<WorkspacePage>, StoreError> {
    let sql = format!(
        "SELECT w.*, project.slug project_slug, project.number project_number, project.name project_name,
            org.slug org_slug, org.name org_name, repo.url, repo.is_private
         FROM workspace w JOIN project ON project.id = w.project {ORG} JOIN repo ON repo.id = w.repo
         WHERE project.slug = ? AND w.name = ?"
    );
    // Only constants are put together.
    let row = sqlx::query(AssertSqlSafe(sql)).bind(project_slug).bind(name).fetch_optional(readers).await?;
    let Some(row) = row else { return Ok(None) };
    let id: i64 = get(&row, "id")?;
    let actions = sqlx::query(
        "SELECT l.action, b.id backend_id, b.slug backend_slug, b.name backend_name, b.data_kind, j.identifier, j.status, j.code,
            j.job_request, j.updated_at, s.job_request succeeded_request, s.finished_at succeeded_at, r.commit_id
         FROM last_job l JOIN backend b ON b.id = l.backend JOIN job j ON j.identifier = l.job
         LEFT JOIN job s ON s.identifier = l.succeeded LEFT JOIN job_request r ON r.number = s.job_request
         WHERE l.workspace = ? ORDER BY l.action, b.name LIMIT 2000",
    )
    .bind(id)
    .fetch_all(readers)
    .await?;
    Ok(Some(WorkspacePage {
        project_id: ProjectId(get(&row, "project")?),
        name: get(&row, "name")?,
        project: project(&row)?,
        repo: get(&row, "url")?,
        is_private: get(&row, "is_private")?,
        branch: get(&row, "branch")?,
        purpose: get(&row, "purpose")?,
        archived: get::<Option<i64>>(&row, "archived_at")?
            .map(|at| Ok::<_, StoreError>((at, get(&row, "archive_reason")?)))
            .transpose()?,
        created_at: get(&row, "created_at")?,
        notify: get(&row, "notify_default")?,
        actions: actions
            .iter()
            .map(|row| {
                let succeeded: Option<i64> = get(row, "succeeded_request")?;
                Ok(ActionNow {
                    action: get(row, "action")?,
                    backend: super::parts::backend(row)?,
                    job: get(row, "identifier")?,
                    status: get(row, "status")?,
                    code: get(row, "code")?,
                    request: get(row, "job_request")?,
                    updated_at: get(row, "updated_at")?,
                    succeeded: succeeded
                        .map(|n| Ok::<_, StoreError>((n, get(row, "commit_id")?, get(row, "succeeded_at")?)))
                        .transpose()?,
                })
            })
            .collect::<Result<_, StoreError>>()?,
    }))
}

/// A workspace in a list.
#[derive(Debug, Clone, Deserialize)]
pub struct WorkspaceRow {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// Its repository.
    pub repo: String,
    /// 1 if the code is not public.
    pub private: i64,
    /// Its branch.
    pub branch: String,
    /// When it was archived.
    pub archived_at: Option<i64>,
}

/// Somebody with a role in a project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// Public user name.
    pub username: String,
    /// Display name.
    pub fullname: String,
    /// Their roles there.
    pub roles: Vec<String>,
    /// 1 if there is a public request of theirs: the others are for members and staff to see.
    pub public: i64,
}

/// A project.
#[derive(Debug, Clone)]
pub struct ProjectPage {
    /// The row.
    pub id: ProjectId,
    /// Slug, title, leading organisation.
    pub face: ProjectFace,
    /// Its number, if it has one.
    pub number: Option<String>,
    /// Its status.
    pub status: String,
    /// All its organisations, the leading one first.
    pub orgs: Vec<Org>,
    /// Its workspaces, by name.
    pub workspaces: Vec<WorkspaceRow>,
    /// What its status means just now, in Markdown: for members and staff.
    pub status_note: String,
    /// Its members.
    pub members: Vec<Member>,
    /// Data permissions in force.
    pub permissions: Vec<Permission>,
}

/// Reads a project.
///
/// # Errors
/// The database failed.
pub async fn project_page(readers: &SqlitePool, slug: &str, now: i64) -> Result<Option<ProjectPage>, StoreError> {
    let sql = format!(
        "SELECT project.slug project_slug, project.number project_number, project.name project_name, project.id project_id, project.status, project.status_note,
            org.slug org_slug, org.name org_name,
            (SELECT json_group_array(json_object('slug', slug, 'name', name)) FROM (SELECT o.slug, o.name FROM project_org po
                JOIN org o ON o.id = po.org WHERE po.project = project.id ORDER BY po.is_lead DESC, po.created_at)) orgs,
            (SELECT json_group_array(json_object('name', name, 'purpose', purpose, 'repo', url, 'private', is_private,
                'branch', branch, 'archived_at', archived_at)) FROM (SELECT w.name, w.purpose, repo.url, repo.is_private,
                w.branch, w.archived_at FROM workspace w JOIN repo ON repo.id = w.repo WHERE w.project = project.id
                ORDER BY w.name)) workspaces,
            (SELECT json_group_array(json_object('username', username, 'fullname', fullname, 'roles', json(roles),
                'public', public)) FROM (SELECT a.username, a.fullname, json_group_array(g.role) roles,
                EXISTS (SELECT 1 FROM job_request r WHERE r.requested_by = a.id) public FROM role_grant g
                JOIN account a ON a.id = g.account WHERE g.scope = 'project' AND g.scope_id = project.id
                AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?2) GROUP BY a.id
                ORDER BY a.fullname)) members,
            (SELECT json_group_array(json_object('code', k.code, 'title', k.title, 'reason', g.reason,
                'approved_by', a.fullname, 'approved_at', g.approved_at, 'expires_at', g.expires_at))
                FROM permission_grant g JOIN permission_kind k ON k.id = g.permission_kind
                LEFT JOIN account a ON a.id = g.approved_by WHERE g.project = project.id AND g.approved_at IS NOT NULL
                AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?2)) permissions
         FROM project {ORG} WHERE project.slug = ?1"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(slug).bind(now).fetch_optional(readers).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(ProjectPage {
        id: ProjectId(get(&row, "project_id")?),
        face: project(&row)?,
        number: get(&row, "project_number")?,
        status: get(&row, "status")?,
        status_note: get(&row, "status_note")?,
        orgs: many(&row, "orgs")?,
        workspaces: many(&row, "workspaces")?,
        members: many(&row, "members")?,
        permissions: many(&row, "permissions")?,
    }))
}

/// An organisation.
#[derive(Debug, Clone)]
pub struct OrgPage {
    /// Slug and name.
    pub face: Org,
    /// Markdown.
    pub description: String,
    /// Its projects: (slug, title).
    pub projects: Vec<(String, String)>,
}

/// Reads an organisation.
///
/// # Errors
/// The database failed.
pub async fn org_page(readers: &SqlitePool, slug: &str) -> Result<Option<OrgPage>, StoreError> {
    let row = sqlx::query(
        "SELECT o.slug, o.name, o.description, (SELECT json_group_array(json_array(slug, number, name)) FROM
            (SELECT p.slug, p.number, p.name FROM project_org po JOIN project p ON p.id = po.project WHERE po.org = o.id
             ORDER BY p.number IS NULL, p.number NOT LIKE 'POS-%', CASE WHEN p.number LIKE 'POS-%' THEN p.number END DESC,
             CAST(p.number AS INTEGER) DESC, p.name)) projects FROM org o WHERE o.slug = ?",
    )
    .bind(slug)
    .fetch_optional(readers)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let projects: Vec<(String, Option<String>, String)> = many(&row, "projects")?;
    Ok(Some(OrgPage {
        face: Org { slug: get(&row, "slug")?, name: get(&row, "name")? },
        description: get(&row, "description")?,
        projects: projects.into_iter().map(|(slug, number, name)| (slug, title(number.as_deref(), &name))).collect(),
    }))
}

/// All organisations, each with how many projects it has.
///
/// # Errors
/// The database failed.
pub async fn orgs(readers: &SqlitePool) -> Result<Vec<(Org, i64)>, StoreError> {
    let rows = sqlx::query(
        "SELECT slug, name, (SELECT count(*) FROM project_org WHERE org = org.id) projects FROM org ORDER BY name",
    )
    .fetch_all(readers)
    .await?;
    rows.iter()
        .map(|row| Ok((Org { slug: get(row, "slug")?, name: get(row, "name")? }, get(row, "projects")?)))
        .collect()
}

/// A person with a public record.
#[derive(Debug, Clone)]
pub struct UserPage {
    /// Names.
    pub face: Person,
    /// Their organisations.
    pub orgs: Vec<Org>,
}

/// Reads a person. `None` also for people without a public record: the page does not tell who has an account.
///
/// # Errors
/// The database failed.
pub async fn user_page(readers: &SqlitePool, username: &str) -> Result<Option<UserPage>, StoreError> {
    let row = sqlx::query(
        "SELECT a.username, a.fullname, (SELECT json_group_array(json_object('slug', o.slug, 'name', o.name))
            FROM org_member m JOIN org o ON o.id = m.org WHERE m.account = a.id) orgs FROM account a
         WHERE a.username_key = lower(?) AND EXISTS (SELECT 1 FROM job_request r WHERE r.requested_by = a.id)",
    )
    .bind(username)
    .fetch_optional(readers)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(UserPage {
        face: Person { username: get(&row, "username")?, fullname: get(&row, "fullname")? },
        orgs: many(&row, "orgs")?,
    }))
}

/// Workspaces that take requests, in projects where a person has a role now: (project, workspace), newest first.
///
/// # Errors
/// The database failed.
pub async fn workspaces_of(readers: &SqlitePool, account: i64, now: i64) -> Result<Vec<(String, String)>, StoreError> {
    let rows = sqlx::query(
        "SELECT DISTINCT p.slug, w.name FROM role_grant g JOIN project p ON p.id = g.scope_id
         JOIN workspace w ON w.project = p.id WHERE g.account = ?1 AND g.scope = 'project' AND g.revoked_at IS NULL
         AND (g.expires_at IS NULL OR g.expires_at > ?2) AND w.archived_at IS NULL ORDER BY w.updated_at DESC LIMIT 25",
    )
    .bind(account)
    .bind(now)
    .fetch_all(readers)
    .await?;
    rows.iter().map(|row| Ok((get(row, "slug")?, get(row, "name")?))).collect()
}
