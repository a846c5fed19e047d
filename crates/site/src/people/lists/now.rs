//! Things as they are now, so that a command may change one part of one and leave the rest.
//! Spec site.md 10 (command line twins).

use serde::Serialize;
use sqlx::Row;

use super::{Kind, named};
use crate::people::Fault;
use crate::store::Store;

/// A person as they are now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The row.
    #[serde(skip)]
    pub id: i64,
    /// Public name.
    pub username: String,
    /// The name that is shown.
    pub fullname: String,
    /// Never public; blank if none.
    pub email: String,
    /// `human` or `service`.
    pub kind: String,
    /// Whether it may act.
    pub is_disabled: bool,
    /// Slugs of its organisations.
    pub organisations: Vec<String>,
    /// Slugs of backends that it may ask for runs.
    pub backends: Vec<String>,
    /// Sessions that have not ended.
    pub sessions: i64,
}

/// An organisation as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Org {
    /// The row.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
}

/// A project as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The row.
    pub id: i64,
    /// Its number; blank if none.
    pub number: String,
    /// Its name.
    pub name: String,
    /// Its category.
    pub category: String,
    /// The row of the organisation that leads it.
    pub lead: Option<i64>,
    /// The note on its status.
    pub note: String,
}

/// A workspace as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// The rows of its project and its own.
    pub place: (i64, i64),
    /// Its branch.
    pub branch: String,
    /// What it is for.
    pub purpose: String,
    /// Whether new requests notify.
    pub notify: bool,
}

/// One account.
///
/// # Errors
/// [`Fault::Refused`]: there is nobody of this name.
pub async fn person(store: &Store, username: &str) -> Result<Account, Fault> {
    let id = super::account(store, username).await?;
    let row = sqlx::query(
        "SELECT username, fullname, coalesce(email, '') AS email, kind, disabled_at IS NOT NULL AS is_disabled,
             (SELECT count(*) FROM session WHERE account = ?1) AS sessions FROM account WHERE id = ?1",
    );
    let row = row.bind(id).fetch_one(store.readers()).await?;
    let orgs = "SELECT o.slug FROM org_member m JOIN org o ON o.id = m.org WHERE m.account = ? ORDER BY o.slug";
    let backends =
        "SELECT b.slug FROM backend_member m JOIN backend b ON b.id = m.backend WHERE m.account = ? ORDER BY b.slug";
    Ok(Account {
        id,
        username: row.try_get("username")?,
        fullname: row.try_get("fullname")?,
        email: row.try_get("email")?,
        kind: row.try_get("kind")?,
        is_disabled: row.try_get("is_disabled")?,
        organisations: sqlx::query_scalar(orgs).bind(id).fetch_all(store.readers()).await?,
        backends: sqlx::query_scalar(backends).bind(id).fetch_all(store.readers()).await?,
        sessions: row.try_get("sessions")?,
    })
}

/// One organisation.
///
/// # Errors
/// [`Fault::Refused`]: there is none of this slug.
pub async fn org(store: &Store, slug: &str) -> Result<Org, Fault> {
    let id = named(store, Kind::Org, slug).await?;
    let row = sqlx::query("SELECT name, description FROM org WHERE id = ?").bind(id).fetch_one(store.readers()).await?;
    Ok(Org { id, name: row.try_get("name")?, description: row.try_get("description")? })
}

/// One project.
///
/// # Errors
/// [`Fault::Refused`]: there is none of this slug.
pub async fn project(store: &Store, slug: &str) -> Result<Project, Fault> {
    let id = named(store, Kind::Project, slug).await?;
    let row = sqlx::query(
        "SELECT coalesce(number, '') AS number, name, category, status_note,
             (SELECT org FROM project_org WHERE project = ?1 AND is_lead = 1) AS lead FROM project WHERE id = ?1",
    );
    let row = row.bind(id).fetch_one(store.readers()).await?;
    Ok(Project {
        id,
        number: row.try_get("number")?,
        name: row.try_get("name")?,
        category: row.try_get("category")?,
        lead: row.try_get("lead")?,
        note: row.try_get("status_note")?,
    })
}

/// One workspace.
///
/// # Errors
/// [`Fault::Refused`]: there is none of this name.
pub async fn workspace(store: &Store, name: &str) -> Result<Workspace, Fault> {
    let id = named(store, Kind::Workspace, name).await?;
    let row = sqlx::query("SELECT project, branch, purpose, notify_default FROM workspace WHERE id = ?").bind(id);
    let row = row.fetch_one(store.readers()).await?;
    Ok(Workspace {
        place: (row.try_get("project")?, id),
        branch: row.try_get("branch")?,
        purpose: row.try_get("purpose")?,
        notify: row.try_get("notify_default")?,
    })
}
