//! Data permissions: the kinds, what projects have, proposing, approving, ending.
//! Spec site.md 10.

use axum::extract::Path;
use axum::response::Response;
use serde::Deserialize;
use sqlx::Row;
use ui::form::{Fault as Shown, Field, Kind};
use ui::html::Html;
use ui::time::At;

use super::desk::{Desk, act, to};
use super::roles::Reason;
use crate::access::{Form, Object, Permission, Refusal};
use crate::people::{Fault, day, permissions};
use crate::web::sheet::{self, Sheet, inline};
use crate::web::table::{Table, pieces, section};

const AREA: &str = "/staff/permissions/";

#[derive(Debug, Default, Deserialize)]
pub(super) struct Typed {
    project: String,
    code: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    evidence: String,
    #[serde(default)]
    expires: String,
}

pub(super) async fn show(desk: Desk) -> Result<Response, Refusal> {
    drawn(&desk, &Typed::default(), &[]).await
}

async fn drawn(desk: &Desk, typed: &Typed, faults: &[Shown]) -> Result<Response, Refusal> {
    let kinds =
        sqlx::query("SELECT code, title, kind, explanation, is_active FROM permission_kind ORDER BY kind, code");
    let kinds = kinds.fetch_all(desk.site.store.readers()).await?;
    let (mut table, mut codes) =
        (Table::new("What may be permitted", &["Code", "Title", "Kind", "Meaning"]), Vec::new());
    for row in &kinds {
        let text = |name| row.try_get::<String, _>(name);
        let code = text("code")?;
        if row.try_get::<i64, _>("is_active")? != 0 {
            codes.push((code.clone(), text("title")?));
        }
        table.push(vec![
            Html::text(&code),
            Html::text(&text("title")?),
            Html::text(&text("kind")?),
            Html::text(&text("explanation")?),
        ]);
    }
    let mut main = section("Of projects", &granted(desk).await?);
    if desk.viewer.can(Permission::PermissionPropose, &Object::SITE) {
        let fields = [
            Field::line("project", "Project").hint("As in its address").value(&typed.project).required(),
            Field::line("code", "Permission").kind(Kind::Choice(codes)).value(&typed.code).required(),
            Field::line("reason", "Reason").kind(Kind::Area { rows: 3 }).hint("Public").value(&typed.reason).required(),
            Field::line("evidence", "Where that is documented").hint("An https:// address").value(&typed.evidence),
            Field::line("expires", "Until")
                .kind(Kind::Line("date"))
                .hint("The first day it does not count, UTC")
                .value(&typed.expires),
        ];
        let sheet = Sheet::new(&desk.viewer, AREA, "Propose").fields(&fields, faults).shown();
        main.push(&section("Propose one", &sheet));
    }
    main.push(&section("Kinds", &table.shown("None.")));
    Ok(desk.page(AREA, None, faults, &main))
}

async fn granted(desk: &Desk) -> Result<Html, Refusal> {
    let now = desk.site.clock.microseconds();
    let rows = sqlx::query(
        "SELECT g.id, p.slug, k.code, g.reason, g.approved_at, g.expires_at, a.username AS proposed, b.username AS approved
         FROM permission_grant g JOIN project p ON p.id = g.project JOIN permission_kind k ON k.id = g.permission_kind
         LEFT JOIN account a ON a.id = g.proposed_by LEFT JOIN account b ON b.id = g.approved_by
         WHERE g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?1)
         ORDER BY g.approved_at IS NOT NULL, g.expires_at IS NULL, g.expires_at, g.id LIMIT 500",
    )
    .bind(now)
    .fetch_all(desk.site.store.readers())
    .await?;
    let mut table = Table::new(
        "What waits first, then what ends soonest",
        &["Project", "Permission", "Why", "Proposed by", "Approved by", "Until", "Acts"],
    );
    for row in &rows {
        let text = |name| row.try_get::<Option<String>, _>(name).map(Option::unwrap_or_default);
        let id: i64 = row.try_get("id")?;
        let (slug, code) = (text("slug")?, text("code")?);
        let (waits, about) = (row.try_get::<Option<i64>, _>("approved_at")?.is_none(), format!("{code} of {slug}"));
        let operator = |name: String| if name.is_empty() { "the operator".to_owned() } else { name };
        let mut acts = Vec::new();
        if waits && desk.viewer.can(Permission::PermissionApprove, &Object::SITE) {
            acts.push(inline(&desk.viewer, &format!("{AREA}{id}/approve/"), &[], ("Approve", &about), ""));
        }
        let word = if waits { "Reject" } else { "Revoke" };
        acts.push(inline(
            &desk.viewer,
            &format!("{AREA}{id}/revoke/"),
            &[],
            (word, &about),
            &format!("Reason: {word} {about}"),
        ));
        let ends: Option<i64> = row.try_get("expires_at")?;
        table.push(vec![
            Html::text(&slug),
            Html::text(&code),
            Html::text(&text("reason")?),
            Html::text(&operator(text("proposed")?)),
            Html::text(&if waits { "waits".to_owned() } else { operator(text("approved")?) }),
            ends.map_or_else(|| Html::text("no end"), |end| At(end).short(At(now))),
            pieces(acts),
        ]);
    }
    Ok(table.shown("No project has a data permission."))
}

pub(super) async fn propose(desk: Desk, Form(typed): Form<Typed>) -> Result<Response, Refusal> {
    let done = async {
        let project = sqlx::query_scalar("SELECT id FROM project WHERE slug = ?1").bind(typed.project.trim());
        let project = project.fetch_optional(desk.site.store.readers()).await?;
        let unknown = || Fault::Field { name: "project", why: "there is no such project".to_owned() };
        let (project, expires_at) = (project.ok_or_else(unknown)?, day("expires", &typed.expires)?);
        let Typed { code, reason, evidence, .. } = &typed;
        let new = permissions::New { project, code, reason, evidence, expires_at };
        act!(desk, change, by, permissions::propose(change, by, new))
    };
    match done.await {
        Ok(_) => Ok(to(AREA)),
        Err(fault) => drawn(&desk, &typed, &sheet::faults(fault)?).await,
    }
}

pub(super) async fn approve(desk: Desk, Path(grant): Path<i64>) -> Result<Response, Refusal> {
    act!(desk, change, by, permissions::approve(change, by, grant))?;
    Ok(to(AREA))
}

pub(super) async fn revoke(desk: Desk, Path(grant): Path<i64>, Form(typed): Form<Reason>) -> Result<Response, Refusal> {
    act!(desk, change, by, permissions::revoke(change, by, grant, &typed.reason))?;
    Ok(to(AREA))
}
