//! What there is, for the command line: plain rows that print as a table or as JSON; and names turned into rows.
//! Spec site.md 10 (command line twins).

/// A row that is read by the names of its fields.
macro_rules! row {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$each:meta])* pub $field:ident: $kind:ty,)* }) => {
        $(#[$about])*
        pub struct $name { $($(#[$each])* pub $field: $kind,)* }

        impl<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> for $name {
            fn from_row(row: &'r sqlx::sqlite::SqliteRow) -> Result<Self, sqlx::Error> {
                use sqlx::Row;
                Ok(Self { $($field: row.try_get(stringify!($field))?,)* })
            }
        }
    };
}

mod asked;
mod now;
mod rights;

use serde::Serialize;
use sqlx::Row;

pub use asked::{Request, Show, request, requests};
pub use now::{Account, Org, Project, Workspace, org, person, project, workspace};
pub use rights::{Granted, PermissionKind, Token, kinds, permissions, tokens};

use super::{Fault, names};
use crate::access::{Place, Refusal};
use crate::store::Store;

/// A moment as JSON has it: RFC 3339, as everywhere in the API.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's rule")]
fn at<S: serde::Serializer>(at: &i64, to: S) -> Result<S::Ok, S::Error> {
    crate::clock::moment(*at).serialize(to)
}

fn at_or_none<S: serde::Serializer>(at: &Option<i64>, to: S) -> Result<S::Ok, S::Error> {
    at.map(crate::clock::moment).serialize(to)
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// Its public name.
    pub username: String,
    /// The name that is shown.
    pub fullname: String,
    /// `human` or `service`.
    pub kind: String,
    /// Whether it may act.
    pub is_disabled: bool,
    /// When it was last used, in microseconds.
    #[serde(serialize_with = "at_or_none")]
    pub last_seen_at: Option<i64>,
}

/// A role that counts, or waits for its second person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The row, for approving and revoking.
    pub id: i64,
    /// Who has it.
    pub username: String,
    /// Which.
    pub role: String,
    /// `site`, `project/SLUG` or `backend/SLUG`.
    pub place: String,
    /// Whether a second person has yet to approve it.
    pub waits: bool,
    /// Why it was granted.
    pub reason: String,
    /// Until when it counts, in microseconds.
    #[serde(serialize_with = "at_or_none")]
    pub expires_at: Option<i64>,
}

/// An organisation, project, workspace or backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Thing {
    /// The part of its address.
    pub slug: String,
    /// Its name; of a workspace, its repository.
    pub name: String,
    /// Of a project its status, of a workspace its project, of a backend its flavour and data.
    pub about: String,
}

/// A kind of [`Thing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An organisation.
    Org,
    /// A project.
    Project,
    /// A workspace, by its name.
    Workspace,
    /// A backend.
    Backend,
}

/// All accounts by name.
///
/// # Errors
/// The database failed.
pub async fn users(store: &Store) -> Result<Vec<User>, Fault> {
    let rows =
        sqlx::query("SELECT username, fullname, kind, disabled_at, last_seen_at FROM account ORDER BY username_key");
    let one = |row: &sqlx::sqlite::SqliteRow| {
        Ok(User {
            username: row.try_get("username")?,
            fullname: row.try_get("fullname")?,
            kind: row.try_get("kind")?,
            is_disabled: row.try_get::<Option<i64>, _>("disabled_at")?.is_some(),
            last_seen_at: row.try_get("last_seen_at")?,
        })
    };
    Ok(rows.fetch_all(store.readers()).await?.iter().map(one).collect::<Result<_, sqlx::Error>>()?)
}

