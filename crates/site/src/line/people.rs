//! The roster of a backend: who has to do with it, with which roles, and the workspaces that they may see.
//! Spec protocol.md 8.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use protocol::calls::RefusalCode;
use protocol::people::{ProjectDetails, Role, RoleName, Roster, Scope, User, WorkspaceDetails, Workspaces};
use protocol::text::time::Moment;

use super::call::{Refusal, answer, open};
use super::hello::revision_of;
use crate::store::StoreError;
use crate::store::ids::BackendId;
use crate::{Opened, Site};

pub(super) async fn people(State(site): State<Opened>, request: Request) -> Result<Response, Refusal> {
    let call = open(&site, request, 0, true).await?;
    if !call.caller.confirmed {
        return Err(Refusal::new(RefusalCode::Unavailable));
    }
    let malformed = || Refusal::new(RefusalCode::Malformed);
    let mut after = 0i64;
    for pair in call.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        if let Some(value) = pair.strip_prefix("after=") {
            after = value.parse::<u32>().map_err(|_| malformed())?.into();
        }
    }
    // The revision first: what changes between the two reads is told again at the next call.
    let (revision,): (i64,) =
        sqlx::query_as("SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'people_revision'")
            .fetch_one(site.store.readers())
            .await?;
    if after > 0 && after == revision {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let roster = roster(&site, call.caller.backend, revision).await?;
    Ok(answer(StatusCode::OK, &roster))
}

/// A workspace is here if a request of it came here, or if somebody of its project is a member here.
const HERE: &str = "
WITH member(account) AS (SELECT account FROM backend_member WHERE backend = ?1),
granted AS (
    SELECT account, role, scope, scope_id, expires_at, approved_at FROM role_grant
    WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)
      AND (approved_at IS NOT NULL OR role NOT IN
           ('OutputChecker', 'OutputPublisher', 'DataAuthority', 'StaffAreaAdministrator', 'SiteAdministrator'))),
here(workspace) AS (
    SELECT workspace FROM job_request WHERE backend = ?1
    UNION SELECT w.id FROM workspace w JOIN granted g ON g.scope = 'project' AND g.scope_id = w.project
          WHERE g.account IN (SELECT account FROM member)),
place(project) AS (SELECT DISTINCT project FROM workspace WHERE id IN (SELECT workspace FROM here))
";

async fn roster(site: &Site, backend: BackendId, revision: i64) -> Result<Roster, Refusal> {
    let now = site.clock.microseconds();
    let workspaces = workspaces(site, backend, now).await?;
    type Row = (String, String, bool, Option<String>, Option<String>, Option<String>, Option<i64>);
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{HERE} SELECT a.username, a.fullname, a.disabled_at IS NOT NULL, g.role, g.scope, p.slug, g.expires_at
         FROM account a
         LEFT JOIN granted g ON g.account = a.id
             AND (g.scope = 'site' OR (g.scope = 'backend' AND g.scope_id = ?1)
                  OR (g.scope = 'project' AND g.scope_id IN (SELECT project FROM place)))
         LEFT JOIN project p ON g.scope = 'project' AND p.id = g.scope_id
         WHERE a.id IN (SELECT account FROM member)
            OR a.id IN (SELECT account FROM granted WHERE scope = 'project' AND scope_id IN (SELECT project FROM place))
            OR a.id IN (SELECT account FROM granted WHERE scope = 'backend' AND scope_id = ?1)
         ORDER BY a.username_key, g.role, g.scope, p.slug LIMIT 100000"
    )))
    .bind(backend.0)
    .bind(now)
    .fetch_all(site.store.readers())
    .await?;
    let mut users: Vec<(String, String, bool, Vec<Role>)> = Vec::new();
    for (username, fullname, disabled, role, scope, project, expires) in rows {
        if users.last().is_none_or(|user| user.0 != username) {
            users.push((username, fullname, disabled, Vec::new()));
        }
        let (Some(role), Some(scope)) = (role, scope) else { continue };
        // A role of a newer program means nothing to this one.
        let Ok(role) = serde_json::from_value::<RoleName>(snake(&role).into()) else { continue };
        let scope = match scope.as_str() {
            "site" => Scope::Site,
            "backend" => Scope::Backend,
            _ => match project.and_then(|slug| slug.parse().ok()) {
                Some(slug) => Scope::Project(slug),
                None => continue,
            },
        };
        let ends_at = expires.and_then(|at| Moment::from_microseconds(at).ok());
        if let Some(user) = users.last_mut() {
            user.3.push(Role { role, scope, ends_at });
        }
    }
    let user = |(username, fullname, disabled, roles): (String, String, bool, Vec<Role>)| {
        Some(User {
            username: username.parse().ok()?,
            fullname: fullname.parse().ok()?,
            disabled,
            roles: roles.try_into().ok()?,
        })
    };
    let users: Vec<User> = users.into_iter().filter_map(user).collect();
    let too_many = || StoreError::Damaged("more users than a roster can hold".to_owned());
    Ok(Roster { users: users.try_into().map_err(|_| too_many())?, workspaces, revision: revision_of(revision)? })
}

async fn workspaces(site: &Site, backend: BackendId, now: i64) -> Result<Workspaces, Refusal> {
    type Row = (String, bool, Option<String>, String, String, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "{HERE} SELECT w.name, w.archived_at IS NOT NULL, p.number, p.name, p.status, o.slug
         FROM workspace w JOIN project p ON p.id = w.project
         LEFT JOIN project_org x ON x.project = p.id LEFT JOIN org o ON o.id = x.org
         WHERE w.id IN (SELECT workspace FROM here)
         ORDER BY w.name, x.is_lead DESC, x.created_at, o.slug LIMIT 200000"
    )))
    .bind(backend.0)
    .bind(now)
    .fetch_all(site.store.readers())
    .await?;
    let mut found: BTreeMap<String, (bool, String, bool, Vec<String>)> = BTreeMap::new();
    for (name, archived, number, title, status, org) in rows {
        let title = number.map_or_else(|| title.clone(), |number| format!("{number} - {title}"));
        let ongoing = status.starts_with("ongoing");
        found.entry(name).or_insert_with(|| (archived, title, ongoing, Vec::new())).3.extend(org);
    }
    let mut workspaces = Workspaces::new();
    for (name, (archived, title, ongoing, orgs)) in found {
        // Titles of a project may be longer than a display name.
        let title: String = title.chars().take(255).collect();
        let orgs: Vec<_> = orgs.iter().filter_map(|org| org.parse().ok()).take(100).collect();
        let (Ok(name), Ok(title), Ok(orgs)) = (name.parse(), title.parse(), orgs.try_into()) else { continue };
        let project_details = ProjectDetails { name: title, ongoing, orgs };
        workspaces.insert(name, WorkspaceDetails { project_details, archived });
    }
    Ok(workspaces)
}

/// `OutputChecker` as messages write it.
fn snake(role: &str) -> String {
    let mut word = String::new();
    for letter in role.chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}
