//! Tokens and data permissions, as the command line lists them.
//! Spec site.md 10 (command line twins).

use serde::Serialize;

use crate::people::Fault;
use crate::store::Store;

row! {
/// An API token. Its text is known to nobody but its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    /// The row, for revoking.
    pub id: i64,
    /// Whose.
    pub username: String,
    /// What its owner calls it.
    pub name: String,
    /// How it begins.
    pub prefix: String,
    /// What it is for, with a space between.
    pub scopes: String,
    /// Slugs of the only projects that it reaches, with a space between; all if blank.
    pub projects: String,
    /// Until when it counts, in microseconds.
    #[serde(serialize_with = "super::at")]
    pub expires_at: i64,
    /// When it was last used.
    #[serde(serialize_with = "super::at_or_none")]
    pub last_used_at: Option<i64>,
}
}

/// Tokens that count, of one account or of all.
///
/// # Errors
/// The database failed.
pub async fn tokens(store: &Store, account: Option<i64>, now: i64) -> Result<Vec<Token>, Fault> {
    let rows = sqlx::query_as(
        "SELECT t.id, a.username, t.name, t.prefix, t.scopes, t.expires_at, t.last_used_at,
             coalesce((SELECT group_concat(p.slug, ' ') FROM api_token_project x JOIN project p ON p.id = x.project
                       WHERE x.token = t.id), '') AS projects
         FROM api_token t JOIN account a ON a.id = t.account
         WHERE t.revoked_at IS NULL AND t.expires_at > ?1 AND (?2 IS NULL OR t.account = ?2)
         ORDER BY a.username_key, t.id",
    );
    Ok(rows.bind(now).bind(account).fetch_all(store.readers()).await?)
}

row! {
/// A data permission of a project that counts, or waits for approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Granted {
    /// The row, for approving and revoking.
    pub id: i64,
    /// Slug of the project.
    pub project: String,
    /// What.
    pub code: String,
    /// Whether it waits for a second person.
    pub waits: bool,
    /// Why.
    pub reason: String,
    /// Who proposed it; none is the operator.
    pub proposed_by: Option<String>,
    /// Who approved it; none is the operator, or nobody yet.
    pub approved_by: Option<String>,
    /// Until when it counts, in microseconds.
    #[serde(serialize_with = "super::at_or_none")]
    pub expires_at: Option<i64>,
}
}

/// Data permissions that count or wait, of one project or of all: what waits first, then what ends soonest.
///
/// # Errors
/// The database failed.
pub async fn permissions(store: &Store, project: Option<i64>, now: i64) -> Result<Vec<Granted>, Fault> {
    let rows = sqlx::query_as(
        "SELECT g.id, p.slug AS project, k.code, g.approved_at IS NULL AS waits, g.reason, a.username AS proposed_by,
             b.username AS approved_by, g.expires_at
         FROM permission_grant g JOIN project p ON p.id = g.project JOIN permission_kind k ON k.id = g.permission_kind
         LEFT JOIN account a ON a.id = g.proposed_by LEFT JOIN account b ON b.id = g.approved_by
         WHERE g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?1) AND (?2 IS NULL OR g.project = ?2)
         ORDER BY g.approved_at IS NOT NULL, g.expires_at IS NULL, g.expires_at, g.id",
    );
    Ok(rows.bind(now).bind(project).fetch_all(store.readers()).await?)
}

row! {
/// Something that a project may be permitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PermissionKind {
    /// Its code.
    pub code: String,
    /// `dataset`, `population`, `component` or `action`.
    pub kind: String,
    /// Its title.
    pub title: String,
    /// What it means.
    pub explanation: String,
}
}

/// Everything that may be permitted.
///
/// # Errors
/// The database failed.
pub async fn kinds(store: &Store) -> Result<Vec<PermissionKind>, Fault> {
    let rows = "SELECT code, kind, title, explanation FROM permission_kind WHERE is_active = 1 ORDER BY kind, code";
    Ok(sqlx::query_as(rows).fetch_all(store.readers()).await?)
}