/// Roles that count or wait at this moment, of one account or of all.
///
/// # Errors
/// The database failed.
pub async fn roles(store: &Store, account: Option<i64>, now: i64) -> Result<Vec<Held>, Fault> {
    let rows = sqlx::query(
        "SELECT g.id, a.username, g.role, g.reason, g.approved_at, g.expires_at,
             CASE g.scope WHEN 'project' THEN 'project/' || (SELECT slug FROM project WHERE id = g.scope_id)
                 WHEN 'backend' THEN 'backend/' || (SELECT slug FROM backend WHERE id = g.scope_id) ELSE g.scope END AS place
         FROM role_grant g JOIN account a ON a.id = g.account
         WHERE g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?1) AND (?2 IS NULL OR g.account = ?2)
         ORDER BY a.username_key, g.id",
    );
    let one = |row: &sqlx::sqlite::SqliteRow| {
        let role: String = row.try_get("role")?;
        let needs_two = crate::access::Role::of(&role).is_some_and(|role| role.needs_two());
        Ok(Held {
            id: row.try_get("id")?,
            username: row.try_get("username")?,
            place: row.try_get::<Option<String>, _>("place")?.unwrap_or_default(),
            waits: needs_two && row.try_get::<Option<i64>, _>("approved_at")?.is_none(),
            reason: row.try_get("reason")?,
            expires_at: row.try_get("expires_at")?,
            role,
        })
    };
    let rows = rows.bind(now).bind(account).fetch_all(store.readers()).await?;
    Ok(rows.iter().map(one).collect::<Result<_, sqlx::Error>>()?)
}

/// All things of a kind.
///
/// # Errors
/// The database failed.
pub async fn things(store: &Store, kind: Kind) -> Result<Vec<Thing>, Fault> {
    let rows = sqlx::query(match kind {
        Kind::Org => "SELECT slug, name, '' AS about FROM org ORDER BY slug",
        Kind::Project => "SELECT slug, name, status AS about FROM project ORDER BY slug",
        Kind::Workspace => {
            "SELECT w.name AS slug, o.url AS name, p.slug AS about FROM workspace w JOIN project p ON p.id = w.project
             JOIN repo o ON o.id = w.repo ORDER BY w.name"
        }
        Kind::Backend => {
            "SELECT slug, name, flavour || ', ' || data_kind || ' data' AS about FROM backend ORDER BY slug"
        }
    });
    let one = |row: &sqlx::sqlite::SqliteRow| {
        Ok(Thing { slug: row.try_get("slug")?, name: row.try_get("name")?, about: row.try_get("about")? })
    };
    Ok(rows.fetch_all(store.readers()).await?.iter().map(one).collect::<Result<_, sqlx::Error>>()?)
}

/// The row of a thing.
///
/// # Errors
/// [`Fault::Refused`]: there is none of this name.
pub async fn named(store: &Store, kind: Kind, slug: &str) -> Result<i64, Fault> {
    let (word, sql) = match kind {
        Kind::Org => ("organisation", "SELECT id FROM org WHERE slug = ?1"),
        Kind::Project => ("project", "SELECT id FROM project WHERE slug = ?1"),
        Kind::Workspace => ("workspace", "SELECT id FROM workspace WHERE name = ?1"),
        Kind::Backend => ("backend", "SELECT id FROM backend WHERE slug = ?1"),
    };
    let id = sqlx::query_scalar(sql).bind(slug.trim()).fetch_optional(store.readers()).await?;
    id.ok_or_else(|| Fault::Refused(Refusal::Invalid(format!("there is no {word} {}", slug.trim()))))
}

/// The row of an account.
///
/// # Errors
/// [`Fault::Refused`]: there is nobody of this name.
pub async fn account(store: &Store, username: &str) -> Result<i64, Fault> {
    let id = sqlx::query_scalar("SELECT id FROM account WHERE username_key = ?1").bind(names::folded(username));
    let id = id.fetch_optional(store.readers()).await?;
    id.ok_or_else(|| Fault::Refused(Refusal::Invalid(format!("there is nobody called {}", username.trim()))))
}

/// What is typed for a place: nothing or `site`, `project/SLUG` or `backend/SLUG`.
///
/// # Errors
/// [`Fault::Refused`]: it is none of these, or there is no such thing.
pub async fn place(store: &Store, text: &str) -> Result<Place, Fault> {
    match text.trim().split_once('/') {
        None if ["", "site"].contains(&text.trim()) => Ok(Place::Site),
        Some(("project", slug)) => Ok(Place::Project(named(store, Kind::Project, slug).await?)),
        Some(("backend", slug)) => Ok(Place::Backend(named(store, Kind::Backend, slug).await?)),
        _ => Err(Fault::Refused(Refusal::Invalid("write project/SLUG, backend/SLUG or site".to_owned()))),
    }
}
