//! Approving and revoking a role, from wherever it is listed; and the list itself.
//! Spec site.md 10, 11.3.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde::Deserialize;
use sqlx::Row;
use ui::html::Html;
use ui::time::At;

use super::desk::{Desk, act, to};
use crate::Opened;
use crate::access::{Form, Refusal, local};
use crate::people::roles;
use crate::web::sheet::inline;
use crate::web::table::{Table, link, pieces};

#[derive(Debug, Deserialize)]
pub(super) struct Reason {
    #[serde(default)]
    pub(super) reason: String,
}

/// Back to the page that the form was on, if it was one of ours.
fn back(site: &Opened, headers: &HeaderMap) -> String {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let referer = text(header::REFERER);
    let own = referer.strip_prefix(&site.settings.origin);
    let own = own.or_else(|| referer.strip_prefix(&format!("http://{}", text(header::HOST))));
    own.and_then(local).unwrap_or("/staff/users/").to_owned()
}

pub(super) async fn approve(
    desk: Desk,
    State(site): State<Opened>,
    Path(grant): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    act!(desk, change, by, roles::approve(change, by, grant))?;
    Ok(to(&back(&site, &headers)))
}

pub(super) async fn revoke(
    desk: Desk,
    State(site): State<Opened>,
    Path(grant): Path<i64>,
    headers: HeaderMap,
    Form(typed): Form<Reason>,
) -> Result<Response, Refusal> {
    act!(desk, change, by, roles::revoke(change, by, grant, &typed.reason))?;
    Ok(to(&back(&site, &headers)))
}

/// Roles of one account, or of one project if `project` is set.
pub(super) async fn list(desk: &Desk, account: Option<i64>, project: Option<i64>) -> Result<Html, Refusal> {
    let now = desk.site.clock.microseconds();
    let rows = sqlx::query(
        "SELECT g.id, g.role, g.scope, g.reason, g.approved_at, g.expires_at, a.username, b.username AS granted_by,
                CASE g.scope WHEN 'project' THEN (SELECT name FROM project WHERE id = g.scope_id)
                    WHEN 'backend' THEN (SELECT name FROM backend WHERE id = g.scope_id) ELSE 'the whole site' END AS place
         FROM role_grant g JOIN account a ON a.id = g.account LEFT JOIN account b ON b.id = g.granted_by
         WHERE g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?1)
           AND (?2 IS NULL OR g.account = ?2) AND (?3 IS NULL OR (g.scope = 'project' AND g.scope_id = ?3))
         ORDER BY g.id LIMIT 200",
    )
    .bind(now)
    .bind(account)
    .bind(project)
    .fetch_all(desk.site.store.readers())
    .await?;
    let mut table = Table::new("Roles that count or wait", &["Role", "Person", "For", "Why", "Until", "Acts"]);
    for row in &rows {
        let text = |name| row.try_get::<Option<String>, _>(name).map(Option::unwrap_or_default);
        let (id, role): (i64, String) = (row.try_get("id")?, row.try_get("role")?);
        let (username, needs_two) = (text("username")?, crate::access::Role::of(&role).is_some_and(|r| r.needs_two()));
        let waits = needs_two && row.try_get::<Option<i64>, _>("approved_at")?.is_none();
        let about = format!("{role} of {username}");
        let mut acts = Vec::new();
        if waits {
            acts.push(inline(&desk.viewer, &format!("/staff/roles/{id}/approve/"), &[], ("Approve", &about), ""));
        }
        let why = format!("Reason for revoking {about}");
        acts.push(inline(&desk.viewer, &format!("/staff/roles/{id}/revoke/"), &[], ("Revoke", &about), &why));
        let ends: Option<i64> = row.try_get("expires_at")?;
        let by = text("granted_by")?;
        let by = if by.is_empty() { "the operator".to_owned() } else { by };
        table.push(vec![
            Html::text(&if waits { format!("{role} (waits for approval)") } else { role.clone() }),
            link(&username, &format!("/staff/users/{username}/")),
            Html::text(&text("place")?),
            Html::text(&format!("{} (by {by})", text("reason")?)),
            ends.map_or_else(|| Html::text("no end"), |end| At(end).short(At(now))),
            pieces(acts),
        ]);
    }
    Ok(table.shown("No roles."))
}
