//! People: the list, and adding one.
//! Spec site.md 10.

use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;
use sqlx::Row;
use ui::form::{Fault as Shown, Field, Kind};
use ui::html::Html;
use ui::time::At;

use super::desk::{Desk, act, to};
use crate::access::{Form, Object, Permission, Refusal};
use crate::people::accounts;
use crate::web::sheet::{self, Sheet};
use crate::web::table::{Table, link, pieces, section};

const AREA: &str = "/staff/users/";
const ROWS: i64 = 25;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    show: String,
    #[serde(default)]
    after: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Typed {
    username: String,
    fullname: String,
    #[serde(default)]
    email: String,
}

#[derive(askama::Template)]
#[template(path = "staff/users.html")]
struct Filters<'a> {
    asked: &'a Asked,
    shows: [(&'static str, &'static str); 4],
}

pub(super) async fn show(desk: Desk, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    drawn(&desk, &asked, &Typed::default(), &[]).await
}

async fn drawn(desk: &Desk, asked: &Asked, typed: &Typed, faults: &[Shown]) -> Result<Response, Refusal> {
    let shows =
        [("", "Everybody"), ("waiting", "Roles to approve"), ("none", "Without roles"), ("disabled", "Disabled")];
    let mut main = Html::of(&Filters { asked, shows });
    main.push(&list(desk, asked).await?);
    if desk.viewer.can(Permission::UserManage, &Object::SITE) {
        let fields = [
            Field::line("username", "User name")
                .hint("Public, never changed: letters, digits and -, at most 39")
                .value(&typed.username)
                .required(),
            Field::line("fullname", "Full name").value(&typed.fullname).required(),
            Field::line("email", "E-mail address").kind(Kind::Line("email")).hint("Never public").value(&typed.email),
        ];
        let sheet = Sheet::new(&desk.viewer, AREA, "Add person").fields(&fields, faults).shown();
        main.push(&section("Add a person", &sheet));
    }
    Ok(desk.page(AREA, None, faults, &main))
}

async fn list(desk: &Desk, asked: &Asked) -> Result<Html, Refusal> {
    let now = desk.site.clock.microseconds();
    let rows = sqlx::query(
        "SELECT a.username, a.username_key, a.fullname, a.kind, a.last_seen_at, a.disabled_at,
                (SELECT group_concat(DISTINCT g.role) FROM role_grant g WHERE g.account = a.id AND g.revoked_at IS NULL
                 AND (g.expires_at IS NULL OR g.expires_at > ?1)) AS roles
         FROM account a
         WHERE a.username_key > ?2 AND (?3 = '' OR instr(a.username_key, lower(?3)) OR instr(lower(a.fullname), lower(?3)))
           AND CASE ?4 WHEN 'disabled' THEN a.disabled_at IS NOT NULL
               WHEN 'none' THEN a.disabled_at IS NULL AND roles IS NULL
               WHEN 'waiting' THEN EXISTS (SELECT 1 FROM role_grant g WHERE g.account = a.id AND g.revoked_at IS NULL
                   AND g.approved_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?1))
               ELSE 1 END
         ORDER BY a.username_key LIMIT ?5",
    )
    .bind(now)
    .bind(&asked.after)
    .bind(asked.q.trim())
    .bind(&asked.show)
    .bind(ROWS + 1)
    .fetch_all(desk.site.store.readers())
    .await?;
    let mut table = Table::new("People and programs", &["User name", "Name", "Roles", "Last seen"]);
    let mut last = String::new();
    for row in rows.iter().take(25) {
        let text = |name| row.try_get::<String, _>(name);
        let mut name = text("fullname")?;
        if text("kind")? == "service" {
            name.push_str(" (program)");
        }
        if row.try_get::<Option<i64>, _>("disabled_at")?.is_some() {
            name.push_str(" (disabled)");
        }
        let username = text("username")?;
        let roles = row.try_get::<Option<String>, _>("roles")?.unwrap_or_default().replace(',', ", ");
        let seen: Option<i64> = row.try_get("last_seen_at")?;
        let seen = seen.map_or_else(|| Html::text("never"), |at| At(at).short(At(now)));
        table.push(vec![link(&username, &format!("{AREA}{username}/")), Html::text(&name), Html::text(&roles), seen]);
        last = text("username_key")?;
    }
    let mut shown = table.shown("Nobody here.");
    if rows.len() > 25 {
        let mut query = ::form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", &asked.q).append_pair("show", &asked.show).append_pair("after", &last);
        shown.push(&pieces([link("Next page", &format!("{AREA}?{}", query.finish()))]));
    }
    Ok(shown)
}

pub(super) async fn add(desk: Desk, Form(typed): Form<Typed>) -> Result<Response, Refusal> {
    let new = accounts::New {
        username: &typed.username,
        fullname: &typed.fullname,
        email: &typed.email,
        kind: accounts::Kind::Human,
    };
    match act!(desk, change, by, accounts::add(change, by, new)) {
        Ok(_) => Ok(to(&format!("{AREA}{}/", typed.username.trim().to_lowercase()))),
        Err(fault) => drawn(&desk, &Asked::default(), &typed, &sheet::faults(fault)?).await,
    }
}
