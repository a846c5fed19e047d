//! Workspaces: made on a repository and branch, changed, closed and opened again. Their names never change.
//! Spec site.md 2.2, 6.2, 19.

use repositories::{AllowList, LocalRepos, RepoUrl};
use serde_json::json;
use sqlx::Row;

use super::{By, Fault, names};
use crate::Settings;
use crate::access::{Object, Permission};
use crate::audit::{self, fields};
use crate::clock::now;
use crate::store::Change;

/// A workspace to be.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// Its name, on the whole site; never given again.
    pub name: &'a str,
    /// Its repository.
    pub repo: &'a str,
    /// Its branch.
    pub branch: &'a str,
    /// What it is for.
    pub purpose: &'a str,
}

/// Adds a workspace to a project.
///
/// # Errors
/// [`Fault::Field`]: a name that may not be or is taken, a repository that is none or not allowed, a branch that is none;
/// [`Fault::Refused`]: not allowed, or the project is retired.
pub async fn add(change: &mut Change, by: &By, settings: &Settings, project: i64, new: New<'_>) -> Result<i64, Fault> {
    by.may(Permission::WorkspaceCreate, &Object::project(project))?;
    let row = sqlx::query("SELECT status FROM project WHERE id = ?1").bind(project).fetch_one(&mut **change).await?;
    if row.try_get::<String, _>("status")? == "retired" {
        return Err(Fault::conflict("This project is retired, so it gets no new workspaces."));
    }
    let name = names::workspace(new.name)?;
    let (branch, purpose) = (branch(new.branch)?, names::lines("purpose", new.purpose, 2_000)?);
    let url = repo_url(settings, new.repo)?;
    let taken = sqlx::query("SELECT 1 FROM workspace WHERE name = ?1 COLLATE NOCASE").bind(&name);
    if taken.fetch_optional(&mut **change).await?.is_some() {
        let why = format!("there is or was a workspace {name}; names are never given twice, so take another");
        return Err(Fault::field("name", why));
    }
    let repo = repo(change, &url).await?;
    let id = sqlx::query(
        "INSERT INTO workspace (name, project, repo, branch, purpose, created_at, created_by, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?6)",
    )
    .bind(&name)
    .bind(project)
    .bind(repo)
    .bind(&branch)
    .bind(purpose)
    .bind(now())
    .bind(by.account())
    .execute(&mut **change)
    .await?
    .last_insert_rowid();
    let after = fields([("name", json!(name)), ("repo", json!(url)), ("branch", json!(branch))]);
    audit::record(change, by.act("workspace_added").on("workspace", id).project(project).after(after)).await?;
    Ok(id)
}

/// The row of a repository, made if it is new.
async fn repo(change: &mut Change, url: &str) -> Result<i64, Fault> {
    sqlx::query("INSERT INTO repo (url) VALUES (?1) ON CONFLICT (url) DO NOTHING")
        .bind(url)
        .execute(&mut **change)
        .await?;
    let row = sqlx::query("SELECT id FROM repo WHERE url = ?1").bind(url).fetch_one(&mut **change).await?;
    Ok(row.try_get("id")?)
}

fn repo_url(settings: &Settings, text: &str) -> Result<String, Fault> {
    let fault = |why: String| Fault::field("repo", why);
    let url: RepoUrl = text.trim().parse().map_err(|bad: repositories::BadUrl| fault(bad.to_string()))?;
    let local = if settings.local_repositories { LocalRepos::Allowed } else { LocalRepos::Refused };
    let list = AllowList::new(&settings.repositories, local).map_err(|bad| fault(bad.to_string()))?;
    list.check(&url).map_err(|bad| fault(bad.to_string()))?;
    Ok(url.to_string())
}

fn branch(text: &str) -> Result<String, Fault> {
    let branch = text.trim();
    let bad = || {
        Fault::field(
            "branch",
            "a branch has 1 to 200 characters without spaces and `~^:?*[\\`, and does not begin with `-`",
        )
    };
    branch.parse::<protocol::text::names::Branch>().map_err(|_| bad())?;
    Ok(branch.to_owned())
}

