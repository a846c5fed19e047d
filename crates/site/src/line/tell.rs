//! What backends must hear of beside orders: workspaces that were archived, projects that were retired, permissions given or
//! taken. Triggers write down what changed, whoever changed it; here it goes into the lines. Spec protocol.md 3.3.

use protocol::directive::DirectiveBody;
use protocol::directive::body::{PermissionsInForce, WorkspaceState};
use protocol::text::BadText;

use super::send::{SendError, Sent, send};
use crate::Site;
use crate::form::{order, permit};
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

/// As many changes as go into the lines at once.
const AT_ONCE: i64 = 100;

/// Puts what changed since the last time into the lines of the backends that run the workspaces in question. After the commit
/// tell [`Lines::wake`](super::Lines::wake).
///
/// # Errors
/// As for [`send`].
pub async fn tell(change: &mut Change, site: &Site) -> Result<Vec<Sent>, SendError> {
    let changed: Vec<(String, i64)> = sqlx::query_as("SELECT kind, object FROM to_tell ORDER BY kind, object LIMIT ?")
        .bind(AT_ONCE)
        .fetch_all(&mut **change)
        .await?;
    let mut sent = Vec::new();
    for (kind, object) in changed {
        let told = match kind.as_str() {
            "workspace" => workspace(change, object).await?,
            _ => permissions(change, site, object).await?,
        };
        if let Some((body, backends)) = told {
            for backend in backends {
                sent.push(send(change, site, BackendId(backend), &body).await?);
            }
        }
        sqlx::query("DELETE FROM to_tell WHERE kind = ? AND object = ?")
            .bind(kind)
            .bind(object)
            .execute(&mut **change)
            .await?;
    }
    Ok(sent)
}

/// Commits a change that may have touched what backends must hear of, and has them hear of it.
///
/// # Errors
/// Nothing is committed.
pub(crate) async fn commit(mut change: Change, site: &Site) -> Result<(), StoreError> {
    let sent = tell(&mut change, site).await.map_err(|error| match error {
        SendError::Store(error) => error,
        other => StoreError::Damaged(format!("backends cannot be told of what changed: {other}")),
    })?;
    change.commit().await?;
    sent.iter().for_each(|one| site.line.wake(one));
    Ok(())
}

/// The same in a change of its own, if there is anything: what the operator's commands changed is found by the next poll.
pub(super) async fn tell_late(site: &Site) -> Result<(), SendError> {
    let (any,): (bool,) =
        sqlx::query_as("SELECT EXISTS (SELECT 1 FROM to_tell)").fetch_one(site.store.readers()).await?;
    if any {
        let mut change = site.store.change().await?;
        let sent = tell(&mut change, site).await?;
        change.commit().await?;
        sent.iter().for_each(|one| site.line.wake(one));
    }
    Ok(())
}

/// A restored site does not know what it told: all that this backend runs is told again.
pub(super) async fn all(change: &mut Change, backend: BackendId) -> Result<(), StoreError> {
    for query in [
        "INSERT OR IGNORE INTO to_tell SELECT DISTINCT 'workspace', workspace FROM job_request
         WHERE backend = ? AND is_import = 0",
        "INSERT OR IGNORE INTO to_tell SELECT DISTINCT 'permissions', w.project FROM job_request r
         JOIN workspace w ON w.id = r.workspace WHERE r.backend = ? AND r.is_import = 0",
    ] {
        sqlx::query(query).bind(backend.0).execute(&mut **change).await?;
    }
    Ok(())
}

type Told = Option<(DirectiveBody, Vec<i64>)>;

fn unsayable(what: &str) -> impl Fn(BadText) -> StoreError + '_ {
    move |why| StoreError::Damaged(format!("{what}: {why}"))
}

async fn workspace(change: &mut Change, id: i64) -> Result<Told, SendError> {
    let row: Option<(String, bool, bool)> = sqlx::query_as(
        "SELECT w.name, w.archived_at IS NOT NULL, p.status = 'retired' FROM workspace w JOIN project p ON p.id = w.project
         WHERE w.id = ?",
    )
    .bind(id)
    .fetch_optional(&mut **change)
    .await?;
    let Some((name, archived, project_retired)) = row else { return Ok(None) };
    let backends: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT r.backend FROM job_request r JOIN backend b ON b.id = r.backend
         WHERE r.workspace = ? AND r.is_import = 0 AND b.is_active = 1 AND b.confirmed_at IS NOT NULL ORDER BY r.backend",
    )
    .bind(id)
    .fetch_all(&mut **change)
    .await?;
    let name = name.parse().map_err(unsayable("the name of a workspace"))?;
    Ok(Some((DirectiveBody::Workspace(WorkspaceState { name, archived, project_retired }), backends)))
}

async fn permissions(change: &mut Change, site: &Site, project: i64) -> Result<Told, SendError> {
    let slug: Option<String> =
        sqlx::query_scalar("SELECT slug FROM project WHERE id = ?").bind(project).fetch_optional(&mut **change).await?;
    let Some(slug) = slug else { return Ok(None) };
    let grants = permit::in_force(change, project, site.clock.microseconds()).await?;
    let damaged = |why: &dyn std::fmt::Display| StoreError::Damaged(format!("the permissions of {slug}: {why}"));
    let permissions = order::permissions(&grants).map_err(|why| damaged(&why))?;
    let backends: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT r.backend FROM job_request r JOIN workspace w ON w.id = r.workspace JOIN backend b ON b.id = r.backend
         WHERE w.project = ? AND r.is_import = 0 AND b.is_active = 1 AND b.confirmed_at IS NOT NULL ORDER BY r.backend",
    )
    .bind(project)
    .fetch_all(&mut **change)
    .await?;
    let project = slug.parse().map_err(unsayable("the name of a project"))?;
    Ok(Some((DirectiveBody::Permissions(PermissionsInForce { project, permissions }), backends)))
}
