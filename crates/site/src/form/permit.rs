//! Which permissions an action needs that its project must hold, and how each stands.
//! Spec site.md 2.1 (permission kinds are data), 7.2; actions.md 7.6 (`sqlrunner`).

use pipeline::Action;
use serde::Serialize;
use sqlx::SqlitePool;

use crate::store::{Change, StoreError};

/// A permission of a project that was approved once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// `dataset`, `population`, `component` or `action`.
    pub kind: String,
    /// Its code.
    pub code: String,
    /// Its name for people.
    pub title: String,
    /// Who approved it; none for the operator's command line.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: i64,
    /// From when it counts no more.
    pub expires_at: Option<i64>,
    /// Since when it is taken back.
    pub revoked_at: Option<i64>,
}

super::from_row!(Grant { kind, code, title, approved_by, approved_at, expires_at, revoked_at });

impl Grant {
    /// Whether it counts at this moment.
    pub fn in_force(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// What is known of permissions for one project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permits {
    /// Codes of actions that need one, with their names for people.
    pub kinds: Vec<(String, String)>,
    /// What the project was ever given.
    pub grants: Vec<Grant>,
    /// Who can approve one, by display name.
    pub approvers: Vec<String>,
}

/// A permission that an action needs and its project does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lack {
    /// Its code.
    pub code: String,
    /// Its name for people.
    pub title: String,
    /// Since when it counts no more, if it ever did.
    pub ended_at: Option<i64>,
    /// Who can approve one.
    pub approvers: Vec<String>,
}

const GRANTS: &str = "SELECT k.kind, k.code, k.title, a.username AS approved_by, g.approved_at, g.expires_at, g.revoked_at
    FROM permission_grant g JOIN permission_kind k ON k.id = g.permission_kind LEFT JOIN account a ON a.id = g.approved_by
    WHERE g.project = ? AND g.approved_at IS NOT NULL ORDER BY k.kind, k.code, g.approved_at";

impl Permits {
    /// Reads what pages need.
    ///
    /// # Errors
    /// The database failed.
    pub async fn read(tables: &SqlitePool, project: i64, now: i64) -> Result<Self, StoreError> {
        let kinds = sqlx::query_as("SELECT code, title FROM permission_kind WHERE kind = 'action' AND is_active = 1");
        let approvers = sqlx::query_scalar(
            "SELECT DISTINCT a.fullname FROM role_grant g JOIN account a ON a.id = g.account
             WHERE g.role = 'DataAuthority' AND g.revoked_at IS NULL AND a.disabled_at IS NULL
             AND g.approved_at IS NOT NULL AND (g.expires_at IS NULL OR g.expires_at > ?) ORDER BY a.fullname LIMIT 5",
        );
        Ok(Self {
            kinds: kinds.fetch_all(tables).await?,
            grants: sqlx::query_as(GRANTS).bind(project).fetch_all(tables).await?,
            approvers: approvers.bind(now).fetch_all(tables).await?,
        })
    }

    /// The permission that the action needs and the project does not hold now.
    pub fn lack(&self, action: &Action, now: i64) -> Option<Lack> {
        let name = action.runtime.name.as_str();
        let known = self.kinds.iter().find(|(code, _)| code == name);
        // The language itself says so of this one, whatever the tables hold.
        if known.is_none() && name != "sqlrunner" {
            return None;
        }
        let mine = || self.grants.iter().filter(|grant| grant.kind == "action" && grant.code == name);
        if mine().any(|grant| grant.in_force(now)) {
            return None;
        }
        Some(Lack {
            code: name.to_owned(),
            title: known.map_or_else(|| name.to_owned(), |(_, title)| title.clone()),
            ended_at: mine().filter_map(|grant| grant.revoked_at.or(grant.expires_at)).max(),
            approvers: self.approvers.clone(),
        })
    }
}

/// What is in force now, read inside the transaction that makes a request of it.
///
/// # Errors
/// The database failed.
pub async fn in_force(change: &mut Change, project: i64, now: i64) -> Result<Vec<Grant>, StoreError> {
    let grants: Vec<Grant> = sqlx::query_as(GRANTS).bind(project).fetch_all(&mut **change).await?;
    Ok(grants.into_iter().filter(|grant| grant.in_force(now)).collect())
}

impl Lack {
    /// What a researcher reads.
    pub fn words(&self, day: impl Fn(i64) -> String) -> String {
        let what = match self.ended_at {
            Some(end) => format!("the project's permission “{}” ended on {}", self.title, day(end)),
            None => format!("the project does not have the permission “{}”", self.title),
        };
        let who = match self.approvers.as_slice() {
            [] => "a data authority of this site".to_owned(),
            names => names.join(" or "),
        };
        format!("{what}; {who} can approve it")
    }
}