/// Changes branch, purpose and whether new requests notify.
///
/// # Errors
/// As [`add`].
pub async fn edit(
    change: &mut Change,
    by: &By,
    (project, id): (i64, i64),
    branch_text: &str,
    purpose: &str,
    notify: bool,
) -> Result<(), Fault> {
    let object = Object::project(project);
    by.may(Permission::ProjectManage, &object)?;
    let (branch, purpose) = (branch(branch_text)?, names::lines("purpose", purpose, 2_000)?);
    let row = sqlx::query("SELECT branch, notify_default FROM workspace WHERE id = ?1").bind(id);
    let old = row.fetch_one(&mut **change).await?;
    let (old_branch, old_notify): (String, i64) = (old.try_get("branch")?, old.try_get("notify_default")?);
    if (old_notify != 0) != notify {
        by.may(Permission::WorkspaceToggleNotifications, &object)?;
    }
    sqlx::query("UPDATE workspace SET branch = ?1, purpose = ?2, notify_default = ?3, updated_at = ?4 WHERE id = ?5")
        .bind(&branch)
        .bind(purpose)
        .bind(notify)
        .bind(now())
        .bind(id)
        .execute(&mut **change)
        .await?;
    let before = fields([("branch", json!(old_branch)), ("notify_default", json!(old_notify != 0))]);
    let after = fields([("branch", json!(branch)), ("notify_default", json!(notify))]);
    let act = by.act("workspace_edited").on("workspace", id).project(project);
    audit::record(change, act.before(before).after(after)).await?;
    Ok(())
}

/// Switches whether new requests notify who made them, unless they say otherwise.
///
/// # Errors
/// [`Fault::Refused`]: not allowed.
pub async fn set_notify(change: &mut Change, by: &By, (project, id): (i64, i64), on: bool) -> Result<(), Fault> {
    by.may(Permission::WorkspaceToggleNotifications, &Object::project(project))?;
    let done =
        sqlx::query("UPDATE workspace SET notify_default = ?1, updated_at = ?2 WHERE id = ?3 AND notify_default <> ?1")
            .bind(on)
            .bind(now())
            .bind(id)
            .execute(&mut **change)
            .await?;
    // Set so already: twice sent is once done.
    if done.rows_affected() > 0 {
        let act = by.act("workspace_edited").on("workspace", id).project(project);
        let before = fields([("notify_default", json!(!on))]);
        audit::record(change, act.before(before).after(fields([("notify_default", json!(on))]))).await?;
    }
    Ok(())
}

/// Closes a workspace, so that it takes no new requests, or opens it again.
///
/// # Errors
/// [`Fault::Refused`]: not allowed, or it is so already; [`Fault::Field`]: no reason.
pub async fn set_archived(
    change: &mut Change,
    by: &By,
    (project, id): (i64, i64),
    archived: bool,
    reason: &str,
) -> Result<(), Fault> {
    by.may(Permission::WorkspaceArchive, &Object::project(project))?;
    let reason = names::reason(reason)?;
    let done = sqlx::query(
        "UPDATE workspace SET archived_at = ?1, archived_by = ?2, archive_reason = ?3, updated_at = ?4
         WHERE id = ?5 AND (archived_at IS NULL) = ?6",
    )
    .bind(archived.then(now))
    .bind(if archived { by.account() } else { None })
    .bind(archived.then_some(&reason))
    .bind(now())
    .bind(id)
    .bind(archived)
    .execute(&mut **change)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Fault::conflict(if archived { "It is archived already." } else { "It is not archived." }));
    }
    let action = if archived { "workspace_archived" } else { "workspace_unarchived" };
    audit::record(change, by.act(action).on("workspace", id).project(project).reason(&reason)).await?;
    Ok(())
}
